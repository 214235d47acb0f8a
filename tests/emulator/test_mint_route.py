import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from elevenlabs_tokens.emulator import Emulator
from frontend import KEY_HEADER
from frozen import EPOCH_IN_SECONDS

pytestmark = pytest.mark.anyio


async def post(
    http: aiohttp.ClientSession,
    emulator: Emulator,
    token_type: str = "realtime_scribe",  # noqa: S107 - a type is no password
    headers: dict[str, str] = KEY_HEADER,
) -> tuple[int, Any, str]:
    """Mint, and give the status code, the document, and the request id of the headers."""
    url = f"{emulator.base_url}/v1/single-use-token/{token_type}"
    async with http.post(url, headers=headers) as response:
        assert "application/json" == response.content_type
        return response.status, await response.json(), response.headers["request-id"]


@pytest.mark.parametrize("token_type", ["realtime_scribe", "batch_scribe", "tts_websocket", "ttd_websocket"])
async def test_a_mint_gives_a_token(http: aiohttp.ClientSession, emulator: Emulator, token_type: str) -> None:
    """The reply holds the token and nothing else; the record holds everything but the token."""
    status, document, request_id = await post(http, emulator, token_type)

    (record,) = emulator.tokens
    minted_at = datetime.fromtimestamp(EPOCH_IN_SECONDS, UTC)
    assert (200, ["token"]) == (status, list(document))
    assert document["token"].startswith("sutkn_emulator_")
    assert request_id
    assert (token_type, "fresh", None) == (record.token_type, record.state, record.spent_at)
    assert (minted_at, minted_at + timedelta(seconds=900)) == (record.minted_at, record.expires_at)


async def test_an_unknown_type_is_answered_as_fastapi_does(http: aiohttp.ClientSession, emulator: Emulator) -> None:
    """The 422 is an array that names the place, the value and what would be accepted; no key is needed."""
    status, document, _ = await post(http, emulator, "nope", headers={})

    expected = "'realtime_scribe', 'batch_scribe', 'tts_websocket' or 'ttd_websocket'"
    item = {
        "type": "enum",
        "loc": ["path", "token_type"],
        "msg": f"Input should be {expected}",
        "input": "nope",
        "ctx": {"expected": expected},
    }
    assert (422, {"detail": [item]}) == (status, document)
    assert () == emulator.tokens


@pytest.mark.parametrize(
    ("headers", "status", "message"),
    [
        ({}, "needs_authorization", "Neither authorization header nor xi-api-key received, please provide one."),
        ({"xi-api-key": ""}, "needs_authorization", "Neither authorization header nor xi-api-key received"),
        ({"xi-api-key": "sk_bad"}, "invalid_api_key", "Invalid API key"),
        ({"Authorization": "Bearer sk"}, "invalid_authorization_header", "Provided authorization header was invalid."),
    ],
)
async def test_without_a_good_key_it_is_401(
    http: aiohttp.ClientSession, emulator: Emulator, headers: dict[str, str], status: str, message: str
) -> None:
    """The error object says why, and repeats the request id of the headers."""
    http_status, document, request_id = await post(http, emulator, headers=headers)

    detail = document["detail"]
    assert detail.pop("message").startswith(message)
    assert {
        "type": "authentication_error",
        "code": "unauthorized",
        "status": status,
        "request_id": request_id,
    } == detail
    assert 401 == http_status
    assert () == emulator.tokens


async def test_any_key_is_accepted_by_default(http: aiohttp.ClientSession) -> None:
    """But one must be sent."""
    async with Emulator() as emulator:
        assert 401 == (await post(http, emulator, headers={}))[0]
        assert 200 == (await post(http, emulator, headers={"xi-api-key": "anything"}))[0]


