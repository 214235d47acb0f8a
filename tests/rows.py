"""Tables whose lines prove different promises."""

from typing import Any

import pytest


def row(number: int, *values: Any, id: str) -> Any:  # noqa: A002  # pytest calls it so
    """Give a line of a table, marked with the promise that it proves."""
    return pytest.param(*values, marks=pytest.mark.promise(row=number), id=id)
