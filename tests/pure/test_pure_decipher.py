"""Replies that should bring a token: which ones do, and what is wrong with the others."""

import json
import re
from datetime import UTC, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from elevenlabs_tokens._http.decipher import request_id_of, with_raw_response
from elevenlabs_tokens.exceptions import ElevenLabsStatusError, InvalidResponseError
from elevenlabs_tokens.models import SingleUseTokenResponseModel
from elevenlabs_tokens.responses import Headers, RawResponse, WithRawResponse
from pure.samples import KEY, NOW, PATH, TOKEN, URL, Pairs, deciphered, error_of, exchange, model_of, nested, reply

GOOD = {"token": TOKEN}


def test_a_token() -> None:
    """It expires 900 s after its request was sent, which was a quarter of a second before now."""
    model = model_of(reply(200, GOOD))

    expected = SingleUseTokenResponseModel(
        token=TOKEN,
        token_type="realtime_scribe",
        expires_at=NOW + timedelta(seconds=899.75),
        websocket_base_url="wss://api.elevenlabs.io",
    )
    assert expected == model
    assert UTC == model.expires_at.tzinfo


@pytest.mark.parametrize(
    ("status_code", "content_type"),
    [(200, "application/json"), (201, "text/html"), (206, "application/octet-stream"), (299, "")],
)
def test_any_2xx_with_a_token(status_code: int, content_type: str) -> None:
    """It is a success, whatever its content type."""
    assert TOKEN == model_of(reply(status_code, GOOD, [("Content-Type", content_type)])).token


@pytest.mark.promise(row=23)
@pytest.mark.promise(row=24)
@pytest.mark.parametrize(
    ("body", "token"),
    [
        pytest.param({"token": TOKEN, "expires_at": 1, "x": {"y": [None]}}, TOKEN, id="extra fields"),
        pytest.param({"token": "x"}, "x", id="one character"),
        pytest.param({"token": "x" * 4096}, "x" * 4096, id="4,096 characters"),
        pytest.param({"token": "t\u00e9\U0001f600 \u2028/"}, "t\u00e9\U0001f600 \u2028/", id="odd characters"),
        pytest.param(b'{"token": "\\ud83d\\ude00"}', "\U0001f600", id="a whole surrogate pair"),
        pytest.param(b' \r\n\t{"token":"a"}\n', "a", id="white space around"),
        pytest.param(b'{"token": null, "token": "b"}', "b", id="the last of two"),
        pytest.param(b'{"token": "a", "x": NaN}', "a", id="NaN in an extra field"),
    ],
)
def test_what_is_a_token(body: Any, token: str) -> None:
    """A string of up to 4,096 characters; other fields are ignored."""
    assert token == model_of(reply(200, body)).token


def test_a_token_with_its_raw_response() -> None:
    """The response is complete, and the key in it is masked."""
    outcome = reply(201, GOOD, [("Request-Id", "r1"), ("x-echo", KEY)])

    result = with_raw_response(model_of(outcome), exchange(outcome, url=f"{URL}?k={KEY}", retries_taken=2))

    expected = RawResponse(
        status_code=201,
        headers=Headers([("Request-Id", "r1"), ("x-echo", "***")]),
        url=f"{URL}?k=***",
        request_id="r1",
        retries_taken=2,
        elapsed_in_seconds=0.25,
    )
    assert isinstance(result, WithRawResponse)
    assert (TOKEN, expected) == (result.data.token, result.raw_response)


@pytest.mark.parametrize(
    ("headers", "request_id"),
    [
        ([("request-id", "r1"), ("x-trace-id", "t1")], "r1"),
        ([("x-trace-id", "t1")], "t1"),
        ([("request-id", f"r-{KEY}")], "r-***"),
        ([("request-id", "")], None),
        ([], None),
    ],
)
def test_the_request_id_of_a_token(headers: Pairs, request_id: str | None) -> None:
    """It is the same with the raw response and without it."""
    outcome = exchange(reply(200, GOOD, headers))

    assert request_id == request_id_of(outcome)
    assert request_id == with_raw_response(None, outcome).raw_response.request_id


NO_TOKEN = "expected a string @ $.token"
NOT_JSON = "something other than JSON"
COMPRESSED = "compressed data, which was not asked for,"
UNKNOWN = "an unknown status"


