import copy
import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from elevenlabs_tokens._http.structure import structure_token, structure_validation_errors
from elevenlabs_tokens._http.wire import Failure, FailureKind
from elevenlabs_tokens.exceptions import (
    AuthenticationError,
    BadRequestError,
    ElevenLabsConnectionError,
    ElevenLabsError,
    ElevenLabsStatusError,
    ElevenLabsTimeoutError,
    ElevenLabsTLSError,
    InvalidResponseError,
    NotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnprocessableEntityError,
)
from elevenlabs_tokens.models import SingleUseTokenResponseModel
from elevenlabs_tokens.responses import Headers, RawResponse, ValidationErrorItem, WithRawResponse
from pure.samples import (
    KEY,
    NOW,
    PATH,
    TOKEN,
    URL,
    deciphered,
    error_of,
    exchange,
    model_of,
    pickled,
    raw_answer_to,
    reply,
)

GOOD = {"token": TOKEN}
HEX_ID = "0123456789abcdef0123456789abcdef"


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


# A token


def test_a_token() -> None:
    """It lapses 900 s after its request was sent, which was a quarter of a second before now."""
    answer = model_of(reply(200, GOOD))

    expected = SingleUseTokenResponseModel(
        token=TOKEN,
        token_type="realtime_scribe",
        expires_at=NOW + timedelta(seconds=899.75),
        websocket_base_url="wss://api.elevenlabs.io",
    )
    assert expected == answer
    assert UTC == answer.expires_at.tzinfo


@pytest.mark.parametrize("status_code", [200, 201, 202, 206, 299])
@pytest.mark.parametrize("content_type", ["application/json", "text/html", "application/octet-stream"])
def test_any_2xx_with_a_token(status_code: int, content_type: str) -> None:
    """Whatever it says that it is."""
    assert TOKEN == model_of(reply(status_code, GOOD, [("Content-Type", content_type)])).token


@pytest.mark.promise(row=24)
@pytest.mark.parametrize(
    ("body", "token"),
    [
        pytest.param({"token": TOKEN, "expires_at": 1, "x": {"y": [None]}}, TOKEN, id="extra fields"),
        pytest.param({"token": "x"}, "x", id="one character"),
        pytest.param({"token": "x" * 4096}, "x" * 4096, id="4,096 characters"),
        pytest.param({"token": "t\u00e9\U0001f600 \u2028/"}, "t\u00e9\U0001f600 \u2028/", id="odd characters"),
        pytest.param(b'{"token": "\\ud83d\\ude00"}', "\U0001f600", id="a whole surrogate pair"),
        pytest.param(b' \r\n{"token":"a"}\n', "a", id="white space around"),
        pytest.param(b'{"token": null, "token": "b"}', "b", id="the last of two"),
        pytest.param(b'{"token": "a", "x": NaN}', "a", id="NaN in an extra field"),
    ],
)
def test_what_is_a_token(body: Any, token: str) -> None:
    """Promise 24: a text of up to 4,096 characters, with or without company."""
    assert token == model_of(reply(200, body)).token


def test_a_token_next_to_its_response() -> None:
    """The response is told in full when it is asked for."""
    outcome = reply(201, GOOD, [("Request-Id", "r1"), ("x-region", "europe-west4")])

    result = raw_answer_to(outcome, url=f"{URL}?a=1")

    expected = RawResponse(
        status_code=201,
        headers=Headers(outcome.headers.items()),
        url=f"{URL}?a=1",
        request_id="r1",
        retries_taken=0,
        elapsed_in_seconds=0.25,
    )
    assert isinstance(result, WithRawResponse)
    assert (TOKEN, expected) == (result.data.token, result.raw_response)


def test_an_answer_shows_no_secret() -> None:
    """Neither the token, nor the body that held it, nor the key."""
    shown = repr(model_of(reply(200, GOOD, [("x", "hunter2")])))

    assert TOKEN not in shown
    assert KEY not in shown
    assert "hunter2" not in shown


# No token

NO_TOKEN = "expected a string @ $.token"
MISSING = "required field missing @ $.token"


