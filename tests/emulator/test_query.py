from collections.abc import Callable

import pytest
from multidict import MultiDict

from elevenlabs_tokens.emulator.query import InvalidParameterError, Query


def test_each_kind_of_value_is_read() -> None:
    """The last of several values counts, and an empty text is a text."""
    given = [("token", "a"), ("token", ""), ("word", "b"), ("yes", "True"), ("no", "0"), ("number", "1e-1")]
    query = Query(MultiDict(given))

    assert "" == query.text("token")
    assert query.text("absent") is None
    assert "b" == query.one_of("word", "ab", default="a")
    assert query.boolean("yes", default=False)
    assert not query.boolean("no", default=True)
    assert 0.1 == query.number("number", at_least=0, at_most=1, default=0.4)


def word(query: Query) -> object:
    return query.one_of("n", ("x", "y"), default="x")


def boolean(query: Query) -> object:
    return query.boolean("n", default=True)


def number(query: Query) -> object:
    return query.number("n", at_least=0.1, at_most=0.9, default=0.4)


def integer(query: Query) -> object:
    return query.integer("n", at_least=1, at_most=180, default=20)


@pytest.mark.parametrize(
    ("read", "values", "message"),
    [
        (word, ["z", ""], "n must be one of x, y"),
        (boolean, ["maybe", ""], "n must be true or false"),
        (number, ["", "nan", "inf", "-0.1", "1.1", "one", "5" * 5000], "n must be a number from 0.1 to 0.9"),
        (integer, ["", "0", "181", "1.5", "1e1", "5" * 5000], "n must be a whole number from 1 to 180"),
    ],
)
def test_bad_values_are_refused(read: Callable[[Query], object], values: list[str], message: str) -> None:
    """The error says what the parameter must be."""
    for value in values:
        with pytest.raises(InvalidParameterError, match=message) as caught:
            read(Query(MultiDict(n=value)))

        assert "n" == caught.value.parameter