def case(row: int, fault: str, body: Any, status_code: int = 200, headers: Pairs = (), *, id: str = "") -> Any:  # noqa: A002  # as pytest calls it
    """Make a line of the table below."""
    return pytest.param(status_code, body, headers, fault, marks=pytest.mark.promise(row=row), id=id or str(body))


@pytest.mark.parametrize(
    ("status_code", "body", "headers", "fault"),
    [
        case(16, NO_TOKEN, b'{"token": null, "x": "hunter2"}'),
        case(16, NO_TOKEN, b'{"token": 123}'),
        case(16, NO_TOKEN, b'{"token": true}'),
        case(16, NO_TOKEN, b'{"token": ["hunter2"]}'),
        case(16, NO_TOKEN, b'{"token": {"token": "hunter2"}}'),
        case(16, NO_TOKEN, b'{"token": ""}'),
        case(16, NO_TOKEN, b'{"token": NaN}'),
        case(16, NO_TOKEN, b"{}"),
        case(16, NO_TOKEN, b'{"Token": "hunter2"}'),
        case(16, NO_TOKEN, b"[]"),
        case(16, NO_TOKEN, b'[{"token": "hunter2"}]'),
        case(16, NO_TOKEN, b"null"),
        case(16, NO_TOKEN, b'"token"'),
        case(16, NO_TOKEN, b"1"),
        case(16, NO_TOKEN, b"true"),
        *(
            case(23, NO_TOKEN, {"token": f"x{chr(code)}y"}, id=f"control character {code:#04x}")
            for code in (*range(0x20), *range(0x7F, 0xA0))
        ),
        case(23, NO_TOKEN, {"token": "x\n"}, id="a line feed at the end"),
        case(23, NO_TOKEN, b'{"token": "\\ud800"}', id="the first half of a surrogate pair"),
        case(23, NO_TOKEN, b'{"token": "\\udfffx"}', id="the second half of a surrogate pair"),
        case(23, NO_TOKEN, {"token": "x" * 4097}, id="4,097 characters"),
        case(17, NOT_JSON, b"<html>hunter2</html>", id="HTML"),
        case(17, NOT_JSON, b'{"token": "hunter2"', id="broken JSON"),
        case(17, NOT_JSON, b'X{"token": "hunter2"}X', id="letters around JSON"),
        case(17, NOT_JSON, b'{"token": "hunter2"}}', id="JSON and more"),
        case(17, NOT_JSON, '\u00a0{"token": "a"}'.encode(), id="a no-break space before JSON"),
        case(17, NOT_JSON, b" ", id="a space"),
        case(17, "nothing", b"", id="nothing"),
        case(17, "nothing", b"", 204, id="204"),
        case(18, NOT_JSON, b'{"token": "hunter2\xff"}', id="bytes that are not UTF-8"),
        case(18, NOT_JSON, '{"token": "x"}'.encode("utf-16"), id="UTF-16"),
        case(18, NOT_JSON, b'\xef\xbb\xbf{"token": "x"}', id="a byte order mark"),
        case(18, NOT_JSON, b'{"token": "\xed\xa0\x80"}', id="an encoded surrogate"),
        case(18, NOT_JSON, b'{"a":' * 10_000, id="10,000 objects"),
        case(18, NOT_JSON, b'{"a":' + b"9" * 5000 + b"}", id="5,000 digits"),
        case(20, "more than 64 KiB", None, id="over the cap"),
        case(21, COMPRESSED, b"\x1f\x8b", 200, [("Content-Encoding", "gzip")], id="gzip"),
        case(21, COMPRESSED, b"\x1f\x8b", 200, [("content-encoding", "BR")], id="Brotli"),
        case(17, NOT_JSON, b"x", 200, [("Content-Encoding", " Identity")], id="not compressed"),
        case(12, "a redirect", GOOD, 300, id="300 with a token"),
        case(12, "a redirect", b"", 307, [("Location", "https://hunter2")], id="307"),
        case(12, "a redirect", None, 399, id="399 over the cap"),
        case(15, UNKNOWN, b"", 101, id="101"),
        case(15, UNKNOWN, GOOD, 199, id="199 with a token"),
        case(15, UNKNOWN, GOOD, 600, id="600 with a token"),
        case(15, UNKNOWN, b"", 999, id="999"),
    ],
)
def test_what_brings_no_token(status_code: int, body: Any, headers: Pairs, fault: str) -> None:
    """One error for all of these says what was wrong, keeps the status and does not quote the reply."""
    error = error_of(reply(status_code, body, [*headers, ("request-id", "r1")]))

    assert type(error) is InvalidResponseError
    assert str(error).startswith(f"{fault} in the {status_code} reply to POST {PATH} (request id r1); ")
    assert "hunter2" not in str(error)
    assert (status_code, "r1") == (error.status_code, error.request_id)
    assert (None, None, None, None) == (error.body, error.message, error.code, error.api_status)
    assert (None, None) == (error.__cause__, error.__context__)


