"""Minting over a real socket: what is sent, what is given, what is raised."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from elevenlabs_tokens import (
    AsyncElevenLabsClient,
    AuthenticationError,
    BadRequestError,
    ElevenLabsConfigError,
    ElevenLabsStatusError,
    NotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    RequestOptions,
    ServerError,
    SingleUseTokenType,
    __version__,
)
from frozen import EPOCH_IN_SECONDS, KEY, FrozenTime
from scripted import ScriptedApi, reply

pytestmark = pytest.mark.anyio


@pytest.mark.promise(row=41)
async def test_the_request_byte_for_byte(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """One POST, the key in its own header, no body, and nothing that nobody asked for."""
    await client.tokens.single_use.create("realtime_scribe")

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
@pytest.mark.parametrize("token_type", [*SingleUseTokenType, "ttd_websocket", "of_a_time_to_come"])
async def test_every_type_has_its_path(api: ScriptedApi, client: AsyncElevenLabsClient, token_type: str) -> None:
    """A type that this version does not know is sent as it is."""
    token = await client.tokens.single_use.create(token_type)

    assert f"POST /v1/single-use-token/{token_type} HTTP/1.1" == api.requests[0].split(b"\r\n")[0].decode()
    assert token_type == token.token_type


async def test_the_token_comes_back(client: AsyncElevenLabsClient) -> None:
    """The answer's token, and the host that its socket is on."""
    token = await client.tokens.single_use.create("realtime_scribe")

    assert "sutkn_1234567890" == token.token
    assert client._pipeline.base_url.replace("http", "ws", 1) == token.websocket_base_url


async def test_it_expires_900_seconds_after_it_was_sent(
    api: ScriptedApi, client: AsyncElevenLabsClient, frozen_time: FrozenTime
) -> None:
    """The moment that counts is that of the attempt that brought it, not of the first one."""
    api.replies += [reply(503, {}), reply()]

    token = await client.tokens.single_use.create("realtime_scribe")

    assert [0.5] == frozen_time.slept
    assert datetime.fromtimestamp(EPOCH_IN_SECONDS + 0.5 + 900, UTC) == token.expires_at


