"""All the measures, one after the other: `nox -s bench`, and `nox -s bench -- --quick` for a look in a minute."""

import argparse
import os
import platform
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from attrs import frozen

from benchmarks.before import comparison, measured_too
from benchmarks.charts import growth_chart, speed_chart
from benchmarks.figures import Figure, Results
from benchmarks.growth import measure_points
from benchmarks.memory import measure_growth, measure_in_flight
from benchmarks.page import RESULTS, filled, publish
from benchmarks.processes import measure_imports, measure_start_up
from benchmarks.server import cores, pin, running
from benchmarks.size import measure_size
from benchmarks.speed import Speed
from benchmarks.tables import tables

_PACKAGES = ("elevenlabs-tokens", "aiohttp", "httpx", "requests", "elevenlabs", "uvloop", "orjson")


@frozen
class _Effort:
    """How often things are measured."""

    rounds: int
    imports: int
    start_ups: int
    calls_for_memory: int
    probes: int
    rounds_of_growth: int
    calls_of_growth: int


_WHOLE = _Effort(
    rounds=50, imports=150, start_ups=40, calls_for_memory=100_000, probes=5, rounds_of_growth=15, calls_of_growth=2_000
)
_QUICK = _Effort(
    rounds=2, imports=3, start_ups=2, calls_for_memory=2_000, probes=1, rounds_of_growth=2, calls_of_growth=200
)


def _measure(wheel: Path, effort: _Effort) -> Results:
    free = cores()
    server_core = free[-2] if free else None
    speed = Speed(effort.rounds)
    with running(server_core) as http, running(server_core, tls=True) as https:
        if free:
            pin(free[-1])
        _say("speed")
        speed.measure(http, https)
        _say("growth")
        points = measure_points(
            http, rounds=effort.rounds_of_growth, calls=effort.calls_of_growth, probes=effort.probes
        )
        _say("start-up")
        start_up_timings, start_up = measure_start_up(http.base_url, effort.start_ups)
        imports = measure_imports(effort.imports)
        _say("memory")
        memory = _measure_memory(http.base_url, effort)
    return Results(
        python=platform.python_version(),
        machine=_machine(len(free)),
        date=datetime.now(UTC).date().isoformat(),
        versions={name: metadata.version(name) for name in _PACKAGES},
        timings=speed.timings + start_up_timings,
        figures=[*speed.figures, *start_up, *imports, *memory, *measure_size(wheel)],
        points=points,
    )


def _measure_memory(base_url: str, effort: _Effort) -> list[Figure]:
    return [
        measure_growth(base_url, effort.calls_for_memory, min(3, effort.probes)),
        measure_in_flight(base_url, 1000, effort.probes),
    ]


def _machine(cores_to_choose_from: int) -> str:
    pinned = "client and server each on a core of its own" if cores_to_choose_from else "nothing pinned to a core"
    return f"{platform.system()} on {platform.machine()}, {os.cpu_count()} cores, {pinned}"


def _say(what: str) -> None:
    print(f"measuring {what} ...", file=sys.stderr, flush=True)


def main() -> None:
    """Measure, print, and keep."""
    parser = argparse.ArgumentParser(prog="nox -s bench --", description="Measure the built package beside others.")
    parser.add_argument("wheel", type=Path, help="given by nox")
    parser.add_argument("--quick", action="store_true", help="see that every measure works; the figures mean little")
    parser.add_argument("--json", type=Path, help="write the figures to this file, and not into the docs")
    parser.add_argument(
        "--before", metavar="REVISION", help="compare with the package of this revision; not for the docs"
    )
    arguments = parser.parse_args()

    with measured_too(arguments.before) if arguments.before else nullcontext():
        results = _measure(arguments.wheel, _QUICK if arguments.quick else _WHOLE)
    print(tables(results))
    if arguments.before:
        print(comparison(results))
    if arguments.json is not None:
        results.write(arguments.json)
    elif arguments.quick or arguments.before:
        _ = filled("", [results]), speed_chart(results), growth_chart(results)  # they work, that is all
    else:
        results.write(RESULTS / f"{'.'.join(map(str, sys.version_info[:2]))}.json")
        publish()


if __name__ == "__main__":
    main()