@pytest.mark.promise(row=16)
@pytest.mark.promise(row=23)
@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"token": None}, id="null"),
        pytest.param({"token": 123}, id="a number"),
        pytest.param({"token": True}, id="true"),
        pytest.param({"token": ["x"]}, id="a list"),
        pytest.param({"token": {"token": "x"}}, id="an object"),
        pytest.param({"token": ""}, id="empty"),
        pytest.param(b'{"token": NaN}', id="NaN"),
        pytest.param({}, id="nothing"),
        pytest.param({"Token": "x"}, id="another name"),
        pytest.param({"detail": "x"}, id="an error's body"),
        pytest.param([], id="an array"),
        pytest.param([{"token": "x"}], id="an array of objects"),
        pytest.param(b"null", id="body null"),
        pytest.param(b'"x"', id="body text"),
        pytest.param(b'"token"', id="body text that names it"),
        pytest.param(b"1", id="body number"),
        pytest.param(b"true", id="body true"),
        pytest.param({"token": "x" * 4097}, id="too long"),
        *(
            pytest.param({"token": f"x{chr(code)}y"}, id=f"control character {code:#04x}")
            for code in (*range(0x20), *range(0x7F, 0xA0))
        ),
        pytest.param({"token": "x\n"}, id="a line feed at the end"),
        pytest.param(b'{"token": "\\ud800"}', id="the first half of a surrogate pair"),
        pytest.param(b'{"token": "\\udfffx"}', id="the second half of a surrogate pair"),
    ],
)
def test_what_is_no_token(body: Any) -> None:
    """Promises 16 and 23: the error says where a text was expected, and nothing of what was there."""
    error = error_of(reply(200, body, [("request-id", "r1")]))

    assert type(error) is InvalidResponseError
    assert str(error).partition(" in the ")[0] in (NO_TOKEN, MISSING)
    assert f" in the 200 reply to POST {PATH} (request id r1); check base_url and proxy; if both" in str(error)
    assert (200, None) == (error.status_code, error.body)


COMPRESSED = "compressed data, which was not asked for,"


@pytest.mark.promise(row=17)
@pytest.mark.promise(row=18)
@pytest.mark.parametrize(
    ("status_code", "body", "headers", "fault"),
    [
        pytest.param(200, b"<html>hunter2</html>", [], "something other than JSON", id="HTML"),
        pytest.param(200, b'{"token": "hunter2"', [], "something other than JSON", id="broken JSON"),
        pytest.param(
            200, '\u00a0{"token": "a"}'.encode(), [], "something other than JSON", id="white space not of JSON"
        ),
        pytest.param(200, b'X{"token": "a"}X', [], "something other than JSON", id="letters around it"),
        pytest.param(200, b'{"token": "hunter2"}}', [], "something other than JSON", id="JSON and more"),
        pytest.param(200, b"", [], "nothing", id="nothing"),
        pytest.param(204, b"", [], "nothing", id="204"),
        pytest.param(200, b" ", [], "something other than JSON", id="a space"),
        pytest.param(200, b'{"token": "\xff"}', [], "something other than JSON", id="bytes that are not UTF-8"),
        pytest.param(200, '{"token": "x"}'.encode("utf-16"), [], "something other than JSON", id="UTF-16"),
        pytest.param(200, b'\xef\xbb\xbf{"token": "x"}', [], "something other than JSON", id="a byte order mark"),
        pytest.param(200, b'{"token": "\xed\xa0\x80"}', [], "something other than JSON", id="an encoded surrogate"),
        pytest.param(200, nested(32_000), [], "something other than JSON", id="32,000 arrays"),
        pytest.param(200, b'{"a":' * 10_000, [], "something other than JSON", id="10,000 objects"),
        pytest.param(200, b'{"a":' + b"9" * 5000 + b"}", [], "something other than JSON", id="5,000 digits"),
        pytest.param(200, None, [], "more than 64 KiB", id="over the cap"),
        pytest.param(200, b"\x1f\x8b", [("Content-Encoding", "gzip")], COMPRESSED, id="gzip"),
        pytest.param(200, b"\x1f\x8b", [("content-encoding", "BR")], COMPRESSED, id="Brotli"),
        pytest.param(200, b"x", [("Content-Encoding", " Identity")], "something other than JSON", id="identity"),
        pytest.param(300, GOOD, [], "a redirect", id="300 with a token"),
        pytest.param(301, b"", [("Location", "https://hunter2")], "a redirect", id="301"),
        pytest.param(302, GOOD, [], "a redirect", id="302 with a token"),
        pytest.param(304, b"", [], "a redirect", id="304"),
        pytest.param(399, None, [], "a redirect", id="399 over the cap"),
        pytest.param(101, b"", [], "an unknown status", id="101"),
        pytest.param(199, GOOD, [], "an unknown status", id="199 with a token"),
        pytest.param(600, GOOD, [], "an unknown status", id="600 with a token"),
        pytest.param(999, b"", [], "an unknown status", id="999"),
    ],
)
def test_a_reply_that_is_none(status_code: int, body: Any, headers: list[tuple[str, str]], fault: str) -> None:
    """Promises 17, 18 and 20: one error for all of them, with the status kept and the reply not quoted."""
    error = error_of(reply(status_code, body, headers))

    assert type(error) is InvalidResponseError
    assert str(error).startswith(f"{fault} in the {status_code} reply to POST {PATH}; ")
    assert "hunter2" not in str(error)
    assert (status_code, None, None, None, None) == (
        error.status_code,
        error.body,
        error.message,
        error.code,
        error.api_status,
    )
    assert error.raw_response is not None


