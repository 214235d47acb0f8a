"""The life of a client: loops, threads, borrowed sessions, and what is left when it ends."""

import asyncio
import contextlib
import gc
import ssl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
import pytest

from elevenlabs_tokens import (
    AsyncElevenLabsClient,
    ClientClosedError,
    ElevenLabsConfigError,
    ElevenLabsConnectionError,
    ElevenLabsEnvironment,
    ElevenLabsTimeoutError,
)
from frozen import KEY, FrozenTime
from scripted import Act, ScriptedApi, reply


async def mint(client: AsyncElevenLabsClient) -> str:
    return (await client.tokens.single_use.create("realtime_scribe")).token


@pytest.mark.promise(row=49)
def test_two_loops_in_turn(api: ScriptedApi) -> None:
    """A client made outside any loop serves each that comes, and leaves no connection in one that ended."""
    client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url)

    tokens = [asyncio.run(mint(client)), asyncio.run(mint(client))]

    assert ["sutkn_1234567890"] * 2 == tokens
    assert 2 == api.connections
    assert 1 == len(client._sessions.by_loop)
    asyncio.run(client.aclose())


@pytest.mark.promise(row=49)
def test_two_loops_at_once(api: ScriptedApi) -> None:
    """A client in two threads keeps their connections apart, and closing it reaches both."""
    client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url)
    minted = threading.Barrier(2)
    closed = threading.Event()

    async def mint_and_stay() -> bool:
        await mint(client)
        loop_session = client._sessions.by_loop.get(asyncio.get_running_loop())
        assert loop_session is not None
        await asyncio.to_thread(minted.wait, 5)
        await asyncio.to_thread(closed.wait, 5)
        await asyncio.sleep(0)  # the loop does what it was handed
        return loop_session._session.closed

    async def mint_and_close() -> bool:
        await mint(client)
        loop_session = client._sessions.by_loop.get(asyncio.get_running_loop())
        assert loop_session is not None
        await asyncio.to_thread(minted.wait, 5)
        await client.aclose()
        closed.set()
        return loop_session._session.closed

    there: list[bool] = []
    thread = threading.Thread(target=lambda: there.append(asyncio.run(mint_and_stay())))
    thread.start()
    here = asyncio.run(mint_and_close())
    thread.join(5)

    assert ([True], True) == (there, here)
    assert 2 == api.connections


@pytest.mark.anyio
async def test_connections_are_kept(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """Calls in turn share one connection."""
    for _ in range(3):
        await mint(client)

    assert (1, 3) == (api.connections, len(api.requests))


@pytest.mark.promise(row=50)
@pytest.mark.anyio
async def test_close_twice_and_call_after(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """Closing again does nothing; a call is refused before it is sent."""
    await mint(client)
    await client.aclose()
    await client.aclose()

    with pytest.raises(ClientClosedError):
        await mint(client)
    assert 1 == len(api.requests)


@pytest.mark.anyio
async def test_a_borrowed_session(api: ScriptedApi) -> None:
    """It is used, as it is, and not closed."""
    async with aiohttp.ClientSession(headers={"X-Theirs": "1"}, raise_for_status=True) as session:
        api.replies += [reply(503, {}), reply()]
        async with AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, session=session) as client:
            client._pipeline.clock = FrozenTime().clock()
            token = await mint(client)

        assert not session.closed
    assert "sutkn_1234567890" == token
    assert b"\r\nX-Theirs: 1\r\n" in api.requests[0]


@pytest.mark.anyio
async def test_a_borrowed_session_keeps_its_middlewares(api: ScriptedApi) -> None:
    """Beside the one that refuses answers that nobody asked for."""
    seen: list[str] = []

    async def middleware(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        seen.append(request.method)
        return await handler(request)

    async with aiohttp.ClientSession(middlewares=[middleware]) as session:
        await mint(AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, session=session))

    assert ["POST"] == seen


@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of BasicAuth
async def test_a_borrowed_session_s_auth_cannot_stand_beside_a_header_of_it(api: ScriptedApi) -> None:
    """One or the other can be sent, so nothing is."""
    async with aiohttp.ClientSession(auth=aiohttp.BasicAuth("user", "password")) as session:
        client = AsyncElevenLabsClient(
            api_key=KEY, base_url=api.base_url, session=session, headers={"Authorization": "Bearer x"}
        )
        with pytest.raises(ElevenLabsConfigError, match="cannot stand beside an Authorization header"):
            await mint(client)

    assert 0 == api.connections


@pytest.mark.anyio
async def test_a_borrowed_session_that_was_closed(api: ScriptedApi) -> None:
    """The call is refused."""
    async with aiohttp.ClientSession() as session:
        client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, session=session)

    with pytest.raises(ClientClosedError, match="or the session that it borrowed"):
        await mint(client)
    assert 0 == api.connections


