"""A sync call that a signal interrupts while the loop of sync calls is busy."""

import atexit
import signal
import threading
import warnings
from collections.abc import Iterator

import pytest

from elevenlabs_tokens._portal import Portal


class InterruptError(Exception):
    """What the handler of the signal raises."""


def interrupt(*_: object) -> None:
    raise InterruptError


async def ready() -> None:
    """Be done at once."""


async def work() -> None:
    pytest.fail("the work was given up before it began")


@pytest.fixture
def alarm() -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, interrupt)
    yield
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("alarm")
def test_work_that_never_began_is_closed() -> None:
    """The caller gets what the handler raised, and Python has no coroutine to call "never awaited"."""
    portal, is_busy, go_on, is_idle = Portal(), threading.Event(), threading.Event(), threading.Event()
    portal.run(ready())
    assert portal._running is not None
    loop = portal._running.loop

    def be_busy() -> None:
        is_busy.set()
        go_on.wait(10)

    loop.call_soon_threadsafe(be_busy)
    is_busy.wait(10)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(InterruptError):
            portal.run(work())
        go_on.set()
        loop.call_soon_threadsafe(lambda: loop.call_soon(is_idle.set))
        is_idle.wait(10)
    portal.stop()
    atexit.unregister(portal.stop)

    assert [] == [str(warning.message) for warning in caught]