@pytest.mark.promise(row=12)
@pytest.mark.parametrize("status_code", [301, 302, 303, 307, 308])
def test_a_redirect_says_what_to_do(status_code: int) -> None:
    """Promise 12: it names the redirect, and why it was not followed."""
    error = error_of(reply(status_code, b"", [("Location", "https://elsewhere.example")]))

    assert (
        f"a redirect in the {status_code} reply to POST {PATH}; it was not followed, because it would send the "
        "API key elsewhere; set base_url to the API's address"
    ) == str(error)


def test_neither_cause_nor_context() -> None:
    """What could hold the reply does not hang on the error."""
    for body in (b'{"token": "hunter2"', {"token": 1}, b"\xff"):
        error = error_of(reply(200, body))

        assert (None, None) == (error.__cause__, error.__context__)


# Error statuses


@pytest.mark.promise(row=25)
@pytest.mark.parametrize(
    ("status_code", "body", "kind", "code", "api_status", "message", "request_id"),
    [
        pytest.param(
            401,
            {
                "detail": {
                    "type": "authentication_error",
                    "code": "unauthorized",
                    "message": "Invalid API key",
                    "status": "invalid_api_key",
                    "request_id": HEX_ID,
                }
            },
            AuthenticationError,
            "unauthorized",
            "invalid_api_key",
            "Invalid API key",
            HEX_ID,
            id="a key that is refused",
        ),
        pytest.param(
            401,
            {
                "detail": {
                    "type": "authentication_error",
                    "code": "unauthorized",
                    "message": "Neither authorization header nor xi-api-key received, please provide one.",
                    "status": "needs_authorization",
                    "request_id": HEX_ID,
                }
            },
            AuthenticationError,
            "unauthorized",
            "needs_authorization",
            "Neither authorization header nor xi-api-key received, please provide one.",
            HEX_ID,
            id="no key",
        ),
        pytest.param(
            401,
            {
                "detail": {
                    "type": "authentication_error",
                    "code": "unauthorized",
                    "message": "The API key you used is missing the permission speech_to_text.",
                    "status": "missing_permissions",
                }
            },
            PermissionDeniedError,
            "unauthorized",
            "missing_permissions",
            "The API key you used is missing the permission speech_to_text.",
            None,
            id="a permission that is missing",
        ),
        pytest.param(
            401,
            {"detail": {"status": "missing_permissions", "message": "m"}},
            PermissionDeniedError,
            "missing_permissions",
            "missing_permissions",
            "m",
            None,
            id="a permission that is missing, legacy",
        ),
        pytest.param(
            401,
            {"detail": {"status": "quota_exceeded", "message": "m"}},
            PaymentRequiredError,
            "quota_exceeded",
            "quota_exceeded",
            "m",
            None,
            id="no credit, legacy",
        ),
        pytest.param(
            401,
            {"detail": {"status": "invalid_api_key", "message": "Invalid API key"}},
            AuthenticationError,
            "invalid_api_key",
            "invalid_api_key",
            "Invalid API key",
            None,
            id="a key that is refused, legacy",
        ),
        pytest.param(
            401,
            {"detail": {"code": "missing_api_key", "message": "m", "request_id": "r"}},
            AuthenticationError,
            "missing_api_key",
            None,
            "m",
            "r",
            id="a code without a status",
        ),
        pytest.param(
            402,
            {"detail": {"type": "payment_required", "code": "insufficient_credits", "message": "m"}},
            PaymentRequiredError,
            "insufficient_credits",
            None,
            "m",
            None,
            id="no credit",
        ),
        pytest.param(
            403,
            {"detail": {"type": "authorization_error", "code": "forbidden", "message": "m", "status": "forbidden"}},
            PermissionDeniedError,
            "forbidden",
            "forbidden",
            "m",
            None,
            id="forbidden",
        ),
        pytest.param(
            429,
            {
                "detail": {
                    "type": "rate_limit_error",
                    "code": "concurrent_limit_exceeded",
                    "message": "Too many concurrent requests.",
                    "status": "too_many_concurrent_requests",
                    "request_id": HEX_ID,
                    "docs_url": "https://elevenlabs.io/docs",
                }
            },
            RateLimitError,
            "concurrent_limit_exceeded",
            "too_many_concurrent_requests",
            "Too many concurrent requests.",
            HEX_ID,
            id="too many requests",
        ),
        pytest.param(
            400,
            {
                "detail": {
                    "type": "validation_error",
                    "code": "invalid_parameters",
                    "message": "m",
                    "status": "invalid_parameters",
                    "request_id": HEX_ID,
                    "param": "keyterms",
                }
            },
            BadRequestError,
            "invalid_parameters",
            "invalid_parameters",
            "m",
            HEX_ID,
            id="a parameter that is refused",
        ),
        pytest.param(
            400,
            {"detail": {"type": "authentication_error", "code": "invalid_api_key", "message": "API key ID used"}},
            BadRequestError,
            "invalid_api_key",
            None,
            "API key ID used",
            None,
            id="a key's id",
        ),
        pytest.param(404, {"detail": "Not Found"}, NotFoundError, None, None, "Not Found", None, id="a text"),
        pytest.param(
            404,
            {"detail": {"code": 7, "message": ["m"], "status": None, "request_id": 5}},
            NotFoundError,
            None,
            None,
            None,
            None,
            id="an object of other types",
        ),
        pytest.param(
            409,
            {"detail": {"code": "", "message": "", "status": "already_running", "request_id": ""}},
            ElevenLabsStatusError,
            "already_running",
            "already_running",
            None,
            None,
            id="an object of empty texts",
        ),
        pytest.param(405, {"detail": ""}, ElevenLabsStatusError, None, None, None, None, id="an empty text"),
        pytest.param(405, {"detail": None}, ElevenLabsStatusError, None, None, None, None, id="null"),
        pytest.param(405, {"detail": {}}, ElevenLabsStatusError, None, None, None, None, id="an empty object"),
        pytest.param(405, {"detail": []}, ElevenLabsStatusError, None, None, None, None, id="an empty array"),
        pytest.param(405, {"error": "x"}, ElevenLabsStatusError, None, None, None, None, id="no detail"),
        pytest.param(405, {}, ElevenLabsStatusError, None, None, None, None, id="an empty body"),
        pytest.param(405, [], ElevenLabsStatusError, None, None, None, None, id="an array for a body"),
        pytest.param(405, "detail", ElevenLabsStatusError, None, None, None, None, id="a text for a body"),
        pytest.param(500, 5, ServerError, None, None, None, None, id="a number for a body"),
        pytest.param(
            503,
            {"detail": {"type": "service_unavailable", "code": "maintenance", "message": "m"}},
            ServerError,
            "maintenance",
            None,
            "m",
            None,
            id="maintenance",
        ),
        pytest.param(
            400,
            {"detail": [{"type": "missing", "loc": ["body"], "msg": "Field required"}]},
            BadRequestError,
            None,
            None,
            "Field required",
            None,
            id="an array, not with 422",
        ),
    ],
)
def test_error_bodies(  # noqa: PLR0917  # the columns of a table
    status_code: int,
    body: Any,
    kind: type[ElevenLabsError],
    code: str | None,
    api_status: str | None,
    message: str | None,
    request_id: str | None,
) -> None:
    """Promise 25: what the API said is there, as far as it said it."""
    error = error_of(reply(status_code, body))

    assert kind is type(error)
    assert (code, api_status, message, request_id) == (error.code, error.api_status, error.message, error.request_id)
    assert (status_code, body) == (error.status_code, error.body)
    assert error.raw_response is not None
    assert (status_code, request_id) == (error.raw_response.status_code, error.raw_response.request_id)


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
@pytest.mark.parametrize(("status_code", "kind"), [(400, BadRequestError), (429, RateLimitError), (502, ServerError)])
def test_an_error_status_without_json(status_code: int, kind: type[ElevenLabsError], body: bytes | None) -> None:
    """Promise 22: the status alone gives the class, and the body is not quoted."""
    error = error_of(reply(status_code, body))

    assert kind is type(error)
    assert (None, None, None, None) == (error.body, error.message, error.code, error.api_status)
    assert "hunter2" not in str(error)


