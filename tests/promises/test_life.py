"""The life of a client: cancelled, closed, dropped, forked, under trio; and what may escape it."""

import asyncio
import contextlib
import gc
import random
import socket
import subprocess
import sys
import threading
import warnings
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import pytest
import trio
import trio.to_thread

import elevenlabs_tokens
from elevenlabs_tokens import (
    AsyncElevenLabsClient,
    AuthenticationError,
    ClientClosedError,
    ElevenLabsClient,
    ElevenLabsConfigError,
    ElevenLabsConnectionError,
    ElevenLabsError,
    ElevenLabsStatusError,
    ElevenLabsTimeoutError,
    ElevenLabsTLSError,
    InvalidResponseError,
    RateLimitError,
    ServerError,
)
from elevenlabs_tokens._http import sessions
from elevenlabs_tokens._http.transport import LoopSession
from frozen import KEY, FrozenTime
from minting import mint
from scripted import Act, Script, ScriptedApi, reply

TOKEN = "sutkn_1234567890"
BORROWED = pytest.mark.parametrize("is_borrowed", [False, True], ids=["owned", "borrowed"])


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what the server or the loop is about to do."""
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110  # the other side of a socket tells nobody
            await asyncio.sleep(0.001)


def connector_of(client: AsyncElevenLabsClient) -> Any:
    loop_session = client._sessions.by_loop.get(asyncio.get_running_loop())
    assert loop_session is not None
    return loop_session._session.connector


def idle_connections(client: AsyncElevenLabsClient) -> int:
    return sum(len(connections) for connections in connector_of(client)._conns.values())


def run_python(program: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a program in an interpreter of its own."""
    command = [sys.executable, "-P", *options, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


# Promise 47: many cancellations.

HALF_A_BODY = b'HTTP/1.1 200 OK\r\nContent-Length: 29\r\n\r\n{"token":'
FATES: tuple[Script, ...] = (
    reply(),
    [HALF_A_BODY, b' "sutkn_1234567890"}'],
    [HALF_A_BODY, Act.STALL],
    [HALF_A_BODY, Act.RESET],
    [Act.STALL],
    reply(503, {}, {"Retry-After": "0.0001"}),
    reply(503, {}),
)


@pytest.mark.anyio
@pytest.mark.promise(row=47)
@BORROWED
async def test_a_thousand_cancellations(api: ScriptedApi, *, is_borrowed: bool) -> None:
    """At random points of calls of every kind; afterwards no connection is held, and the next call works."""
    chance, outcomes = random.Random(47), Counter[str]()  # noqa: S311  # no secret hangs on it

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
        except (ElevenLabsConnectionError, ServerError):  # when no retry is granted any more
            outcomes["failed"] += 1

    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session,
        AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, session=session if is_borrowed else None) as client,
    ):
        for _ in range(250):
            await asyncio.gather(*(cancelled_somewhere(client) for _ in range(4)))
        held = (len(connector_of(client)._acquired), len(connector_of(client)._waiters))
        await until(lambda: len(api._open) == idle_connections(client))
        api.replies.clear()
        next_token = await mint(client)
    await until(lambda: not api._open)

    assert {"cancelled", "failed", TOKEN} >= set(outcomes)
    assert 1000 == outcomes.total()
    assert outcomes["cancelled"] > 500
    assert (0, 0) == held
    assert TOKEN == next_token


# Promises 48 and 50: what ends a call, wherever it is.


