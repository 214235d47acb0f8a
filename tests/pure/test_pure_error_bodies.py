"""Error statuses: what the error takes from the reply, and that the API key never comes with it."""

import copy
import json
import math
from typing import Any

import pytest

from elevenlabs_tokens._http.structure import structure_validation_errors
from elevenlabs_tokens.exceptions import (
    AuthenticationError,
    BadRequestError,
    ElevenLabsStatusError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnprocessableEntityError,
)
from elevenlabs_tokens.responses import ValidationErrorItem
from pure.samples import KEY, URL, Pairs, error_of, nested, pickled, reply

ID = "0123456789abcdef0123456789abcdef"
ITEM = {"type": "enum", "loc": ["path", 1], "msg": "Input should be ..."}
NOTHING = (None, None, None, None)


def detail(**fields: Any) -> Any:
    """Make an error body with an object for its detail."""
    return {"detail": fields}


@pytest.mark.promise(row=25)
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            detail(type="t", code="unauthorized", message="m", status="invalid_api_key", request_id=ID),
            ("unauthorized", "invalid_api_key", "m", ID),
            id="an object of today",
        ),
        pytest.param(
            detail(code="c", message="m", status="s", request_id="r", param="p", docs_url="https://h"),
            ("c", "s", "m", "r"),
            id="more fields",
        ),
        pytest.param(detail(code="c", message="m", status="s"), ("c", "s", "m", None), id="no request id"),
        pytest.param(detail(code="c", message="m"), ("c", None, "m", None), id="no status"),
        pytest.param(detail(status="s", message="m"), ("s", "s", "m", None), id="a legacy object"),
        pytest.param(detail(code="", message="", status="s", request_id=""), ("s", "s", None, None), id="empty"),
        pytest.param(detail(code=7, message=["m"], status=None, request_id=5), NOTHING, id="other types"),
        pytest.param(detail(), NOTHING, id="an empty object"),
        pytest.param({"detail": [ITEM]}, (None, None, "Input should be ...", None), id="an array"),
        pytest.param({"detail": []}, NOTHING, id="an empty array"),
        pytest.param({"detail": "Not Found"}, (None, None, "Not Found", None), id="a string"),
        pytest.param({"detail": ""}, NOTHING, id="an empty string"),
        pytest.param({"detail": None}, NOTHING, id="null"),
        pytest.param({"detail": 5}, NOTHING, id="a number"),
        pytest.param({"error": "x"}, NOTHING, id="no detail"),
        pytest.param({}, NOTHING, id="body {}"),
        pytest.param([], NOTHING, id="body []"),
        pytest.param("detail", NOTHING, id="body a string"),
        pytest.param(5, NOTHING, id="body a number"),
    ],
)
def test_the_body_of_an_error(body: Any, expected: tuple[str | None, ...]) -> None:
    """The attributes hold what the API said, as far as it said anything."""
    error = error_of(reply(409, body))

    assert ElevenLabsStatusError is type(error)
    assert expected == (error.code, error.api_status, error.message, error.request_id)
    assert (409, body) == (error.status_code, error.body)
    assert error.raw_response is not None
    assert (409, error.request_id) == (error.raw_response.status_code, error.raw_response.request_id)


@pytest.mark.promise(row=22)
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>hunter2</html>", id="HTML"),
        pytest.param(b'{"detail": "hunter2"', id="broken JSON"),
        pytest.param(b"\xff\xfe", id="bytes that are not UTF-8"),
        pytest.param(nested(32_000), id="32,000 arrays"),
        pytest.param(b"9" * 5000, id="5,000 digits"),
        pytest.param(None, id="over the cap"),
    ],
)
def test_a_body_that_cannot_be_read(body: bytes | None) -> None:
    """The status alone decides on the class, and the body is not quoted."""
    error = error_of(reply(400, body))

    assert BadRequestError is type(error)
    assert (None, *NOTHING) == (error.body, error.message, error.code, error.api_status, error.request_id)
    assert "hunter2" not in str(error)


