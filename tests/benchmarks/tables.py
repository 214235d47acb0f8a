"""The figures as tables for a terminal."""

from collections.abc import Iterable, Sequence

from benchmarks.figures import Figure, Point, Results, Spread, Target, Timing, Unit, Wait, waits_by_case

_DIGITS: dict[Unit, int] = {"ratio": 2, "ms": 1, "MiB": 2, "kB": 0}


def in_words(figure: Figure) -> str:
    """Write a figure."""
    return _with_unit(figure.seen.median, figure.unit)


def quartiles(seen: Spread, unit: Unit) -> str:
    """Write the quartiles of a figure."""
    if seen.lower == seen.upper:
        return ""
    digits = _DIGITS[unit]
    return f"{_rounded(seen.lower, digits)} to {_rounded(seen.upper, digits)}"


def target_in_words(target: Target | None, unit: Unit) -> str:
    """Write a target."""
    return f"{target.sense} {target.words or _with_unit(target.bound, unit)}" if target else ""


def verdict(figure: Figure) -> str:
    """Say whether a figure is what it should be."""
    return {None: "", True: "met", False: "NOT MET"}[figure.is_met]


def wait_in_words(wait: Wait) -> str:
    """Say how long a user waits, in ms, and for which errors."""
    time = f"{wait.median_in_ms:,.0f} ({wait.longest_in_ms:,.0f})"
    errors = [name if count == wait.calls else f"{count} x {name}" for name, count in wait.errors.items()]
    return f"{', '.join(errors)} after {time}" if errors else time


def _with_unit(value: float, unit: Unit) -> str:
    return _rounded(value, _DIGITS[unit]) + ("" if unit == "ratio" else f" {unit}")


def _rounded(value: float, digits: int) -> str:
    return f"{value:z.{digits}f}"  # `z` writes -0 as 0


def tables(results: Results) -> str:
    """Write all tables."""
    return "\n\n".join(
        [
            f"Python {results.python}, {results.date}, {results.machine}",
            _table(("contenders", "µs a call", "a second", "base / it", "quartiles"), _timing_rows(results.timings)),
            _table(
                ("calls at once", "", "a second", "median ms", "99 % ms", "MiB more", "server busy"),
                map(_point_row, results.points),
            ),
            _table(
                ("this package", "against", "target", "measured", "quartiles", ""), map(_figure_row, results.figures)
            ),
            waits_table(results.waits),
        ]
    )


def waits_table(waits: Sequence[Wait]) -> str:
    """Write how long a user waits."""
    return _table(*waits_rows(waits))


def waits_rows(waits: Sequence[Wait]) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """Give the head and the rows of the table of waits."""
    contenders = list(dict.fromkeys(wait.contender for wait in waits))
    rows = [
        (case, *(wait_in_words(by_contender[name]) if name in by_contender else "" for name in contenders))
        for case, by_contender in waits_by_case(waits).items()
    ]
    return ("median (longest), in ms", *contenders), rows


def _timing_rows(timings: Iterable[Timing]) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    measure = ""
    for timing in timings:
        if timing.measure != measure:
            measure = timing.measure
            rows.append((measure, "", "", "", ""))
        ratio = timing.ratio
        rows.append(
            (
                f"  {timing.contender}",
                f"{timing.microseconds:,.0f}",
                f"{timing.per_second:,.0f}",
                f"{ratio.median:.3f}",
                f"{ratio.lower:.3f} to {ratio.upper:.3f}",
            )
        )
    return rows


def _point_row(point: Point) -> Sequence[str]:
    return (
        f"{point.at_once:,}",
        point.contender,
        f"{point.per_second:,.0f}",
        f"{point.median_in_ms:.2f}",
        f"{point.percentile_99_in_ms:.2f}",
        f"{point.memory_in_mib:.1f}",
        f"{point.server_load:.0%}",
    )


def _figure_row(figure: Figure) -> Sequence[str]:
    return (
        figure.measure,
        figure.against,
        target_in_words(figure.target, figure.unit),
        in_words(figure),
        quartiles(figure.seen, figure.unit),
        verdict(figure),
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