@contextlib.asynccontextmanager
async def call_under_way(
    api: ScriptedApi, monkeypatch: pytest.MonkeyPatch, where: str, *, is_borrowed: bool
) -> AsyncGenerator[tuple[AsyncElevenLabsClient, asyncio.Task[str], int]]:
    """Give a client, a call of it that waits for what never comes, and how many requests there are by then."""
    monkeypatch.setattr(sessions, "MAX_CONNECTIONS", 1)
    there = asyncio.Event()

    async def never(*_: object) -> Any:
        there.set()
        await asyncio.Event().wait()

    def accept() -> None:
        listener.accept()[0].detach()

    listener = socket.create_server(("127.0.0.1", 0))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        client = AsyncElevenLabsClient(
            api_key=never if where == "asking for the key" else KEY,
            base_url=f"https://127.0.0.1:{listener.getsockname()[1]}" if where == "connecting" else api.base_url,
            session=session if is_borrowed else None,
        )
        client._pipeline.clock = FrozenTime().clock(sleep=never)
        api.replies += [SCRIPTS.get(where, [Act.STALL])]
        other = asyncio.create_task(mint(client)) if where == "waiting for a connection" else None
        if other is not None:
            await asyncio.to_thread(api.request_came.wait, 5)
        call = asyncio.create_task(mint(client))
        if where in {"asking for the key", "waiting to try again"}:
            await there.wait()
        elif where == "connecting":
            await asyncio.to_thread(accept)
        elif where == "waiting for a connection":
            await until(lambda: len(connector_of(client)._waiters) == 1)
        else:
            await asyncio.to_thread(api.request_came.wait, 5)
        yield client, call, len(api.requests)
        if other is not None:
            other.cancel()
            await asyncio.wait([other])
        await client.aclose()
        assert not session.closed
    listener.close()


