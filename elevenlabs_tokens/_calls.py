"""One sync call: made in the event loop of sync calls, waited for in the caller's own thread."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar, cast

from elevenlabs_tokens.exceptions import ClientClosedError

T = TypeVar("T")


class Call(Generic[T]):
    """Some work for the event loop, and the thread that waits for it."""

    def __init__(self, work: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> None:
        self._work = work
        self._loop = loop
        self._task: asyncio.Task[None] | None = None
        self._has_begun = False
        self._result: T | None = None
        self._error: BaseException | None = None
        self._over_lock = threading.Lock()  # held until the work is over: the caller waits by acquiring it
        self._over_lock.acquire()

    def run(self) -> None:
        """Run the work in the loop, with the caller's context variables, and wait until it is over."""
        try:
            self._loop.call_soon_threadsafe(self._begin)
            self._over_lock.acquire()
        except BaseException:  # such as an interrupt, or what a signal handler raised
            if self._loop.is_closed():
                self._work.close()
                raise exiting_error() from None
            self._loop.call_soon_threadsafe(self._cancel)
            raise

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._await_work())

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
        if not self._has_begun:  # a task that is cancelled before its first step never awaits the work
            self._work.close()

    async def _await_work(self) -> None:
        self._has_begun = True
        try:
            self._result = await self._work
        except BaseException as error:  # noqa: BLE001  # the caller gets it; raised here, an exit would end the loop
            self._error = error
        self._over_lock.release()

    def result(self) -> T:
        """Give what the work gave, or raise what it raised."""
        # The error's traceback refers to this call and to this frame: dropping both names avoids a reference cycle.
        error, self._error = self._error, None
        try:
            if error is not None:
                raise error
        finally:
            del error
        return cast("T", self._result)


def exiting_error() -> ClientClosedError:
    """Make the error for a call that fails because the interpreter is exiting."""
    return ClientClosedError("the interpreter is exiting, and the client's event loop with it; make the call before")
