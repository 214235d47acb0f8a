"""What was measured, as data: figures, their targets, and the file that keeps them."""

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

import attrs
import cattrs
from attrs import field, frozen

Unit: TypeAlias = Literal["ratio", "ms", "MiB", "kB"]
Times: TypeAlias = Mapping[str, Sequence[float]]
"""The seconds that each contender took for a call, round by round."""


@frozen
class Spread:
    """A figure that was measured many times: the median, and the first and the last quartile."""

    median: float
    lower: float
    upper: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        seen = list(values)
        lower, median, upper = statistics.quantiles(seen, n=4) if len(seen) > 1 else seen * 3
        return cls(median, lower, upper)


@frozen
class Target:
    """What a figure should be.

    Attributes:
        sense: On which side of the bound.
        bound: A number.
        words: What is shown in its place, if it comes from another figure of the run.
    """

    sense: Literal[">=", "<=", "<"]
    bound: float
    words: str = ""

    def is_met(self, figure: float) -> bool:
        if self.sense == ">=":
            return figure >= self.bound
        return figure <= self.bound if self.sense == "<=" else figure < self.bound


@frozen
class Figure:
    """One thing that was measured of this package.

    Attributes:
        measure: What, and how.
        against: What it is compared with, or whose it is; empty if with nothing.
        unit: A ratio is the base's time over ours; where less is better, as the target says, ours over the base's.
        seen: What was measured.
        target: None if it is measured to be known.
    """

    measure: str
    against: str
    unit: Unit
    seen: Spread
    target: Target | None = None

    @property
    def is_met(self) -> bool | None:
        return None if self.target is None else self.target.is_met(self.seen.median)


@frozen
class Timing:
    """A contender's calls in a measure.

    Attributes:
        measure: The measure.
        contender: Who.
        microseconds: For one call; of that machine, at that time.
        ratio: The base's time over the contender's, within a round; over 1, the contender is faster.
    """

    measure: str
    contender: str
    microseconds: float
    ratio: Spread

    @property
    def per_second(self) -> float:
        return 1e6 / self.microseconds


@frozen
class Point:
    """How a contender does when many calls start at the same moment.

    Attributes:
        contender: Who.
        at_once: How many.
        per_second: How many are done in a second.
        median_in_ms: How long half of them wait, at most.
        percentile_99_in_ms: How long all but one in a hundred wait, at most.
        memory_in_mib: How much more is resident while that many wait.
        server_load: The part of the time that the server was at work; near 1, it is what was measured.
    """

    contender: str
    at_once: int
    per_second: float
    median_in_ms: float
    percentile_99_in_ms: float
    memory_in_mib: float
    server_load: float


@frozen
class Wait:
    """How long a user waits for a token in one case.

    Attributes:
        case: What came before the call, and what the server did.
        contender: Who.
        calls: How many were made.
        errors: How many of them ended with an error, by its class; the others gave a token.
        median_in_ms: How long half of them took at most, until the token or the error.
        longest_in_ms: How long the slowest one took.
    """

    case: str
    contender: str
    calls: int
    errors: dict[str, int]
    median_in_ms: float
    longest_in_ms: float


@frozen
class Results:
    """All of a run."""

    python: str
    machine: str
    date: str
    versions: dict[str, str]
    timings: list[Timing]
    figures: list[Figure]
    points: list[Point]
    waits: list[Wait] = field(factory=list)  # older runs have none

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(_rounded(attrs.asdict(self)), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        return cattrs.structure(json.loads(path.read_text(encoding="utf-8")), cls)


def ratio(times: Times, subject: str, base: str) -> Spread:
    """Compare two contenders in each round: the time of the base divided by that of the subject."""
    return Spread.of(b / s for b, s in zip(times[base], times[subject], strict=True))


def milliseconds_more(times: Times, subject: str, base: str) -> Spread:
    """Compare two contenders in each round: how much longer the subject takes than the base."""
    return Spread.of((s - b) * 1e3 for b, s in zip(times[base], times[subject], strict=True))


def timings(measure: str, times: Times, base: str) -> list[Timing]:
    """Compare all contenders of a measure with one of them."""
    return [
        Timing(measure, name, statistics.median(seconds) * 1e6, ratio(times, name, base))
        for name, seconds in times.items()
    ]


def waits_by_case(waits: Iterable[Wait]) -> dict[str, dict[str, Wait]]:
    """Sort waits by their case and their contender."""
    by_case: dict[str, dict[str, Wait]] = {}
    for wait in waits:
        by_case.setdefault(wait.case, {})[wait.contender] = wait
    return by_case


def _rounded(value: Any) -> Any:
    """Keep four digits, which is more than the noise allows."""
    match value:
        case float():
            return float(f"{value:.4g}")
        case dict():
            return {name: _rounded(part) for name, part in value.items()}
        case list():
            return [_rounded(part) for part in value]
        case _:
            return value