@pytest.mark.promise(row=25)
def test_the_items_of_a_422() -> None:
    """Each is read; what the API adds to them stays in the body."""
    detail = [
        {"type": "enum", "loc": ["path", "token_type"], "msg": "Input should be", "input": "nope", "ctx": {"a": 1}},
        {"type": "missing", "loc": ["body", 0], "msg": "Field required"},
    ]

    error = error_of(reply(422, {"detail": detail}))

    assert isinstance(error, UnprocessableEntityError)
    assert (
        ValidationErrorItem(loc=("path", "token_type"), msg="Input should be", type="enum"),
        ValidationErrorItem(loc=("body", 0), msg="Field required", type="missing"),
    ) == error.errors
    assert "Input should be; Field required" == error.message
    assert {"detail": detail} == error.body


GOOD_ITEM = {"type": "t", "loc": ["a", 1], "msg": "m"}


@pytest.mark.parametrize(
    "item",
    [
        *(pytest.param({k: v for k, v in GOOD_ITEM.items() if k != name}, id=f"no {name}") for name in GOOD_ITEM),
        *(pytest.param(GOOD_ITEM | {name: None}, id=f"{name} null") for name in GOOD_ITEM),
        pytest.param(GOOD_ITEM | {"msg": 1}, id="msg a number"),
        pytest.param(GOOD_ITEM | {"type": ["t"]}, id="type a list"),
        pytest.param(GOOD_ITEM | {"loc": "ab"}, id="loc a text"),
        pytest.param(GOOD_ITEM | {"loc": {"a": 1}}, id="loc an object"),
        pytest.param(GOOD_ITEM | {"loc": ["a", None]}, id="null in loc"),
        pytest.param(GOOD_ITEM | {"loc": ["a", True]}, id="true in loc"),
        pytest.param(GOOD_ITEM | {"loc": [1.5]}, id="a fraction in loc"),
        pytest.param(GOOD_ITEM | {"loc": [["a"]]}, id="a list in loc"),
        pytest.param(None, id="null"),
        pytest.param("text", id="a text"),
        pytest.param([], id="an array"),
        pytest.param(5, id="a number"),
    ],
)
def test_an_item_of_another_shape(item: Any) -> None:
    """It is left out, and the others are kept; no text is made of what is none."""
    read = structure_validation_errors([GOOD_ITEM, item, GOOD_ITEM])

    expected = ValidationErrorItem(loc=("a", 1), msg="m", type="t")
    assert (expected, expected) == read


