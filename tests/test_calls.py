"""One call over a real socket: what it sends, what it gives, and where its key comes from."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from elevenlabs_tokens import (
    AsyncElevenLabsClient,
    ElevenLabsTimeoutError,
    RequestOptions,
    SingleUseTokenType,
    __version__,
)
from frozen import EPOCH_IN_SECONDS, KEY, FrozenTime
from minting import mint, mint_once
from scripted import Act, ScriptedApi, reply

pytestmark = pytest.mark.anyio


@pytest.mark.promise(row=41)
async def test_the_request_byte_for_byte(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """It is a POST without a body, with the key in a header of its own, and nothing more than is needed."""
    await mint(client)

    expected = (
        "POST /v1/single-use-token/realtime_scribe HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{api.port}\r\n"
        f"User-Agent: elevenlabs-tokens/{__version__}\r\n"
        "Accept: application/json\r\n"
        "Accept-Encoding: identity\r\n"
        f"xi-api-key: {KEY}\r\n"
        "Content-Length: 0\r\n"
        "Content-Type: application/octet-stream\r\n"
        "\r\n"
    )
    assert [expected.encode()] == api.requests


@pytest.mark.promise(row=38)
@pytest.mark.parametrize("token_type", [*SingleUseTokenType, "ttd_websocket", "a_future_type"])
async def test_every_type_has_its_path(api: ScriptedApi, client: AsyncElevenLabsClient, token_type: str) -> None:
    """A type that this version does not know is sent as it is; the token carries its type and its host."""
    token = await client.tokens.single_use.create(token_type)

    assert f"POST /v1/single-use-token/{token_type} HTTP/1.1" == api.requests[0].split(b"\r\n")[0].decode()
    assert ("sutkn_1234567890", token_type) == (token.token, token.token_type)
    assert f"ws://127.0.0.1:{api.port}" == token.websocket_base_url


async def test_the_raw_response(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """It describes the last attempt, and the token expires 900 s after that attempt was sent."""
    api.replies += [reply(500, {}), reply(headers={"Request-Id": "req1", "X-Region": "europe-west4"})]

    answer = await client.tokens.single_use.with_raw_response.create("realtime_scribe")

    raw = answer.raw_response
    assert "sutkn_1234567890" == answer.data.token
    assert datetime.fromtimestamp(EPOCH_IN_SECONDS + 0.5 + 900, UTC) == answer.data.expires_at
    assert (200, "req1", 1, 0.5) == (raw.status_code, raw.request_id, raw.retries_taken, raw.elapsed_in_seconds)
    assert "europe-west4" == raw.headers["x-region"] == raw.headers["X-REGION"]
    assert f"{api.base_url}/v1/single-use-token/realtime_scribe" == raw.url


HEADERS = {"X-Trace": "t1"}
QUERY: Mapping[str, Any] = {"a": [1, 2], "b": True, "c": "/:~+"}


@pytest.mark.parametrize(
    "options",
    [
        RequestOptions(api_key="sk_other", headers=HEADERS, query_params=QUERY),
        {"api_key": "sk_other", "headers": HEADERS, "query_params": QUERY},
        {"api_key": "sk_other", "additional_headers": HEADERS, "additional_query_parameters": QUERY},
    ],
    ids=["an object", "a mapping", "the names of the vendor's SDK"],
)
async def test_options_of_one_call(api: ScriptedApi, client: AsyncElevenLabsClient, options: Any) -> None:
    """Its key, headers and query are sent with it, and with no other call."""
    await client.tokens.single_use.create("realtime_scribe", request_options=options)
    await mint(client)

    assert b"POST /v1/single-use-token/realtime_scribe?a=1&a=2&b=true&c=%2F%3A~%2B HTTP/1.1" in api.requests[0]
    assert b"\r\nxi-api-key: sk_other\r\n" in api.requests[0]
    assert b"\r\nx-trace: t1\r\n" in api.requests[0]
    assert b"realtime_scribe HTTP/1.1" in api.requests[1]
    assert f"\r\nxi-api-key: {KEY}\r\n".encode() in api.requests[1]
    assert b"x-trace" not in api.requests[1]


async def test_a_default_header_can_be_removed(api: ScriptedApi) -> None:
    """None removes a header of the client, of the package or of aiohttp."""
    async with AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, headers={"X-Team": "speech"}) as client:
        await mint(client, headers={"x-team": None, "USER-AGENT": None, "Content-Type": None, "accept": None})
        await mint(client)

    for name in (b"x-team", b"user-agent", b"content-type"):
        assert name not in api.requests[0].lower()
        assert name in api.requests[1].lower()
    assert b"application/json" not in api.requests[0]


# The key


def keys_in(api: ScriptedApi) -> list[str]:
    """List the keys of the requests that came."""
    return [request.decode().partition("xi-api-key: ")[2].partition("\r\n")[0] for request in api.requests]


@pytest.mark.promise(row=46)
async def test_the_key_of_the_environment(api: ScriptedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read when the client is made, unless an argument gives the key; a call may bring its own."""
    without_key = AsyncElevenLabsClient(base_url=api.base_url)
    monkeypatch.setenv("ELEVENLABS_API_KEY", "sk_environment")
    from_environment = AsyncElevenLabsClient(base_url=api.base_url)
    from_argument = AsyncElevenLabsClient(base_url=api.base_url, api_key=KEY)
    monkeypatch.setenv("ELEVENLABS_API_KEY", "sk_too_late")
    await mint_once(without_key, api_key="sk_call")
    await mint_once(from_environment)
    await mint_once(from_argument)

    assert ["sk_call", "sk_environment", KEY] == keys_in(api)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_a_callable_key_is_asked_once_a_call(
    api: ScriptedApi, frozen_time: FrozenTime, *, is_async: bool
) -> None:
    """Each call asks for a new key, and its retries use the same one."""
    keys = iter(["sk_first", "sk_second"])

    async def next_key() -> str:
        await asyncio.sleep(0)
        return next(keys)

    api.replies += [reply(503, {}), reply(), reply()]
    source = next_key if is_async else lambda: next(keys)
    async with AsyncElevenLabsClient(base_url=api.base_url, api_key=source) as client:
        client._pipeline.clock = frozen_time.clock()
        await mint(client)
        await mint(client)

    assert ["sk_first", "sk_first", "sk_second"] == keys_in(api)


