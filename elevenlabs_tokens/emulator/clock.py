"""The emulator's clock: another clock, set ahead on demand."""

from collections.abc import Callable
from threading import Lock

from elevenlabs_tokens.emulator.arguments import check_seconds


class ShiftedClock:
    """A clock that can be set ahead. Any thread may use it.

    Args:
        clock: The clock that it follows; gives the time in seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ahead_in_seconds = 0.0
        self._lock = Lock()

    def __call__(self) -> float:
        """Give the time in seconds since the epoch."""
        return self._clock() + self._ahead_in_seconds

    def advance(self, seconds: float) -> None:
        """Set it ahead by this much more.

        Raises:
            ValueError: `seconds` is no duration, or the clock would be more than 31 years ahead.
        """
        check_seconds("seconds", seconds, can_be_zero=True)
        with self._lock:
            ahead_in_seconds = self._ahead_in_seconds + seconds
            check_seconds("the sum of all seconds", ahead_in_seconds, can_be_zero=True)
            self._ahead_in_seconds = ahead_in_seconds

    def reset(self) -> None:
        """Set it back to the clock that it follows."""
        with self._lock:
            self._ahead_in_seconds = 0.0
