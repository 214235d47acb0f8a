import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from elevenlabs_tokens.emulator import Emulator

pytestmark = pytest.mark.anyio

KEY = {"xi-api-key": "sk_good"}


async def post(
    http: aiohttp.ClientSession,
    emulator: Emulator,
    kind: str = "realtime_scribe",
    headers: dict[str, str] = KEY,
) -> tuple[int, Any, str]:
    """Mint, and give the status code, the document, and the request id of the headers."""
    url = f"{emulator.base_url}/v1/single-use-token/{kind}"
    async with http.post(url, headers=headers) as response:
        assert "application/json" == response.content_type
        return response.status, json.loads(await response.read()), response.headers["request-id"]


@pytest.mark.parametrize("token_type", ["realtime_scribe", "batch_scribe", "tts_websocket", "ttd_websocket"])
async def test_a_mint_gives_a_token(
    http: aiohttp.ClientSession, emulator: Emulator, clock: SimpleNamespace, token_type: str
) -> None:
    """The reply holds the token and nothing else; the ledger holds all but the token."""
    status, document, request_id = await post(http, emulator, token_type)

    (record,) = emulator.tokens
    minted_at = datetime.fromtimestamp(clock.now, UTC)
    assert (200, ["token"]) == (status, list(document))
    assert document["token"].startswith("sutkn_emulator_")
    assert request_id
    assert (token_type, "fresh", None) == (record.token_type, record.state, record.spent_at)
    assert (minted_at, minted_at + timedelta(seconds=900)) == (record.minted_at, record.expires_at)


async def test_an_unknown_type_is_422(http: aiohttp.ClientSession, emulator: Emulator) -> None:
    """In the array shape, and without a token."""
    status, document, _ = await post(http, emulator, "nope")

    assert 422 == status
    assert [("enum", "nope")] == [(item["type"], item["input"]) for item in document["detail"]]
    assert () == emulator.tokens


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, "needs_authorization"),
        ({"xi-api-key": "sk_bad"}, "invalid_api_key"),
        ({"Authorization": "Bearer sk_good"}, "invalid_authorization_header"),
    ],
)
async def test_without_a_good_key_it_is_401(
    http: aiohttp.ClientSession, emulator: Emulator, headers: dict[str, str], status: str
) -> None:
    """The error object says why in its `status`, and repeats the request id of the headers."""
    http_status, document, request_id = await post(http, emulator, headers=headers)

    detail = document["detail"]
    assert (401, "unauthorized", status) == (http_status, detail["code"], detail["status"])
    assert ["type", "code", "message", "status", "request_id"] == list(detail)
    assert request_id == detail["request_id"]
    assert () == emulator.tokens


async def test_any_key_will_do_by_default(http: aiohttp.ClientSession) -> None:
    """Without `api_keys`, a key must be sent, whichever it is."""
    async with Emulator() as emulator:
        assert 401 == (await post(http, emulator, headers={}))[0]
        assert 200 == (await post(http, emulator, headers={"xi-api-key": "anything"}))[0]


@pytest.mark.parametrize(("method", "path", "expected"), [("GET", "single-use-token/x", 405), ("POST", "other", 404)])
async def test_other_requests_get_error_objects(
    http: aiohttp.ClientSession, emulator: Emulator, method: str, path: str, expected: int
) -> None:
    """Where no route takes the request, the reply is an error object all the same."""
    async with http.request(method, f"{emulator.base_url}/v1/{path}") as response:
        document = await response.json()

    assert expected == response.status
    assert response.headers["request-id"] == document["detail"]["request_id"]