@pytest.mark.parametrize("detail", [None, "text", {"loc": []}, 5, {}], ids=repr)
def test_a_422_without_items(detail: Any) -> None:
    """`errors` is empty where there are none."""
    error = error_of(reply(422, {"detail": detail}))

    assert isinstance(error, UnprocessableEntityError)
    assert () == error.errors


def test_items_without_a_message() -> None:
    """Nothing is joined to something."""
    item = {"type": "", "loc": [], "msg": ""}

    error = error_of(reply(422, {"detail": [item, item]}))

    assert error.message is None


@pytest.mark.promise(row=25)
@pytest.mark.parametrize("status_code", [200, 302, 500])
@pytest.mark.parametrize(
    ("headers", "in_body", "request_id"),
    [
        ([("request-id", "a"), ("x-trace-id", "b")], "c", "a"),
        ([("X-Trace-Id", "b")], "c", "b"),
        ([("x-request-id", "z")], "c", "c"),
        ([("request-id", "")], "c", "c"),
        ([("request-id", "")], None, None),
        ([], None, None),
    ],
)
def test_the_request_id(
    status_code: int, headers: list[tuple[str, str]], in_body: str | None, request_id: str | None
) -> None:
    """The header `request-id`, else `x-trace-id`, else the body's."""
    error = error_of(reply(status_code, {"detail": {"request_id": in_body}}, headers))

    assert request_id == error.request_id


@pytest.mark.promise(row=27)
@pytest.mark.parametrize("status_code", [429, 500, 503, 529])
@pytest.mark.parametrize(
    ("headers", "retry_after"),
    [
        ([("Retry-After", "3600")], 3600.0),
        ([("Retry-After", "1.5")], 1.5),
        ([("Retry-After", "inf")], math.inf),
        ([("Retry-After", "Tue, 24 Nov 2026 12:02:00 GMT")], 120.0),
        ([("Retry-After", "0")], None),
        ([("Retry-After", "soon")], None),
        ([], None),
    ],
)
def test_the_wait_that_the_api_named(
    status_code: int, headers: list[tuple[str, str]], retry_after: float | None
) -> None:
    """It is told in seconds, even if it was too long to wait."""
    error = error_of(reply(status_code, b"", headers))

    assert isinstance(error, RateLimitError | ServerError)
    assert retry_after == error.retry_after


# The key


@pytest.mark.promise(row=25)
@pytest.mark.parametrize("echo", [KEY, "sk/+=&", "sk%41?"], ids=["plain", "reserved characters", "a percent sign"])
def test_a_key_that_is_echoed(echo: str) -> None:
    """Promise 25: it is `***` in all that an error holds."""
    detail = [{"type": f"t {echo}", "loc": ["header", echo], "msg": f"bad key {echo}", "input": {echo: [echo]}}]
    headers = [("x-echo", f"key={echo}"), ("request-id", echo)]

    error = error_of(reply(422, {"detail": detail}, headers), url=f"{URL}?k={echo}", key=echo)

    assert isinstance(error, UnprocessableEntityError)
    assert error.raw_response is not None
    assert "bad key ***" == error.message
    assert (ValidationErrorItem(loc=("header", "***"), msg="bad key ***", type="t ***"),) == error.errors
    assert {"***": ["***"]} == error.body["detail"][0]["input"]
    assert "key=***" == error.raw_response.headers["x-echo"]
    assert f"{URL}?k=***" == error.raw_response.url
    assert "***" == error.request_id
    assert echo not in str(error)
    assert echo not in repr(vars(error))


