"""How sync calls run: in one thread per process, whose event loop all sync clients share."""

import asyncio
import atexit
import threading
import time
import warnings
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from traceback import walk_tb
from typing import Any, TypeVar

from elevenlabs_tokens._calls import Call, exiting_error
from elevenlabs_tokens._forks import reset_after_fork
from elevenlabs_tokens._http.sessions import running_loop
from elevenlabs_tokens._internals import NO_DAEMON_THREADS, NO_THREAD_AT_EXIT, says
from elevenlabs_tokens._loop import RunningLoop, start_loop
from elevenlabs_tokens.exceptions import BlockingCallWarning, ElevenLabsConfigError, ElevenLabsError

T = TypeVar("T")

_PATIENCE_AT_EXIT_IN_SECONDS = 1.0


class Portal:
    """The thread of sync calls, and the event loop in it.

    Both start with the first call, start anew in a forked child, and end with the process.
    """

    def __init__(self) -> None:
        self.after_fork_in_child()
        reset_after_fork(self)
        atexit.register(self.stop)

    def after_fork_in_child(self) -> None:
        """Forget the thread, which stayed with the parent, and the lock, which it may have held."""
        self._lock = threading.RLock()  # the handler of a signal may call while its own thread holds the lock
        self._starting: Future[RunningLoop] | None = None
        self._running: RunningLoop | None = None
        self._calls: set[Call[Any]] = set()
        self._is_stopped = False

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop, and wait for its result.

        Raises:
            ElevenLabsConfigError: This is the loop's own thread, which cannot wait for itself.
            ClientClosedError: The interpreter is exiting.
        """
        try:
            running = self._running or self._start()
            self._warn_if_blocking(running)
        except BaseException:
            work.close()
            raise
        try:
            return self._run(work, running)
        except ElevenLabsError as error:
            if _is_from_the_package(error):
                raise error.with_traceback(None) from None  # the loop's frames do not help the user
            raise

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine in the loop, and do not wait for it; to cancel the future cancels it.

        Raises:
            ClientClosedError: The interpreter is exiting.
        """
        try:
            running = self._running or self._start()
            return asyncio.run_coroutine_threadsafe(work, running.loop)
        except BaseException:
            work.close()
            raise

    def close(self, closing: Coroutine[Any, Any, None]) -> None:
        """Run a client's closing coroutine. If the loop does not run, there is no session left to wait for."""
        if self._running is not None and not self._is_stopped:
            self._run(closing, self._running)
            return
        with suppress(StopIteration):
            closing.send(None)

    def _start(self) -> RunningLoop:
        with self._lock:
            if self._is_stopped:
                raise exiting_error()
            try:
                starting = self._starting = self._starting or start_loop()
            except RuntimeError as error:
                raise _start_error(error) from None
        try:
            self._running = starting.result()
        except Exception as error:
            is_of_the_loop = starting.done() and starting.exception() is error
            if not is_of_the_loop:  # a signal handler raised it in this thread
                raise
            with self._lock:
                if self._starting is starting:
                    self._starting = None
            raise _no_loop_error(getattr(error, "strerror", None) or type(error).__name__) from None
        return self._running

    def _warn_if_blocking(self, running: RunningLoop) -> None:
        if running_loop() not in (None, running.loop):
            text = "this blocks the running event loop until it is done; await the same method of AsyncElevenLabsClient"
            warnings.warn(text, BlockingCallWarning, stacklevel=5)

    def _run(self, work: Coroutine[Any, Any, T], running: RunningLoop) -> T:
        # Under gevent, a greenlet may share the loop's thread; it has an identity of its own, and can wait.
        if threading.get_ident() == running.thread.ident and running_loop() is running.loop:
            work.close()
            text = "a sync client was called in the thread that runs its calls, which cannot wait for itself"
            raise ElevenLabsConfigError(f"{text}; in an api_key callable, await an AsyncElevenLabsClient")
        call = Call(work, running.loop)
        try:
            self._calls.add(call)
            if self._is_stopped:
                work.close()
                raise exiting_error()
            call.run()
            return call.result()
        except asyncio.CancelledError:
            if self._is_stopped:
                raise exiting_error() from None
            raise  # the caller's own api_key callable raised it
        finally:
            self._calls.discard(call)

    def stop(self) -> None:
        """End the loop for good; it cancels the calls under way and closes the sessions. No call can follow."""
        with self._lock:
            self._is_stopped = True
        if self._running is not None:
            self._running.loop.call_soon_threadsafe(self._running.stop.set)
            patience_ends_at = time.monotonic() + _PATIENCE_AT_EXIT_IN_SECONDS
            self._running.thread.join(_PATIENCE_AT_EXIT_IN_SECONDS)
            while self._calls and time.monotonic() < patience_ends_at:
                # Callers in daemon threads get a moment to raise their errors, because nothing joins them.
                time.sleep(0.001)


def _is_from_the_package(error: ElevenLabsError) -> bool:
    """Tell whether only the package's own code raised it, and not the caller's own `api_key` callable."""
    names = (frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__))
    return all(name.startswith("elevenlabs_tokens.") for name in names)


def _start_error(error: RuntimeError) -> ElevenLabsError:
    if says(error, NO_THREAD_AT_EXIT):
        return exiting_error()
    if says(error, NO_DAEMON_THREADS):
        return _no_loop_error("no daemon thread may start here", "call from the main interpreter")
    return _no_loop_error("no thread can be started")


def _no_loop_error(reason: str, advice: str = "end threads or close files, then call again") -> ElevenLabsError:
    return ElevenLabsError(f"the event loop of sync calls cannot be started ({reason}); {advice}")


portal = Portal()