SCRIPTS: Mapping[str, Script] = {
    "in the middle of a body": [HALF_A_BODY, Act.STALL],
    "waiting to try again": reply(503, {}),
}
PLACES = pytest.mark.parametrize(
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


@pytest.mark.anyio
@pytest.mark.promise(row=48)
@BORROWED
@PLACES
async def test_cancelled_wherever_it_is(
    api: ScriptedApi, where: str, monkeypatch: pytest.MonkeyPatch, *, is_borrowed: bool
) -> None:
    """`CancelledError` reaches the caller, and nothing more is sent."""
    async with call_under_way(api, monkeypatch, where, is_borrowed=is_borrowed) as (_, call, requests):
        call.cancel("enough")
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await call

    assert requests == len(api.requests)


@pytest.mark.anyio
@pytest.mark.promise(row=50)
@BORROWED
@PLACES
async def test_closed_wherever_it_is(
    api: ScriptedApi, where: str, monkeypatch: pytest.MonkeyPatch, *, is_borrowed: bool
) -> None:
    """The call ends in under 1 s with the error that says why, and no other can be made; closing again is fine."""
    async with call_under_way(api, monkeypatch, where, is_borrowed=is_borrowed) as (client, call, requests):
        async with asyncio.timeout(1):
            await client.aclose()
            with pytest.raises(ClientClosedError):
                await call
        await client.aclose()
        with pytest.raises(ClientClosedError):
            await mint(client)

    assert requests == len(api.requests)


async def in_move_on_after(work: Callable[[], Awaitable[object]], when: Callable[[Callable[[], None]], None]) -> bool:
    with anyio.move_on_after(60) as scope:
        when(lambda: setattr(scope, "deadline", anyio.current_time()))
        await work()
    return scope.cancelled_caught


async def in_fail_after(work: Callable[[], Awaitable[object]], when: Callable[[Callable[[], None]], None]) -> bool:
    try:
        with anyio.fail_after(60) as scope:
            when(lambda: setattr(scope, "deadline", anyio.current_time()))
            await work()
    except TimeoutError as error:
        return type(error) is TimeoutError
    return False


async def in_a_scope(work: Callable[[], Awaitable[object]], when: Callable[[Callable[[], None]], None]) -> bool:
    with anyio.CancelScope() as scope:
        when(scope.cancel)
        await work()
    return scope.cancelled_caught


async def in_a_task_group(work: Callable[[], Awaitable[object]], when: Callable[[Callable[[], None]], None]) -> bool:
    ended: list[BaseException] = []

    async def keep() -> None:
        try:
            await work()
        except BaseException as error:
            ended.append(error)
            raise

    async with anyio.create_task_group() as group:
        group.start_soon(keep)
        when(group.cancel_scope.cancel)
    return [asyncio.CancelledError] == [type(error) for error in ended]


async def in_asyncio_timeout(work: Callable[[], Awaitable[object]], when: Callable[[Callable[[], None]], None]) -> bool:
    timeout = asyncio.timeout(60)
    try:
        async with timeout:
            when(lambda: timeout.reschedule(asyncio.get_running_loop().time()))
            await work()
    except TimeoutError as error:
        return type(error) is TimeoutError and timeout.expired()
    return False


@pytest.mark.anyio
@pytest.mark.promise(row=48)
@pytest.mark.parametrize(
    "inside",
    [in_move_on_after, in_fail_after, in_a_scope, in_a_task_group, in_asyncio_timeout],
    ids=lambda f: f.__name__,
)
async def test_scopes_that_end(
    api: ScriptedApi, client: AsyncElevenLabsClient, inside: Callable[..., Awaitable[bool]]
) -> None:
    """Those of anyio and asyncio catch what is theirs, the server sees the end, and the task goes on unharmed."""
    api.replies += [[Act.STALL]]
    watchers: list[asyncio.Task[None]] = []

    async def once_asked(act: Callable[[], None]) -> None:
        await asyncio.to_thread(api.request_came.wait, 5)
        act()

    def when_asked(act: Callable[[], None]) -> None:
        watchers.append(asyncio.create_task(once_asked(act)))

    caught = await inside(partial(mint, client), when_asked)
    await asyncio.gather(*watchers)
    closed = await asyncio.to_thread(api.connection_closed.wait, 5)
    task = asyncio.current_task()

    assert caught
    assert closed
    assert 1 == len(api.requests)
    assert task is not None
    assert 0 == task.cancelling()
    assert TOKEN == await mint(client)


@pytest.mark.anyio
@pytest.mark.promise(row=48)
@pytest.mark.parametrize("is_first", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("meanwhile", ["its attempt times out", "the client closes"])
async def test_cancelled_in_the_same_instant(
    api: ScriptedApi, client: AsyncElevenLabsClient, meanwhile: str, *, is_first: bool
) -> None:
    """A cancellation is never taken for the end that comes with it, and so is not lost."""
    api.replies += [[Act.STALL]]
    call = asyncio.create_task(mint(client))
    await asyncio.to_thread(api.request_came.wait, 5)
    loop_session = client._sessions.by_loop.get(asyncio.get_running_loop())
    assert loop_session is not None
    [deadline] = loop_session._timer.deadlines

    loop, closing = asyncio.get_running_loop(), None
    if is_first:
        loop.call_soon(call.cancel)
    if meanwhile == "its attempt times out":
        loop.call_soon(deadline.expire)
    else:
        closing = loop.create_task(client.aclose())
    if not is_first:
        loop.call_soon(call.cancel)
    outcomes = await asyncio.gather(call, return_exceptions=True)
    if closing is not None:
        await closing

    assert [asyncio.CancelledError] == [type(outcome) for outcome in outcomes]
    assert 1 == len(api.requests)


ASYNC_EXIT = """
import asyncio, atexit, os
from elevenlabs_tokens import AsyncElevenLabsClient, ClientClosedError
async def mint():
    async with AsyncElevenLabsClient(api_key="{key}", base_url="http://localhost:{port}") as client:
        return (await client.tokens.single_use.create("realtime_scribe")).token_type
def hook():
    loop = asyncio.new_event_loop()  # for asyncio.run ends with a thread, which some versions cannot start any more
    try: outcome = loop.run_until_complete(mint())
    except ClientClosedError: outcome = "closed"
    loop.close()
    os.write(1, outcome.encode())
asyncio.run(mint())
atexit.register(hook)
"""


@pytest.mark.promise(row=58)
def test_an_async_call_at_exit(api: ScriptedApi) -> None:
    """Its host's name cannot be looked up any more, for that takes a thread, and it says so."""
    run = run_python(ASYNC_EXIT.format(key=KEY, port=api.port))

    assert run.stdout in ("realtime_scribe", "closed")
    assert (0, "") == (run.returncode, run.stderr)


@pytest.mark.promise(row=50)
def test_closed_by_another_thread_while_it_opens(api: ScriptedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call that came too late is refused, and the session that was made for it does not stay open."""
    client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url)
    loop_sessions: list[LoopSession] = []
    close_with_loop = LoopSession.close_with_loop

    async def close_slowly(loop_session: LoopSession) -> None:
        await close_with_loop(loop_session)
        loop_sessions.append(loop_session)
        await asyncio.to_thread(lambda: asyncio.run(client.aclose()))

    async def main() -> bool:
        with pytest.raises(ClientClosedError):
            await mint(client)
        return loop_sessions[0]._session.closed

    monkeypatch.setattr(LoopSession, "close_with_loop", close_slowly)

    assert asyncio.run(main())
    assert 0 == api.connections


@pytest.mark.anyio
async def test_64_connections_at_once(api: ScriptedApi) -> None:
    """The 65th call waits for one of them, which counts against its attempt, and makes none."""
    answer = threading.Event()
    api.replies += [[answer, *reply()]] * 64
    async with AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url) as client:
        calls = [asyncio.create_task(mint(client)) for _ in range(64)]
        await until(lambda: len(api.requests) == 64)
        with pytest.raises(ElevenLabsTimeoutError):
            await mint(client, attempt_timeout_in_seconds=0.1, max_retries=0)
        answer.set()
        tokens = await asyncio.gather(*calls)

    assert [TOKEN] * 64 == tokens
    assert (64, 64) == (api.connections, len(api.requests))


# Promise 51: dropped unclosed.

DROPPING = f"""
import asyncio, gc, os, threading
from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsClient
def make(base_url):
    return AsyncElevenLabsClient(api_key="{KEY}", base_url=base_url)
async def mint(client):
    await client.tokens.single_use.create("realtime_scribe")
async def drop(base_url):
    await mint(make(base_url))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
def files():
    gc.collect()
    return len(os.listdir("/proc/self/fd"))
def dropped(once):
    for _ in range(3): once()
    before = files()
    for _ in range(197): once()
    print(files() - before)
"""
WAYS_TO_DROP = {
    "in a loop that goes on": """
async def main():
    for _ in range(3): await drop(base_url)
    before = files()
    for _ in range(197): await drop(base_url)
    print(files() - before)
asyncio.run(main())
""",
    "after asyncio.run": """
def once():
    client = make(base_url)
    asyncio.run(mint(client))
dropped(once)
""",
    "outside a loop that stands still": """
with asyncio.Runner() as runner:
    def once():
        client = make(base_url)
        runner.run(mint(client))
    dropped(once)
""",
    "after a loop that was closed by hand": """
def once():
    client = make(base_url)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(mint(client))
    loop.close()
dropped(once)
""",
    "in another thread than its loop's": """
loop = asyncio.new_event_loop()
thread = threading.Thread(target=loop.run_forever)
thread.start()
def once():
    client = make(base_url)
    asyncio.run_coroutine_threadsafe(mint(client), loop).result()
    del client
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0.001), loop).result()
dropped(once)
loop.call_soon_threadsafe(loop.stop)
thread.join()
loop.close()
""",
    "by sync code": """
last = ElevenLabsClient(api_key="none", base_url=base_url)
def once():
    client = ElevenLabsClient(api_key="none", base_url=base_url)
    client.tokens.single_use.create("realtime_scribe")
    del client
    last.tokens.single_use.create("realtime_scribe")
dropped(once)
last.close()
""",
}


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts the files that Linux shows there")
@pytest.mark.promise(row=51)
@pytest.mark.parametrize("way", WAYS_TO_DROP.values(), ids=WAYS_TO_DROP)
def test_200_clients_dropped_unclosed(api: ScriptedApi, way: str) -> None:
    """Each warns once, by its class's name; no file is left open, and nothing else is said."""
    run = run_python(f"base_url = {api.base_url!r}\n{DROPPING}{way}", "-W", "always::ResourceWarning")

    kind = "ElevenLabsClient" if "last" in way else "AsyncElevenLabsClient"
    text = f"ResourceWarning: an {kind} was dropped without being closed; use it in an (async) with block, or close it"
    hint = "ResourceWarning: Enable tracemalloc to get the object allocation traceback"
    others = [line for line in run.stderr.splitlines() if line[:1] != " " and text not in line and hint not in line]
    if "loop.close()" in way.partition("dropped(once)")[0]:  # which Python itself remarks on
        others = [line for line in others if "ResourceWarning: unclosed " not in line]
    assert (0, "0\n") == (run.returncode, run.stdout)
    assert 200 == run.stderr.count(text)
    assert [] == others


@pytest.mark.anyio
@pytest.mark.promise(row=51)
@pytest.mark.parametrize("is_used_before", [False, True])
async def test_a_client_of_which_only_the_tokens_are_kept(api: ScriptedApi, *, is_used_before: bool) -> None:
    """They go on working on one connection, which is closed when they are dropped as well; it warns once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url)
        single_use = client.tokens.single_use
        if is_used_before:
            await mint(client)
        del client
        gc.collect()
        tokens = [(await single_use.create("realtime_scribe")).token for _ in range(2)]
        connections = api.connections
        del single_use
        gc.collect()
        messages = [str(item.message) for item in caught]
        are_traced = [item.source is not None for item in caught]  # to where it was made
        caught.clear()  # each holds on to what it warns of
        await until(lambda: not api._open)

    assert [TOKEN] * 2 == tokens
    assert 1 == connections
    assert ["an AsyncElevenLabsClient was dropped without being closed"] == [text.split(";")[0] for text in messages]
    assert [True] == are_traced


@pytest.mark.promise(row=49)
@pytest.mark.promise(row=51)
def test_loops_that_were_closed_by_hand(api: ScriptedApi) -> None:
    """A client that outlives them leaves nothing open in those that ended, and nothing is said of it."""
    program = """
client = make(base_url)
def once():
    loop = asyncio.new_event_loop()
    loop.run_until_complete(mint(client))
    loop.close()
once()
once()
before = files()
for _ in range(10): once()
print(files() - before)
asyncio.run(client.aclose())
"""
    run = run_python(f"base_url = {api.base_url!r}\n{DROPPING}{program}")

    assert (0, "0\n", "") == (run.returncode, run.stdout, run.stderr)
    assert 12 == len(api.requests)


@pytest.mark.promise(row=51)
@pytest.mark.parametrize("ending", ["os._exit(0)", "sys.exit()"])
def test_a_forked_child_that_drops_its_client(api: ScriptedApi, ending: str) -> None:
    """What it collects, it does not close for its parent, which goes on with the connection that it had."""
    program = f"""
import asyncio, gc, os, sys, warnings
from elevenlabs_tokens import AsyncElevenLabsClient
client = AsyncElevenLabsClient(api_key="{KEY}", base_url="{api.base_url}")
async def mint():
    await client.tokens.single_use.create("realtime_scribe", request_options={{"attempt_timeout_in_seconds": 2}})
async def in_child():
    await mint()
    await client.aclose()
runner = asyncio.Runner()
runner.run(mint())
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # Python's own, of forks in threaded programs
    child = os.fork()
if child == 0:
    with asyncio.Runner() as own:
        own.run(in_child())
    del client
    gc.collect()
    warnings.simplefilter("ignore", ResourceWarning)  # at its end, of the parent's loop
    {ending}
assert 0 == os.waitpid(child, 0)[1]
runner.run(mint())
runner.run(client.aclose())
runner.close()
"""
    run = run_python(program, "-W", "always::ResourceWarning")

    assert (0, "", "") == (run.returncode, run.stdout, run.stderr)
    assert (2, 3) == (api.connections, len(api.requests))


# Promise 52: trio.


@pytest.mark.promise(row=52)
@pytest.mark.parametrize("run", [trio.run, partial(anyio.run, backend="trio")], ids=["trio", "anyio"])
def test_under_trio(api: ScriptedApi, run: Callable[..., Any]) -> None:
    """Every form of a call says what works there; what it names works; and a client can be closed."""
    text = r"needs a running asyncio loop; use ElevenLabsClient .* in a thread of its own \(trio\.to_thread\.run_sync\)"

    async def main() -> str:
        async with AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url) as client:
            single_use = client.tokens.single_use
            for call in (
                single_use.create("realtime_scribe"),
                single_use.create("realtime_scribe").with_raw_response(),
                single_use.with_raw_response.create("realtime_scribe"),
            ):
                with pytest.raises(ElevenLabsConfigError, match=text):
                    await call
            with pytest.RaisesGroup(pytest.RaisesExc(ElevenLabsConfigError, match=text)):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(single_use.create, "realtime_scribe")
        refused = api.connections
        with ElevenLabsClient(api_key=KEY, base_url=api.base_url) as sync_client:
            token = await trio.to_thread.run_sync(sync_client.tokens.single_use.create, "realtime_scribe")
        assert 0 == refused
        return str(token.token)

    assert TOKEN == run(main)


# Promise 53: what escapes.

OK = b"HTTP/1.1 200 OK\r\n"
FAULTS: Mapping[str, tuple[Script, type[ElevenLabsError]]] = {
    "closed": ([Act.CLOSE], ElevenLabsConnectionError),
    "reset": ([Act.RESET], ElevenLabsConnectionError),
    "silent": ([Act.STALL], ElevenLabsTimeoutError),
    "cut in its head": ([b"HTTP/1.1 200", Act.CLOSE], ElevenLabsConnectionError),
    "cut in its body": ([HALF_A_BODY, Act.CLOSE], ElevenLabsConnectionError),
    "reset in its body": ([HALF_A_BODY, Act.RESET], ElevenLabsConnectionError),
    "silent in its body": ([HALF_A_BODY, Act.STALL], ElevenLabsTimeoutError),
    "1xx and no more": ([b"HTTP/1.1 100 Continue\r\n\r\n" * 3, Act.CLOSE], ElevenLabsConnectionError),
    "no HTTP": ([b"\x16\x03\x01\x00\xa5 SSH-2.0\r\n\r\n", Act.CLOSE], InvalidResponseError),
    "a status of four digits": ([b"HTTP/1.1 2000 OK\r\n\r\n", Act.CLOSE], InvalidResponseError),
    "two lengths": ([OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", Act.CLOSE], InvalidResponseError),
    "a length of 5,000 digits": ([OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n"], InvalidResponseError),
    "a negative length": ([OK + b"Content-Length: -1\r\n\r\n", Act.CLOSE], InvalidResponseError),
    "a chunk without a size": ([OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", Act.CLOSE], InvalidResponseError),
    "a head of 50,000 lines": ([OK + b"X: a\r\n" * 50_000 + b"\r\n", Act.CLOSE], InvalidResponseError),
    "a line of 20 kB": ([OK + b"X: " + b"a" * 20_000 + b"\r\n\r\n", Act.CLOSE], InvalidResponseError),
    "NUL in its head": ([OK + b"X: a\0b\r\nContent-Length: 0\r\n\r\n", Act.CLOSE], InvalidResponseError),
    "101": ([b"HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nabc", Act.CLOSE], InvalidResponseError),
    "a redirect to nowhere": (reply(302, {}, {"Location": "http://[::1]evil"}), InvalidResponseError),
    "nothing": (reply(200, b""), InvalidResponseError),
    "no JSON": (reply(200, b"<html>"), InvalidResponseError),
    "no UTF-8": (reply(200, b'{"token": "\xff"}'), InvalidResponseError),
    "nested too deeply": (reply(200, b"[" * 32_000), InvalidResponseError),
    "a number of 5,000 digits": (reply(200, b"9" * 5000), InvalidResponseError),
    "no token": (reply(200, {"token": None}), InvalidResponseError),
    "too large": (reply(200, b" " * 70_000), InvalidResponseError),
    "compressed": (reply(200, b"\x1f\x8b{}", {"Content-Encoding": "gzip"}), InvalidResponseError),
    "strange cookies": (reply(200, b"{}", {"Set-Cookie": "é=\x01; expires=x; Max-Age=1e99"}), InvalidResponseError),
    "401": (reply(401, {"detail": "no"}), AuthenticationError),
    "418": (reply(418, b"\xff"), ElevenLabsStatusError),
    "429": (reply(429, []), RateLimitError),
    "503": (reply(503, b"[" * 32_000), ServerError),
}


@pytest.mark.anyio
@pytest.mark.promise(row=53)
@BORROWED
@pytest.mark.parametrize(("script", "kind"), FAULTS.values(), ids=FAULTS)
async def test_every_fault_is_one_of_the_package_s_errors(
    api: ScriptedApi, script: Script, kind: type[ElevenLabsError], *, is_borrowed: bool
) -> None:
    """The one that says what it was, whoever owns the session."""
    api.replies += [script] * 3
    async with aiohttp.ClientSession() as session:
        client = AsyncElevenLabsClient(
            api_key=KEY,
            base_url=api.base_url,
            session=session if is_borrowed else None,
            attempt_timeout_in_seconds=0.1 if kind is ElevenLabsTimeoutError else 5,
        )
        client._pipeline.clock = FrozenTime().clock()
        with pytest.raises(ElevenLabsError) as caught:
            async with asyncio.timeout(20):  # lest it hang
                await mint(client, max_retries=1)
        await client.aclose()

    assert kind is type(caught.value)
    assert kind is getattr(elevenlabs_tokens, kind.__name__)


@pytest.mark.anyio
@pytest.mark.promise(row=53)
@BORROWED
@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("http://127.0.0.1:{gone}", ElevenLabsConnectionError),
        ("https://127.0.0.1:{gone}", ElevenLabsConnectionError),
        ("https://name.invalid", ElevenLabsConnectionError),
        ("https://[fe80::1]:{gone}", ElevenLabsConnectionError),
        ("https://127.0.0.1:{plain}", ElevenLabsTLSError),
    ],
)
async def test_every_address_that_leads_nowhere(
    address: str, kind: type[ElevenLabsError], *, is_borrowed: bool
) -> None:
    """It is one of the package's errors, too."""
    with ScriptedApi() as gone:
        port = gone.port
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def refuse() -> None:
            with contextlib.suppress(OSError):
                connection, _ = plain.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    connection.recv(65536)

        threading.Thread(target=refuse, daemon=True).start()
        async with aiohttp.ClientSession() as session:
            client = AsyncElevenLabsClient(
                api_key=KEY,
                base_url=address.format(gone=port, plain=plain.getsockname()[1]),
                session=session if is_borrowed else None,
                max_retries=0,
            )
            with pytest.raises(ElevenLabsError) as caught:
                await mint(client)
            await client.aclose()

    assert kind is type(caught.value)


ERRORS_OF_THE_CALLER_S_OWN = [
    LookupError("sealed"),
    TimeoutError("the vault's own"),
    OSError(104, "reset"),
    ValueError("no"),
    RuntimeError("cannot schedule new futures after shutdown"),
    aiohttp.ServerDisconnectedError("the vault's own"),
    asyncio.QueueEmpty(),
]


@pytest.mark.anyio
@pytest.mark.promise(row=53)
@pytest.mark.parametrize("error", ERRORS_OF_THE_CALLER_S_OWN, ids=lambda error: type(error).__name__)
async def test_what_a_key_callable_raises(api: ScriptedApi, error: Exception) -> None:
    """It is the caller's own and arrives unchanged: as the object that it was, but for a copy that Python makes."""

    def at_once() -> str:
        raise error

    async def later() -> str:
        await asyncio.sleep(0)
        raise error

    for source in (at_once, later):
        async with AsyncElevenLabsClient(api_key=source, base_url=api.base_url) as client:
            with pytest.raises(type(error)) as caught:
                await mint(client)
        sync_client = ElevenLabsClient(api_key=source, base_url=api.base_url)
        with pytest.raises(type(error)) as caught_in_thread:
            await asyncio.to_thread(sync_client.tokens.single_use.create, "realtime_scribe")
        sync_client.close()

        assert error is caught.value
        # Up to Python 3.12, `asyncio` hands a copy of a TimeoutError over to another thread.
        assert (type(error), error.args) == (type(caught_in_thread.value), caught_in_thread.value.args)
    assert 0 == api.connections


@pytest.mark.promise(row=53)
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_program(api: ScriptedApi, kind: type[BaseException]) -> None:
    """It goes through as it is, and the client serves the next loop."""
    keys: list[Any] = [kind, KEY]

    def source() -> str:
        key = keys.pop(0)
        if key is kind:
            raise key
        return str(key)

    client = AsyncElevenLabsClient(api_key=source, base_url=api.base_url)
    with pytest.raises(kind):
        asyncio.run(mint(client))
    token = asyncio.run(mint(client))
    asyncio.run(client.aclose())

    assert TOKEN == token