@pytest.mark.promise(row=25)
@pytest.mark.parametrize(
    ("body", "error_class"),
    [
        (detail(status="missing_permissions"), PermissionDeniedError),
        (detail(status="quota_exceeded"), PaymentRequiredError),
        (detail(status="invalid_api_key"), AuthenticationError),
        (detail(code="missing_permissions"), AuthenticationError),
    ],
    ids=str,
)
def test_the_class_of_a_401(body: Any, error_class: type[ElevenLabsStatusError]) -> None:
    """The API's own status decides, even if the API key is the same word and is masked."""
    assert error_class is type(error_of(reply(401, body)))
    assert error_class is type(error_of(reply(401, body), key="missing_permissions"))


@pytest.mark.promise(row=25)
def test_the_items_of_a_422() -> None:
    """Each is read; the body keeps what the API adds to them."""
    items = [
        {"type": "enum", "loc": ["path", "token_type"], "msg": "Input should be", "input": "nope", "ctx": {"a": 1}},
        {"type": "missing", "loc": ["body", 0], "msg": "Field required"},
    ]

    error = error_of(reply(422, {"detail": items}))

    assert isinstance(error, UnprocessableEntityError)
    assert (
        ValidationErrorItem(loc=("path", "token_type"), msg="Input should be", type="enum"),
        ValidationErrorItem(loc=("body", 0), msg="Field required", type="missing"),
    ) == error.errors
    assert "Input should be; Field required" == error.message
    assert {"detail": items} == error.body


@pytest.mark.parametrize(
    "item",
    [
        *(pytest.param({k: v for k, v in ITEM.items() if k != name}, id=f"no {name}") for name in ITEM),
        *(pytest.param(ITEM | {name: None}, id=f"{name} null") for name in ITEM),
        pytest.param(ITEM | {"msg": 1}, id="msg a number"),
        pytest.param(ITEM | {"type": ["t"]}, id="type a list"),
        pytest.param(ITEM | {"loc": "ab"}, id="loc a string"),
        pytest.param(ITEM | {"loc": {"a": 1}}, id="loc an object"),
        pytest.param(ITEM | {"loc": ["a", None]}, id="null in loc"),
        pytest.param(ITEM | {"loc": ["a", True]}, id="true in loc"),
        pytest.param(ITEM | {"loc": [1.5]}, id="a fraction in loc"),
        pytest.param(ITEM | {"loc": [["a"]]}, id="a list in loc"),
        pytest.param(None, id="null"),
        pytest.param("text", id="a string"),
        pytest.param([], id="an array"),
        pytest.param(5, id="a number"),
    ],
)
def test_an_item_of_another_shape(item: Any) -> None:
    """It is left out and the others are kept; nothing is converted to a string."""
    read = structure_validation_errors([ITEM, item, ITEM])

    expected = ValidationErrorItem(loc=("path", 1), msg="Input should be ...", type="enum")
    assert (expected, expected) == read


@pytest.mark.parametrize("items", [None, "text", {"loc": []}, 5, [{"type": "", "loc": [], "msg": ""}] * 2], ids=str)
def test_a_422_without_messages(items: Any) -> None:
    """`errors` is a tuple all the same, and empty messages are not joined."""
    error = error_of(reply(422, {"detail": items}))

    assert isinstance(error, UnprocessableEntityError)
    assert (len(items) if isinstance(items, list) else 0) == len(error.errors)
    assert ("text" if items == "text" else None) == error.message


@pytest.mark.promise(row=25)
@pytest.mark.parametrize("status_code", [302, 500])
@pytest.mark.parametrize(
    ("headers", "in_body", "request_id"),
    [
        ([("request-id", "a"), ("x-trace-id", "b")], "c", "a"),
        ([("X-Trace-Id", "b")], "c", "b"),
        ([("x-request-id", "z")], "c", "c"),
        ([("request-id", "")], "c", "c"),
        ([("request-id", "")], None, None),
    ],
)
def test_the_request_id(status_code: int, headers: Pairs, in_body: str | None, request_id: str | None) -> None:
    """The header `request-id`, else `x-trace-id`, else the body's."""
    assert request_id == error_of(reply(status_code, detail(request_id=in_body), headers)).request_id


