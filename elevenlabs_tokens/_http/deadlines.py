"""Deadlines of the work in one event loop, with one timer for all of them."""

import asyncio
import math
from types import TracebackType
from typing import Self


class Deadline:
    """A `with` block that is cancelled when its time is up, or when the client closes.

    It is `asyncio.timeout` with less work per attempt, and with an `expire` for the client to call when it closes.
    The block swallows the cancellation that it made itself: look at `has_expired` after it.

    Attributes:
        due: When the time is up, by the loop's clock, in seconds.
        has_expired: Whether the block was cancelled.
    """

    __slots__ = ("_cancel_requests", "_task", "_timer", "due", "has_expired")

    def __init__(self, timer: "DeadlineTimer", seconds: float) -> None:
        self.has_expired = False
        self.due = timer.loop.time() + seconds
        self._timer = timer
        self._task = asyncio.current_task(timer.loop)
        self._cancel_requests = self._task.cancelling() if self._task else 0

    def expire(self) -> None:
        """Cancel the block now, as if its time were up."""
        # A task that closes its own client is not waiting; do not cancel it. Its next check raises.
        if self._task is not None and not self.has_expired and self._task is not asyncio.current_task(self._timer.loop):
            self.has_expired = True
            self._task.cancel()

    @property
    def was_cancelled_by_others(self) -> bool:
        """Whether anyone else has cancelled the task since the block began. Ask when the block has ended."""
        return self._task is None or self._task.cancelling() > self._cancel_requests

    def __enter__(self) -> Self:
        self._timer.deadlines.add(self)
        if self.due < self._timer.fires_at:
            self._timer.set_for(self.due)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self._timer.deadlines.discard(self)
        if not self.has_expired or self._task is None:
            return False
        # If someone else cancelled the task as well, their cancellation goes on.
        return self._task.uncancel() <= self._cancel_requests and kind is asyncio.CancelledError


class DeadlineTimer:
    """The deadlines under way in a loop, and the one timer that fires when the first of them is due.

    A timer per deadline would be set and cancelled at every attempt, though almost none of them would ever fire.

    Attributes:
        loop: The event loop.
        deadlines: Those under way.
        fires_at: When the timer fires, by the loop's clock, in seconds; infinite if it is not set.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.deadlines: set[Deadline] = set()
        self.fires_at = math.inf
        self._handle: asyncio.TimerHandle | None = None

    def set_for(self, when: float) -> None:
        """Fire then, and not when it was set for before."""
        self._unset()
        self.fires_at = when
        self._handle = self.loop.call_at(when, self._fire)

    def _unset(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self.fires_at, self._handle = math.inf, None

    def _fire(self) -> None:
        self.fires_at, self._handle = math.inf, None
        now = self.loop.time()
        for deadline in list(self.deadlines):
            if deadline.due <= now:
                deadline.expire()
        following = min((deadline.due for deadline in self.deadlines if not deadline.has_expired), default=math.inf)
        if following < math.inf:
            self.set_for(following)

    def expire_all(self) -> None:
        """Expire every deadline, due or not, and unset the timer."""
        self._unset()
        for deadline in list(self.deadlines):
            deadline.expire()
