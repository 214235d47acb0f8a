"""Promises 49, 51, 52 and 58: one client in many event loops and processes, and what is left of it when it ends."""

import asyncio
import gc
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
import trio
import trio.to_thread

from elevenlabs_tokens import AsyncElevenLabsClient, ClientClosedError, ElevenLabsClient, ElevenLabsConfigError
from frozen import KEY
from minting import mint
from programs import run_python
from reach import session_of
from scripted import TOKEN, ScriptedApi

# Event loops


@pytest.mark.promise(row=49)
def test_two_loops_in_turn(api: ScriptedApi) -> None:
    """A client that is made outside any loop serves each loop, and keeps nothing of one that has ended."""
    client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url)

    tokens = [asyncio.run(mint(client)), asyncio.run(mint(client))]

    assert [TOKEN["token"]] * 2 == tokens
    assert 2 == api.connections
    assert 1 == len(client._sessions.by_loop)
    asyncio.run(client.aclose())


@pytest.mark.promise(row=49)
def test_two_loops_at_once(api: ScriptedApi) -> None:
    """A client in two threads has a connection for each, and closing it in one thread closes both."""
    client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url)
    minted, closed = threading.Barrier(2), threading.Event()

    async def run(*, is_closing: bool) -> bool:
        await mint(client)
        session = session_of(client)
        await asyncio.to_thread(minted.wait, 5)
        if is_closing:
            await client.aclose()
            closed.set()
        await asyncio.to_thread(closed.wait, 5)
        await asyncio.sleep(0)  # the loop closes what the other thread handed to it
        return session.closed

    with ThreadPoolExecutor(1) as pool:
        there = pool.submit(lambda: asyncio.run(run(is_closing=False)))
        here = asyncio.run(run(is_closing=True))

    assert (True, True) == (there.result(5), here)
    assert 2 == api.connections


@pytest.mark.promise(row=49)
def test_many_loops_that_come_and_go(api: ScriptedApi) -> None:
    """Threads that run one loop after another are not disturbed by the sessions that other threads leave behind."""
    client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(24) as pool:
            tokens = [job.result() for job in [pool.submit(lambda: asyncio.run(mint(client))) for _ in range(240)]]
    finally:
        sys.setswitchinterval(before)
        asyncio.run(client.aclose())

    assert [TOKEN["token"]] * 240 == tokens


@pytest.mark.promise(row=52)
@pytest.mark.parametrize("run", [trio.run, partial(anyio.run, backend="trio")], ids=["trio", "anyio"])
def test_under_trio(api: ScriptedApi, run: Callable[..., Any]) -> None:
    """Every form of a call says what works there, and it does; the client can be closed, too."""
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
        assert 0 == api.connections
        with ElevenLabsClient(api_key=KEY, base_url=api.base_url) as sync_client:
            token = await trio.to_thread.run_sync(sync_client.tokens.single_use.create, "realtime_scribe")
        return str(token.token)

    assert TOKEN["token"] == run(main)


@pytest.mark.promise(row=50)
@pytest.mark.parametrize("has_ended", [False, True], ids=["stands still", "has ended though it was seen running"])
def test_closed_while_its_loop_does_not_run(
    api: ScriptedApi, monkeypatch: pytest.MonkeyPatch, *, has_ended: bool
) -> None:
    """The session is closed all the same, and nothing warns."""
    client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url)
    with asyncio.Runner() as runner:
        runner.run(mint(client))
        [(loop, loop_session)] = client._sessions.by_loop.items()
        if has_ended:
            runner.close()
            monkeypatch.setattr(loop, "is_running", lambda: True)
        asyncio.run(client.aclose())
    gc.collect()  # a coroutine that nobody awaits would warn

    assert loop_session._session.closed
    with pytest.raises(ClientClosedError):
        asyncio.run(mint(client))


# Clients that are dropped, unclosed

DROPPING = f"""
import asyncio, gc, os, sys, threading, warnings
from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsClient
def make(kind=AsyncElevenLabsClient): return kind(api_key={KEY!r}, base_url=base_url)
async def mint(client): await client.tokens.single_use.create("realtime_scribe")
runner = asyncio.Runner()
def end(): runner.close()
def files():
    gc.collect()
    return len(os.listdir("/proc/self/fd"))
def files_left_by(once, times):
    for _ in range(3): once()
    before = files()
    for _ in range(times - 3): once()
    return files() - before
"""
WAYS_TO_DROP = {
    "in a loop that goes on": """
async def mint_and_drop():
    await mint(make())
    for _ in range(2): await asyncio.sleep(0)
def once(): runner.run(mint_and_drop())
""",
    "after asyncio.run": """
def once():
    client = make()
    asyncio.run(mint(client))
""",
    "outside a loop that stands still": """
def once():
    client = make()
    runner.run(mint(client))
""",
    "after a loop that was closed by hand": """
def once():
    client = make()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(mint(client))
    loop.close()
""",
    "in another thread than its loop's": """
loop = asyncio.new_event_loop()
thread = threading.Thread(target=loop.run_forever)
thread.start()
def once():
    client = make()
    asyncio.run_coroutine_threadsafe(mint(client), loop).result()
    del client
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0.001), loop).result()
def end():
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
""",
    "by sync code": """
kept = make(ElevenLabsClient)
def once():
    client = make(ElevenLabsClient)
    client.tokens.single_use.create("realtime_scribe")
    del client
    kept.tokens.single_use.create("realtime_scribe")
end = kept.close
""",
}
COUNTS_FILES = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts the files that Linux shows there")