async def test_the_next_mints_fail_and_then_no_more(http: aiohttp.ClientSession, emulator: Emulator) -> None:
    """Two failures, with the error object that goes with the status, then a token."""
    emulator.fail_next(2, status=429)

    replies = [await post(http, emulator) for _ in range(3)]

    assert [429, 429, 200] == [status for status, _, _ in replies]
    _, document, request_id = replies[0]
    assert "too_many_concurrent_requests" == document["detail"]["status"]
    assert request_id == document["detail"]["request_id"]
    assert 1 == len(emulator.tokens)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, (503, "application/json", None)),
        ({"status": 422}, (422, "application/json", None)),
        ({"status": 200, "body": {"token": None}}, (200, "application/json", b'{"token": null}')),
        ({"status": 400, "body": ["a"]}, (400, "application/json", b'["a"]')),
        ({"status": 502, "body": "<h1>Bad</h1>"}, (502, "text/plain", b"<h1>Bad</h1>")),
        ({"status": 500, "body": b"\xff\x00"}, (500, "application/octet-stream", b"\xff\x00")),
        ({"status": 200, "headers": {"content-type": "text/html"}, "body": "x"}, (200, "text/html", b"x")),
    ],
)
async def test_a_planned_reply_is_sent_as_planned(
    http: aiohttp.ClientSession, emulator: Emulator, arguments: dict[str, Any], expected: tuple[int, str, bytes | None]
) -> None:
    """Status, content type and body are the planned ones; no key is asked for."""
    emulator.fail_next(**arguments)

    async with http.post(f"{emulator.base_url}/v1/single-use-token/realtime_scribe") as response:
        body = await response.read()

    status, content_type, planned = expected
    assert (status, content_type) == (response.status, response.content_type)
    if planned is None:
        assert {503: dict, 422: list}[status] is type(json.loads(body)["detail"])
    else:
        assert planned == body


async def test_planned_headers_go_over_the_usual_ones(http: aiohttp.ClientSession, emulator: Emulator) -> None:
    """A header of one's own is added, a usual one replaced, whatever its case."""
    emulator.fail_next(headers={"Retry-After": "3", "Request-Id": "mine"})

    async with http.post(f"{emulator.base_url}/v1/single-use-token/realtime_scribe") as response:
        headers = response.headers

    assert ("3", ["mine"]) == (headers["Retry-After"], headers.getall("request-id"))


async def test_a_redirect_has_no_error_object(http: aiohttp.ClientSession, emulator: Emulator) -> None:
    """A status that is no error, planned without a body, has none."""
    emulator.fail_next(status=307, headers={"Location": "/elsewhere"})

    url = f"{emulator.base_url}/v1/single-use-token/realtime_scribe"
    async with http.post(url, allow_redirects=False) as response:
        assert (307, b"") == (response.status, await response.read())


async def test_a_delay_makes_the_good_reply_late(http: aiohttp.ClientSession, emulator: Emulator) -> None:
    """The token comes after 0.2 s, and not before."""
    emulator.fail_next(delay_in_seconds=0.2)
    started_at = time.monotonic()

    status, document, _ = await post(http, emulator)

    assert time.monotonic() - started_at >= 0.2
    assert (200, ["token"]) == (status, list(document))


async def test_a_token_that_comes_late_is_minted_on_time(http: aiohttp.ClientSession) -> None:
    """A client that does not wait for the reply leaves a spare token behind."""
    minted = asyncio.Event()

    def clock() -> float:
        minted.set()
        return 0.0

    async with Emulator(clock=clock) as emulator:
        emulator.fail_next(delay_in_seconds=60)
        waiting = asyncio.create_task(post(http, emulator))
        await asyncio.wait_for(minted.wait(), 5)
        waiting.cancel()

        assert ["fresh"] == [record.state for record in emulator.tokens]


@pytest.mark.parametrize("arguments", [{}, {"delay_in_seconds": 0.01}])
async def test_a_disconnect_gives_no_reply(
    http: aiohttp.ClientSession, emulator: Emulator, arguments: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The connection is lost, no token is minted, nothing is logged, and the next mint is well."""
    emulator.fail_next(disconnect=True, **arguments)

    with pytest.raises(aiohttp.ServerDisconnectedError):
        await post(http, emulator)

    assert () == emulator.tokens
    assert 200 == (await post(http, emulator))[0]
    assert [] == [record for record in caplog.records if record.name.startswith("aiohttp")]


async def test_bad_arguments_of_a_fault_are_refused(emulator: Emulator) -> None:
    """At the call, not at the next mint."""
    with pytest.raises(ValueError, match="status must be"):
        emulator.fail_next(status=42)
    with pytest.raises(ValueError, match="times must be"):
        emulator.fail_next(0)
