"""Promises 47, 48 and 50: calls that are cancelled, and clients that are closed, wherever a call may be."""

import asyncio
import contextlib
import random
import socket
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import aiohttp
import anyio
import pytest

from elevenlabs_tokens import (
    AsyncElevenLabsClient,
    ClientClosedError,
    ElevenLabsConnectionError,
    ElevenLabsTimeoutError,
    ServerError,
)
from elevenlabs_tokens._http import sessions
from elevenlabs_tokens._http.transport import LoopSession
from frozen import KEY, FrozenTime
from minting import mint, until
from reach import connector_of, loop_session_of
from rows import row
from scripted import TOKEN, Act, Script, ScriptedApi, reply

pytestmark = pytest.mark.anyio

HALF_A_BODY = b'HTTP/1.1 200 OK\r\nContent-Length: 29\r\n\r\n{"token":'


# Promise 47: many cancellations

FATES: tuple[Script, ...] = (
    reply(),
    [HALF_A_BODY, b' "sutkn_1234567890"}'],
    [HALF_A_BODY, Act.STALL],
    [HALF_A_BODY, Act.RESET],
    [Act.STALL],
    reply(503, {}, {"Retry-After": "0.0001"}),
    reply(503, {}),
)


@pytest.mark.promise(row=47)
async def test_a_thousand_cancellations(api: ScriptedApi, session_to_borrow: aiohttp.ClientSession | None) -> None:
    """They come at random points of calls of every kind; then no connection is held, and the next call works."""
    chance, outcomes = random.Random(47), Counter[str]()  # noqa: S311  # nothing secret depends on it

    async def cancelled_somewhere(client: AsyncElevenLabsClient) -> None:
        api.replies.append(chance.choice(FATES))
        call = asyncio.create_task(mint(client))
        if chance.random() < 0.5:
            for _ in range(chance.randrange(30)):
                await asyncio.sleep(0)
        else:
            await asyncio.sleep(chance.random() * 0.002)
        call.cancel()
        try:
            outcomes[await call] += 1
        except asyncio.CancelledError:
            outcomes["cancelled"] += 1
        except (ElevenLabsConnectionError, ServerError):  # the budget allows no more retries
            outcomes["failed"] += 1

    async with AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, session=session_to_borrow) as client:
        for _ in range(250):
            await asyncio.gather(*(cancelled_somewhere(client) for _ in range(4)))
        connector = connector_of(client)
        held = (len(connector._acquired), len(connector._waiters))
        await until(lambda: len(api._open) == sum(map(len, connector._conns.values())))  # only the idle ones
        api.replies.clear()
        next_token = await mint(client)
    await until(lambda: len(api._open) == (0 if session_to_borrow is None else 1))

    assert {"cancelled", "failed", TOKEN["token"]} >= set(outcomes)
    assert 1000 == outcomes.total()
    assert outcomes["cancelled"] > 500
    assert (0, 0) == held
    assert TOKEN["token"] == next_token


# Promises 48 and 50: a call that waits for what never comes

SCRIPTS: Mapping[str, Script] = {
    "in the middle of a body": [HALF_A_BODY, Act.STALL],
    "waiting to try again": reply(503, {}),
}


@contextlib.asynccontextmanager
async def call_under_way(
    api: ScriptedApi, session: aiohttp.ClientSession | None, where: str
) -> AsyncGenerator[tuple[AsyncElevenLabsClient, asyncio.Task[str], int]]:
    """Give a client, a call of it that is under way, and how many requests there are by then."""
    is_there = asyncio.Event()

    async def never(*_: object) -> Any:
        is_there.set()
        await asyncio.Event().wait()

    api.replies += [SCRIPTS.get(where, [Act.STALL])]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = AsyncElevenLabsClient(
            api_key=never if where == "asking for the key" else KEY,
            base_url=f"https://127.0.0.1:{listener.getsockname()[1]}" if where == "connecting" else api.base_url,
            session=session,
        )
        client._pipeline.clock = FrozenTime().clock(sleep=never)
        calls = [asyncio.create_task(mint(client))]
        if where in {"asking for the key", "waiting to try again"}:
            await is_there.wait()
        elif where == "connecting":
            (await asyncio.to_thread(listener.accept))[0].detach()
        else:
            await asyncio.to_thread(api.request_came.wait, 5)
        if where == "waiting for a connection":
            calls.append(asyncio.create_task(mint(client)))
            await until(lambda: len(connector_of(client)._waiters) == 1)
        yield client, calls[-1], len(api.requests)
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)
        await client.aclose()