@pytest.mark.promise(row=25)
@pytest.mark.parametrize(
    ("status_code", "body"), [(200, b"{}"), (302, b""), (400, b""), (401, {"detail": {"status": KEY, "code": KEY}})]
)
def test_a_key_in_the_name_of_a_header(status_code: int, body: Any) -> None:
    """A server may echo it anywhere."""
    error = error_of(reply(status_code, body, [(f"X-{KEY}", "1"), ("location", f"https://h/{KEY}")]))

    assert KEY not in repr(vars(error))
    assert KEY not in str(error)


def test_a_key_in_the_response_of_a_success() -> None:
    """There, too."""
    result = raw_answer_to(reply(200, GOOD, [("x-echo", KEY)]), url=f"{URL}?k={KEY}")

    assert "***" == result.raw_response.headers["x-echo"]
    assert f"{URL}?k=***" == result.raw_response.url


@pytest.mark.promise(row=25)
@pytest.mark.parametrize("field", ["code", "message", "status", "request_id"])
def test_a_key_in_a_field(field: str) -> None:
    """Whichever field of an error's object it stands in."""
    error = error_of(reply(401, {"detail": {field: KEY}}))

    assert KEY not in repr(vars(error))
    assert KEY not in str(error)
    assert {"detail": {field: "***"}} == error.body


def test_a_key_in_a_text_for_detail() -> None:
    """The text is the message."""
    assert "no *** here" == error_of(reply(400, {"detail": f"no {KEY} here"})).message


def test_the_word_that_decides_is_read_before_the_key_is_removed() -> None:
    """A key that happens to be that word does not change what is meant."""
    error = error_of(reply(401, {"detail": {"status": "missing_permissions"}}), key="missing_permissions")

    assert type(error) is PermissionDeniedError
    assert "***" == error.api_status


@pytest.mark.parametrize("depth", [1_200, 3_000])
def test_a_body_too_deep_to_scrub_is_left_out(depth: int) -> None:
    """One that was scrubbed in part could hold the key."""
    body = b'{"detail": ' + b"[" * depth + json.dumps(KEY).encode() + b"]" * depth + b"}"

    error = error_of(reply(400, body))

    assert type(error) is BadRequestError
    assert error.body is None


@pytest.mark.parametrize("depth", [10, 100, 300, 700, 900])
def test_an_error_with_a_deep_body_can_be_copied(depth: int) -> None:
    """Promise 45: a body that is kept is one that can be copied."""
    error = error_of(reply(429, b'{"detail": ' + nested(depth) + b"}", [("Retry-After", "3600")]))

    copies = [copy.copy(error), copy.deepcopy(error), pickled(error)]

    assert [(RateLimitError, 429, 3600.0)] * 3 == [
        (type(copied), copied.status_code, vars(copied)["retry_after"]) for copied in copies
    ]


# Texts

STATUS_TEXTS = [
    (400, "400 Bad Request", "see .message for what is wrong with the request"),
    (401, "401 Unauthorized", "check the API key: api_key=, or ELEVENLABS_API_KEY"),
    (402, "402 Payment Required", "the account needs credit, or another plan"),
    (403, "403 Forbidden", "give this API key the missing permission in the ElevenLabs dashboard"),
    (404, "404 Not Found", "check base_url"),
    (408, "408 Request Timeout", "see .message for what the API said"),
    (409, "409 Conflict", "see .message for what the API said"),
    (429, "429 Too Many Requests", "wait, then call less often or with fewer calls at once"),
    (500, "500 Internal Server Error", "the API has a problem: try again later"),
    (529, "529", "the API has a problem: try again later"),
]


@pytest.mark.parametrize(("status_code", "line", "advice"), STATUS_TEXTS)
def test_the_text_of_an_error_status(status_code: int, line: str, advice: str) -> None:
    """What happened, the API's word and name for it, and what to do next."""
    error = error_of(reply(status_code, {"detail": {"code": "a_code"}}, [("request-id", "r-1")]), retries_taken=2)

    assert f"{line} (a_code) from POST {PATH} after 3 attempts (request id r-1); {advice}" == str(error)


