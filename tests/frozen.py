"""A clock that stands still unless a test or a wait moves it, and a fake API key."""

from collections.abc import Awaitable, Callable

from elevenlabs_tokens._http.clock import Clock

KEY = "sk_0123456789abcdef"
EPOCH_IN_SECONDS = 1_800_000_000.0
"""What the wall clock shows at first: 2027-01-15 08:00:00 UTC."""


class FrozenTime:
    """Time that only moves on when the code under test waits, or when `advance` is called.

    Attributes:
        slept: The waits so far, in seconds.
        draw: What the random source gives, from 0.0 to 1.0.
    """

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.draw = 1.0
        self._now = 1000.0

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move on."""
        self._now += seconds

    def clock(self, *, sleep: Callable[[float], Awaitable[None]] | None = None) -> Clock:
        """Give the clock that the code under test takes; `sleep` replaces its way to wait."""
        return Clock(
            now=lambda: self._now,
            wall_clock=lambda: EPOCH_IN_SECONDS + self._now - 1000.0,
            sleep=sleep or self._sleep,
            draw=lambda: self.draw,
        )
