"""Waits that end when they are due, or when the client closes."""

import asyncio
import math
from types import TracebackType
from typing import Self


class Wait:
    """A block that can be ended from outside it, and is when it is due; it swallows the cancellation it then makes.

    It is `asyncio.timeout` with less work for each attempt, and with an `end` for the client that closes.
    """

    __slots__ = ("_cancelling", "_task", "_watch", "due", "has_ended")

    def __init__(self, watch: "Watch", seconds: float) -> None:
        self.has_ended = False
        self.due = watch.loop.time() + seconds
        self._watch = watch
        self._task = asyncio.current_task(watch.loop)
        self._cancelling = self._task.cancelling() if self._task else 0

    def end(self) -> None:
        """End the block, as if it were due."""
        # A task that closes its own client does not wait, and goes on to where it is told.
        if self._task is not None and not self.has_ended and self._task is not asyncio.current_task(self._watch.loop):
            self.has_ended = True
            self._task.cancel()

    @property
    def was_cancelled(self) -> bool:
        """Whether somebody has cancelled the task since the wait was made."""
        return self._task is None or self._task.cancelling() > self._cancelling

    def __enter__(self) -> Self:
        self._watch.waits.add(self)
        if self.due < self._watch.rings_at:
            self._watch.ring_at(self.due)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self._watch.waits.discard(self)
        if not self.has_ended or self._task is None:
            return False
        # Somebody else's cancellation, at the same time, goes on.
        return self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError


class Watch:
    """The waits under way in a loop, and one timer for all of them: it rings when the first is due.

    A timer for each would be set and cancelled at every attempt, and nearly none would ever ring.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.waits: set[Wait] = set()
        self.rings_at = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def ring_at(self, when: float) -> None:
        """Ring then, and not when it was to ring before."""
        self.stop()
        self.rings_at = when
        self._timer = self.loop.call_at(when, self._ring)

    def _ring(self) -> None:
        self.rings_at, self._timer = math.inf, None
        now = self.loop.time()
        for wait in list(self.waits):
            if wait.due <= now:
                wait.end()
        following = min((wait.due for wait in self.waits if not wait.has_ended), default=math.inf)
        if following < math.inf:
            self.ring_at(following)

    def end_all(self) -> None:
        """End every wait, due or not."""
        for wait in list(self.waits):
            wait.end()

    def stop(self) -> None:
        """Do not ring, until it is asked for again."""
        if self._timer is not None:
            self._timer.cancel()
        self.rings_at, self._timer = math.inf, None