@pytest.mark.parametrize(
    ("status_code", "line"), [(429, "429 Too Many Requests"), (503, "503 Service Unavailable"), (529, "529")]
)
@pytest.mark.parametrize(("asked", "told"), [("3600", "3600 s"), ("1.5", "1.5 s"), ("1e400", "inf s")])
def test_the_text_tells_the_wait_that_the_api_named(status_code: int, line: str, asked: str, told: str) -> None:
    """Whoever reads a log learns when to come back."""
    error = error_of(reply(status_code, {"detail": {"code": "a_code"}}, [("Retry-After", asked)]))

    assert str(error).startswith(f"{line} (a_code, retry after {told}) from POST {PATH}; ")


def test_the_text_of_a_422() -> None:
    """Its phrase differs between versions of Python."""
    error = error_of(reply(422))

    assert str(error).startswith("422 Unprocessable ")
    advice = "see .errors for what is wrong; known token types: realtime_scribe, batch_scribe, tts_websocket"
    assert str(error).endswith(f" from POST {PATH}; {advice}")


@pytest.mark.parametrize(
    ("detail", "word"),
    [
        pytest.param({"status": "invalid_api_key", "code": "unauthorized"}, " (invalid_api_key)", id="status first"),
        pytest.param({"code": "unauthorized"}, " (unauthorized)", id="else the code"),
        pytest.param({"status": "w" * 40}, f" ({'w' * 40})", id="40 characters"),
        pytest.param({"status": "w" * 41}, "", id="41 characters"),
        pytest.param({"status": "two words"}, "", id="two words"),
        pytest.param({"status": "word\n"}, "", id="a line end"),
        pytest.param({"status": "<b>"}, "", id="HTML"),
        pytest.param({"status": "-x"}, "", id="a hyphen in front"),
        pytest.param({"status": "wört"}, "", id="not ASCII"),
        pytest.param({"message": "word"}, "", id="a message"),
        pytest.param({}, "", id="none"),
    ],
)
def test_the_word_in_a_text(detail: Any, word: str) -> None:
    """The API's word is shown if it is a plain one."""
    assert str(error_of(reply(404, {"detail": detail}))).startswith(f"404 Not Found{word} from POST ")


@pytest.mark.parametrize("request_id", ["a b", "r\n", "<r>", "r" * 41, "é", "-r", "***"])
def test_a_request_id_that_is_no_word(request_id: str) -> None:
    """It could be a piece of anything, so it is an attribute alone."""
    error = error_of(reply(404, b"", [("request-id", request_id)]))

    assert request_id == error.request_id
    assert "request id" not in str(error)


def test_a_text_shows_no_query() -> None:
    """A query may hold a credential."""
    assert "hunter2" not in str(error_of(reply(404), url=f"{URL}?k=hunter2"))


LONG_URL = f"https://h.example/{'p' * 500}/v1/single-use-token/{'t' * 64}"


@pytest.mark.parametrize("status_code", [200, 302, 400, 401, 402, 403, 404, 409, 422, 429, 500, 529, 999])
def test_a_text_is_short(status_code: int) -> None:
    """Under 300 characters, whatever comes together."""
    body = {"detail": {"status": "w" * 40, "message": "m" * 10_000}}
    outcome = reply(status_code, body, [("request-id", "r" * 40), ("x", "y" * 10_000)])

    text = str(error_of(outcome, url=LONG_URL, retries_taken=10))

    assert len(text) < 300
    assert f"{'t' * 64}" in text


@pytest.mark.parametrize(
    ("kind", "error_class", "text"),
    [
        (
            FailureKind.NOT_CONNECTED,
            ElevenLabsConnectionError,
            "could not connect to api.elevenlabs.io:443; check the network, base_url and proxy",
        ),
        (
            FailureKind.LOST,
            ElevenLabsConnectionError,
            "lost the connection to api.elevenlabs.io:443 before the reply was complete; try again later",
        ),
        (
            FailureKind.TIMED_OUT,
            ElevenLabsTimeoutError,
            (
                "no complete reply from api.elevenlabs.io:443 in 0.2 s; try again, or allow more time: "
                "timeout_in_seconds for the call, attempt_timeout_in_seconds for an attempt"
            ),
        ),
        (
            FailureKind.UNTRUSTED,
            ElevenLabsTLSError,
            (
                "TLS with api.elevenlabs.io:443 failed; check base_url; for a private certificate authority, set "
                "SSL_CERT_FILE or ssl=; keep verification on"
            ),
        ),
        (
            FailureKind.PROXY_REFUSED,
            ElevenLabsConnectionError,
            (
                "the proxy refused to connect to api.elevenlabs.io:443; check proxy= or HTTPS_PROXY, and the proxy's "
                "user and password"
            ),
        ),
        (
            FailureKind.MALFORMED,
            InvalidResponseError,
            "the answer from api.elevenlabs.io:443 is not HTTP; check base_url and proxy",
        ),
    ],
)
def test_failures(kind: FailureKind, error_class: type[ElevenLabsError], text: str) -> None:
    """Each kind has its class and its words, and names host and port."""
    error = error_of(Failure(kind))

    assert error_class is type(error)
    assert text == str(error)
    assert (None, None, None) == (error.status_code, error.raw_response, error.body)