@pytest.mark.anyio
@pytest.mark.promise(row=50)
@pytest.mark.parametrize("is_cleaning_up", [False, True], ids=["a task", "a task that was cancelled before"])
async def test_a_borrowed_session_closed_while_calls_wait_for_its_only_connection(
    api: ScriptedApi, *, is_cleaning_up: bool
) -> None:
    """Neither the one that has it nor the ones that wait take it for a cancellation."""

    async def call() -> str:
        task = asyncio.current_task()
        if task is not None and is_cleaning_up:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
        return await mint(client)

    api.replies += [[Act.STALL]]
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1))
    client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, session=session)
    calls = [asyncio.create_task(call()) for _ in range(3)]
    await asyncio.to_thread(api.request_came.wait, 5)

    await session.close()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    assert [ClientClosedError] * 3 == [type(outcome) for outcome in outcomes]


@pytest.mark.anyio
async def test_a_cancellation_while_waiting_for_a_connection_is_one(api: ScriptedApi) -> None:
    """Even if the session is closed in the same moment."""
    api.replies += [[Act.STALL]]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, session=session)
        first, second = (asyncio.create_task(mint(client)) for _ in range(2))
        await asyncio.to_thread(api.request_came.wait, 5)
        second.cancel()
        await session.close()

        with pytest.raises(asyncio.CancelledError):
            await second
        with pytest.raises(ClientClosedError):
            await first


def test_a_borrowed_session_in_another_loop(api: ScriptedApi) -> None:
    """It is refused before anything is sent."""

    async def make() -> AsyncElevenLabsClient:
        return AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, session=aiohttp.ClientSession())

    with asyncio.Runner() as runner:
        client = runner.run(make())
        with pytest.raises(ElevenLabsConfigError, match="belongs to another event loop"):
            asyncio.run(mint(client))
        assert client._sessions._borrowed is not None
        runner.run(client._sessions._borrowed.close())

    assert 0 == api.connections


