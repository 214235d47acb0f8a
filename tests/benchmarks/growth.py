"""How the cost grows with the number of calls that start at the same moment."""

import asyncio
import statistics
import time
from contextlib import AsyncExitStack

from benchmarks.contenders import BARE, OURS, AsyncCall, AsyncContender, bare_aiohttp, ours
from benchmarks.figures import Point
from benchmarks.interleave import Chunk, interleave
from benchmarks.memory import held_by
from benchmarks.server import Server

AT_ONCE = (1, 10, 64, 100, 300, 1000)
_CONTENDERS: dict[str, AsyncContender] = {BARE: bare_aiohttp, OURS: ours}


def measure_points(server: Server, *, rounds: int, calls: int, probes: int) -> list[Point]:
    """Measure both, each with its own limit of connections: 64 for the package, 100 for aiohttp.

    Args:
        server: The server.
        rounds: How many chunks each makes.
        calls: How many calls are in a chunk, in one burst or several.
        probes: How many processes weigh the memory.
    """
    points: list[Point] = []
    with asyncio.Runner() as runner:
        for at_once in AT_ONCE:
            stack = AsyncExitStack()
            meters = {
                name: _Meter(runner, runner.run(stack.enter_async_context(contender(server.base_url))), server)
                for name, contender in _CONTENDERS.items()
            }
            bursts = max(1, calls // at_once)
            interleave({name: meter.chunk(at_once, bursts) for name, meter in meters.items()}, rounds)
            runner.run(stack.aclose())
            points += [
                meter.point(name, at_once, held_by(name, server.base_url, at_once, probes))
                for name, meter in meters.items()
            ]
    return points


class _Meter:
    """Records how long each call of a contender takes, and how busy the server is during that time."""

    def __init__(self, runner: asyncio.Runner, call: AsyncCall, server: Server) -> None:
        self._runner = runner
        self._call = call
        self._server = server
        self._waits: list[float] = []
        self._per_second: list[float] = []
        self._loads: list[float] = []

    def chunk(self, at_once: int, bursts: int) -> Chunk:
        """Make a chunk of several bursts, one after the other."""
        return lambda: self._runner.run(self._run(at_once, bursts))

    async def _run(self, at_once: int, bursts: int) -> float:
        busy, began = self._server.cpu_seconds(), time.perf_counter()
        for _ in range(bursts):
            await asyncio.gather(*(self._timed(time.perf_counter()) for _ in range(at_once)))
        took = time.perf_counter() - began
        self._loads.append((self._server.cpu_seconds() - busy) / took)
        self._per_second.append(at_once * bursts / took)
        return took / (at_once * bursts)

    async def _timed(self, asked_at: float) -> None:
        await self._call()
        self._waits.append(time.perf_counter() - asked_at)

    def point(self, contender: str, at_once: int, memory_in_mib: float) -> Point:
        """Sum up all chunks but the first, which opened the connections."""
        waits = sorted(self._waits[len(self._waits) // len(self._loads) :])
        return Point(
            contender=contender,
            at_once=at_once,
            per_second=statistics.median(self._per_second[1:]),
            median_in_ms=statistics.median(waits) * 1e3,
            percentile_99_in_ms=waits[int(len(waits) * 0.99)] * 1e3,
            memory_in_mib=memory_in_mib,
            server_load=statistics.median(self._loads[1:]),
        )
