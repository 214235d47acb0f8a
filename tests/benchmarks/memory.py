"""How much memory calls take: each probe is a process of its own that runs one contender."""

import asyncio
import gc
import os
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.chunks import share
from benchmarks.contenders import BARE, OURS, AsyncContender, bare_aiohttp, ours
from benchmarks.figures import Figure, Spread, Target
from benchmarks.server import SILENT

_CONTENDERS: dict[str, AsyncContender] = {BARE: bare_aiohttp, OURS: ours}
_MIB = 1024 * 1024
_CALLERS = 64
_SETTLING_IN_SECONDS = 0.5


def measure_growth(base_url: str, calls: int, rounds: int) -> Figure:
    """Compare how much memory is still in use after many calls."""
    more = [_probe(OURS, base_url, "after", calls) - _probe(BARE, base_url, "after", calls) for _ in range(rounds)]
    return Figure(f"memory after {calls:,} calls, more than", BARE, "MiB", Spread.of(more), Target("<", 1.0))


def measure_in_flight(base_url: str, callers: int, rounds: int) -> Figure:
    """Compare the memory of a process while many calls wait: ours divided by the base's."""
    held = [_probe(OURS, base_url, "at", callers) / _probe(BARE, base_url, "at", callers) for _ in range(rounds)]
    return Figure(f"memory at {callers:,} calls at once, over", BARE, "ratio", Spread.of(held), Target("<=", 1.25))


def held_by(contender: str, base_url: str, callers: int, rounds: int) -> float:
    """Return how many MiB more are resident while some calls wait."""
    return statistics.median(_probe(contender, base_url, "held", callers) for _ in range(rounds))


def _probe(contender: str, base_url: str, what: str, number: int) -> float:
    command = [sys.executable, "-P", "-m", "benchmarks.memory", contender, base_url, what, str(number)]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def _resident_in_mib() -> float:
    """Return the resident memory; without /proc there are no figures of memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / _MIB


async def _after(contender: AsyncContender, base_url: str, calls: int) -> float:
    async with contender(base_url) as call:
        await share(call, _CALLERS, calls // 10)
        before = _resident_in_mib()
        await share(call, _CALLERS, calls)
        return _resident_in_mib() - before


async def _at(contender: AsyncContender, base_url: str, callers: int) -> tuple[float, float]:
    async with contender(base_url) as call, contender(base_url + SILENT) as silent_call:
        await call()
        before = _resident_in_mib()
        waiting = [asyncio.ensure_future(silent_call()) for _ in range(callers)]
        await asyncio.sleep(_SETTLING_IN_SECONDS)
        during = _resident_in_mib()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return before, during


def main() -> None:
    """Measure one contender in this process, and print MiB."""
    name, base_url, what, number = sys.argv[1:]
    contender = _CONTENDERS[name]
    if what == "after":
        mib = asyncio.run(_after(contender, base_url, int(number)))
    else:
        before, during = asyncio.run(_at(contender, base_url, int(number)))
        mib = during if what == "at" else during - before
    sys.stdout.write(f"{mib}\n")


if __name__ == "__main__":
    main()
