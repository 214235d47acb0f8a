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
    """By index, by `get` and by `in`."""
    assert "r1" == HEADERS[name]
    assert "r1" == HEADERS.get(name)
    assert name in HEADERS


def test_a_repeated_header_is_joined() -> None:
    """In the order in which they came, as HTTP allows; `pairs` keeps them apart."""
    assert "Origin, Accept" == HEADERS["Vary"]
    assert (("Request-Id", "r1"), ("Vary", "Origin"), ("vary", "Accept")) == HEADERS.pairs


def test_an_absent_header() -> None:
    """As in any mapping."""
    with pytest.raises(KeyError):
        HEADERS["retry-after"]

    assert HEADERS.get("retry-after") is None
    assert "retry-after" not in HEADERS


@pytest.mark.parametrize("name", [5, None, b"vary"])
def test_what_is_no_name_is_absent(name: Any) -> None:
    """As in any mapping of texts, `in` says no and `get` gives the default."""
    assert name not in HEADERS
    assert HEADERS.get(name) is None


def test_iteration() -> None:
    """Each name once, in lower case, in the order of its first coming."""
    assert ["request-id", "vary"] == list(HEADERS)
    assert 2 == len(HEADERS)
    assert {"request-id": "r1", "vary": "Origin, Accept"} == dict(HEADERS)


def test_no_headers() -> None:
    """A reply without headers has an empty mapping."""
    assert {} == dict(Headers())
    assert 0 == len(Headers())
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
    """What came from outside is scrubbed before it gets here, so nothing is hidden."""
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
    """Before they were read, and after."""
    headers = Headers([("A", "b")])

    fresh = copied(headers)
    read = headers["a"]
    after = copied(headers)

    assert "b" == read == fresh["A"] == after["A"]
    assert headers == fresh == after


@COPIES
def test_a_raw_response_can_be_copied(copied: Callable[[RawResponse], RawResponse]) -> None:
    """Every attribute is kept, the headers in any case as well."""
    result = copied(RAW_RESPONSE)

    assert RAW_RESPONSE == result
    assert "r1" == result.headers["REQUEST-ID"]


def test_a_raw_response_is_frozen() -> None:
    """What came back is not to be changed."""
    unchecked: Any = RAW_RESPONSE
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        unchecked.status_code = 500


@COPIES
def test_a_result_next_to_its_response(copied: Callable[[WithRawResponse[str]], WithRawResponse[str]]) -> None:
    """Both are kept together."""
    result = copied(WithRawResponse("data", RAW_RESPONSE))

    assert ("data", RAW_RESPONSE) == (result.data, result.raw_response)


@COPIES
def test_an_item_of_a_422(copied: Callable[[ValidationErrorItem], ValidationErrorItem]) -> None:
    """It compares and hashes by what it says."""
    item = ValidationErrorItem(loc=("path", 0), msg="m", type="enum")

    assert item == copied(item)
    assert hash(item) == hash(copied(item))
