"""Promises 16 to 25: what a reply may hold, and what is made of it."""

import asyncio
import gzip
import json
import subprocess
import sys
import unicodedata
import zlib
from collections.abc import Mapping
from functools import cache
from itertools import repeat
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from elevenlabs_tokens import (
    AsyncElevenLabsClient,
    AuthenticationError,
    BadRequestError,
    ElevenLabsError,
    ElevenLabsStatusError,
    InvalidResponseError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    UnprocessableEntityError,
    ValidationErrorItem,
)
from frozen import KEY
from minting import mint
from scripted import TOKEN, Act, Pieces, Script, ScriptedApi, head, reply

pytestmark = pytest.mark.anyio

CAP = 64 * 1024
MIB = 1024 * 1024
JSON_TOKEN = json.dumps(TOKEN).encode()
NO_TOKEN = r"expected a string @ \$\.token"
NOT_JSON = "something other than JSON"


def row(number: int, *values: Any, id: str) -> Any:  # noqa: A002  # as pytest calls it
    """Give a line of a table, and the promise that it proves."""
    return pytest.param(*values, marks=pytest.mark.promise(row=number), id=id)


# Successes that are none


@pytest.mark.parametrize(
    ("status_code", "body", "fault"),
    [
        row(16, 200, b'{"token": null, "x": "hunter2"}', NO_TOKEN, id="null"),
        row(16, 200, b'{"token": 123, "x": "hunter2"}', NO_TOKEN, id="a number"),
        row(16, 200, b'{"token": "", "x": "hunter2"}', NO_TOKEN, id="an empty text"),
        row(16, 200, b'{"token": NaN}', NO_TOKEN, id="NaN"),
        row(16, 200, b'{"token": {"hunter2": 1}}', NO_TOKEN, id="an object"),
        row(16, 200, b'{"token": ["hunter2"]}', NO_TOKEN, id="an array"),
        row(16, 200, b'{"tokens": "hunter2"}', NO_TOKEN, id="no token"),
        row(16, 200, b"null", NO_TOKEN, id="body null"),
        row(16, 200, b"[]", NO_TOKEN, id="body []"),
        row(16, 200, b'"hunter2"', NO_TOKEN, id="body a text"),
        row(17, 200, b"<html>hunter2</html>", NOT_JSON, id="HTML"),
        row(17, 200, b'{"token": "hunter2"', NOT_JSON, id="broken JSON"),
        row(17, 200, b"", "nothing", id="nothing"),
        row(17, 204, b"", "nothing", id="204"),
        row(18, 200, b'{"token": "hunter2 \xff"}', NOT_JSON, id="bytes that are not UTF-8"),
        row(18, 200, b"[" * 32_000 + b"]" * 32_000, f"({NOT_JSON}|{NO_TOKEN})", id="32,000 arrays in one another"),
        row(18, 200, b'{"token": "hunter2", "x": ' + b"9" * 5_000 + b"}", NOT_JSON, id="a number of 5,000 digits"),
    ],
)
async def test_a_success_without_a_token(
    api: ScriptedApi, client: AsyncElevenLabsClient, status_code: int, body: bytes, fault: str
) -> None:
    """It is an error that says what was wrong, keeps the status and does not quote the reply."""
    api.replies += [reply(status_code, body, {"Request-Id": "r1"})]

    with pytest.raises(InvalidResponseError, match=f"^{fault} in the {status_code} reply to POST /v1/") as caught:
        await mint(client)

    error = caught.value
    assert (status_code, "r1", None, None) == (error.status_code, error.request_id, error.body, error.message)
    assert "hunter2" not in str(error)
    assert 1 == len(api.requests)


CONTROL_CHARACTERS = [chr(code) for code in range(sys.maxunicode) if unicodedata.category(chr(code)) == "Cc"]