@pytest.mark.promise(row=40)
@pytest.mark.parametrize(
    "other",
    [{"ssl": ssl.create_default_context()}, {"proxy": "http://p.example"}, {"trace_configs": [aiohttp.TraceConfig()]}],
)
@pytest.mark.anyio
async def test_what_cannot_stand_beside_a_borrowed_session(other: dict[str, Any]) -> None:
    """A session keeps its own TLS, proxy and traces."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ElevenLabsConfigError, match="cannot stand beside session"):
            AsyncElevenLabsClient(api_key=KEY, session=session, **other)


@pytest.mark.anyio
async def test_trace_configs_are_used(api: ScriptedApi) -> None:
    """The hooks of aiohttp see each request."""
    seen: list[str] = []

    async def on_request_start(_session: object, _context: object, params: aiohttp.TraceRequestStartParams) -> None:
        seen.append(params.method)

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(on_request_start)
    async with AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, trace_configs=[trace]) as client:
        await mint(client)

    assert ["POST"] == seen


def test_a_client_that_was_never_used_does_not_warn() -> None:
    """It has nothing to close."""
    AsyncElevenLabsClient(api_key=KEY)
    gc.collect()


@pytest.mark.promise(row=52)
def test_no_asyncio_loop(api: ScriptedApi) -> None:
    """Under another library the error names the way that works."""
    client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url)
    promise = client.tokens.single_use.create("realtime_scribe")

    with pytest.raises(
        ElevenLabsConfigError, match="needs a running asyncio loop; use ElevenLabsClient in sync code, and under trio"
    ):
        promise.send(None)


@pytest.mark.parametrize("environment", ["PRODUCTION", None, "https://api.elevenlabs.io"])
def test_an_environment_that_is_none(environment: Any) -> None:
    """The regions are named in the error."""
    with pytest.raises(ElevenLabsConfigError, match="PRODUCTION, PRODUCTION_US, PRODUCTION_EU"):
        AsyncElevenLabsClient(api_key=KEY, environment=environment)


def test_what_a_client_shows() -> None:
    """Where it goes, and nothing of its key."""
    client = AsyncElevenLabsClient(api_key=KEY, environment=ElevenLabsEnvironment.PRODUCTION_EU)

    assert "<AsyncElevenLabsClient of https://api.eu.residency.elevenlabs.io>" == repr(client) == f"{client}"


def test_a_forked_child_leaves_its_parent_s_connection_alone(api: ScriptedApi) -> None:
    """It makes one of its own, and the parent's still works."""
    program = f"""
import asyncio, os
from elevenlabs_tokens import AsyncElevenLabsClient
client = AsyncElevenLabsClient(api_key="{KEY}", base_url="{api.base_url}")
mint = lambda: client.tokens.single_use.create("realtime_scribe")
async def both():
    await mint()
    child = os.fork()
    if child == 0:
        os._exit(len(client._sessions.by_loop))
    assert 0 == os.waitpid(child, 0)[1]
    await mint()
    await client.aclose()
asyncio.run(both())
"""
    subprocess.run([sys.executable, "-W", "ignore::DeprecationWarning", "-c", program], check=True, timeout=30)

    assert (1, 2) == (api.connections, len(api.requests))


@pytest.mark.parametrize(
    "argument",
    [
        {"session": "a session"},
        {"ssl": False},
        {"ssl": True},
        {"trace_configs": 5},
        {"trace_configs": [1]},
        {"base_url": "http://other.example", "allow_insecure_http": "no"},
    ],
    ids=repr,
)
def test_arguments_of_the_wrong_type(argument: dict[str, Any]) -> None:
    """They are refused when the client is made, not when it is used."""
    with pytest.raises(ElevenLabsConfigError):
        AsyncElevenLabsClient(api_key=KEY, **argument)


def test_closing_from_elsewhere_while_its_loop_does_not_run(api: ScriptedApi) -> None:
    """The session is closed all the same, and nothing is said."""
    client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url)
    with asyncio.Runner() as runner:
        runner.run(mint(client))
        loop_session = next(iter(client._sessions.by_loop.values()))
        asyncio.run(client.aclose())

        assert loop_session._session.closed
        with pytest.raises(ClientClosedError):
            runner.run(mint(client))


def test_closing_from_elsewhere_as_its_loop_ends(api: ScriptedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that was seen running, and has ended when it is handed the closing, is no error."""
    client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url)
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        runner.run(mint(client))
        [loop_session] = client._sessions.by_loop.values()
    monkeypatch.setattr(loop, "is_running", lambda: True)

    asyncio.run(client.aclose())
    gc.collect()  # a coroutine that nobody awaits says so

    assert loop_session._session.closed


@pytest.mark.anyio
@pytest.mark.parametrize("is_borrowed", [False, True], ids=["owned", "borrowed"])
async def test_a_key_callable_that_will_not_be_cancelled(api: ScriptedApi, *, is_borrowed: bool) -> None:
    """A client that was closed meanwhile sends nothing with what it gives at last."""
    asked = asyncio.Event()

    async def stubborn() -> str:
        asked.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return KEY

    async with aiohttp.ClientSession() as session:
        client = AsyncElevenLabsClient(
            api_key=stubborn, base_url=api.base_url, session=session if is_borrowed else None
        )
        call = asyncio.create_task(mint(client))
        await asked.wait()
        await client.aclose()
        with pytest.raises(ClientClosedError):
            async with asyncio.timeout(5):  # lest it hang
                await call

    assert 0 == api.connections


@pytest.mark.anyio
async def test_what_a_trace_hook_raises_passes_through(api: ScriptedApi) -> None:
    """It is the caller's own, whatever its words."""

    async def on_request_start(*_: object) -> None:
        raise RuntimeError("tracer shutdown in progress")

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(on_request_start)
    async with AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, trace_configs=[trace]) as client:
        with pytest.raises(RuntimeError, match="tracer shutdown in progress"):
            await mint(client)