@pytest.mark.parametrize(("method", "path", "expected"), [("GET", "single-use-token/x", 405), ("POST", "other", 404)])
async def test_other_requests_get_error_objects(
    http: aiohttp.ClientSession, emulator: Emulator, method: str, path: str, expected: int
) -> None:
    """If no route takes the request, the reply is still an error object."""
    async with http.request(method, f"{emulator.base_url}/v1/{path}") as response:
        document = await response.json()

    assert expected == response.status
    assert response.headers["request-id"] == document["detail"]["request_id"]


async def test_the_next_mints_fail_and_then_no_more(http: aiohttp.ClientSession, emulator: Emulator) -> None:
    """Each call's faults come as often as it says, in the order of the calls, with the API's usual error objects."""
    emulator.fail_next(2, status=429)
    emulator.fail_next(status=500)

    replies = [await post(http, emulator) for _ in range(4)]

    assert [429, 429, 500, 200] == [status for status, _, _ in replies]
    _, document, request_id = replies[0]
    assert "too_many_concurrent_requests" == document["detail"]["status"]
    assert request_id == document["detail"]["request_id"]
    assert 1 == len(emulator.tokens)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, (503, "application/json", dict)),
        ({"headers": {"Retry-After": "3", "Request-Id": "mine"}}, (503, "application/json", dict)),
        ({"status": 422}, (422, "application/json", list)),
        ({"status": 307, "headers": {"Location": "/elsewhere"}}, (307, "application/json", b"")),
        ({"status": 500, "body": b"\xff"}, (500, "application/octet-stream", b"\xff")),
        ({"status": 200, "headers": {"content-type": "text/html"}, "body": "x"}, (200, "text/html", b"x")),
    ],
)
async def test_a_planned_reply_is_sent_as_planned(
    http: aiohttp.ClientSession, emulator: Emulator, arguments: dict[str, Any], expected: tuple[int, str, object]
) -> None:
    """It needs no key, and its headers replace the usual ones. Without a body, only an error has one: the API's."""
    emulator.fail_next(**arguments)

    url = f"{emulator.base_url}/v1/single-use-token/realtime_scribe"
    async with http.post(url, allow_redirects=False) as response:
        body = await response.read()

    status, content_type, planned = expected
    assert (status, content_type) == (response.status, response.content_type)
    assert planned == (type(json.loads(body)["detail"]) if isinstance(planned, type) else body)
    for name, value in arguments.get("headers", {}).items():
        assert [value] == response.headers.getall(name)


@pytest.mark.timed
async def test_a_delay_makes_the_good_reply_late(http: aiohttp.ClientSession, emulator: Emulator) -> None:
    """The token comes after 0.2 s, and not before."""
    emulator.fail_next(delay_in_seconds=0.2)
    started_at = time.monotonic()

    status, document, _ = await post(http, emulator)

    assert time.monotonic() - started_at >= 0.2
    assert (200, ["token"]) == (status, list(document))


@pytest.mark.timed
async def test_a_late_token_is_minted_on_time(http: aiohttp.ClientSession) -> None:
    """It is minted before the reply; an emulator that stops in between does not wait, and cuts the client off."""
    minted = asyncio.Event()

    def clock() -> float:
        minted.set()
        return 0.0

    async with Emulator(clock=clock) as emulator:
        emulator.fail_next(delay_in_seconds=60)
        late = asyncio.create_task(post(http, emulator))
        await asyncio.wait_for(minted.wait(), 5)

        assert ["fresh"] == [record.state for record in emulator.tokens]
        stops_at = time.monotonic()
    assert time.monotonic() - stops_at < 3
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await late


@pytest.mark.parametrize("arguments", [{}, {"delay_in_seconds": 0.01}])
async def test_a_disconnect_gives_no_reply(
    http: aiohttp.ClientSession, emulator: Emulator, arguments: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The connection is lost, no token is minted, nothing is logged, and the next mint succeeds."""
    emulator.fail_next(disconnect=True, **arguments)

    with pytest.raises(aiohttp.ServerDisconnectedError):
        await post(http, emulator)

    assert () == emulator.tokens
    assert 200 == (await post(http, emulator))[0]
    assert [] == [record for record in caplog.records if record.name.startswith("aiohttp")]
