"""The parameters in a URL's query, read by type."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from attrs import frozen

Number = TypeVar("Number", int, float)

_NOUNS: dict[type, str] = {int: "a whole number", float: "a number"}
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class InvalidParameterError(ValueError):
    """A parameter whose value is not of its kind; `parameter` is its name."""

    def __init__(self, parameter: str, expected: str) -> None:
        super().__init__(f"Query parameter {parameter} must be {expected}.")
        self.parameter = parameter


@frozen
class Query:
    """Reads parameters by name; where one value is asked for and several are there, the last counts.

    The methods that read a certain kind of value raise an `InvalidParameterError` for any other.
    """

    values: Mapping[str, Sequence[str]]

    def text(self, name: str) -> str | None:
        """Read a text; None if it is not there."""
        return self.values[name][-1] if self.values.get(name) else None

    def texts(self, name: str) -> list[str]:
        """Read every text of a parameter that may be repeated."""
        return list(self.values.get(name, ()))

    def one_of(self, name: str, choices: Iterable[str], *, default: str) -> str:
        """Read one of a few words."""
        value = self.text(name)
        if value is None:
            return default
        if value not in choices:
            raise InvalidParameterError(name, f"one of {', '.join(choices)}")
        return value

    def boolean(self, name: str, *, default: bool) -> bool:
        """Read `true` or `false`."""
        value = self.text(name)
        if value is None:
            return default
        if value.lower() not in _BOOLEANS:
            raise InvalidParameterError(name, "true or false")
        return _BOOLEANS[value.lower()]

    def number(self, name: str, *, at_least: float, at_most: float, default: float) -> float:
        """Read a number within these bounds."""
        return self._within(name, float, at_least, at_most, default)

    def integer(self, name: str, *, at_least: int, at_most: int, default: int) -> int:
        """Read a whole number within these bounds."""
        return self._within(name, int, at_least, at_most, default)

    def _within(self, name: str, kind: type[Number], at_least: Number, at_most: Number, default: Number) -> Number:
        text = self.text(name)
        if text is None:
            return default
        expected = f"{_NOUNS[kind]} from {at_least} to {at_most}"
        try:
            value = kind(text)
        except ValueError:
            raise InvalidParameterError(name, expected) from None
        if not at_least <= value <= at_most:
            raise InvalidParameterError(name, expected)
        return value
