from collections.abc import Callable
from typing import Any

import attrs
import pytest

from elevenlabs_tokens.responses import Headers, RawResponse, ValidationErrorItem, WithRawResponse
from pure.samples import COPIES

HEADERS = Headers([("Request-Id", "r1"), ("Vary", "Origin"), ("vary", "Accept")])
RAW_RESPONSE = RawResponse(
    status_code=200, headers=HEADERS, url="https://h/v1", request_id="r1", retries_taken=1, elapsed_in_seconds=0.5
)


@pytest.mark.parametrize("name", ["request-id", "Request-Id", "REQUEST-ID"])
def test_a_header_is_found_in_any_case(name: str) -> None:
    """It is found by index, by `get` and by `in`."""
    assert "r1" == HEADERS[name] == HEADERS.get(name)
    assert name in HEADERS


@pytest.mark.parametrize("name", ["retry-after", 5, None, b"vary"])
def test_an_absent_header(name: Any) -> None:
    """It is absent as in any mapping of texts, and so is what is no text."""
    with pytest.raises(KeyError):
        HEADERS[name]

    assert HEADERS.get(name) is None
    assert name not in HEADERS


def test_iteration() -> None:
    """Each name comes once, in lower case and in order; repeated values are joined, and `pairs` keeps them apart."""
    assert [("request-id", "r1"), ("vary", "Origin, Accept")] == list(HEADERS.items())
    assert 2 == len(HEADERS)
    assert (("Request-Id", "r1"), ("Vary", "Origin"), ("vary", "Accept")) == HEADERS.pairs


def test_no_headers() -> None:
    """A reply without headers has an empty mapping."""
    assert {} == dict(Headers())
    assert not Headers()


def test_equality_disregards_case_and_order() -> None:
    """Equal headers have equal hashes."""
    same = Headers([("VARY", "Origin"), ("request-id", "r1"), ("Vary", "Accept")])

    assert same == HEADERS
    assert hash(same) == hash(HEADERS)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(Headers([("Request-Id", "r2")]), id="another value"),
        pytest.param(Headers(), id="none"),
        pytest.param({"request-id": "r1", "vary": "Origin, Accept"}, id="a dict"),
        pytest.param("request-id", id="a text"),
    ],
)
def test_inequality(other: object) -> None:
    """Other values, and other types, are not equal."""
    assert other != HEADERS


def test_headers_show_what_they_hold() -> None:
    """A key that the API repeats is masked before it gets here, so nothing is hidden here."""
    assert "Headers({'a': 'b'})" == repr(Headers([("A", "b")]))


def test_headers_are_read_only() -> None:
    """Neither an item nor an attribute can be set."""
    unchecked: Any = HEADERS
    with pytest.raises(TypeError):
        unchecked["x"] = "y"
    with pytest.raises(TypeError):
        del unchecked["vary"]
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        unchecked.pairs = ()


@COPIES
def test_headers_can_be_copied(copied: Callable[[Headers], Headers]) -> None:
    """They can be copied before they were read, and after."""
    headers = Headers([("A", "b")])

    fresh = copied(headers)
    read = headers["a"]
    after = copied(headers)

    assert "b" == read == fresh["A"] == after["A"]
    assert headers == fresh == after


@COPIES
@pytest.mark.parametrize(
    ("original", "name"),
    [
        (RAW_RESPONSE, "status_code"),
        (WithRawResponse("data", RAW_RESPONSE), "data"),
        (ValidationErrorItem(loc=("path", 0), msg="m", type="enum"), "msg"),
    ],
    ids=["RawResponse", "WithRawResponse", "ValidationErrorItem"],
)
def test_what_came_back(copied: Callable[[object], object], original: object, name: str) -> None:
    """It can be copied, it compares and hashes by what it holds, and nothing in it can be changed."""
    result: Any = copied(original)

    assert original == result
    assert hash(original) == hash(result)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(result, name, "other")