def test_the_detail_of_a_failure() -> None:
    """What the system said stands in brackets, then how often it was tried."""
    error = error_of(Failure(FailureKind.NOT_CONNECTED, "connection refused"), retries_taken=2)

    assert str(error).startswith("could not connect to api.elevenlabs.io:443 (connection refused) after 3 attempts; ")


@pytest.mark.promise(row=33)
@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8765/v1", "127.0.0.1:8765"),
        ("http://h.example/v1", "h.example:80"),
        ("https://h.example/v1", "h.example:443"),
        ("https://h.example:0/v1", "h.example:0"),
        ("http://[::1]:8765/v1", "[::1]:8765"),
    ],
)
def test_the_address_in_a_text(url: str, address: str) -> None:
    """Host and port, as they could be typed again."""
    assert f"lost the connection to {address} before" in str(error_of(Failure(FailureKind.LOST), url=url))


@pytest.mark.parametrize("kind", FailureKind)
def test_the_text_of_a_failure_is_short(kind: FailureKind) -> None:
    """Under 300 characters, whatever the system said."""
    text = str(
        error_of(Failure(kind, "d" * 1000), url=f"https://{'h' * 63}.{'h' * 63}.example:65535/", retries_taken=10)
    )

    assert len(text) < 300


@pytest.mark.parametrize("kind", FailureKind)
def test_a_long_detail_leaves_room(kind: FailureKind) -> None:
    """What to do next is told in full."""
    _, _, advice = str(error_of(Failure(kind))).partition("; ")

    assert str(error_of(Failure(kind, "d" * 1000), retries_taken=10)).endswith(f" after 11 attempts; {advice}")


# Anything at all

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.just(KEY),
    lambda children: st.lists(children) | st.dictionaries(st.text() | st.sampled_from(["detail", "token"]), children),
)
DETAIL = st.dictionaries(st.sampled_from(["status", "code", "message", "request_id", "loc", "msg", "type"]), JSON)
BODIES = (
    st.none()
    | JSON.map(lambda document: json.dumps(document).encode())
    | JSON.map(lambda document: json.dumps({"token": document}).encode())
    | (DETAIL | st.lists(DETAIL)).map(lambda detail: json.dumps({"detail": detail}).encode())
)
STATUS_CODES = st.integers(100, 999) | st.sampled_from([200, 301, 400, 401, 422, 429, 503])


@pytest.mark.promise(row=19)
@settings(max_examples=2_000, deadline=None)
@given(STATUS_CODES, st.binary())
def test_arbitrary_bytes(status_code: int, body: bytes) -> None:
    """Promise 19: one of the package's errors, for hardly any bytes are a token."""
    result = deciphered(reply(status_code, body))

    kind = ElevenLabsStatusError if 400 <= status_code < 600 else InvalidResponseError
    assert isinstance(result, kind)
    assert 0 < len(str(result)) < 300


@pytest.mark.promise(row=19)
@settings(max_examples=200, deadline=None)
@given(STATUS_CODES, BODIES, st.lists(st.tuples(st.text(), st.text() | st.just(KEY))))
@example(200, b"[" * 65_536, [])
@example(200, b'{"a":' * 13_107, [])
@example(500, b'{"detail":"\\ud800"}', [("Retry-After", "\ud800")])
@example(200, b"-" + b"9" * 65_535, [("Content-Encoding", "")])
def test_anything_gives_a_token_or_one_of_the_errors(
    status_code: int, body: bytes | None, headers: list[tuple[str, str]]
) -> None:
    """Promise 19: no other exception comes out, and the key never."""
    result = deciphered(reply(status_code, body, headers))

    if isinstance(result, SingleUseTokenResponseModel):
        assert 200 <= status_code < 300
        assert 1 <= len(result.token) <= 4096
        assert datetime.fromtimestamp(exchange(reply()).sent_at + 900, UTC) == result.expires_at
        return
    assert isinstance(result, InvalidResponseError | ElevenLabsStatusError)
    assert (400 <= status_code < 600) is isinstance(result, ElevenLabsStatusError)
    assert 0 < len(str(result)) < 300
    assert str(result).isascii()
    assert KEY not in str(result)
    assert KEY not in repr(vars(result))


def test_the_moment_of_sending_counts() -> None:
    """A token lapses by the clock of the request, not of the reply."""
    model = structure_token("a", "wss://h", {"token": "x"}, 0.0)

    assert datetime(1970, 1, 1, 0, 15, tzinfo=UTC) == model.expires_at