@pytest.mark.promise(row=27)
@pytest.mark.parametrize(
    ("text", "retry_after"),
    [("3600", 3600.0), ("1.5", 1.5), ("1e400", math.inf), ("Tue, 24 Nov 2026 12:02:00 GMT", 120.0), ("0", None)],
)
def test_the_wait_that_the_api_asks_for(text: str, retry_after: float | None) -> None:
    """The error has it in seconds, even if it is too long to wait for."""
    errors = [error_of(reply(status_code, b"", [("Retry-After", text)])) for status_code in (429, 529)]

    assert [RateLimitError, ServerError] == [type(error) for error in errors]
    assert [retry_after] * 2 == [vars(error)["retry_after"] for error in errors]


# The key


@pytest.mark.promise(row=25)
@pytest.mark.parametrize("echo", [KEY, "sk%41?"], ids=["plain", "a percent sign"])
def test_a_key_that_is_echoed(echo: str) -> None:
    """It is `***` in everything that an error holds."""
    item = {"type": f"t {echo}", "loc": ["header", echo], "msg": f"bad key {echo}", "input": {echo: [echo]}}
    headers = [("x-echo", f"key={echo}"), (f"X-{echo}", "1"), ("request-id", echo)]

    error = error_of(reply(422, {"detail": [item]}, headers), url=f"{URL}?k={echo}", key=echo)

    assert isinstance(error, UnprocessableEntityError)
    assert error.raw_response is not None
    assert "bad key ***" == error.message
    assert (ValidationErrorItem(loc=("header", "***"), msg="bad key ***", type="t ***"),) == error.errors
    assert {"***": ["***"]} == error.body["detail"][0]["input"]
    assert "key=***" == error.raw_response.headers["x-echo"]
    assert f"{URL}?k=***" == error.raw_response.url
    assert "***" == error.request_id
    assert echo not in f"{error}{vars(error)}"


@pytest.mark.promise(row=25)
@pytest.mark.parametrize(
    "body",
    [{"detail": f"no {KEY} here"}, detail(code=KEY), detail(message=KEY), detail(status=KEY), detail(request_id=KEY)],
    ids=str,
)
def test_a_key_in_any_field(body: Any) -> None:
    """It is masked in the body and in everything that is read from it."""
    error = error_of(reply(401, body))

    assert json.dumps(body).replace(KEY, "***") == json.dumps(error.body)
    assert KEY not in f"{error}{vars(error)}"


@pytest.mark.promise(row=25)
@pytest.mark.parametrize(("status_code", "body"), [(200, b"{}"), (302, b""), (400, b"")])
def test_a_key_in_a_header(status_code: int, body: bytes) -> None:
    """It is masked in names and in values, whatever the reply is."""
    error = error_of(reply(status_code, body, [(f"X-{KEY}", "1"), ("location", f"https://h/{KEY}")]))

    assert error.raw_response is not None
    assert {"x-***": "1", "location": "https://h/***"} == dict(error.raw_response.headers)


def test_a_body_too_deep_to_mask_is_left_out() -> None:
    """If only a part of it were masked, the rest could hold the key."""
    error = error_of(reply(400, b'{"detail": ' + nested(300, json.dumps(KEY).encode()) + b"}"))

    assert BadRequestError is type(error)
    assert error.body is None


@pytest.mark.promise(row=45)
@pytest.mark.parametrize("depth", [10, 90])
def test_an_error_with_a_deep_body_can_be_copied(depth: int) -> None:
    """Any body that an error keeps can be copied with it."""
    error = error_of(reply(429, b'{"detail": ' + nested(depth) + b"}", [("Retry-After", "3600")]))

    copies = [copy.copy(error), copy.deepcopy(error), pickled(error)]

    assert error.body is not None
    assert [(RateLimitError, 429, 3600.0, error.body)] * 3 == [
        (type(copied), copied.status_code, vars(copied)["retry_after"], copied.body) for copied in copies
    ]
