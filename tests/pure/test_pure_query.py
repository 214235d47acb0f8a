import math
from enum import Enum, IntEnum, StrEnum
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elevenlabs_tokens._query import encode_query
from elevenlabs_tokens.exceptions import ElevenLabsConfigError


class Word(StrEnum):
    VAD = "vad"


class MixedWord(str, Enum):  # noqa: UP042  # the older way, still common
    VAD = "vad"


class Number(IntEnum):
    TWO = 2


class Real(float, Enum):
    HALF = 0.5


class Undecided:
    """A value that, like an array, has no truth value."""

    def __bool__(self) -> bool:
        raise ValueError("ambiguous")


@pytest.mark.parametrize(
    ("query", "encoded"),
    [
        pytest.param({}, "", id="nothing"),
        pytest.param({"model_id": "scribe_v2"}, "model_id=scribe_v2", id="text"),
        pytest.param({"a": ""}, "a=", id="empty text"),
        pytest.param({"a": "x y+z&k=v#/?%é"}, "a=x%20y%2Bz%26k%3Dv%23%2F%3F%25%C3%A9", id="reserved characters"),
        pytest.param({"a b&": 1}, "a%20b%26=1", id="a name with reserved characters"),
        pytest.param({"a": True, "b": False}, "a=true&b=false", id="booleans"),
        pytest.param({"a": 0, "b": -7}, "a=0&b=-7", id="integers"),
        pytest.param({"a": 10**400}, f"a=1{'0' * 400}", id="an integer beyond any float"),
        pytest.param({"a": 0.4, "b": 1e20}, "a=0.4&b=1e%2B20", id="floats"),
        pytest.param({"a": None, "b": 1}, "b=1", id="None is left out"),
        pytest.param({"k": ["x", "y"]}, "k=x&k=y", id="a list"),
        pytest.param({"k": (1, True, "z")}, "k=1&k=true&k=z", id="a mixed tuple"),
        pytest.param({"k": []}, "", id="an empty list"),
        pytest.param({"k": range(2)}, "k=0&k=1", id="a range"),
        pytest.param({"b": 1, "a": 2}, "b=1&a=2", id="order is kept"),
    ],
)
def test_values(query: dict[Any, Any], encoded: str) -> None:
    """Each kind of value has one form."""
    assert encoded == encode_query(query)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        pytest.param(Word.VAD, "a=vad", id="StrEnum"),
        pytest.param(MixedWord.VAD, "a=vad", id="str and Enum"),
        pytest.param(Number.TWO, "a=2", id="IntEnum"),
        pytest.param(Real.HALF, "a=0.5", id="float and Enum"),
        pytest.param([Word.VAD, Number.TWO], "a=vad&a=2", id="in a list"),
    ],
)
def test_a_member_of_an_enum_is_its_value(value: Any, encoded: str) -> None:
    """Never the `repr` of the member, nor its `str`."""
    assert encoded == encode_query({"a": value})


def test_a_name_from_an_enum_is_its_value() -> None:
    """A name is read like a value."""
    assert "vad=1" == encode_query({MixedWord.VAD: 1})


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"": "x"}, id="an empty name"),
        pytest.param({1: "x"}, id="a number for a name"),
        pytest.param({None: "x"}, id="None for a name"),
        pytest.param({b"a": "x"}, id="bytes for a name"),
        pytest.param({"a": b"x"}, id="bytes"),
        pytest.param({"a": bytearray(b"x")}, id="a bytearray"),
        pytest.param({"a": math.nan}, id="nan"),
        pytest.param({"a": math.inf}, id="inf"),
        pytest.param({"a": [1, math.nan]}, id="nan in a list"),
        pytest.param({"a": 10**5000}, id="an integer too long to print"),
        pytest.param({"a": {"b": 1}}, id="a mapping"),
        pytest.param({"a": {1}}, id="a set"),
        pytest.param({"a": object()}, id="an object"),
        pytest.param({"a": Undecided()}, id="an object without a truth value"),
        pytest.param({"a": [None]}, id="None in a list"),
        pytest.param({"a": [["x"]]}, id="a list in a list"),
        pytest.param({"a": "\ud800"}, id="half a surrogate pair"),
        pytest.param({"\udfff": "a"}, id="half a surrogate pair in a name"),
    ],
)
def test_refusals(query: dict[Any, Any]) -> None:
    """What has no place in a query is refused, with an error of the package's own."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        encode_query(query)

    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        pytest.param({"": 1}, "the name of a query parameter is empty", id="an empty name"),
        pytest.param({7: 1}, "the name of a query parameter is of type int", id="a name that is no text"),
        pytest.param({"seed": b"1"}, "query parameter 'seed' is of type bytes", id="a value of a wrong type"),
    ],
)
def test_the_fault_is_named(query: dict[Any, Any], fault: str) -> None:
    """The error says which parameter, and what is wrong with it."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        encode_query(query)

    assert str(caught.value).startswith(fault)


def test_a_value_is_not_quoted() -> None:
    """A value may be a credential: neither the error's text nor its context holds it."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        encode_query({"a": "hunter2\ud800"})

    assert "hunter2" not in str(caught.value)
    assert caught.value.__context__ is None


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALAR = TEXT | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@settings(deadline=None)
@given(st.dictionaries(TEXT.filter(bool), SCALAR | st.lists(SCALAR)))
def test_a_parser_reads_back_what_was_given(query: dict[str, Any]) -> None:
    """Names, values and their order survive, whatever they are."""
    expected = [
        (name, _as_text(item))
        for name, value in query.items()
        for item in (value if isinstance(value, list) else [value])
    ]

    assert expected == parse_qsl(encode_query(query), keep_blank_values=True, strict_parsing=bool(expected))


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.text() | st.none() | st.floats() | st.binary() | st.lists(st.floats())))
def test_anything_gives_a_query_or_a_config_error(query: dict[str, Any]) -> None:
    """No other exception comes out, and a query is plain ASCII."""
    try:
        encoded = encode_query(query)
    except ElevenLabsConfigError:
        return

    assert encoded.isascii()