@pytest.mark.promise(row=23)
async def test_a_token_that_no_header_or_url_could_carry(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """Control characters, halves of surrogate pairs, and more than 4,096 characters are refused."""
    tokens = [*(f"sutkn_{character}1" for character in CONTROL_CHARACTERS), "a\n", "\ud800", "\udfff1", "t" * 4097]
    for token in tokens:
        api.replies += [reply(200, {"token": token})]

        with pytest.raises(InvalidResponseError, match=f"^{NO_TOKEN} in the 200 reply"):
            await mint(client)

    assert 65 + 4 == len(api.requests)


@pytest.mark.promise(row=23)
@pytest.mark.parametrize("token", ["t", "t" * 4096, "\U0001f600"], ids=["one", "4,096", "a whole surrogate pair"])
async def test_a_token_as_long_as_may_be(api: ScriptedApi, client: AsyncElevenLabsClient, token: str) -> None:
    """It comes back as it is."""
    api.replies += [reply(200, {"token": token})]

    assert token == await mint(client)


@pytest.mark.promise(row=24)
async def test_fields_of_a_time_to_come(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """They are no fault."""
    api.replies += [reply(200, {"expires_at": 1, **TOKEN, "scope": {"x": [None]}})]

    assert TOKEN["token"] == await mint(client)


async def token_or_error(client: AsyncElevenLabsClient) -> str | ElevenLabsError:
    try:
        return await mint(client)
    except ElevenLabsError as error:
        return error


def spoiled(body: bytes, start: int, end: int, filling: bytes) -> bytes:
    """Replace a part of a good body."""
    return body[:start] + filling + body[end:]


GOOD = (JSON_TOKEN, b'{"detail": {"code": "c", "status": "s", "message": "m"}}', b'{"detail": [{"loc": ["a", 0]}]}')
PLACES = st.integers(0, 56)
FILLINGS = st.binary(max_size=8) | st.sampled_from(
    [b"null", b"1e400", b"\\ud800", b'"token":', b"[", b"{}", KEY.encode()]
)
BODIES = st.binary() | st.builds(spoiled, st.sampled_from(GOOD), PLACES, PLACES, FILLINGS)


@pytest.mark.promise(row=19)
@settings(max_examples=2_000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([200, 400, 422]), BODIES)
@example(200, b'{"token": "\\ud800"}')
@example(400, b'{"detail": [{"loc": 1e400, "msg": "\\udfff"}]}')
async def test_a_body_of_any_kind(
    api: ScriptedApi, client: AsyncElevenLabsClient, status_code: int, body: bytes
) -> None:
    """It is a token or one of the package's errors, and the connection that brought it serves the next call."""
    api.replies += [reply(status_code, body)]

    outcome = await token_or_error(client)

    if isinstance(outcome, str):
        assert (200, outcome) == (status_code, json.loads(body)["token"])
    else:
        assert isinstance(outcome, InvalidResponseError if status_code == 200 else ElevenLabsStatusError)
        assert len(str(outcome)) < 300
        assert KEY not in f"{outcome}{vars(outcome)}"
    assert 1 == api.connections


# Replies that are too large


@pytest.mark.promise(row=20)
async def test_as_much_as_is_read(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """64 KiB are, and not a byte more."""
    api.replies += [reply(200, JSON_TOKEN.ljust(CAP)), reply(200, JSON_TOKEN.ljust(CAP + 1))]

    assert TOKEN["token"] == await mint(client)
    with pytest.raises(InvalidResponseError, match=r"^more than 64 KiB in the 200 reply"):
        await mint(client)


@pytest.mark.promise(row=20)
async def test_a_byte_too_many_that_comes_late(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """A body that is cut at the cap is never taken for a whole one."""
    api.replies += [[head(200, {"Content-Length": CAP + 1}), Pieces([JSON_TOKEN.ljust(CAP), b" "], 0.1)]]

    with pytest.raises(InvalidResponseError, match=r"^more than 64 KiB in the 200 reply"):
        await mint(client)


@pytest.mark.promise(row=20)
@pytest.mark.parametrize("status_code", [200, 400])
async def test_the_rest_is_not_waited_for(
    api: ScriptedApi, either_client: AsyncElevenLabsClient, status_code: int
) -> None:
    """What is too large is refused when that is known, and its connection is closed."""
    start = head(status_code, {"Content-Length": 200 * MIB}) + JSON_TOKEN.ljust(CAP + 1)
    api.replies += [[start, Act.STALL]]
    began = monotonic()

    with pytest.raises(ElevenLabsError):
        await mint(either_client)

    assert monotonic() - began < 0.5
    assert await asyncio.to_thread(api.connection_closed.wait, 5)


MEASURE = """
import asyncio, json, sys, time
from pathlib import Path
from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsError

def peak_in_kib():
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])

async def call(client):
    began = time.monotonic()
    try:
        await client.tokens.single_use.create("realtime_scribe")
    except ElevenLabsError as error:
        return [type(error).__name__, error.status_code, len(str(error)), error.body, time.monotonic() - began]

async def main():
    async with AsyncElevenLabsClient(api_key="sk_1", base_url=sys.argv[1], max_retries=0) as client:
        await call(client)
        await call(client)
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before = peak_in_kib()
        outcome = await call(client)
        print(json.dumps([*outcome, (peak_in_kib() - before) / 1024]))

asyncio.run(main())
"""


@cache
def gzip_bomb(size_in_mib: int) -> bytes:
    """Compress so many zeros."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return b"".join([*(packer.compress(bytes(MIB)) for _ in range(size_in_mib)), packer.flush()])


def large(status_code: int, headers: Mapping[str, object]) -> Script:
    """Write a reply of 200 MiB that begins with a token."""
    return [head(status_code, headers), Pieces([JSON_TOKEN.ljust(CAP), *repeat(b" " * CAP, 3_199)]), Act.CLOSE]


LENGTH = {"Content-Length": 200 * MIB}
GZIP = {"Content-Encoding": "gzip"}


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells a process its peak of memory")
@pytest.mark.parametrize(
    ("script", "kind"),
    [
        row(20, large(200, LENGTH), "InvalidResponseError 200", id="200 MiB"),
        row(20, large(200, {}), "InvalidResponseError 200", id="200 MiB of no announced length"),
        row(21, reply(200, gzip_bomb(200), GZIP), "InvalidResponseError 200", id="gzip, 204 kB to 200 MiB"),
        row(21, reply(200, gzip_bomb(60), GZIP), "InvalidResponseError 200", id="gzip, 61 kB to 60 MiB"),
        row(22, large(400, LENGTH), "BadRequestError 400", id="400 with 200 MiB"),
        row(22, reply(400, gzip_bomb(60), GZIP), "BadRequestError 400", id="400 with gzip, 61 kB to 60 MiB"),
    ],
)
async def test_what_a_large_reply_costs(api: ScriptedApi, script: Script, kind: str) -> None:
    """Less than 5 MiB and half a second, in a process of its own."""
    api.replies += [reply(), reply(400, {}), script]

    run = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-P", "-c", MEASURE, api.base_url], capture_output=True, text=True, check=True
    )

    name, status_code, length, body, seconds, growth_in_mib = json.loads(run.stdout)
    assert kind == f"{name} {status_code}"
    assert seconds < 0.5
    assert growth_in_mib < 5
    assert length < 300
    assert body is None
    assert api.bytes_sent < 32 * MIB


@pytest.mark.promise(row=21)
@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", gzip.compress(JSON_TOKEN)), ("deflate", zlib.compress(JSON_TOKEN))],
    ids=["gzip", "deflate"],
)
async def test_a_compressed_reply(
    api: ScriptedApi, either_client: AsyncElevenLabsClient, encoding: str, body: bytes
) -> None:
    """Nobody asked for it, and nobody unpacks it."""
    api.replies += [reply(200, body, {"Content-Encoding": encoding})]

    with pytest.raises(InvalidResponseError, match=r"^compressed data, which was not asked for, in the 200 reply"):
        await mint(either_client)


# Errors that the API tells


ID = "0123456789abcdef0123456789abcdef"
NOT_PERMITTED = "The API key you used is missing the permission user_read to execute this operation."
ITEM = {"type": "enum", "loc": ["path", "token_type"], "msg": "Input should be ...", "input": "nope", "ctx": {"a": "b"}}
SHAPES = {
    "an object of today": (
        401,
        {
            "type": "authentication_error",
            "code": "unauthorized",
            "message": "Invalid API key",
            "status": "invalid_api_key",
            "request_id": ID,
        },
        (AuthenticationError, "unauthorized", "invalid_api_key", "Invalid API key", ID),
    ),
    "without a request id": (
        401,
        {
            "type": "authentication_error",
            "code": "unauthorized",
            "message": NOT_PERMITTED,
            "status": "missing_permissions",
        },
        (PermissionDeniedError, "unauthorized", "missing_permissions", NOT_PERMITTED, None),
    ),
    "with a link": (
        429,
        {
            "type": "rate_limit_error",
            "code": "concurrent_limit_exceeded",
            "message": "Too many concurrent requests. ...",
            "status": "too_many_concurrent_requests",
            "request_id": ID,
            "docs_url": "https://...",
        },
        (
            RateLimitError,
            "concurrent_limit_exceeded",
            "too_many_concurrent_requests",
            "Too many concurrent requests. ...",
            ID,
        ),
    ),
    "with a parameter": (
        400,
        {
            "type": "validation_error",
            "code": "invalid_parameters",
            "message": "Some text.",
            "status": "invalid_parameters",
            "request_id": ID,
            "param": "keyterms",
        },
        (BadRequestError, "invalid_parameters", "invalid_parameters", "Some text.", ID),
    ),
    "without a status": (
        400,
        {"type": "authentication_error", "code": "invalid_api_key", "message": "API key ID used as API key"},
        (BadRequestError, "invalid_api_key", None, "API key ID used as API key", None),
    ),
    "a legacy object": (
        401,
        {"status": "invalid_api_key", "message": "Invalid API key"},
        (AuthenticationError, "invalid_api_key", "invalid_api_key", "Invalid API key", None),
    ),
    "a legacy object of a permission": (
        401,
        {"status": "missing_permissions", "message": "Some text."},
        (PermissionDeniedError, "missing_permissions", "missing_permissions", "Some text.", None),
    ),
    "an array": (422, [ITEM], (UnprocessableEntityError, None, None, "Input should be ...", None)),
    "a text": (404, "Some text.", (NotFoundError, None, None, "Some text.", None)),
    "null": (404, None, (NotFoundError, None, None, None, None)),
}


@pytest.mark.promise(row=25)
@pytest.mark.parametrize(("status_code", "detail", "expected"), SHAPES.values(), ids=SHAPES)
async def test_an_error_of_every_shape(
    api: ScriptedApi, client: AsyncElevenLabsClient, status_code: int, detail: Any, expected: tuple[Any, ...]
) -> None:
    """What the API said stands in the attributes, as far as it said it, and its text is not in ours."""
    api.replies += [reply(status_code, {"detail": detail})] * 3

    with pytest.raises(ElevenLabsStatusError) as caught:
        await mint(client)

    error = caught.value
    assert expected == (type(error), error.code, error.api_status, error.message, error.request_id)
    assert (status_code, {"detail": detail}) == (error.status_code, error.body)
    assert str(error.message) not in str(error)


@pytest.mark.promise(row=25)
@pytest.mark.parametrize("body", [b"", b"<html>hunter2</html>"], ids=["nothing", "HTML"])
async def test_an_error_without_a_body(api: ScriptedApi, client: AsyncElevenLabsClient, body: bytes) -> None:
    """The status alone says what it is, and the headers which request it was."""
    api.replies += [reply(401, body, {"X-Trace-Id": ID})]

    with pytest.raises(AuthenticationError) as caught:
        await mint(client)

    error = caught.value
    assert (None, None, None, None, ID) == (error.code, error.api_status, error.message, error.body, error.request_id)
    assert "hunter2" not in str(error)


@pytest.mark.promise(row=25)
async def test_the_items_of_a_422(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """They are there one by one."""
    api.replies += [reply(422, {"detail": [ITEM, {**ITEM, "loc": ["body", 0]}]})]

    with pytest.raises(UnprocessableEntityError) as caught:
        await mint(client)

    kind, text = "enum", "Input should be ..."
    assert (
        ValidationErrorItem(loc=("path", "token_type"), msg=text, type=kind),
        ValidationErrorItem(loc=("body", 0), msg=text, type=kind),
    ) == caught.value.errors


@pytest.mark.promise(row=25)
async def test_a_key_that_is_echoed(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """Wherever it stands, `***` stands in its place."""
    item = {"type": f"t {KEY}", "loc": ["header", KEY], "msg": f"No such key: {KEY}", "input": {KEY: [KEY]}}
    api.replies += [reply(422, {"detail": [item]}, {"X-Echo": f"key={KEY}", "Request-Id": KEY})]

    with pytest.raises(UnprocessableEntityError) as caught:
        await mint(client, query_params={"key": KEY})

    error = caught.value
    masked = {"type": "t ***", "loc": ["header", "***"], "msg": "No such key: ***", "input": {"***": ["***"]}}
    assert ("No such key: ***", "***") == (error.message, error.request_id)
    assert {"detail": [masked]} == error.body
    assert (ValidationErrorItem(loc=("header", "***"), msg="No such key: ***", type="t ***"),) == error.errors
    assert error.raw_response is not None
    assert "key=***" == error.raw_response.headers["x-echo"]
    assert f"{api.base_url}/v1/single-use-token/realtime_scribe?key=***" == error.raw_response.url
    assert KEY not in f"{error}{error!r}{vars(error)}"
