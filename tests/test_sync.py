"""The sync client: the same behaviour, in any thread, around forks, exits and event loops."""

import asyncio
import contextvars
import http.client
import json
import linecache
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Unpack

import aiohttp
import anyio
import anyio.to_thread
import pytest

from elevenlabs_tokens import (
    BlockingCallWarning,
    ClientClosedError,
    ElevenLabsClient,
    ElevenLabsConfigError,
    ElevenLabsError,
    RequestOptionsDict,
    UnprocessableEntityError,
    _portal,
)
from elevenlabs_tokens._loop import PortalLoop, RunningLoop, start_loop
from elevenlabs_tokens._portal import Portal
from frozen import KEY, FrozenTime
from scripted import Act, ScriptedApi, reply

TOKEN = "sutkn_1234567890"
NO_LOOP = "the event loop of sync calls cannot be started"


@pytest.fixture
def client(api: ScriptedApi, frozen_time: FrozenTime) -> Iterator[ElevenLabsClient]:
    with ElevenLabsClient(api_key=KEY, base_url=api.base_url) as open_client:
        open_client._asynchronous._pipeline.clock = frozen_time.clock()
        yield open_client


def mint(client: ElevenLabsClient, **options: Unpack[RequestOptionsDict]) -> str:
    return client.tokens.single_use.create("realtime_scribe", request_options=options or None).token


