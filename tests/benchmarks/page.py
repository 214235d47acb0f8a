"""Writes the figures into the docs: makes the tables and drawings from the kept results.

`PYTHONPATH=tests python -m benchmarks.page` makes them again.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.charts import growth_chart, speed_chart, waits_chart
from benchmarks.contenders import AGAIN, BARE, BARE_SYNC, OURS, VENDOR
from benchmarks.figures import Figure, Results, Timing, Wait
from benchmarks.growth import AT_ONCE
from benchmarks.speed import (
    ASYNC_MANY,
    ASYNC_ONE,
    HTTPS_MANY,
    HTTPS_ONE,
    ORJSON,
    SYNC_MANY,
    SYNC_ONE,
    UVLOOP,
)
from benchmarks.tables import in_words, quartiles, target_in_words, waits_rows

RESULTS = Path(__file__).resolve().parent / "results"
_DOCS = Path(__file__).resolve().parents[2] / "docs"


def publish() -> None:
    """Write what was measured into the docs."""
    for path, content in published().items():
        path.write_text(content, encoding="utf-8")


def published() -> dict[Path, str]:
    """Return the pages and the drawings of the docs, filled with the figures."""
    runs = sorted(map(Results.read, RESULTS.glob("*.json")), key=lambda run: _version(run.python))
    pages = (_DOCS / "speed.md", _DOCS / "architecture.md")
    return {
        **{page: filled(page.read_text(encoding="utf-8"), runs) for page in pages},
        _DOCS / "waits.svg": waits_chart(_waits(runs)),
        _DOCS / "speed.svg": speed_chart(runs[-1]),
        _DOCS / "growth.svg": growth_chart(runs[-1]),
    }


def filled(page: str, runs: Sequence[Results]) -> str:
    """Put each part between the markers with its name; all runs if there is room, else that of the newest Python."""
    parts = _parts(runs)

    def fill(found: re.Match[str]) -> str:
        begin, name, line_end, end = found.groups()
        part = f"\n{parts[name]}\n\n" if line_end else parts[name]
        return f"{begin}{line_end}{part}{end}"

    return re.sub(r"(<!-- measured: (\w+) -->)(\n?).*?(<!-- end -->)", fill, page, flags=re.DOTALL)


def _parts(runs: Sequence[Results]) -> Mapping[str, str]:
    return {
        "runs": "\n".join(f"- {_run(run)}" for run in runs),
        "capacity": _table(("one process, tokens a second", *_pythons(runs)), _rates(runs, _CAPACITY)),
        "waits": _table(*waits_rows(_waits(runs))),
        "calls": str(_waits(runs)[0].calls),
        "costs": _table(("a token takes, in µs", *_pythons(runs)), _costs(runs)),
        "uvloop": _table(("what uvloop gains", *_pythons(runs)), _ratios(runs, UVLOOP)),
        "orjson": _table(("what orjson would gain", *_pythons(runs)), _ratios(runs, ORJSON)),
        "noise": _table(("a thing over itself", *_pythons(runs)), _noise(runs)),
        "figures": _table(("", "against", *_pythons(runs)), _figure_rows(runs)),
        "targets": _table(("", "against", "target", *_pythons(runs)), _target_rows(runs)),
        "growth": _table(
            (f"at once, {_pythons(runs)[-1]}", "", "tokens a second", "half wait under", "99 % wait under", "memory"),
            _growth(runs[-1]),
        ),
        "load": f"{max(point.server_load for run in runs for point in run.points):.0%}",
    }


_CAPACITY = ((ASYNC_MANY, OURS), (HTTPS_MANY, OURS), (f"{ASYNC_MANY}, {UVLOOP}", UVLOOP), (SYNC_MANY, OURS))


def _version(python: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", python)))


def _pythons(runs: Iterable[Results]) -> list[str]:
    return [f"Python {'.'.join(run.python.split('.')[:2])}" for run in runs]


def _run(run: Results) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    return f"Python {run.python}, {run.date}: {run.machine}; {versions}."


def _timing(run: Results, measure: str, contender: str) -> Timing:
    return next(t for t in run.timings if (t.measure, t.contender) == (measure, contender))


def _rates(runs: Sequence[Results], wanted: Iterable[tuple[str, str]]) -> Iterable[Sequence[str]]:
    for measure, contender in wanted:
        yield measure, *(f"{_timing(run, measure, contender).per_second:,.0f}" for run in runs)


def _waits(runs: Sequence[Results]) -> Sequence[Wait]:
    """Give those of the newest Python that has them."""
    return next(run.waits for run in reversed(runs) if run.waits)


def _costs(runs: Sequence[Results]) -> Iterable[Sequence[str]]:
    for measure, contender in (
        (ASYNC_ONE, OURS),
        (SYNC_ONE, OURS),
        (SYNC_ONE, BARE_SYNC),
        (SYNC_ONE, VENDOR),
        (HTTPS_ONE, OURS),
    ):
        yield f"{contender}, {measure}", *(f"{_timing(run, measure, contender).microseconds:,.0f}" for run in runs)


def _ratios(runs: Sequence[Results], subject: str) -> Iterable[Sequence[str]]:
    for figure in runs[-1].figures:
        if figure.measure.endswith(f", {subject}"):
            name = figure.measure.removesuffix(f", {subject}")
            yield name, *(_seen(_same(run, figure)) for run in runs)
            yield f"{name}, noise", *(_noise_of(run, figure.measure) for run in runs)


def _noise(runs: Sequence[Results]) -> Iterable[Sequence[str]]:
    for measure in dict.fromkeys(timing.measure for timing in runs[-1].timings):
        yield measure, *(_noise_of(run, measure) for run in runs)


def _noise_of(run: Results, measure: str) -> str:
    if all(timing.measure != measure for timing in run.timings):
        return ""  # an older run
    ratio = _timing(run, measure, AGAIN).ratio
    return f"{ratio.median:.2f} ({quartiles(ratio, 'ratio')})"


def _figure_rows(runs: Sequence[Results]) -> Iterable[Sequence[str]]:
    for figure in runs[-1].figures:
        yield figure.measure, figure.against, *(_seen(_same(run, figure)) for run in runs)


def _target_rows(runs: Sequence[Results]) -> Iterable[Sequence[str]]:
    for figure in runs[-1].figures:
        if figure.target is not None:
            target = target_in_words(figure.target, figure.unit)
            yield figure.measure, figure.against, target, *(_judged(_same(run, figure)) for run in runs)


def _judged(figure: Figure | None) -> str:
    words = {None: "", True: " met", False: " **not met**"}
    return _seen(figure) + (words[figure.is_met] if figure else "")


def _same(run: Results, figure: Figure) -> Figure | None:
    return next((f for f in run.figures if (f.measure, f.against) == (figure.measure, figure.against)), None)


def _seen(figure: Figure | None) -> str:
    if figure is None:
        return ""
    spread = quartiles(figure.seen, figure.unit)
    return in_words(figure) + (f" ({spread})" if spread else "")


def _growth(run: Results) -> Iterable[Sequence[str]]:
    for at_once in AT_ONCE:
        for name in (OURS, BARE):
            point = next(p for p in run.points if (p.at_once, p.contender) == (at_once, name))
            yield (
                f"{at_once:,}",
                name,
                f"{point.per_second:,.0f}",
                f"{point.median_in_ms:.2f} ms",
                f"{point.percentile_99_in_ms:.2f} ms",
                f"{point.memory_in_mib:.1f} MiB",
            )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


if __name__ == "__main__":
    publish()
