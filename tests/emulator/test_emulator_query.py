import pytest
from multidict import MultiDict

from elevenlabs_tokens.emulator.query import InvalidParameterError, Query


def test_what_is_absent_has_its_default() -> None:
    """No parameter has to be there."""
    query = Query(MultiDict())

    assert query.text("token") is None
    assert [] == query.texts("keyterms")
    assert "a" == query.one_of("word", "ab", default="a")
    assert query.boolean("flag", default=True)
    assert 0.4 == query.number("number", at_least=0, at_most=1, default=0.4)
    assert 20 == query.integer("count", at_least=0, at_most=100, default=20)


def test_what_is_there_is_read_by_its_kind() -> None:
    """The last of several values counts, and an empty text is a text."""
    query = Query(
        MultiDict(
            [
                ("token", "a"),
                ("token", ""),
                ("keyterms", "x"),
                ("keyterms", "y"),
                ("word", "b"),
                ("yes", "True"),
                ("no", "0"),
                ("number", "1e-1"),
                ("count", "7"),
            ]
        )
    )

    assert "" == query.text("token")
    assert ["x", "y"] == query.texts("keyterms")
    assert "b" == query.one_of("word", "ab", default="a")
    assert query.boolean("yes", default=False)
    assert not query.boolean("no", default=True)
    assert 0.1 == query.number("number", at_least=0, at_most=1, default=0.4)
    assert 7 == query.integer("count", at_least=0, at_most=100, default=20)


@pytest.mark.parametrize("value", ["", "nan", "inf", "-0.1", "1.1", "one", "5" * 5000])
def test_a_number_keeps_its_bounds(value: str) -> None:
    """What is no number, or out of bounds, is refused by name."""
    with pytest.raises(InvalidParameterError, match=r"vad_threshold must be a number from 0.1 to 0.9") as caught:
        Query(MultiDict({"vad_threshold": value})).number("vad_threshold", at_least=0.1, at_most=0.9, default=0.4)

    assert "vad_threshold" == caught.value.parameter


@pytest.mark.parametrize("value", ["", "0", "181", "1.5", "1e1", "5" * 5000])
def test_an_integer_keeps_its_bounds(value: str) -> None:
    """What is no whole number, or out of bounds, is refused."""
    with pytest.raises(InvalidParameterError, match="must be a whole number from 1 to 180"):
        Query(MultiDict({"n": value})).integer("n", at_least=1, at_most=180, default=20)


def test_other_words_are_refused() -> None:
    """A word that is not among the choices, and what is neither true nor false."""
    with pytest.raises(InvalidParameterError, match="w must be one of x, y"):
        Query(MultiDict({"w": "z"})).one_of("w", ("x", "y"), default="x")
    with pytest.raises(InvalidParameterError, match="b must be true or false"):
        Query(MultiDict({"b": "maybe"})).boolean("b", default=True)
