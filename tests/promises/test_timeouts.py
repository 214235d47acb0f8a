"""Promises 6 to 11, and 48, 50 and 53 at the moment of a timeout: what limits an attempt, and how it ends."""

import asyncio
import gc
import socket
import threading
import weakref
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import repeat
from time import thread_time
from typing import Any

import aiohttp
import pytest

from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsTimeoutError, ServerError
from elevenlabs_tokens._http import transport
from elevenlabs_tokens._http.clock import Clock
from frozen import KEY
from minting import mint, mint_once, outcome_of
from proxies import HOST
from reach import loop_session_of
from rows import row
from scripted import HEAD_END, TOKEN, Act, Pieces, Script, ScriptedApi, dribble, head, reply

pytestmark = pytest.mark.anyio


async def seconds_to_time_out(call: Awaitable[str]) -> float:
    """Give the seconds until a call raises its timeout."""
    outcome, seconds = await outcome_of(call)

    assert ElevenLabsTimeoutError is outcome
    return seconds


# A server that is slow


@pytest.mark.timed
@pytest.mark.parametrize(
    "script",
    [
        row(6, [dribble(head(200, {"X-Padding": "x" * 100}), 0.05)], id="head"),
        row(7, [head(200, {"Content-Length": 100}), dribble(b'{"token": "x"}'.ljust(100), 0.05)], id="body"),
        row(8, [Pieces(repeat(head(100)), 0.005)], id="100 Continue for ever"),
    ],
)
async def test_a_reply_that_comes_slowly(api: ScriptedApi, script: Script) -> None:
    """Bytes that keep coming do not move the deadline."""
    api.replies += [script]
    client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, timeout_in_seconds=2.0)

    assert 2.0 == pytest.approx(await seconds_to_time_out(mint_once(client)), abs=0.1)
    assert 1 == len(api.requests)


@pytest.mark.timed
@pytest.mark.promise(row=10)
async def test_calls_that_wait_for_the_only_connection(api: ScriptedApi) -> None:
    """The wait for a connection counts against the deadline."""
    api.replies += [[Act.STALL]] * 3
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, session=session, timeout_in_seconds=1.5)
        seconds = await asyncio.gather(*(seconds_to_time_out(mint(client)) for _ in range(3)))

    assert max(seconds) < 1.6


@pytest.mark.timed
@pytest.mark.promise(row=11)
async def test_an_api_that_never_recovers(api: ScriptedApi) -> None:
    """The waits between attempts count against the deadline, and the last reply is the error."""
    api.replies += [reply(503, {})] * 11
    client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, timeout_in_seconds=1.0, max_retries=10)
    # Waits of 0.25 and 0.5 s, so that none ends as the deadline does.
    client._pipeline.clock = Clock(draw=lambda: 0.0)

    outcome, seconds = await outcome_of(mint_once(client))

    assert ServerError is outcome
    assert seconds < 1.1
    assert 3 == len(api.requests)


