"""The drawings that the docs show."""

import math
from collections.abc import Callable, Sequence

from attrs import frozen

from benchmarks.contenders import AGAIN, BARE, OURS
from benchmarks.figures import Point, Results, Timing, Wait, waits_by_case
from benchmarks.growth import AT_ONCE
from benchmarks.round_trips import OURS_ASYNC, VENDOR_ASYNC
from benchmarks.speed import ASYNC_MANY, ASYNC_ONE, SYNC_MANY, SYNC_ONE
from benchmarks.svg import Drawing

_WIDTH, _PANEL, _MARGIN = 760, 380, 20


def speed_chart(results: Results) -> str:
    """Draw how many tokens each contender mints in a second."""
    drawing = Drawing(_WIDTH, 324, "Tokens minted in a second by one process: this package beside other ways")
    drawing.text(_MARGIN, 26, "Tokens a second, one process, http on loopback (more is better)", kind="title")
    for place, measure in enumerate((ASYNC_ONE, ASYNC_MANY, SYNC_ONE, SYNC_MANY)):
        timings = [t for t in results.timings if t.measure == measure and t.contender != AGAIN]
        _bars(drawing, _MARGIN + place % 2 * _PANEL, 56 + place // 2 * 140, measure, timings)
    return drawing.render()


def _bars(drawing: Drawing, x: float, y: float, title: str, timings: Sequence[Timing]) -> None:
    drawing.text(x, y, title, kind="title")
    most = max(timing.per_second for timing in timings)
    for row, timing in enumerate(timings):
        top = y + 10 + row * 21
        length = 170 * timing.per_second / most
        drawing.text(x + 106, top + 12, timing.contender, anchor="end")
        drawing.bar(x + 114, top, length, 16, _kind(timing.contender))
        drawing.text(x + 120 + length, top + 12, f"{timing.per_second:,.0f}")


def _kind(contender: str) -> str:
    return "ours" if contender == OURS else "other"


@frozen
class _Panel:
    title: str
    value: Callable[[Point], float]
    is_logarithmic: bool


_PANELS = (
    _Panel("tokens a second", lambda point: point.per_second, is_logarithmic=False),
    _Panel("memory in use for them, MiB", lambda point: point.memory_in_mib, is_logarithmic=False),
    _Panel("half of the calls wait less than, ms", lambda point: point.median_in_ms, is_logarithmic=True),
    _Panel("99 % of the calls wait less than, ms", lambda point: point.percentile_99_in_ms, is_logarithmic=True),
)


def growth_chart(results: Results) -> str:
    """Draw how cost grows with the number of calls at once."""
    drawing = Drawing(_WIDTH, 486, "How throughput, memory and latency change with the number of calls at once")
    drawing.text(_MARGIN, 26, "By the number of calls asked for at the same moment", kind="title")
    for place, (name, kind) in enumerate(((OURS, "ours"), (BARE, "other"))):
        drawing.curve([(470 + place * 130, 22), (490 + place * 130, 22)], kind)
        drawing.text(498 + place * 130, 26, name)
    for place, panel in enumerate(_PANELS):
        _curves(drawing, _MARGIN + place % 2 * _PANEL, 60 + place // 2 * 220, panel, results.points)
    return drawing.render()


def _curves(drawing: Drawing, x: float, y: float, panel: _Panel, points: Sequence[Point]) -> None:
    drawing.text(x, y, panel.title, kind="title")
    left, right, top, bottom = x + 50, x + 330, y + 16, y + 170
    values = [panel.value(point) for point in points]
    ticks = _decades(values) if panel.is_logarithmic else _steps(max(values))

    def at(at_once: float) -> float:
        return left + (right - left) * math.log10(at_once) / math.log10(AT_ONCE[-1])

    def height(value: float) -> float:
        low, high = ticks[0], ticks[-1]
        part = math.log(value / low) / math.log(high / low) if panel.is_logarithmic else (value - low) / (high - low)
        return bottom - (bottom - top) * part

    for tick in ticks:
        drawing.line(left, height(tick), right, height(tick))
        drawing.text(left - 6, height(tick) + 4, f"{tick:,.10g}", anchor="end")
    for at_once in AT_ONCE:
        # There is no room for both 64 and 100.
        drawing.text(at(at_once), bottom + 18, "" if at_once == 100 else f"{at_once:,}", anchor="middle")
    for name in (BARE, OURS):
        curve = [(at(p.at_once), height(panel.value(p))) for p in points if p.contender == name]
        drawing.curve(curve, _kind(name))


_IN_WAITS = {OURS_ASYNC: "ours", BARE: "other", VENDOR_ASYNC: "third"}


def waits_chart(waits: Sequence[Wait]) -> str:
    """Draw how long a user waits for a token."""
    cases = waits_by_case(wait for wait in waits if wait.contender in _IN_WAITS)
    bars = sum(map(len, cases.values()))
    top, height = 64, 15 * bars + 12 * len(cases)
    drawing = Drawing(_WIDTH, top + height + 26, "How long a user waits for a token: this package beside other ways")
    drawing.text(_MARGIN, 26, "How long a user waits for a token, in ms; a round trip takes 80 ms", kind="title")
    for place, (name, kind) in enumerate(_IN_WAITS.items()):
        drawing.bar(_MARGIN + place * 170, 38, 11, 11, kind)
        drawing.text(_MARGIN + 17 + place * 170, 48, name)
    left, right = 260, 660
    longest = max(wait.median_in_ms for by_contender in cases.values() for wait in by_contender.values())
    scale = (right - left) / longest
    for tick in range(0, round(longest), 200):
        drawing.line(left + scale * tick, top, left + scale * tick, top + height)
        drawing.text(left + scale * tick, top + height + 16, f"{tick:,}", anchor="middle")
    y = float(top)
    for case, by_contender in cases.items():
        drawing.text(left - 10, y + 7.5 * len(by_contender) + 10, case.replace("`", ""), anchor="end")
        for name, kind in _IN_WAITS.items():
            if (wait := by_contender.get(name)) is not None:
                length = scale * wait.median_in_ms
                drawing.bar(left, y + 6, length, 11, kind)
                drawing.text(left + length + 6, y + 16, f"{wait.median_in_ms:,.0f}")
                if wait.errors:
                    drawing.text(left + length + 30, y + 16, f"no token: {', '.join(wait.errors)}", kind="error")
                y += 15
        y += 12
    return drawing.render()


def _steps(most: float) -> list[float]:
    """Give round numbers from zero up to the highest value or a little more."""
    rough = most / 4
    unit = 10.0 ** math.floor(math.log10(rough))
    step = unit * next(factor for factor in (1, 2, 2.5, 5, 10) if factor * unit >= rough)
    return [step * number for number in range(math.ceil(most / step) + 1)]


def _decades(values: Sequence[float]) -> list[float]:
    lowest, highest = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return [10.0**power for power in range(lowest, max(highest, lowest + 1) + 1)]
