"""Takes all measurements, one after the other: `nox -s bench`; `nox -s bench -- --quick` takes one minute."""

import argparse
import os
import platform
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from attrs import evolve, frozen

from benchmarks.before import comparison, measured_too
from benchmarks.charts import growth_chart, speed_chart, waits_chart
from benchmarks.distant_server import PROGRAM
from benchmarks.figures import Figure, Results, Timing, Wait
from benchmarks.growth import measure_points
from benchmarks.memory import measure_growth, measure_in_flight
from benchmarks.page import RESULTS, filled, publish
from benchmarks.processes import measure_imports, measure_start_up
from benchmarks.round_trips import measure_waits
from benchmarks.route import measure_route
from benchmarks.server import cores, pin, running
from benchmarks.size import measure_size
from benchmarks.speed import Speed
from benchmarks.tables import tables, waits_table

_PACKAGES = ("elevenlabs-tokens", "aiohttp", "httpx", "requests", "elevenlabs", "uvloop", "orjson")


@frozen
class _Effort:
    """How often each thing is measured."""

    rounds: int
    imports: int
    start_ups: int
    calls_for_memory: int
    probes: int
    rounds_of_growth: int
    calls_of_growth: int
    rounds_of_waits: int
    idle_in_seconds: tuple[float, ...]


_WHOLE = _Effort(
    rounds=50,
    imports=150,
    start_ups=40,
    calls_for_memory=100_000,
    probes=5,
    rounds_of_growth=15,
    calls_of_growth=2_000,
    rounds_of_waits=20,
    idle_in_seconds=(5, 16, 30, 65),
)
_QUICK = _Effort(
    rounds=2,
    imports=3,
    start_ups=2,
    calls_for_memory=2_000,
    probes=1,
    rounds_of_growth=2,
    calls_of_growth=200,
    rounds_of_waits=1,
    idle_in_seconds=(1,),
)


def _measure(wheel: Path, effort: _Effort) -> Results:
    server_core = _server_core()
    speed = Speed(effort.rounds)
    with running(server_core) as http, running(server_core, tls=True) as https:
        _say("speed")
        speed.measure(http, https)
        route_timings, route = _measure_route(http.base_url, effort)
        _say("growth")
        points = measure_points(
            http, rounds=effort.rounds_of_growth, calls=effort.calls_of_growth, probes=effort.probes
        )
        _say("start-up")
        start_up_timings, start_up = measure_start_up(http.base_url, effort.start_ups)
        imports = measure_imports(effort.imports)
        _say("memory")
        memory = _measure_memory(http.base_url, effort)
    waits = _measure_waits(server_core, effort)
    return Results(
        python=platform.python_version(),
        machine=_machine(is_pinned=server_core is not None),
        date=datetime.now(UTC).date().isoformat(),
        versions={name: metadata.version(name) for name in _PACKAGES},
        timings=[*speed.timings, *route_timings, *start_up_timings],
        figures=[*speed.figures, *route, *start_up, *imports, *memory, *measure_size(wheel)],
        points=points,
        waits=waits,
    )


def _server_core() -> int | None:
    """Keep this process on a core of its own, and give another one for the servers; None if there is no choice."""
    free = cores()
    if not free:
        return None
    pin(free[-1])
    return free[-2]


def _measure_waits(server_core: int | None, effort: _Effort) -> list[Wait]:
    _say("waits")
    with running(server_core, tls=True, program=PROGRAM) as distant:
        return measure_waits(distant, effort.rounds_of_waits, effort.idle_in_seconds)


def _measure_route(base_url: str, effort: _Effort) -> tuple[list[Timing], list[Figure]]:
    _say("the token route")
    return measure_route(base_url, effort.rounds)


def _with_route(results: Results, effort: _Effort) -> Results:
    """Measure the token route anew, and keep the other figures."""
    with running(_server_core()) as http:
        timings, figures = _measure_route(http.base_url, effort)
    anew = {figure.measure for figure in figures}
    return evolve(
        results,
        timings=[*(timing for timing in results.timings if timing.measure not in anew), *timings],
        figures=[*(figure for figure in results.figures if figure.measure not in anew), *figures],
    )


def _measure_memory(base_url: str, effort: _Effort) -> list[Figure]:
    return [
        measure_growth(base_url, effort.calls_for_memory, min(3, effort.probes)),
        measure_in_flight(base_url, 1000, effort.probes),
    ]


def _machine(*, is_pinned: bool) -> str:
    pinned = "client and server each on a core of its own" if is_pinned else "nothing pinned to a core"
    return f"{platform.system()} on {platform.machine()}, {os.cpu_count()} cores, {pinned}"


def _say(what: str) -> None:
    print(f"measuring {what} ...", file=sys.stderr, flush=True)


def main() -> None:
    """Measure, print the figures, and keep them."""
    parser = argparse.ArgumentParser(prog="nox -s bench --", description="Measure the built package beside others.")
    parser.add_argument("wheel", type=Path, help="given by nox")
    parser.add_argument(
        "--quick", action="store_true", help="only show that everything can be measured; the figures mean little"
    )
    parser.add_argument("--only", choices=["waits", "route"], help="measure only these; keep the other figures")
    parser.add_argument("--json", type=Path, help="write the figures to this file, not into the docs")
    parser.add_argument(
        "--before", metavar="REVISION", help="compare with the package of this revision; do not write into the docs"
    )
    arguments = parser.parse_args()

    effort = _QUICK if arguments.quick else _WHOLE
    kept = RESULTS / f"{'.'.join(map(str, sys.version_info[:2]))}.json"
    if arguments.only == "route":
        results = _with_route(Results.read(kept), effort)
        print(tables(results))
    elif arguments.only:
        results = evolve(Results.read(kept), waits=_measure_waits(_server_core(), effort))
        print(waits_table(results.waits))
    else:
        with measured_too(arguments.before) if arguments.before else nullcontext():
            results = _measure(arguments.wheel, effort)
        print(tables(results))
    if arguments.before:
        print(comparison(results))
    if arguments.json is not None:
        results.write(arguments.json)
    elif arguments.quick or arguments.before:
        # Check that the pages can be made from these figures, and publish nothing.
        _ = filled("", [results]), speed_chart(results), growth_chart(results), waits_chart(results.waits)
    else:
        results.write(kept)
        publish()


if __name__ == "__main__":
    main()