@pytest.mark.timed
async def test_attempts_in_turn_have_a_timeout_each(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """Three attempts that time out take three times as long as one."""
    api.replies += [[Act.STALL]] * 3

    seconds = await seconds_to_time_out(mint(client, max_retries=2, attempt_timeout_in_seconds=0.2))

    assert 0.6 == pytest.approx(seconds, abs=0.1)
    assert 3 == len(api.requests)


@pytest.mark.timed
@pytest.mark.parametrize("timeouts", [(0.2, 0.6, 0.4), (0.6, 0.2, 0.4), (0.2, 0.2, 0.2)], ids=repr)
async def test_attempts_at_once_have_a_timeout_each(
    api: ScriptedApi, client: AsyncElevenLabsClient, timeouts: tuple[float, ...]
) -> None:
    """A longer or a shorter one, begun before or after, changes nothing for another."""
    api.replies += [[Act.STALL]] * 3

    calls = (mint(client, max_retries=0, attempt_timeout_in_seconds=seconds) for seconds in timeouts)

    assert pytest.approx(timeouts, abs=0.1) == await asyncio.gather(*map(seconds_to_time_out, calls))


# Connecting


@pytest.mark.timed
@pytest.mark.promise(row=9)
async def test_a_tls_handshake_that_stalls(api: ScriptedApi) -> None:
    """The handshake counts against the timeout of the attempt."""
    api.greetings += [[Act.STALL]]
    client = AsyncElevenLabsClient(
        api_key=KEY, base_url=f"https://127.0.0.1:{api.port}", attempt_timeout_in_seconds=1.0, max_retries=0
    )

    assert 1.0 == pytest.approx(await seconds_to_time_out(mint_once(client)), abs=0.1)
    assert 1 == api.connections


LONG_ATTEMPT_IN_SECONDS = 9.75
"""A timeout that no other test uses: the package caches what it makes of it and of the limit for connecting."""


@pytest.fixture
def short_connect(monkeypatch: pytest.MonkeyPatch) -> float:
    """Limit connecting to less than the usual 5 s, and give this limit."""
    assert 5.0 == transport.LONGEST_CONNECT_IN_SECONDS
    monkeypatch.setattr(transport, "LONGEST_CONNECT_IN_SECONDS", 0.3)
    return 0.3


def mint_through(**arguments: Any) -> Awaitable[str]:
    return mint_once(
        AsyncElevenLabsClient(
            api_key=KEY, attempt_timeout_in_seconds=LONG_ATTEMPT_IN_SECONDS, max_retries=0, **arguments
        )
    )


@pytest.mark.timed
@pytest.mark.promise(row=9)
@pytest.mark.promise(row=40)
@pytest.mark.parametrize(
    ("greeting", "is_proxied"),
    [
        pytest.param([Act.STALL], False, id="TLS"),
        pytest.param([Act.STALL], True, id="a proxy's answer to CONNECT"),
        pytest.param([Act.READ, b"HTTP/1.1 200 Connection established" + HEAD_END, Act.STALL], True, id="TLS behind"),
    ],
)
async def test_connecting_has_a_limit_of_its_own(
    api: ScriptedApi, short_connect: float, greeting: Script, *, is_proxied: bool
) -> None:
    """Connecting is given up after 5 s (here 0.3 s) of an attempt that may take longer; TLS and the proxy count."""
    api.greetings += [greeting]
    direct, proxied = (
        {"base_url": f"https://127.0.0.1:{api.port}"},
        {"base_url": f"https://{HOST}", "proxy": api.base_url},
    )

    seconds = await seconds_to_time_out(mint_through(**(proxied if is_proxied else direct)))

    assert short_connect == pytest.approx(seconds, abs=0.1)


@pytest.mark.timed
@pytest.mark.promise(row=9)
async def test_a_name_that_is_not_found_in_time(short_connect: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lookup of the name is a part of connecting too."""
    done = threading.Event()

    def getaddrinfo(*_: object, **__: object) -> Any:
        done.wait(5)
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    try:
        seconds = await seconds_to_time_out(mint_through(base_url=f"https://{HOST}"))
    finally:
        done.set()

    assert short_connect == pytest.approx(seconds, abs=0.1)


@pytest.mark.promise(row=9)
async def test_the_limit_is_for_connecting_alone(short_connect: float, api: ScriptedApi) -> None:
    """A slow reply on a connection that stands is waited for."""
    api.delay_in_seconds = short_connect * 2

    assert TOKEN["token"] == await mint_through(base_url=api.base_url)


# The end of an attempt


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Give a function that moves the running loop's clock by a minute, so that the timers of a call are due."""

    def skip() -> None:
        loop = asyncio.get_running_loop()
        now = loop.time
        monkeypatch.setattr(loop, "time", lambda: now() + 60.0)

    return skip


@pytest.mark.promise(row=48)
async def test_the_timer_of_an_attempt_ends_with_it(client: AsyncElevenLabsClient, later: Callable[[], None]) -> None:
    """It does not interrupt what the task does afterwards."""

    async def go_on_after_a_call() -> str:
        token = await mint(client)
        later()
        for _turn in range(3):
            await asyncio.sleep(0)
        return token

    assert TOKEN["token"] == await asyncio.create_task(go_on_after_a_call())


@pytest.mark.promise(row=48)
@pytest.mark.parametrize("cancellations", [0, 1], ids=["a task as usual", "a task that cleans up"])
async def test_a_timeout_leaves_the_task_as_it_was(
    api: ScriptedApi, client: AsyncElevenLabsClient, later: Callable[[], None], cancellations: int
) -> None:
    """The scopes around the call find the task's cancellations, of which none came from the timeout."""

    async def work() -> str:
        task = asyncio.current_task()
        assert task is not None
        for _ in range(cancellations):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
        return await mint(client, max_retries=0)

    api.replies += [[Act.STALL]]
    call = asyncio.create_task(work())
    assert await asyncio.to_thread(api.request_came.wait, 5)
    later()

    with pytest.raises(ElevenLabsTimeoutError):
        await call
    assert cancellations == call.cancelling()


@pytest.mark.promise(row=50)
async def test_a_closed_client_leaves_no_timer_behind(client: AsyncElevenLabsClient) -> None:
    """Its event loop, which may run for long, does not keep the timer."""
    await mint(client)
    timer = weakref.ref(loop_session_of(client)._timer)

    await client.aclose()
    gc.collect()

    assert timer() is None


@pytest.mark.promise(row=53)
async def test_what_a_key_callable_raises_at_the_moment_of_a_timeout(
    api: ScriptedApi, later: Callable[[], None]
) -> None:
    """The caller's own error passes through."""
    asked = asyncio.Event()

    async def vault() -> str:
        asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise LookupError("sealed") from None
        return KEY

    async with AsyncElevenLabsClient(api_key=vault, base_url=api.base_url) as client:
        call = asyncio.create_task(mint(client))
        await asked.wait()
        later()
        with pytest.raises(LookupError, match="sealed"):
            await call

    assert 0 == api.connections


@pytest.mark.timed
async def test_a_timeout_waits_without_using_the_processor(api: ScriptedApi) -> None:
    """A key callable that takes its time to clean up is told of the timeout once, not again and again."""

    async def vault() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.3)
        return KEY

    client = AsyncElevenLabsClient(api_key=vault, base_url=api.base_url, timeout_in_seconds=0.05)
    began = thread_time()

    await seconds_to_time_out(mint_once(client))

    assert thread_time() - began < 0.1