async def test_the_raw_response(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """Status, headers in any case, URL, request id, retries and seconds come along when asked for."""
    api.replies += [reply(500, {}), reply(headers={"Request-Id": "req1", "X-Region": "europe-west4"})]

    answer = await client.tokens.single_use.with_raw_response.create("realtime_scribe")

    raw = answer.raw_response
    assert "sutkn_1234567890" == answer.data.token
    assert (200, "req1", 1, 0.5) == (raw.status_code, raw.request_id, raw.retries_taken, raw.elapsed_in_seconds)
    assert "europe-west4" == raw.headers["x-region"] == raw.headers["X-REGION"]
    assert f"{api.base_url}/v1/single-use-token/realtime_scribe" == raw.url


async def test_options_of_one_call(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """Key, headers and query of one call go out with it, and with no other."""
    options = RequestOptions(
        api_key="sk_other", headers={"X-Trace": "t1"}, query_params={"a": [1, 2], "b": True, "c": "/:~+"}
    )

    await client.tokens.single_use.create("realtime_scribe", request_options=options)
    await client.tokens.single_use.create("realtime_scribe")

    assert b"POST /v1/single-use-token/realtime_scribe?a=1&a=2&b=true&c=%2F%3A~%2B HTTP/1.1" in api.requests[0]
    assert b"\r\nxi-api-key: sk_other\r\n" in api.requests[0]
    assert b"\r\nx-trace: t1\r\n" in api.requests[0]
    assert b"realtime_scribe HTTP/1.1" in api.requests[1]
    assert f"\r\nxi-api-key: {KEY}\r\n".encode() in api.requests[1]
    assert b"x-trace" not in api.requests[1]


@pytest.mark.parametrize("names", [("headers", "query_params"), ("additional_headers", "additional_query_parameters")])
async def test_options_as_a_mapping(api: ScriptedApi, client: AsyncElevenLabsClient, names: tuple[str, str]) -> None:
    """Our names and the vendor SDK's mean the same."""
    options: Any = {names[0]: {"X-Trace": "t1"}, names[1]: {"a": 1}}

    await client.tokens.single_use.create("realtime_scribe", request_options=options)

    assert b"?a=1 HTTP/1.1\r\n" in api.requests[0]
    assert b"\r\nx-trace: t1\r\n" in api.requests[0]


async def test_a_default_header_can_be_removed(api: ScriptedApi) -> None:
    """None removes a header, be it the client's, the package's or the transport's."""
    async with AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, headers={"X-Team": "speech"}) as client:
        removed = {"x-team": None, "USER-AGENT": None, "Content-Type": None, "accept": None}
        await client.tokens.single_use.create("realtime_scribe", request_options={"headers": removed})
        await client.tokens.single_use.create("realtime_scribe")

    for name in (b"x-team", b"user-agent", b"content-type"):
        assert name not in api.requests[0].lower()
        assert name in api.requests[1].lower()
    assert b"application/json" not in api.requests[0]


def error_object(status: str, **fields: str) -> dict[str, Any]:
    return {"detail": {"type": "some_error", "code": "a_code", "message": "A text.", "status": status, **fields}}


@pytest.mark.parametrize(
    ("status_code", "api_status", "kind"),
    [
        (400, "invalid_parameters", BadRequestError),
        (401, "invalid_api_key", AuthenticationError),
        (401, "missing_permissions", PermissionDeniedError),
        (401, "quota_exceeded", PaymentRequiredError),
        (402, "payment_required", PaymentRequiredError),
        (403, "forbidden", PermissionDeniedError),
        (404, "not_found", NotFoundError),
        (405, "method", ElevenLabsStatusError),
        (409, "conflict", ElevenLabsStatusError),
        (429, "too_many_concurrent_requests", RateLimitError),
        (500, "internal_error", ServerError),
        (503, "service_unavailable", ServerError),
        (529, "overloaded", ServerError),
    ],
)
async def test_error_statuses(
    api: ScriptedApi,
    client: AsyncElevenLabsClient,
    status_code: int,
    api_status: str,
    kind: type[ElevenLabsStatusError],
) -> None:
    """Each status has its class, and the API's own words are attributes of the error, not its text."""
    api.replies += [reply(status_code, error_object(api_status, request_id="req9"))] * 3

    with pytest.raises(kind) as caught:
        await client.tokens.single_use.create("realtime_scribe")

    error = caught.value
    assert kind is type(error)
    assert ("a_code", api_status, "A text.") == (error.code, error.api_status, error.message)
    assert (status_code, "req9") == (error.status_code, error.request_id)
    assert error_object(api_status, request_id="req9") == error.body
    assert error.raw_response is not None
    assert "A text." not in str(error)
    assert f"({api_status})" in str(error)
    assert "(request id req9)" in str(error)


async def test_an_unknown_option(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """It is refused with the names that there are."""
    misspelt: Any = {"timeout": 3}
    with pytest.raises(ElevenLabsConfigError, match=r"has no 'timeout'; it has timeout_in_seconds, attempt_timeout"):
        client.tokens.single_use.create("realtime_scribe", request_options=misspelt)

    assert 0 == api.connections


async def test_no_key_at_all(api: ScriptedApi) -> None:
    """A client without a key can be made; the call says how to give one."""
    async with AsyncElevenLabsClient(base_url=api.base_url) as client:
        with pytest.raises(ElevenLabsConfigError, match="set ELEVENLABS_API_KEY before the client is made"):
            client.tokens.single_use.create("realtime_scribe")
        token = await client.tokens.single_use.create("realtime_scribe", request_options={"api_key": KEY})

    assert "sutkn_1234567890" == token.token


@pytest.mark.promise(row=46)
async def test_the_key_of_the_environment(api: ScriptedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read when the client is made, and an argument wins over it."""
    monkeypatch.setenv("ELEVENLABS_API_KEY", "sk_environment")
    async with (
        AsyncElevenLabsClient(base_url=api.base_url) as from_environment,
        AsyncElevenLabsClient(base_url=api.base_url, api_key=KEY) as from_argument,
    ):
        monkeypatch.setenv("ELEVENLABS_API_KEY", "sk_too_late")
        await from_environment.tokens.single_use.create("realtime_scribe")
        await from_argument.tokens.single_use.create("realtime_scribe")

    assert b"\r\nxi-api-key: sk_environment\r\n" in api.requests[0]
    assert f"\r\nxi-api-key: {KEY}\r\n".encode() in api.requests[1]


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_a_callable_key_is_asked_once_a_call(
    api: ScriptedApi, frozen_time: FrozenTime, *, is_async: bool
) -> None:
    """Keys rotate: each call asks anew, but its retries do not."""
    keys = iter(["sk_first", "sk_second"])

    async def slow_key() -> str:
        await asyncio.sleep(0)
        return next(keys)

    api.replies += [reply(503, {}), reply(), reply()]
    async with AsyncElevenLabsClient(
        base_url=api.base_url, api_key=slow_key if is_async else lambda: next(keys)
    ) as client:
        client._pipeline.clock = frozen_time.clock()
        await client.tokens.single_use.create("realtime_scribe")
        await client.tokens.single_use.create("realtime_scribe")

    sent = [request.partition(b"xi-api-key: ")[2].partition(b"\r\n")[0] for request in api.requests]
    assert [b"sk_first", b"sk_first", b"sk_second"] == sent


@pytest.mark.promise(row=37)
async def test_a_callable_key_that_gives_no_key(api: ScriptedApi) -> None:
    """What it gives is checked like a key, and never shown."""
    async with AsyncElevenLabsClient(base_url=api.base_url, api_key=lambda: "sk secret") as client:
        with pytest.raises(ElevenLabsConfigError, match="the API key has white space in it") as caught:
            await client.tokens.single_use.create("realtime_scribe")

    assert "secret" not in str(caught.value)
    assert 0 == api.connections