@pytest.mark.promise(row=18)
def test_arrays_nested_32_000_deep() -> None:
    """From Python 3.14 on, `json` can read them; they hold no token."""
    error = error_of(reply(200, nested(32_000)))

    assert type(error) is InvalidResponseError
    assert re.match(rf"({NOT_JSON}|{re.escape(NO_TOKEN)}) in the 200 reply", str(error))


# Any reply at all


def spoiled(body: bytes, start: int, end: int, filling: bytes) -> bytes:
    """Replace a part of a good body."""
    return body[:start] + filling + body[end:]


STATUS_CODES = st.sampled_from([200, 301, 400, 401, 422, 429, 503]) | st.integers(100, 999)
GOOD_BODIES = (
    json.dumps(GOOD).encode(),
    b'{"detail": {"code": "c", "status": "s", "message": "m"}}',
    b'{"detail": [{"loc": ["a", 0]}]}',
)
PLACES = st.integers(0, 56)
FILLINGS = st.sampled_from([b"null", b"1e400", b"\\ud800", b'"token":', b"[", b"{}", KEY.encode()])
SPOILED = st.builds(spoiled, st.sampled_from(GOOD_BODIES), PLACES, PLACES, FILLINGS | st.binary(max_size=8))

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.just(KEY),
    lambda children: st.lists(children) | st.dictionaries(st.text() | st.sampled_from(["detail", "token"]), children),
    max_leaves=10,
)
DETAIL = st.dictionaries(st.sampled_from(["status", "code", "message", "request_id", "loc", "msg", "type"]), JSON)
DOCUMENTS = (
    JSON
    | JSON.map(lambda document: {"token": document})
    | (DETAIL | st.lists(DETAIL)).map(lambda detail: {"detail": detail})
).map(lambda document: json.dumps(document).encode())
HEADERS = st.lists(st.tuples(st.text(), st.text() | st.just(KEY)))


def check(status_code: int, body: bytes | None, headers: Pairs = ()) -> None:
    """Expect a token or one of the package's errors, and the key in neither."""
    result = deciphered(reply(status_code, body, headers))

    if isinstance(result, SingleUseTokenResponseModel):
        assert 200 <= status_code < 300
        assert json.loads(body or b"")["token"] == result.token
        return
    assert isinstance(result, ElevenLabsStatusError if 400 <= status_code < 600 else InvalidResponseError)
    assert 0 < len(str(result)) < 300
    assert str(result).isascii()
    assert KEY not in f"{result}{vars(result)}"


@pytest.mark.promise(row=19)
@settings(max_examples=2_000, deadline=None)
@given(STATUS_CODES, st.binary() | SPOILED)
@example(200, b"[" * 65_536)
@example(200, b'{"a":' * 13_107)
@example(200, b"-" + b"9" * 65_535)
@example(400, b'{"detail": [{"loc": 1e400, "msg": "\\udfff"}]}')
def test_any_bytes(status_code: int, body: bytes) -> None:
    """No other exception comes out, and the key never does."""
    check(status_code, body)


@pytest.mark.promise(row=19)
@settings(max_examples=200, deadline=None)
@given(STATUS_CODES, DOCUMENTS | st.none(), HEADERS)
@example(500, b'{"detail":"\\ud800"}', [("Retry-After", "\ud800"), ("Content-Encoding", "")])
def test_any_json_and_any_headers(status_code: int, body: bytes | None, headers: list[tuple[str, str]]) -> None:
    """Nor from JSON of any shape."""
    check(status_code, body, headers)