@pytest.mark.anyio
@pytest.mark.promise(row=41)
async def test_a_host_that_a_trace_hook_sets(api: ScriptedApi) -> None:
    """It stands in the place of the other: one Host goes out."""

    async def set_host(_session: object, _context: object, start: aiohttp.TraceRequestStartParams) -> None:
        start.headers["Host"] = "virtual.example"

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(set_host)
    async with AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, trace_configs=[trace]) as client:
        await mint(client)

    hosts = [line for line in api.requests[0].split(b"\r\n") if line.lower().startswith(b"host:")]
    assert [b"Host: virtual.example"] == hosts


@pytest.mark.anyio
async def test_a_request_that_a_caller_s_test_replaces(
    api: ScriptedApi, client: AsyncElevenLabsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What replaces aiohttp's own method, as libraries for offline tests do, does so as long as it stands there."""

    async def refuse(*_: object, **__: object) -> None:
        raise LookupError("offline")

    await mint(client)
    with monkeypatch.context() as offline:
        offline.setattr(aiohttp.ClientSession, "_request", refuse)
        with pytest.raises(LookupError, match="offline"):
            await mint(client)
    await mint(client)

    assert 2 == len(api.requests)


WHAT_A_HOOK_MAY_RAISE: dict[str, tuple[Exception, type[Exception]]] = {
    "an error of any other kind": (LookupError("sealed"), LookupError),
    "an OSError": (FileNotFoundError(2, "no spans.log"), ElevenLabsConnectionError),
    "a time-out": (TimeoutError("no answer from the tracer"), ElevenLabsTimeoutError),
    "an error of aiohttp's": (aiohttp.ClientPayloadError("of the tracer's reply"), ElevenLabsConnectionError),
}


@pytest.mark.anyio
@pytest.mark.promise(row=53)
@pytest.mark.parametrize("hook", ["trace", "middleware"])
@pytest.mark.parametrize(("error", "kind"), WHAT_A_HOOK_MAY_RAISE.values(), ids=WHAT_A_HOOK_MAY_RAISE)
async def test_a_hook_s_error_that_looks_like_the_network_s(
    api: ScriptedApi, error: Exception, kind: type[Exception], hook: str
) -> None:
    """It is taken for one and tried again, for aiohttp tells the two apart no better; any other passes through."""
    calls: list[object] = []

    async def fail(*given: object) -> Any:
        calls.append(given)
        raise error

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_start.append(fail)
    hooks: dict[str, Any] = {"trace_configs": [trace]} if hook == "trace" else {"middlewares": [fail]}
    async with aiohttp.ClientSession(**hooks) as session:
        client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, session=session)
        client._pipeline.clock = FrozenTime().clock()
        with pytest.raises(kind) as caught:
            await mint(client)

    assert kind is type(caught.value)
    assert (1 if kind is LookupError else 3) == len(calls)
    assert 0 == api.connections


@pytest.mark.promise(row=49)
def test_many_loops_that_come_and_go(api: ScriptedApi) -> None:
    """Threads that each run loop after loop do not trip over the loop_sessions that the others leave."""
    client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(24) as pool:
            jobs = [pool.submit(lambda: asyncio.run(mint(client))) for _ in range(240)]
            tokens = [job.result() for job in jobs]
    finally:
        sys.setswitchinterval(before)
        asyncio.run(client.aclose())

    assert ["sutkn_1234567890"] * 240 == tokens


@pytest.mark.anyio
async def test_a_key_callable_that_closes_its_own_client(api: ScriptedApi) -> None:
    """The callable runs to its end; then the call says so, and leaves no cancellation behind."""
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
