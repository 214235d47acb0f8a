"""The event loop of sync calls: what it survives, and where it cannot be had. Promises 53 and 56."""

import asyncio
import signal
import threading
import traceback
import warnings
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from elevenlabs_tokens import ElevenLabsClient, ElevenLabsError, _portal
from elevenlabs_tokens._loop import PortalLoop, RunningLoop, start_loop
from elevenlabs_tokens._portal import Portal, portal
from frozen import KEY
from programs import run_python
from scripted import TOKEN, ScriptedApi
from sync.callers import CLIENT, mint_sync

NO_LOOP = "the event loop of sync calls cannot be started"


# Key callables of the caller's own


def raising(error: BaseException) -> Callable[[], str]:
    def key() -> str:
        raise error

    return key


def beside(error: BaseException) -> Callable[[], Any]:
    """Give a key callable that has something else in its event loop raise an error."""

    async def key() -> str:
        asyncio.get_running_loop().call_soon(raising(error))
        return KEY

    return key


OWN_ERROR = ElevenLabsError("no key today")
OWN_ERROR.__cause__ = OSError("the vault is sealed")


@pytest.mark.promise(row=53)
@pytest.mark.parametrize("error", [SystemExit(3), asyncio.CancelledError(), OWN_ERROR], ids=repr)
def test_a_key_callable_that_gives_up(api: ScriptedApi, sync_client: ElevenLabsClient, error: BaseException) -> None:
    """Its error reaches the caller with its cause and the line that raised it; the event loop serves the next call."""
    cause = error.__cause__
    with (
        ElevenLabsClient(api_key=raising(error), base_url=api.base_url) as client,
        pytest.raises(type(error)) as caught,
    ):
        mint_sync(client)

    assert error is caught.value
    assert cause is error.__cause__
    assert "key" == traceback.extract_tb(error.__traceback__)[-1].name
    assert TOKEN["token"] == mint_sync(sync_client)


@pytest.mark.promise(row=53)
@pytest.mark.parametrize("error", [SystemExit(), KeyboardInterrupt()], ids=repr)
def test_an_exit_beside_a_call(api: ScriptedApi, error: BaseException) -> None:
    """It ends neither the event loop nor the call."""
    with ElevenLabsClient(api_key=beside(error), base_url=api.base_url) as client:
        assert [TOKEN["token"]] * 2 == [mint_sync(client), mint_sync(client)]


@pytest.mark.promise(row=53)
@pytest.mark.parametrize("error", [ElevenLabsError("no key yet"), RecursionError("deep"), SystemExit(3)], ids=repr)
def test_a_task_that_passes_its_error_on(api: ScriptedApi, error: BaseException) -> None:
    """The error reaches the caller, and the caller's task, whose frame is in its traceback, gives the next key."""
    asked: asyncio.Queue[asyncio.Future[str]] = asyncio.Queue()
    tasks: list[asyncio.Task[None]] = []

    async def give_keys() -> None:
        try:
            raising(error)()
        except BaseException as caught:  # noqa: BLE001  # the one who waits gets it
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
            mint_sync(client)

        assert error is caught.value
        assert TOKEN["token"] == mint_sync(client)


def test_a_signal_while_the_loop_is_busy() -> None:
    """The caller is interrupted, and Python has no coroutine to call "never awaited": work not begun is closed."""
    running, go_on, is_idle = portal._start(), threading.Event(), threading.Event()

    async def work() -> None:
        """Begin, on Python 3.11, only after the call was given up."""

    running.loop.call_soon_threadsafe(go_on.wait, 10)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012  # the timer may end early
            threading.Timer(0.05, signal.pthread_kill, [threading.get_ident(), signal.SIGINT]).start()
            portal.run(work())
        go_on.set()
        running.loop.call_soon_threadsafe(lambda: running.loop.call_soon(is_idle.set))
        is_idle.wait(10)

    assert [] == [str(warning.message) for warning in caught]


# Lookups of hosts, and other work for threads


def test_an_executor_of_the_caller_s_own(api: ScriptedApi) -> None:
    """A key callable that names an executor runs its function there."""
    names: list[str] = []

    def read_key() -> str:
        names.append(threading.current_thread().name)
        return KEY

    with ThreadPoolExecutor(1, thread_name_prefix="vault") as pool:

        async def key() -> str:
            return await asyncio.get_running_loop().run_in_executor(pool, read_key)

        with ElevenLabsClient(api_key=key, base_url=api.base_url) as client:
            mint_sync(client)

    assert ["vault_0"] == names
    assert f"xi-api-key: {KEY}\r\n".encode() in api.requests[0]