@COUNTS_FILES
@pytest.mark.promise(row=51)
@pytest.mark.parametrize("way", WAYS_TO_DROP)
def test_200_clients_dropped_unclosed(api: ScriptedApi, way: str) -> None:
    """Each warns once, by the name of its class; no file is left open, and nothing else is printed."""
    program = f"{DROPPING}{WAYS_TO_DROP[way]}print(files_left_by(once, 200)); end()"
    run = run_python(program, "-W", "always::ResourceWarning", timeout_in_seconds=60, base_url=api.base_url)

    kind = "ElevenLabsClient" if way == "by sync code" else "AsyncElevenLabsClient"
    text = f"ResourceWarning: an {kind} was dropped without being closed; use it in an (async) with block, or close it"
    hint = "ResourceWarning: Enable tracemalloc to get the object allocation traceback"
    others = [line for line in run.stderr.splitlines() if line[:1] != " " and text not in line and hint not in line]
    if way == "after a loop that was closed by hand":  # Python itself warns of that
        others = [line for line in others if "ResourceWarning: unclosed " not in line]
    assert (0, "0\n") == (run.returncode, run.stdout)
    assert 200 == run.stderr.count(text)
    assert [] == others


@COUNTS_FILES
@pytest.mark.promise(row=49)
@pytest.mark.promise(row=51)
def test_loops_that_were_closed_by_hand(api: ScriptedApi) -> None:
    """A client that outlives its loops leaves nothing open in them, and nothing is printed."""
    program = """
client = make()
def once():
    loop = asyncio.new_event_loop()
    loop.run_until_complete(mint(client))
    loop.close()
print(files_left_by(once, 12))
runner.run(client.aclose())
end()
"""
    run = run_python(DROPPING + program, base_url=api.base_url)

    assert (0, "0\n", "") == (run.returncode, run.stdout, run.stderr)
    assert 12 == len(api.requests)


@pytest.mark.promise(row=51)
@pytest.mark.parametrize("ending", ["os._exit(0)", "sys.exit()"])
def test_a_forked_child_that_drops_its_client(api: ScriptedApi, ending: str) -> None:
    """The child collects the client, but leaves the parent's connection open, which the parent goes on using."""
    program = f"""
client = make()
async def mint_and_close():
    await mint(client)
    await client.aclose()
runner.run(mint(client))
child = os.fork()
if child == 0:
    with asyncio.Runner() as own_runner:
        own_runner.run(mint_and_close())
    del client
    gc.collect()
    warnings.simplefilter("ignore", ResourceWarning)  # at its end, the parent's loop is dropped unclosed
    {ending}
assert 0 == os.waitpid(child, 0)[1]
runner.run(mint_and_close())
end()
"""
    run = run_python(DROPPING + program, "-W", "always::ResourceWarning", base_url=api.base_url)

    assert (0, "", "") == (run.returncode, run.stdout, run.stderr)
    assert (2, 3) == (api.connections, len(api.requests))


@pytest.mark.anyio
@pytest.mark.promise(row=51)
@pytest.mark.parametrize("is_used_before", [False, True])
async def test_a_client_of_which_only_the_tokens_are_kept(api: ScriptedApi, *, is_used_before: bool) -> None:
    """They go on working on one connection, which is closed when they are dropped; the client warns once."""
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
        are_traced = [item.source is not None for item in caught]  # so that tracemalloc can show where it was made
        caught.clear()  # each warning refers to the client's sessions
        assert await asyncio.to_thread(api.connection_closed.wait, 5)

    assert [TOKEN["token"]] * 2 == tokens
    assert 1 == connections
    assert [True] == are_traced
    assert ["an AsyncElevenLabsClient was dropped without being closed"] == [text.split(";")[0] for text in messages]


def test_a_client_that_was_never_used_does_not_warn() -> None:
    """It has nothing to close."""
    AsyncElevenLabsClient(api_key=KEY)
    gc.collect()


# Exit


@pytest.mark.promise(row=58)
def test_an_async_call_at_the_exit(api: ScriptedApi) -> None:
    """To look its host up takes a thread, which cannot be started any more: the call works, or says so."""
    program = f"""
import asyncio, atexit, os
from elevenlabs_tokens import AsyncElevenLabsClient, ClientClosedError
async def mint():
    async with AsyncElevenLabsClient(api_key={KEY!r}, base_url="http://localhost:{api.port}") as client:
        return (await client.tokens.single_use.create("realtime_scribe")).token_type
def hook():
    loop = asyncio.new_event_loop()  # asyncio.run ends with a thread, which some versions cannot start any more
    try: outcome = loop.run_until_complete(mint())
    except ClientClosedError: outcome = "closed"
    loop.close()
    os.write(1, outcome.encode())
asyncio.run(mint())
atexit.register(hook)
"""
    run = run_python(program)

    assert run.stdout in ("realtime_scribe", "closed")
    assert (0, "") == (run.returncode, run.stderr)
