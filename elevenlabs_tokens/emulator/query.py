"""The parameters in the query of a URL, read as text, numbers or booleans."""

from collections.abc import Iterable
from typing import TypeVar

from attrs import frozen
from multidict import MultiMapping

Number = TypeVar("Number", int, float)

_NOUNS: dict[type, str] = {int: "a whole number", float: "a number"}
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class InvalidParameterError(ValueError):
    """A query parameter has a bad value; `parameter` is its name."""

    def __init__(self, parameter: str, expected: str) -> None:
        super().__init__(f"Query parameter {parameter} must be {expected}.")
        self.parameter = parameter


@frozen
class Query:
    """Reads parameters by name. If a parameter is given several times, the last counts.

    All methods with a `default` raise an `InvalidParameterError` for a bad value.
    """

    values: MultiMapping[str]

    def text(self, name: str) -> str | None:
        """Read a text; None if it is not given."""
        texts = self.texts(name)
        return texts[-1] if texts else None

    def texts(self, name: str) -> list[str]:
        """Read all texts of a parameter that may be given several times."""
        return self.values.getall(name, default=[])

    def one_of(self, name: str, choices: Iterable[str], *, default: str) -> str:
        """Read one of these words."""
        value = self.text(name)
        if value is None:
            return default
        if value not in choices:
            raise InvalidParameterError(name, f"one of {', '.join(choices)}")
        return value

    def boolean(self, name: str, *, default: bool) -> bool:
        """Read `true`, `false`, `1` or `0`, in any case."""
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
