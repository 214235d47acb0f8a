"""Where sync calls run: one thread per process, with an event loop that all sync clients share."""

import asyncio
import atexit
import threading
import time
import warnings
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from traceback import walk_tb
from typing import Any, Generic, TypeVar, cast

from elevenlabs_tokens._forks import watch_for_forks
from elevenlabs_tokens._loop import Running, start
from elevenlabs_tokens.exceptions import BlockingCallWarning, ClientClosedError, ElevenLabsConfigError, ElevenLabsError

T = TypeVar("T")

_PATIENCE_AT_EXIT_IN_SECONDS = 1.0


class _Call(Generic[T]):
    """One call: made in the loop, waited for outside it."""

    def __init__(self, work: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> None:
        self._work = work
        self._loop = loop
        self._task: asyncio.Task[None] | None = None
        self._result: T | None = None
        self._error: BaseException | None = None
        self._is_over = threading.Lock()
        self._is_over.acquire()

    def make(self) -> None:
        """Hand the work over, with the caller's context, and wait until it is over."""
        try:
            self._loop.call_soon_threadsafe(self._begin)
            self._is_over.acquire()
        except BaseException:  # what a signal raised, say
            if self._loop.is_closed():
                self._work.close()
                raise _exiting() from None
            self._loop.call_soon_threadsafe(self._cancel)
            raise

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._run())

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            self._result = await self._work
        except BaseException as error:  # noqa: BLE001  # all of it is the caller's; an exit would end the loop
            self._error = error
        self._is_over.release()

    def result(self) -> T:
        """Give what the work gave, or raise what it raised."""
        error, self._error = self._error, None  # whose traceback leads back to this call
        try:
            if error is not None:
                raise error
        finally:
            del error  # and to this frame
        return cast("T", self._result)


class Portal:
    """The thread and its loop: begun at the first call, anew in a forked child, and gone with the process."""

    def __init__(self) -> None:
        self.after_fork_in_child()
        watch_for_forks(self)
        atexit.register(self.stop)

    def after_fork_in_child(self) -> None:
        """Begin anew: the thread stayed with the parent, and may have held the lock."""
        self._lock = threading.RLock()  # a signal may come to a thread that holds it, and its handler call
        self._starting: Future[Running] | None = None
        self._running: Running | None = None
        self._calls: set[_Call[Any]] = set()
        self._is_stopped = False

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop, and wait for what it gives.

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
            if _is_ours(error):
                raise error.with_traceback(None) from None  # the way through the loop tells nothing
            raise

    def finish(self, closing: Coroutine[Any, Any, None]) -> None:
        """Run what closes a client; where no loop runs, there is nothing that it would have to wait for."""
        if self._running is not None and not self._is_stopped:
            self._run(closing, self._running)
            return
        with suppress(StopIteration):
            closing.send(None)

    def _start(self) -> Running:
        with self._lock:
            if self._is_stopped:
                raise _exiting()
            try:
                starting = self._starting = self._starting or start()
            except RuntimeError as error:
                raise _exiting() if "shutdown" in str(error) else _no_loop("no thread can be started") from None
        try:
            self._running = starting.result()
        except Exception as error:
            if not starting.done() or starting.exception() is not error:  # what a signal raised
                raise
            with self._lock:
                if self._starting is starting:
                    self._starting = None
            raise _no_loop(getattr(error, "strerror", None) or type(error).__name__) from None
        return self._running

    def _warn_if_blocking(self, running: Running) -> None:
        if asyncio._get_running_loop() not in (None, running.loop):  # noqa: SLF001  # exported, for all its name
            text = "this blocks the event loop around it until it is done; await the same of AsyncElevenLabsClient"
            warnings.warn(text, BlockingCallWarning, stacklevel=5)

    def _run(self, work: Coroutine[Any, Any, T], running: Running) -> T:
        # A greenlet of another thread's number shares the thread of the loop, which goes on while it waits.
        if threading.get_ident() == running.thread.ident and asyncio._get_running_loop() is running.loop:  # noqa: SLF001
            work.close()
            text = "a sync client was called in the thread that runs its calls, which cannot wait for itself"
            raise ElevenLabsConfigError(f"{text}; in an api_key callable, await an AsyncElevenLabsClient")
        call = _Call(work, running.loop)
        try:
            self._calls.add(call)
            if self._is_stopped:
                work.close()
                raise _exiting()
            call.make()
            return call.result()
        except asyncio.CancelledError:
            if self._is_stopped:
                raise _exiting() from None
            raise  # the caller's own key callable did
        finally:
            self._calls.discard(call)

    def stop(self) -> None:
        """End the calls under way and the loop, which closes the sessions in it. Nothing can be called after it."""
        with self._lock:
            self._is_stopped = True
        if self._running is not None:
            self._running.loop.call_soon_threadsafe(self._running.stop.set)
            patience_ends_at = time.monotonic() + _PATIENCE_AT_EXIT_IN_SECONDS
            self._running.thread.join(_PATIENCE_AT_EXIT_IN_SECONDS)
            while self._calls and time.monotonic() < patience_ends_at:
                time.sleep(0.001)  # for threads that nobody waits for to hear of it


def _is_ours(error: ElevenLabsError) -> bool:
    names = (frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__))
    return all(name.startswith("elevenlabs_tokens.") for name in names)  # not of the caller's own key callable


def _no_loop(reason: str) -> ElevenLabsError:
    return ElevenLabsError(
        f"the event loop of sync calls cannot be started ({reason}); end threads or close files, then call again"
    )


def _exiting() -> ClientClosedError:
    return ClientClosedError("the interpreter is exiting, and the client's event loop with it; call earlier")


portal = Portal()