def test_a_lookup_that_fails() -> None:
    """Its error reaches whoever waits for the address."""

    async def look_up() -> None:
        loop = asyncio.get_running_loop()
        await asyncio.wait_for(loop.run_in_executor(None, raising(LookupError("no such host"))), 5)

    with asyncio.Runner(loop_factory=PortalLoop) as runner, pytest.raises(LookupError, match="no such host"):
        runner.run(look_up())


@pytest.mark.parametrize("is_begun", [True, False], ids=["begun", "not begun"])
def test_a_lookup_that_nobody_waits_for(*, is_begun: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends quietly in its thread; if it has not begun, it never does."""
    begun, ending = threading.Event(), threading.Event()
    held: list[threading.Thread] = []

    def hold(thread: threading.Thread) -> None:
        held.append(thread)

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
        if not is_begun:
            patch.setattr(threading.Thread, "start", hold)
        runner.run(give_up())
    ending.set()
    for thread in held:
        thread.start()
    for thread in threading.enumerate():
        if thread.name == "elevenlabs-tokens-lookup":
            thread.join(5)

    assert is_begun is begun.is_set()


# Its start and its end

NO_FILES = """
import resource
limits = resource.getrlimit(resource.RLIMIT_NOFILE)
def run_out(): resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
def recover(): resource.setrlimit(resource.RLIMIT_NOFILE, limits)
"""
NO_THREADS = """
def run_out(): threading.stack_size(1 << 46)
def recover(): threading.stack_size(0)
"""
LOOKUPS = """
import asyncio
from elevenlabs_tokens import AsyncElevenLabsClient
by_name = {"api_key": "sk_1234567", "base_url": base_url.replace("127.0.0.1", "localhost"), "max_retries": 0}
runner, client, async_client = asyncio.Runner(), ElevenLabsClient(**by_name), AsyncElevenLabsClient(**by_name)
async def mint_async(): return (await async_client.tokens.single_use.create("realtime_scribe")).token
mint()
calls = [lambda: mint(client), lambda: runner.run(mint_async())]
"""
ADVICE = "end threads or close files, then call again"
SHORTAGES = {
    "no file for the loop": (NO_FILES, f"{NO_LOOP} (Too many open files); {ADVICE}"),
    "no thread for the loop": (NO_THREADS, f"{NO_LOOP} (no thread can be started); {ADVICE}"),
    "no thread for a lookup, sync and async": (
        NO_THREADS + LOOKUPS,
        "could not connect to localhost:{port} (no thread can be started to look it up)",
    ),
}


@pytest.mark.promise(row=53)
@pytest.mark.parametrize(("program", "text"), SHORTAGES.values(), ids=SHORTAGES)
def test_a_shortage(api: ScriptedApi, program: str, text: str) -> None:
    """The call says at once what is missing, and the next call works once it is there again."""
    attempts = """
for call in calls:
    run_out()
    try: call()
    except ElevenLabsError as error:
        recover()
        print(error)
    print(call())
"""
    run = run_python(f"{CLIENT}calls = [mint]{program}{attempts}", base_url=api.base_url)

    text, lines = text.format(port=api.port), run.stdout.splitlines()
    assert 0 == run.returncode, run.stderr
    assert {text} == {line[: len(text)] for line in lines[::2]}
    assert {TOKEN["token"]} == set(lines[1::2])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # Python itself says nothing
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
    running.loop.set_exception_handler(lambda _loop, _context: None)  # which else logs the exit, much later
    asyncio.run_coroutine_threadsafe(begin(), running.loop).result()

    running.loop.call_soon_threadsafe(running.stop.set)
    running.thread.join(10)

    assert (False, True) == (running.thread.is_alive(), running.loop.is_closed())


@pytest.mark.promise(row=56)
@pytest.mark.parametrize("error", [OSError(24, "Too many open files"), MemoryError()], ids=repr)
def test_a_start_that_failed_leaves_a_later_one_alone(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that hears late of a failed start does not have a second event loop started."""
    later: Future[RunningLoop] = Future()

    class HeardOfLate(Future[RunningLoop]):
        def result(self, timeout: float | None = None) -> RunningLoop:
            portal._starting = later
            return super().result(timeout)

    failed = HeardOfLate()
    failed.set_exception(error)
    portal = Portal()
    monkeypatch.setattr(_portal, "start_loop", lambda: failed)  # real starts cannot be made to fail in this order

    with pytest.raises(ElevenLabsError, match=NO_LOOP):
        portal._start()

    assert later is portal._starting
