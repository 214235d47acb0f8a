"""Where sync calls run: one thread per process, with an event loop that all sync clients share."""

import asyncio
import atexit
import sys
import threading
import warnings
from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Generic, TypeVar

import anyio
from anyio import CancelScope, RunFinishedError, from_thread
from anyio.lowlevel import EventLoopToken, current_token
from attrs import frozen

from elevenlabs_tokens._forks import watch_for_forks
from elevenlabs_tokens.exceptions import BlockingCallWarning, ClientClosedError, ElevenLabsConfigError, ElevenLabsError

T = TypeVar("T")

_PATIENCE_AT_EXIT_IN_SECONDS = 1.0


class _Loop(asyncio.SelectorEventLoop):
    """A loop that ends without starting a thread, for at the interpreter's exit nothing may start one any more."""

    def __init__(self) -> None:
        super().__init__()
        self._lookups = ThreadPoolExecutor(thread_name_prefix="elevenlabs-tokens-lookup")
        self.set_default_executor(self._lookups)
        if sys.version_info >= (3, 12):
            self.set_task_factory(asyncio.eager_task_factory)  # a call begins as it arrives, not a round later

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ARG002  # asyncio's own
        self._lookups.shutdown(wait=False)


@frozen
class _Exit:
    """What a caller's own code raised to end the program: raised in the loop, it would end the loop."""

    error: BaseException


class _Call(Generic[T]):
    """One call on its way through the loop, to be cancelled before it runs or while it does."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work
        self._scope: CancelScope | None = None
        self._is_cancelled = False
        self.has_ended = False

    async def run(self) -> T | _Exit:
        """Do the work. In the loop."""
        try:
            if not self._is_cancelled:
                # The shield keeps out the scope of the worker thread that the caller may be in: anyio has the task
                # adopt it, and it would cancel the task from its own thread.
                with CancelScope(shield=True) as self._scope:
                    return await self._work
        except (KeyboardInterrupt, SystemExit) as error:
            return _Exit(error)
        finally:
            self.has_ended = True
        raise _exiting()

    def cancel(self) -> None:
        """End the work, or see to it that it never begins. In the loop."""
        self._is_cancelled = True
        if self._scope is not None:
            self._scope.cancel()


@frozen
class _Running:
    thread: threading.Thread
    token: EventLoopToken
    stop: anyio.Event


class Portal:
    """The thread and its loop: begun at the first call, anew in a forked child, and gone with the process."""

    def __init__(self) -> None:
        self.after_fork_in_child()
        watch_for_forks(self)
        atexit.register(self.stop)

    def after_fork_in_child(self) -> None:
        """Begin anew: the thread stayed with the parent, and may have held the lock."""
        self._lock = threading.Lock()
        self._is_idle = threading.Condition(self._lock)
        self._running: _Running | None = None
        self._calls: set[_Call[Any]] = set()
        self._is_stopped = False

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop, and wait for what it gives.

        Raises:
            ElevenLabsConfigError: This is the loop's own thread, which cannot wait for itself.
            ClientClosedError: The interpreter is exiting.
        """
        try:
            self._check_caller()
            return self._run(work)
        except ElevenLabsError as error:
            raise error.with_traceback(None) from None  # the way through the loop tells nothing
        finally:
            work.close()

    def finish(self, closing: Coroutine[Any, Any, None]) -> None:
        """Run what closes a client; where no loop runs, there is nothing that it would have to wait for."""
        if self._running is not None and not self._is_stopped:
            self._run(closing)
            return
        with suppress(StopIteration):
            closing.send(None)

    def _check_caller(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        running = self._running
        if running is None or loop is not running.token.native_token:
            text = "this blocks the event loop around it until it is done; await the same of AsyncElevenLabsClient"
            warnings.warn(text, BlockingCallWarning, stacklevel=4)
        elif threading.get_ident() == running.thread.ident:
            text = "a sync client was called in the thread that runs its calls, which cannot wait for itself"
            raise ElevenLabsConfigError(f"{text}; in an api_key callable, await an AsyncElevenLabsClient")
        # Else a greenlet: it shares the thread of the loop, which goes on while it waits.

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        call = _Call(work)
        with self._lock:
            if self._is_stopped:
                raise _exiting()
            if self._running is None:
                self._running = _start()
            token = self._running.token
            self._calls.add(call)
        try:
            result = from_thread.run(call.run, token=token)
        except (CancelledError, RunFinishedError):
            raise _exiting() from None
        except BaseException:
            if not call.has_ended:
                from_thread.run_sync(call.cancel, token=token)
            raise
        finally:
            with self._lock:
                self._calls.discard(call)
                self._is_idle.notify_all()
        if isinstance(result, _Exit):
            raise result.error
        return result

    def stop(self) -> None:
        """End the calls under way, then the loop, which closes the sessions in it. Nothing can be called after it."""
        with self._lock:
            self._is_stopped = True
            running, calls = self._running, list(self._calls)
        if running is None:
            return
        for call in calls:
            from_thread.run_sync(call.cancel, token=running.token)
        with self._is_idle:
            self._is_idle.wait_for(lambda: not self._calls, _PATIENCE_AT_EXIT_IN_SECONDS)
        from_thread.run_sync(running.stop.set, token=running.token)
        running.thread.join(_PATIENCE_AT_EXIT_IN_SECONDS)


def _start() -> _Running:
    started: Future[_Running] = Future()

    async def main() -> None:
        stop = anyio.Event()
        started.set_result(_Running(threading.current_thread(), current_token(), stop))
        await stop.wait()

    def serve() -> None:
        anyio.run(main, backend_options={"loop_factory": _Loop})

    try:
        threading.Thread(target=serve, name="elevenlabs-tokens", daemon=True).start()
    except RuntimeError:  # at exit, no thread can be started any more
        raise _exiting() from None
    return started.result()


def _exiting() -> ClientClosedError:
    return ClientClosedError("the interpreter is exiting, and the client's event loop with it; call earlier")


portal = Portal()