def run_python(program: str, *, timeout: float = 60, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a program in an interpreter of its own."""
    return subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=timeout, check=check
    )


def test_a_token_comes_back(client: ElevenLabsClient) -> None:
    """With a URL to open, as from the async client."""
    token = client.tokens.single_use.create("realtime_scribe")

    assert TOKEN == token.token
    assert token.connect_url().startswith("ws://127.0.0.1:")


def test_options_errors_and_raw_responses(api: ScriptedApi, client: ElevenLabsClient, frozen_time: FrozenTime) -> None:
    """They are those of the async client."""
    api.replies += [reply(503, {}), reply(headers={"request-id": "r1"}), reply(422, {"detail": []})]

    answer = client.tokens.single_use.with_raw_response.create("realtime_scribe", request_options={"api_key": "sk_2"})
    with pytest.raises(UnprocessableEntityError) as caught:
        mint(client)

    assert (TOKEN, "r1", 1) == (answer.data.token, answer.raw_response.request_id, answer.raw_response.retries_taken)
    assert [0.5] == frozen_time.slept
    assert b"xi-api-key: sk_2\r\n" in api.requests[0]
    assert 422 == caught.value.status_code


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_callable_keys(api: ScriptedApi, *, is_async: bool) -> None:
    """Sync and async ones, for both run in the loop."""

    async def later() -> str:
        await asyncio.sleep(0)
        return "sk_asked"

    with ElevenLabsClient(api_key=later if is_async else lambda: "sk_asked", base_url=api.base_url) as client:
        mint(client)

    assert b"xi-api-key: sk_asked\r\n" in api.requests[0]


def test_what_create_refuses(api: ScriptedApi, client: ElevenLabsClient) -> None:
    """It never reaches the loop."""
    with pytest.raises(ElevenLabsConfigError, match="token_type must be one of"):
        client.tokens.single_use.create("../voices")

    assert 0 == api.connections


def test_contextvars_reach_the_request(api: ScriptedApi) -> None:
    """What the caller set is seen by aiohttp's hooks, so that tracing works."""
    span: contextvars.ContextVar[str] = contextvars.ContextVar("span", default="none")
    seen: list[str] = []

    async def on_request_start(*_: object) -> None:
        seen.append(span.get())

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(on_request_start)
    with ElevenLabsClient(api_key=KEY, base_url=api.base_url, trace_configs=[trace]) as client:
        span.set("the caller's")
        mint(client)

    assert ["the caller's"] == seen


def test_a_traceback_is_short_and_shows_nothing(api: ScriptedApi, client: ElevenLabsClient) -> None:
    """The caller, the method and what forgets its arguments, the portal; no way through the loop, no key."""
    api.replies += [reply(401, {"detail": {"message": f"no such key: {KEY}"}})]

    with pytest.raises(ElevenLabsError) as caught:
        mint(client)

    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    names = [frame.name for frame in shown.stack]
    assert ["mint", "call", "create", "run"] == names[-4:]
    assert KEY not in "".join(shown.format())
    assert (None, None) == (caught.value.__cause__, caught.value.__context__)


# After close.


@pytest.mark.promise(row=50)
def test_close_twice_and_call_after(api: ScriptedApi, client: ElevenLabsClient) -> None:
    """Closing again does nothing; a call is refused."""
    mint(client)
    client.close()
    client.close()

    with pytest.raises(ClientClosedError):
        mint(client)
    assert 1 == len(api.requests)


@pytest.mark.promise(row=50)
def test_close_during_a_call(api: ScriptedApi, client: ElevenLabsClient) -> None:
    """The thread that waits is told why, in under 1 s."""
    api.replies += [[Act.STALL]]
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(mint, client)
        assert api.request_came.wait(5)
        began = time.monotonic()
        client.close()
        with pytest.raises(ClientClosedError):
            call.result(5)

    assert time.monotonic() - began < 1
    assert 1 == len(api.requests)


def test_closing_what_was_never_used() -> None:
    """It starts no thread."""
    program = f"""
import threading
from elevenlabs_tokens import ElevenLabsClient
with ElevenLabsClient(api_key="{KEY}"): pass
print(threading.active_count())
"""
    assert "1\n" == run_python(program).stdout


@pytest.mark.promise(row=54)
@pytest.mark.anyio
async def test_inside_a_running_loop(client: ElevenLabsClient) -> None:
    """It works, as in a notebook, and warns at the caller's line of what a web app must not do."""
    with pytest.warns(BlockingCallWarning, match="AsyncElevenLabsClient") as caught:
        tokens = [client.tokens.single_use.create("realtime_scribe").token for _ in range(2)]
    with pytest.warns(BlockingCallWarning, match="AsyncElevenLabsClient") as caught_too:
        answer = client.tokens.single_use.with_raw_response.create("realtime_scribe")
    client.close()  # which says nothing

    assert [TOKEN] * 3 == [*tokens, answer.data.token]
    assert [__file__] * 3 == [warning.filename for warning in (*caught, *caught_too)]
    lines = [linecache.getline(__file__, warning.lineno).split()[0] for warning in (*caught, *caught_too)]
    assert ["tokens", "tokens", "answer"] == lines
    assert issubclass(BlockingCallWarning, RuntimeWarning)


# On the loop's own thread.


KEYS_ASKED_FOR_WRONGLY = {
    "a call": """
def key(): return mint(inner)
""",
    "a call of an async callable": """
async def key(): return mint(inner)
""",
    "a client of its own": """
def key():
    with ElevenLabsClient(api_key="none", base_url=base_url) as own:
        return mint(own)
""",
    "a client that it closes": """
mint(inner)
def key():
    inner.close()
    return mint(inner)
""",
}


@pytest.mark.promise(row=55)
@pytest.mark.parametrize("key", KEYS_ASKED_FOR_WRONGLY.values(), ids=KEYS_ASKED_FOR_WRONGLY)
def test_on_the_loop_s_own_thread(api: ScriptedApi, key: str) -> None:
    """It is an error at once that says what to do, never a deadlock, and the loop serves the next call."""
    program = f"""
from elevenlabs_tokens import ElevenLabsClient, ElevenLabsConfigError
base_url = "{api.base_url}"
inner = ElevenLabsClient(api_key="{KEY}", base_url=base_url)
other = ElevenLabsClient(api_key="{KEY}", base_url=base_url)
def mint(client): return client.tokens.single_use.create("realtime_scribe").token
{key}
outer = ElevenLabsClient(api_key=key, base_url=base_url)
try: mint(outer)
except ElevenLabsConfigError as error: print(error)
print(mint(other))
"""
    run = run_python(program, timeout=5)

    assert run.stdout.startswith("a sync client was called in the thread that runs its calls, which cannot wait for")
    assert run.stdout.endswith(f"; in an api_key callable, await an AsyncElevenLabsClient\n{TOKEN}\n")


# Many threads.


@pytest.mark.promise(row=56)
def test_many_threads(api: ScriptedApi, client: ElevenLabsClient) -> None:
    """32 threads make 50 calls each through one more thread."""
    mint(client)
    with ThreadPoolExecutor(32) as pool:
        jobs = [pool.submit(lambda: [mint(client) for _ in range(50)]) for _ in range(32)]
        tokens = [token for job in jobs for token in job.result()]
        portals = [thread.name for thread in threading.enumerate()].count("elevenlabs-tokens")

    assert [TOKEN] * 1600 == tokens
    assert 1601 == len(api.requests)
    assert 1 == portals


# Fork.

FORK = """
import os, sys, threading, time, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python's own, of forks in threaded programs
from elevenlabs_tokens import ElevenLabsClient
from elevenlabs_tokens._portal import portal
client = ElevenLabsClient(api_key="{key}", base_url="{base_url}")
mint = lambda: client.tokens.single_use.create("realtime_scribe")
def in_child(action):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            began = time.monotonic()
            action()
            code = 0 if time.monotonic() - began < 1 else 2
        finally:
            os._exit(code)
    return child
def codes(children):
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
"""


@pytest.mark.promise(row=57)
def test_fork_after_use(api: ScriptedApi) -> None:
    """The child answers on a socket of its own, and the parent goes on with its own."""
    program = FORK.format(key=KEY, base_url=api.base_url) + "mint(); print(codes([in_child(mint)])); mint()"

    assert "[0]\n" == run_python(program).stdout
    assert (2, 3) == (api.connections, len(api.requests))


@pytest.mark.promise(row=57)
def test_four_workers_forked_before_use(api: ScriptedApi) -> None:
    """Each has its own."""
    program = FORK.format(key=KEY, base_url=api.base_url) + "print(codes([in_child(mint) for _ in range(4)]))"

    assert "[0, 0, 0, 0]\n" == run_python(program).stdout
    assert 4 == api.connections


@pytest.mark.promise(row=57)
def test_fork_while_the_lock_is_held(api: ScriptedApi) -> None:
    """Neither the portal's nor the retry budget's stays locked in the child."""
    api.replies += [reply(), reply(503, {}, {"Retry-After": "0.01"})]
    program = (
        FORK.format(key=KEY, base_url=api.base_url)
        + """
mint()
held, done = threading.Event(), threading.Event()
def hold():
    with portal._lock, client._asynchronous._pipeline._budget._lock:
        held.set(); done.wait()
threading.Thread(target=hold, daemon=True).start()
held.wait()
children = [in_child(mint)]
done.set()
print(codes(children))
mint()
"""
    )

    assert "[0]\n" == run_python(program).stdout
    assert 4 == len(api.requests)


@pytest.mark.promise(row=57)
def test_fork_during_the_first_call(api: ScriptedApi) -> None:
    """The child does not wait for the loop that the parent is starting, nor for a lock that a late import holds."""
    program = (
        FORK.format(key=KEY, base_url=api.base_url)
        + """
import asyncio
assert "anyio._backends._asyncio" in sys.modules
parent, starting, forked = os.getpid(), threading.Event(), threading.Event()
make_loop = asyncio.SelectorEventLoop.__init__
def make_slowly(loop):
    if os.getpid() == parent:
        starting.set(); forked.wait()
    make_loop(loop)
asyncio.SelectorEventLoop.__init__ = make_slowly
first = threading.Thread(target=mint)
first.start()
starting.wait()
with portal._lock: pass  # let go once the parent waits
children = [in_child(mint)]
print(codes(children))
forked.set()
first.join()
"""
    )
    run = run_python(program)

    assert ("[0]\n", "") == (run.stdout, run.stderr)
    assert 2 == len(api.requests)


# The interpreter's exit.

EXITS = {
    "idle": "mint()",
    "closed": "mint(); client.close()",
    "never used": "",
    "after a fork": "mint(); os.waitpid(in_child(mint), 0)",
    "in a child that exits in good order": "mint(); child = os.fork(); child and os.waitpid(child, 0); child or mint()",
}


@pytest.mark.promise(row=58)
@pytest.mark.parametrize("action", EXITS.values(), ids=EXITS)
def test_exit(api: ScriptedApi, action: str) -> None:
    """Code 0 in under 2 s, nothing on stderr."""
    program = FORK.format(key=KEY, base_url=api.base_url) + action + "\nprint(time.monotonic(), flush=True)"
    run = run_python(program, timeout=20)
    ended = time.monotonic()

    assert (0, "") == (run.returncode, run.stderr)
    assert ended - min(map(float, run.stdout.split())) < 2


@pytest.mark.promise(row=58)
def test_exit_with_a_call_in_flight(api: ScriptedApi) -> None:
    """The call is given up, and its thread is told why."""
    api.replies += [[Act.STALL]]
    program = (
        FORK.format(key=KEY, base_url=api.base_url)
        + """
def call():
    try: mint()
    except Exception as error: os.write(1, type(error).__name__.encode())
threading.Thread(target=call, daemon=True).start()
sys.stdin.read(1)
"""
    )
    with subprocess.Popen(
        [sys.executable, "-P", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert api.request_came.wait(20)
        began = time.monotonic()
        out, errors = process.communicate(b"x", timeout=20)

    assert (0, b"ClientClosedError", b"") == (process.returncode, out, errors)
    assert time.monotonic() - began < 2


@pytest.mark.promise(row=58)
def test_exit_during_a_lookup_that_hangs() -> None:
    """The resolver cannot be interrupted, and nobody waits for it."""
    program = f"""
import socket, threading
socket.getaddrinfo = lambda *_, **__: threading.Event().wait()
from elevenlabs_tokens import ElevenLabsClient, ElevenLabsTimeoutError
client = ElevenLabsClient(api_key={KEY!r}, base_url="https://hangs.example", timeout_in_seconds=0.1)
try: client.tokens.single_use.create("realtime_scribe")
except ElevenLabsTimeoutError: print("timed out")
"""
    run = run_python(program, timeout=20)

    assert (0, "timed out\n", "") == (run.returncode, run.stdout, run.stderr)


@pytest.mark.promise(row=58)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("is_first", [True, False], ids=["first call", "after a call"])
@pytest.mark.parametrize("registered", ["before", "after"])
def test_a_call_at_exit(api: ScriptedApi, host: str, registered: str, *, is_first: bool) -> None:
    """It works, or is refused at once; with a name to look up, too."""
    hook = """
import atexit
def hook():
    began = time.monotonic()
    try: outcome = mint().token_type
    except ClientClosedError: outcome = "closed"
    os.write(1, f"{outcome} {time.monotonic() - began < 1}".encode())
atexit.register(hook)
"""
    program = FORK.format(key=KEY, base_url=f"http://{host}:{api.port}").replace(
        "from elevenlabs_tokens import", (hook if registered == "before" else "") + "from elevenlabs_tokens import"
    )
    program = program.replace("import ElevenLabsClient", "import ClientClosedError, ElevenLabsClient")
    program = "import os, time\n" + program + ("" if is_first else "mint()\n") + (hook if registered == "after" else "")
    run = run_python(program, timeout=20)

    assert run.stdout in ("realtime_scribe True", "closed True")
    assert (0, "") == (run.returncode, run.stderr)


@pytest.mark.promise(row=58)
@pytest.mark.parametrize("is_used", [True, False])
def test_closing_at_exit(api: ScriptedApi, *, is_used: bool) -> None:
    """A client that is closed last of all, after the loop has ended, is closed without a word."""
    program = "import atexit\natexit.register(lambda: client.close())\n" + FORK.format(key=KEY, base_url=api.base_url)
    run = run_python(program + ("mint()" if is_used else ""), timeout=20)

    assert (0, "", "") == (run.returncode, run.stdout, run.stderr)


# Its loop's lookups.


def test_what_a_lookup_raises() -> None:
    """It reaches whoever waits for the address."""

    def fail() -> None:
        raise LookupError("no such host")

    async def look_up() -> None:
        await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(None, fail), 5)

    with asyncio.Runner(loop_factory=PortalLoop) as runner, pytest.raises(LookupError, match="no such host"):
        runner.run(look_up())


@pytest.mark.parametrize("is_begun", [True, False])
def test_a_lookup_that_nobody_waits_for_any_more(*, is_begun: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends quietly in its thread, and does not begin if it has not."""
    begun, ending = threading.Event(), threading.Event()
    threads: list[threading.Thread] = []
    start = threading.Thread.start

    def begin(thread: threading.Thread) -> None:
        threads.append(thread)
        if is_begun:
            start(thread)

    def look_up() -> None:
        begun.set()
        ending.wait(5)

    async def give_up() -> None:
        lookup = asyncio.get_running_loop().run_in_executor(None, look_up)
        if is_begun:
            begun.wait(5)
        lookup.cancel()
        await asyncio.wait([lookup])

    with asyncio.Runner(loop_factory=PortalLoop) as runner, monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", begin)
        runner.run(give_up())
    ending.set()
    for thread in threads:
        if not is_begun:
            thread.start()
        thread.join(5)

    assert 1 == len(threads)
    assert is_begun is begun.is_set()


# Ctrl-C.


@pytest.mark.promise(row=59)
def test_ctrl_c(api: ScriptedApi) -> None:
    """It arrives at once, and the server sees the connection close."""
    api.replies += [[Act.STALL]]
    program = (
        FORK.format(key=KEY, base_url=api.base_url)
        + """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
try: mint()
except KeyboardInterrupt: print("interrupted", flush=True)
sys.stdin.read(1)
mint()
print("goes on")
"""
    )
    with subprocess.Popen(
        [sys.executable, "-P", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert api.request_came.wait(20)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        line = process.stdout.readline()
        took = time.monotonic() - began
        closed = api.connection_closed.wait(0.5)
        out, _ = process.communicate("x", timeout=20)

    assert ("interrupted\n", "goes on\n", 0) == (line, out, process.returncode)
    assert took < 0.3
    assert closed


# Gevent.


@pytest.mark.promise(row=60)
def test_gevent(api: ScriptedApi) -> None:
    """Greenlets wait side by side, and nothing is said at exit."""
    api.delay_in_seconds = 0.3
    program = f"""
from gevent import monkey; monkey.patch_all()
import time, warnings, gevent
warnings.simplefilter("error")
from elevenlabs_tokens import ElevenLabsClient
client = ElevenLabsClient(api_key="{KEY}", base_url="{api.base_url}")
mint = lambda: client.tokens.single_use.create("realtime_scribe").token
began = time.monotonic()
jobs = [gevent.spawn(mint) for _ in range(50)]
gevent.joinall(jobs, raise_error=True)
print(len({{job.value for job in jobs}}), time.monotonic() - began < 1.5)
client.close()
"""
    run = run_python(program)

    assert ("1 True\n", "") == (run.stdout, run.stderr)
    assert 50 == len(api.requests)


# Worker threads of a scope that is cancelled.


@pytest.mark.promise(row=61)
@pytest.mark.anyio
async def test_worker_threads_of_a_cancelled_scope(api: ScriptedApi, client: ElevenLabsClient) -> None:
    """As in a web framework whose client went away: each call still gives its token or an error of ours."""
    api.delay_in_seconds = 0.2
    outcomes: list[object] = []

    def call() -> None:
        try:
            outcomes.append(mint(client))
        except ElevenLabsError as error:
            outcomes.append(error)

    async with anyio.create_task_group() as group:
        for _ in range(30):
            group.start_soon(anyio.to_thread.run_sync, call)
        await anyio.to_thread.run_sync(api.request_came.wait, 5)
        group.cancel_scope.cancel()

    assert [TOKEN] * 30 == outcomes


# What a caller's own code raises.


@pytest.mark.promise(row=53)
def test_a_key_callable_that_exits(api: ScriptedApi, client: ElevenLabsClient) -> None:
    """SystemExit reaches the caller, and the loop lives on for the others."""

    def give_up() -> str:
        raise SystemExit(3)

    with ElevenLabsClient(api_key=give_up, base_url=api.base_url) as giving_up, pytest.raises(SystemExit) as caught:
        mint(giving_up)

    assert 3 == caught.value.code
    assert TOKEN == mint(client)


@pytest.mark.promise(row=53)
@pytest.mark.parametrize("end", [SystemExit, KeyboardInterrupt])
def test_a_task_of_the_caller_s_own_that_exits(api: ScriptedApi, end: type[BaseException]) -> None:
    """It ends neither the loop nor the call that it stands beside."""

    def exit_there() -> None:
        raise end

    async def key() -> str:
        asyncio.get_running_loop().call_soon(exit_there)
        return KEY

    with ElevenLabsClient(api_key=key, base_url=api.base_url) as client:
        assert [TOKEN, TOKEN] == [mint(client), mint(client)]


@pytest.mark.promise(row=53)
@pytest.mark.parametrize("error", [ElevenLabsError("no key yet"), RecursionError("deep"), SystemExit(3)], ids=repr)
def test_a_task_of_the_caller_s_own_that_tells_of_an_error_and_goes_on(api: ScriptedApi, error: BaseException) -> None:
    """The error reaches the caller, and the task gives the next call its key."""
    asked: asyncio.Queue[asyncio.Future[str]] = asyncio.Queue()
    tasks: list[asyncio.Task[None]] = []

    async def give_keys() -> None:
        try:
            raise error  # noqa: TRY301  # so that its traceback leads through this task
        except BaseException as caught:  # noqa: BLE001  # which the one that waits is told of
            (await asked.get()).set_exception(caught)
        while True:
            (await asked.get()).set_result(KEY)

    async def key() -> str:
        loop = asyncio.get_running_loop()
        tasks.append(loop.create_task(give_keys())) if not tasks else None
        answer: asyncio.Future[str] = loop.create_future()
        await asked.put(answer)
        return await answer

    with ElevenLabsClient(api_key=key, base_url=api.base_url, timeout_in_seconds=2) as client:
        with pytest.raises(type(error)) as caught:
            mint(client)

        assert error is caught.value
        assert TOKEN == mint(client)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # Python itself is silent of it
def test_the_loop_ends_though_something_exits_as_it_does() -> None:
    """Its thread and its files do not stay behind."""

    async def begin() -> None:
        async def exits_late() -> AsyncGenerator[None]:
            try:
                yield
            finally:
                raise SystemExit

        kept.append(exits_late())
        await anext(kept[0])

    kept: list[AsyncGenerator[None]] = []
    running = start_loop().result()
    asyncio.run_coroutine_threadsafe(begin(), running.loop).result()

    running.loop.call_soon_threadsafe(running.stop.set)
    running.thread.join(10)

    assert (False, True) == (running.thread.is_alive(), running.loop.is_closed())


@pytest.mark.promise(row=56)
@pytest.mark.parametrize("error", [OSError(24, "Too many open files"), MemoryError()], ids=repr)
def test_a_start_that_failed_leaves_a_later_one_alone(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that hears of it late does not have a second loop started."""
    later: Future[RunningLoop] = Future()

    class HeardOfLate(Future[RunningLoop]):
        def result(self, timeout: float | None = None) -> RunningLoop:
            portal._starting = later
            return super().result(timeout)

    failed = HeardOfLate()
    failed.set_exception(error)
    portal = Portal()
    monkeypatch.setattr(_portal, "start_loop", lambda: failed)  # real ones cannot be made to fail in this order

    with pytest.raises(ElevenLabsError, match=NO_LOOP):
        portal._start()

    assert later is portal._starting


@pytest.mark.promise(row=53)
def test_an_error_of_ours_that_a_key_callable_raises(api: ScriptedApi) -> None:
    """It keeps its cause, and the line that raised it."""

    def key() -> str:
        raise ElevenLabsError("no key today") from OSError("the vault is sealed")

    with ElevenLabsClient(api_key=key, base_url=api.base_url) as client, pytest.raises(ElevenLabsError) as caught:
        mint(client)

    assert "OSError('the vault is sealed')" == repr(caught.value.__cause__)
    assert "key" == traceback.extract_tb(caught.value.__traceback__)[-1].name


# Real servers of legacy code.

FLASK = """
from flask import Flask
from elevenlabs_tokens import ElevenLabsClient

app = Flask(__name__)
client = ElevenLabsClient(api_key="{key}", base_url="{base_url}")
if {used_before_the_fork}:
    client.tokens.single_use.create("realtime_scribe")

@app.post("/token")
def token():
    import os
    return {{"token": client.tokens.single_use.create("realtime_scribe").token, "worker": os.getpid()}}
"""


@pytest.mark.promise(row=57)
@pytest.mark.parametrize("used_before_the_fork", [False, True])
def test_flask_under_gunicorn(api: ScriptedApi, tmp_path: Path, *, used_before_the_fork: bool) -> None:
    """Four workers, forked from a parent that has the client, mint each on a socket of its own, and stop at once."""
    program = FLASK.format(key=KEY, base_url=api.base_url, used_before_the_fork=used_before_the_fork)
    (tmp_path / "web.py").write_text(program)
    address = tmp_path / "socket"
    command = [sys.executable, "-m", "gunicorn", "--preload", "--workers", "4", "--bind", f"unix:{address}", "web:app"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        workers = 0
        for line in server.stderr:
            workers += "Booting worker" in line
            if workers == 4:
                break
        with ThreadPoolExecutor(8) as pool:
            replies = [job.result() for job in [pool.submit(post, address, "/token") for _ in range(40)]]
        server.send_signal(signal.SIGTERM)
        rest = server.stderr.read()

    assert {TOKEN} == {answer["token"] for answer in replies}
    assert len({answer["worker"] for answer in replies}) + used_before_the_fork <= api.connections
    assert 0 == server.returncode
    assert "Traceback" not in rest


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(str(self._path))


def post(address: Path, path: str) -> dict[str, Any]:
    connection = _UnixConnection(address)
    try:
        connection.request("POST", path)
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return answer


@pytest.mark.promise(row=57)
def test_a_prefork_pool(api: ScriptedApi) -> None:
    """As Celery has them: processes forked from one that has used the client."""
    program = f"""
import multiprocessing, os, warnings
warnings.simplefilter("ignore", DeprecationWarning)
from elevenlabs_tokens import ElevenLabsClient
client = ElevenLabsClient(api_key="{KEY}", base_url="{api.base_url}")
def mint(_):
    return os.getpid(), client.tokens.single_use.create("realtime_scribe").token
mint(0)
with multiprocessing.get_context("fork").Pool(4) as pool:
    results = pool.map(mint, range(40), chunksize=1)
print(len(results), {{token for _, token in results}}, mint(0)[1])
"""
    run = run_python(program)

    assert (f"40 {{'{TOKEN}'}} {TOKEN}\n", "") == (run.stdout, run.stderr)
    assert 42 == len(api.requests)


@pytest.mark.promise(row=53)
def test_no_file_is_left_for_the_loop(api: ScriptedApi) -> None:
    """The first call says so at once, and the next one works when there is."""
    program = f"""
import resource
from elevenlabs_tokens import ElevenLabsClient, ElevenLabsError
client = ElevenLabsClient(api_key={KEY!r}, base_url={api.base_url!r})
limits = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
try: client.tokens.single_use.create("realtime_scribe")
except ElevenLabsError as error: print(error)
resource.setrlimit(resource.RLIMIT_NOFILE, limits)
print(client.tokens.single_use.create("realtime_scribe").token)
"""
    run = run_python(program, timeout=20)

    assert f"{NO_LOOP} (Too many open files); end threads or close files, then call again\n{TOKEN}\n" == run.stdout


@pytest.mark.promise(row=53)
def test_no_thread_is_left_for_the_loop(api: ScriptedApi) -> None:
    """The first call says so at once, and the next one works when there is."""
    program = f"""
import threading
from elevenlabs_tokens import ElevenLabsClient, ElevenLabsError
client = ElevenLabsClient(api_key={KEY!r}, base_url={api.base_url!r})
threading.stack_size(1 << 46)
try: client.tokens.single_use.create("realtime_scribe")
except ElevenLabsError as error: print(error)
threading.stack_size(0)
print(client.tokens.single_use.create("realtime_scribe").token)
"""
    run = run_python(program, timeout=20)

    assert f"{NO_LOOP} (no thread can be started); end threads or close files, then call again\n{TOKEN}\n" == run.stdout


NO_LOOKUP = """
import asyncio, threading
from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsClient, ElevenLabsConnectionError
options = {{"api_key": {key!r}, "base_url": "http://localhost:{port}", "max_retries": 0}}
def report(error):
    threading.stack_size(0)
    print(error)
async def main():
    client = AsyncElevenLabsClient(**options)
    threading.stack_size(1 << 46)
    try: await client.tokens.single_use.create("realtime_scribe")
    except ElevenLabsConnectionError as error: report(error)
    print((await client.tokens.single_use.create("realtime_scribe")).token)
    await client.aclose()
def call():
    client = ElevenLabsClient(**options)
    ElevenLabsClient(**options | {{"base_url": "http://127.0.0.1:{port}"}}).tokens.single_use.create("realtime_scribe")
    threading.stack_size(1 << 46)
    try: client.tokens.single_use.create("realtime_scribe")
    except ElevenLabsConnectionError as error: report(error)
    print(client.tokens.single_use.create("realtime_scribe").token)
"""


@pytest.mark.promise(row=53)
@pytest.mark.parametrize("run", ["asyncio.run(main())", "call()"])
def test_no_thread_is_left_for_a_lookup(api: ScriptedApi, run: str) -> None:
    """The call says that it could not connect, and why; the next one works when there is one."""
    shown = run_python(NO_LOOKUP.format(key=KEY, port=api.port) + run, timeout=20).stdout

    assert shown.startswith(f"could not connect to localhost:{api.port} (no thread can be started to look it up)")
    assert shown.endswith(f"\n{TOKEN}\n")


def test_an_executor_of_the_caller_s_own(api: ScriptedApi) -> None:
    """A key callable that names one runs in it, and what it raises is its own."""
    names: list[str] = []

    def read_key() -> str:
        names.append(threading.current_thread().name)
        return KEY

    with ThreadPoolExecutor(1, thread_name_prefix="vault") as pool:

        async def key() -> str:
            return await asyncio.get_running_loop().run_in_executor(pool, read_key)

        with ElevenLabsClient(api_key=key, base_url=api.base_url) as client:
            mint(client)

    assert ["vault_0"] == names


def test_a_key_callable_that_gives_up(api: ScriptedApi) -> None:
    """Its cancellation is not taken for the end of the interpreter."""

    async def key() -> str:
        raise asyncio.CancelledError

    with ElevenLabsClient(api_key=key, base_url=api.base_url) as client, pytest.raises(asyncio.CancelledError):
        mint(client)


@pytest.mark.promise(row=59)
def test_a_signal_handler_that_mints_during_the_first_call(api: ScriptedApi) -> None:
    """Both calls wait for the one loop that the first has started."""
    program = f"""
import signal, time
import elevenlabs_tokens._portal as portal
from elevenlabs_tokens import ElevenLabsClient
client = ElevenLabsClient(api_key={KEY!r}, base_url={api.base_url!r})
mint = lambda: client.tokens.single_use.create("realtime_scribe").token
tokens, start = [], portal.start_loop
def start_with_a_signal():
    started = start()
    signal.raise_signal(signal.SIGALRM)
    return started
portal.start_loop = start_with_a_signal
def handle(*_):
    portal.start_loop = start
    tokens.append(mint())
signal.signal(signal.SIGALRM, handle)
tokens.append(mint())
print(tokens)
"""
    run = run_python(program, timeout=20)

    assert (0, f"{[TOKEN, TOKEN]}\n", "") == (run.returncode, run.stdout, run.stderr)
