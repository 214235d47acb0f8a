"""Promise 57: sync calls in forked processes."""

import pytest

from programs import run_python
from scripted import Script, ScriptedApi, reply
from sync.callers import CLIENT

FORKS: dict[str, tuple[str, list[Script], int, int]] = {
    "after a call": ("mint(); assert [0] == codes(in_child(mint)); mint()", [], 2, 3),
    "four workers, before any call": ("assert [0] * 4 == codes(*[in_child(mint) for _ in range(4)])", [], 4, 4),
    "a pool of processes, as Celery's": (
        """
import multiprocessing
mint()
with multiprocessing.get_context("fork").Pool(4, initializer=mint) as pool:
    tokens = pool.starmap(mint, [()] * 40, chunksize=1)
    pool.close()
    pool.join()
assert [mint()] * 40 == tokens
""",
        [],
        1 + 4,
        1 + 4 + 40 + 1,
    ),
    # Neither the lock of the event loop's start nor that of the retry budget stays locked in the child.
    "while the locks are held": (
        """
from elevenlabs_tokens._portal import portal
mint()
held, done = threading.Event(), threading.Event()
def hold():
    with portal._lock, client._asynchronous._pipeline._budget._lock:
        held.set(); done.wait()
threading.Thread(target=hold, daemon=True).start()
held.wait()
child = in_child(mint)
done.set()
assert [0] == codes(child)
mint()
""",
        [reply(), reply(503, {}, {"Retry-After": "0.01"})],
        2,
        4,
    ),
    # The child does not wait for the event loop that its parent is starting, nor for the lock of an import.
    "during the first call": (
        """
import asyncio
from elevenlabs_tokens._portal import portal
assert "anyio._backends._asyncio" in sys.modules
parent, starting, forked = os.getpid(), threading.Event(), threading.Event()
make_loop = asyncio.SelectorEventLoop.__init__
def make_slowly(loop):
    if os.getpid() == parent:
        starting.set(); forked.wait()
    make_loop(loop)
asyncio.SelectorEventLoop.__init__ = make_slowly
first = threading.Thread(target=mint)
first.start()
starting.wait()
with portal._lock: pass  # the parent holds it no more when it waits for its loop
assert [0] == codes(in_child(mint))
forked.set()
first.join()
""",
        [],
        2,
        2,
    ),
}


@pytest.mark.timed
@pytest.mark.promise(row=57)
@pytest.mark.parametrize(("program", "replies", "connections", "requests"), FORKS.values(), ids=FORKS)
def test_a_fork(api: ScriptedApi, program: str, replies: list[Script], connections: int, requests: int) -> None:
    """Each child answers within 1 s on a socket of its own, and the parent goes on with its own."""
    api.replies += replies

    run = run_python(CLIENT + program, base_url=api.base_url)

    assert (0, "", "") == (run.returncode, run.stdout, run.stderr)
    assert (connections, requests) == (api.connections, len(api.requests))
