"""Time that moves only when it is told to, and a key that opens nothing."""

from collections.abc import Awaitable, Callable

from elevenlabs_tokens._http.clock import Clock

KEY = "sk_0123456789abcdef"
EPOCH_IN_SECONDS = 1_800_000_000.0
"""When it is, by the tests' wall clock: 2027-01-15 08:00:00 UTC."""


class FrozenTime:
    """Time that moves only by the waits of the code under test.

    Attributes:
        slept: Those waits, in seconds.
        draw: What chance gives, from 0.0 to 1.0.
    """

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.draw = 1.0
        self._now = 1000.0

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds

    def clock(self, *, sleep: Callable[[float], Awaitable[None]] | None = None) -> Clock:
        """Give the sources of time that the code under test takes, with another way to sleep if need be."""
        return Clock(
            now=lambda: self._now,
            wall_clock=lambda: EPOCH_IN_SECONDS + self._now - 1000.0,
            sleep=sleep or self._sleep,
            draw=lambda: self.draw,
        )
