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
        pytest.param({"a": Word.VAD}, "a=vad", id="StrEnum"),
        pytest.param({"a": MixedWord.VAD}, "a=vad", id="str and Enum"),
        pytest.param({"a": Number.TWO}, "a=2", id="IntEnum"),
        pytest.param({"a": Real.HALF}, "a=0.5", id="float and Enum"),
        pytest.param({"a": [Word.VAD, Number.TWO]}, "a=vad&a=2", id="members of enums in a list"),
        pytest.param({MixedWord.VAD: 1}, "vad=1", id="a member of an enum for a name"),
    ],
)
def test_values(query: dict[Any, Any], encoded: str) -> None:
    """Each kind of value has one form; a member of an enum has that of its value."""
    assert encoded == encode_query(query)


NAME = "the name of a query parameter is"
VALUE = "query parameter 'a' is"
SURROGATE = "a query parameter has half of a surrogate pair in it, which cannot be encoded"


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        pytest.param({"": "x"}, f"{NAME} empty; give it as text", id="an empty name"),
        pytest.param({1: "x"}, f"{NAME} of type int; give it as text", id="a number for a name"),
        pytest.param({None: "x"}, f"{NAME} of type NoneType; give it as text", id="None for a name"),
        pytest.param({b"a": "x"}, f"{NAME} of type bytes; give it as text", id="bytes for a name"),
        pytest.param({"a": b"x"}, f"{VALUE} of type bytes", id="bytes"),
        pytest.param({"a": bytearray(b"x")}, f"{VALUE} of type bytearray", id="a bytearray"),
        pytest.param({"a": math.nan}, f"{VALUE} of type float", id="nan"),
        pytest.param({"a": math.inf}, f"{VALUE} of type float", id="inf"),
        pytest.param({"a": [1, math.nan]}, f"{VALUE} of type float", id="nan in a list"),
        pytest.param({"a": 10**5000}, f"{VALUE} of type int", id="an integer too long to print"),
        pytest.param({"a": {"b": 1}}, f"{VALUE} of type dict", id="a mapping"),
        pytest.param({"a": {1}}, f"{VALUE} of type set", id="a set"),
        pytest.param({"a": object()}, f"{VALUE} of type object", id="an object"),
        pytest.param({"a": Undecided()}, f"{VALUE} of type Undecided", id="an object without a truth value"),
        pytest.param({"a": [None]}, f"{VALUE} of type NoneType", id="None in a list"),
        pytest.param({"a": [["x"]]}, f"{VALUE} of type list", id="a list in a list"),
        pytest.param({"a" * 300: b"x"}, f"query parameter {'a' * 40!r} is of type bytes", id="a long name"),
        pytest.param({"a": "hunter2\ud800"}, SURROGATE, id="half a surrogate pair"),
        pytest.param({"hunter2\udfff": "a"}, SURROGATE, id="half a surrogate pair in a name"),
    ],
)
def test_refusals(query: dict[Any, Any], fault: str) -> None:
    """The error says which parameter and what is wrong, and does not quote its value, which may be a credential."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        encode_query(query)

    rest = "; give text, a finite number, a bool, or a sequence of them" if fault.startswith("query parameter") else ""
    assert f"{fault}{rest}" == str(caught.value)
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