@pytest.mark.parametrize(
    "where",
    [
        "asking for the key",
        "connecting",
        "waiting for a connection",
        "waiting for an answer",
        "in the middle of a body",
        "waiting to try again",
    ],
)
@pytest.mark.parametrize("end", [row(48, "cancel", id="cancelled"), row(50, "close", id="closed")])
async def test_ended_wherever_it_is(
    api: ScriptedApi,
    session_to_borrow: aiohttp.ClientSession | None,
    where: str,
    end: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The call ends within 1 s with what says why, and sends no more; a client closes once, and takes no call then."""
    monkeypatch.setattr(sessions, "MAX_CONNECTIONS", 1)
    async with call_under_way(api, session_to_borrow, where) as (client, call, requests), asyncio.timeout(1):
        if end == "cancel":
            call.cancel("enough")
            with pytest.raises(asyncio.CancelledError, match="enough"):
                await call
        else:
            await client.aclose()
            with pytest.raises(ClientClosedError):
                await call
            await client.aclose()
            with pytest.raises(ClientClosedError, match="the client is closed"):
                await mint(client)

    assert requests == len(api.requests)


# Promise 48: a call in a scope of anyio or asyncio

Scope = AsyncGenerator[Callable[[], None]]
"""A block that gives what ends it."""


async def anyio_cancel_scope() -> Scope:
    with anyio.CancelScope() as scope:
        yield scope.cancel


async def anyio_fail_after() -> Scope:
    with anyio.fail_after(60) as scope:
        yield lambda: setattr(scope, "deadline", anyio.current_time())


async def anyio_task_group() -> Scope:
    async with anyio.create_task_group() as group:
        yield group.cancel_scope.cancel


async def asyncio_timeout() -> Scope:
    async with asyncio.timeout(60) as timeout:
        yield lambda: timeout.reschedule(asyncio.get_running_loop().time())


@pytest.mark.promise(row=48)
@pytest.mark.parametrize(
    ("scope", "error"),
    [
        (anyio_cancel_scope, None),
        (anyio_fail_after, TimeoutError),
        (anyio_task_group, None),
        (asyncio_timeout, TimeoutError),
    ],
)
async def test_a_scope_that_ends(
    api: ScriptedApi, client: AsyncElevenLabsClient, scope: Callable[[], Scope], error: type[Exception] | None
) -> None:
    """The scope catches its own cancellation, the server sees the end, and the task goes on as before."""
    api.replies += [[Act.STALL]]
    outcomes: list[object] = []
    ends: list[Callable[[], None]] = []

    async def end_once_asked() -> None:
        await asyncio.to_thread(api.request_came.wait, 5)
        ends[0]()

    ending = asyncio.create_task(end_once_asked())
    try:
        async with contextlib.asynccontextmanager(scope)() as end:
            ends.append(end)
            outcomes.append(await mint(client))
    except TimeoutError as caught:
        outcomes.append(type(caught))
    await ending
    closed = await asyncio.to_thread(api.connection_closed.wait, 5)
    task = asyncio.current_task()

    assert ([error] if error else []) == outcomes
    assert closed
    assert 1 == len(api.requests)
    assert task is not None
    assert 0 == task.cancelling()
    assert TOKEN["token"] == await mint(client)


# Cancelled or closed at a bad moment


@pytest.mark.parametrize("order", [1, -1], ids=["in this order", "the other way round"])
@pytest.mark.parametrize(
    ("both", "error"),
    [
        row(48, ["cancel", "time out"], asyncio.CancelledError, id="cancelled and timed out"),
        row(48, ["cancel", "close"], asyncio.CancelledError, id="cancelled and closed"),
        row(50, ["time out", "close"], ClientClosedError, id="timed out and closed"),
    ],
)
async def test_two_ends_at_the_same_moment(
    api: ScriptedApi, client: AsyncElevenLabsClient, both: list[str], error: type[BaseException], order: int
) -> None:
    """A cancellation is never lost, and neither is a close; the task has no cancellation but the caller's."""
    api.replies += [[Act.STALL]]
    call = asyncio.create_task(mint(client))
    await asyncio.to_thread(api.request_came.wait, 5)
    [deadline] = loop_session_of(client)._timer.deadlines
    closing: list[asyncio.Task[None]] = []
    for end in both[::order]:
        if end == "close":
            closing.append(asyncio.create_task(client.aclose()))
        else:
            asyncio.get_running_loop().call_soon(call.cancel if end == "cancel" else deadline.expire)
    with pytest.raises(error):
        await call
    await asyncio.gather(*closing)

    assert both.count("cancel") == call.cancelling()
    assert 1 == len(api.requests)


@pytest.mark.promise(row=50)
def test_closed_by_another_thread_while_it_opens(api: ScriptedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call that came too late is refused, and the session that was made for it does not stay open."""
    client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url)
    loop_sessions: list[LoopSession] = []
    arrange_closing = LoopSession.arrange_closing

    async def close_slowly(loop_session: LoopSession) -> None:
        await arrange_closing(loop_session)
        loop_sessions.append(loop_session)
        await asyncio.to_thread(lambda: asyncio.run(client.aclose()))

    async def main() -> bool:
        with pytest.raises(ClientClosedError):
            await mint(client)
        return loop_sessions[0]._session.closed

    monkeypatch.setattr(LoopSession, "arrange_closing", close_slowly)

    assert asyncio.run(main())
    assert 0 == api.connections


@pytest.mark.promise(row=50)
async def test_a_key_callable_that_will_not_be_cancelled(
    api: ScriptedApi, session_to_borrow: aiohttp.ClientSession | None
) -> None:
    """When the client was closed meanwhile, the key that it gives at last is not used."""
    asked = asyncio.Event()

    async def stubborn() -> str:
        asked.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return KEY

    client = AsyncElevenLabsClient(api_key=stubborn, base_url=api.base_url, session=session_to_borrow)
    call = asyncio.create_task(mint(client))
    await asked.wait()
    await client.aclose()
    with pytest.raises(ClientClosedError):
        async with asyncio.timeout(5):  # so that the test fails instead of hanging
            await call

    assert 0 == api.connections


@pytest.mark.promise(row=50)
async def test_a_key_callable_that_closes_its_own_client(api: ScriptedApi) -> None:
    """The callable runs to its end; then the call says that its client is closed, and leaves no cancellation behind."""
    closed = asyncio.Event()

    async def last_key() -> str:
        await client.aclose()
        await asyncio.sleep(0)
        closed.set()
        return KEY

    client = AsyncElevenLabsClient(api_key=last_key, base_url=api.base_url)
    with pytest.raises(ClientClosedError):
        await mint(client)

    await asyncio.sleep(0)
    assert closed.is_set()
    assert 0 == api.connections


async def test_64_connections_at_once(api: ScriptedApi) -> None:
    """The 65th call makes no connection: it waits for one of the 64, and its attempt times out."""
    answer = threading.Event()
    api.replies += [[answer, *reply()]] * 64
    async with AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url) as client:
        calls = [asyncio.create_task(mint(client)) for _ in range(64)]
        await until(lambda: len(api.requests) == 64)
        with pytest.raises(ElevenLabsTimeoutError):
            await mint(client, attempt_timeout_in_seconds=0.1, max_retries=0)
        answer.set()
        tokens = await asyncio.gather(*calls)

    assert [TOKEN["token"]] * 64 == tokens
    assert (64, 64) == (api.connections, len(api.requests))