async def test_a_key_that_does_not_come_in_time(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """The deadline ends the wait for a key."""

    async def never() -> str:
        await asyncio.Event().wait()
        return KEY

    with pytest.raises(ElevenLabsTimeoutError, match=r"the api_key callable gave no key in 0\.1 s"):
        async with asyncio.timeout(5):  # so that the test fails instead of hanging
            await mint(client, api_key=never, timeout_in_seconds=0.1)

    assert 0 == api.connections


@pytest.mark.parametrize(
    ("seconds", "requests", "text"),
    [(5.0, 0, "gave no key in 5 s, so nothing was sent"), (4.5, 1, "no complete reply")],
    ids=["all", "nearly all"],
)
async def test_a_callable_that_blocks(
    api: ScriptedApi,
    client: AsyncElevenLabsClient,
    frozen_time: FrozenTime,
    *,
    seconds: float,
    requests: int,
    text: str,
) -> None:
    """A key that comes after the deadline is not sent, and an attempt has only the time that the callable left."""
    api.replies += [[Act.STALL]]

    def slow_key() -> str:
        frozen_time.advance(seconds)
        return KEY

    with pytest.raises(ElevenLabsTimeoutError, match=text):
        async with asyncio.timeout(2):  # raises a plain TimeoutError
            await mint(client, timeout_in_seconds=5, api_key=slow_key)

    api.request_came.wait(5 * requests)
    assert requests == len(api.requests)
