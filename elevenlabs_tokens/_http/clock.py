"""Time and chance, which the pipeline takes from here, so that tests can freeze them."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from attrs import frozen


@frozen(eq=False, repr=False)
class Clock:
    """The sources of time and chance. Tests replace them.

    Attributes:
        now: Monotonic seconds, for durations.
        wall_clock: Seconds since the epoch, for dates.
        sleep: Waits for some seconds.
        draw: A number from 0.0 to 1.0, for the spread of waits.
    """

    now: Callable[[], float] = time.monotonic
    wall_clock: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    draw: Callable[[], float] = random.random
