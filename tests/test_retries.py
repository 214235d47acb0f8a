"""Retries, waits and deadlines, over a real socket and in frozen time."""

import asyncio
from typing import Any

import pytest

from elevenlabs_tokens import (
    AsyncElevenLabsClient,
    ElevenLabsConfigError,
    ElevenLabsConnectionError,
    ElevenLabsStatusError,
    ElevenLabsTimeoutError,
    ServerError,
)
from frozen import KEY, FrozenTime
from scripted import Act, Script, ScriptedApi, reply

pytestmark = pytest.mark.anyio


async def mint(client: AsyncElevenLabsClient, **options: Any) -> str:
    """Mint with some options, and give the token's text."""
    return (await client.tokens.single_use.create("realtime_scribe", request_options=options)).token


async def test_four_failures_and_a_token(
    api: ScriptedApi, client: AsyncElevenLabsClient, frozen_time: FrozenTime
) -> None:
    """408, 429, 500 and 502 are tried again, after waits that double."""
    api.replies += [reply(408, {}), reply(429, {}), reply(500, {}), reply(502, {}), reply()]

    token = await mint(client, max_retries=4)

    assert "sutkn_1234567890" == token
    assert 5 == len(api.requests)
    assert [0.5, 1.0, 2.0, 4.0] == frozen_time.slept


async def test_waits_stop_growing_at_8_seconds(
    api: ScriptedApi, client: AsyncElevenLabsClient, frozen_time: FrozenTime
) -> None:
    """0.5 s doubles up to 8 s, and chance takes off up to a half."""
    api.replies += [reply(503, {})] * 6
    frozen_time.draw = 0.0

    await mint(client, max_retries=6)

    assert [0.25, 0.5, 1.0, 2.0, 4.0, 4.0] == frozen_time.slept


@pytest.mark.promise(row=32)
async def test_no_retries(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """`max_retries=0` sends one request."""
    api.replies += [reply(503, {})]

    with pytest.raises(ServerError):
        await mint(client, max_retries=0)

    assert 1 == len(api.requests)


@pytest.mark.promise(row=28)
@pytest.mark.parametrize("status_code", [408, 429, 500, 501, 502, 503, 504, 529])
async def test_statuses_that_are_retried(api: ScriptedApi, client: AsyncElevenLabsClient, status_code: int) -> None:
    """Three attempts by default."""
    api.replies += [reply(status_code, {})] * 3

    with pytest.raises(ElevenLabsStatusError, match="after 3 attempts"):
        await mint(client)

    assert 3 == len(api.requests)


@pytest.mark.promise(row=28)
@pytest.mark.parametrize("status_code", [400, 401, 402, 403, 404, 405, 409, 413, 422])
async def test_statuses_that_are_not(api: ScriptedApi, client: AsyncElevenLabsClient, status_code: int) -> None:
    """Asking again would bring the same answer."""
    api.replies += [reply(status_code, {})]

    with pytest.raises(ElevenLabsStatusError, match=rf"^{status_code} "):
        await mint(client)

    assert 1 == len(api.requests)


async def test_a_wait_that_does_not_fit_the_deadline(
    api: ScriptedApi, client: AsyncElevenLabsClient, frozen_time: FrozenTime
) -> None:
    """The call ends at once with what the last attempt brought, not with a time-out."""
    api.replies += [reply(503, {})] * 3

    with pytest.raises(ServerError, match="after 2 attempts"):
        await mint(client, timeout_in_seconds=1.5)

    assert [0.5] == frozen_time.slept


@pytest.mark.promise(row=29)
async def test_a_dead_api_is_not_stormed(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """Of 200 calls at once that would all be retried, 35 retries are granted; four successes earn the next."""
    api.replies += [reply(503, {})] * 235

    outcomes = await asyncio.gather(*(mint(client) for _ in range(200)), return_exceptions=True)
    storm = len(api.requests)
    for _ in range(3):
        await mint(client)
    api.replies += [reply(503, {})]
    with pytest.raises(ServerError, match=r"^503 Service Unavailable from"):
        await mint(client)
    await mint(client)
    api.replies += [reply(503, {})]
    await mint(client)

    assert {ServerError} == {type(outcome) for outcome in outcomes}
    assert 235 == storm
    assert 235 + 3 + 1 + 1 + 2 == len(api.requests)


@pytest.mark.parametrize(
    "script",
    [[Act.CLOSE], [Act.RESET], [b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", Act.CLOSE]],
    ids=["closed", "reset", "cut"],
)
async def test_a_lost_connection_is_tried_again(
    api: ScriptedApi, client: AsyncElevenLabsClient, script: Script
) -> None:
    """Whether the answer was lost before it began or half-way."""
    api.replies += [script, reply()]

    token = await mint(client)

    assert "sutkn_1234567890" == token
    assert 2 == len(api.requests)


async def test_a_connection_lost_every_time(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """The error names the host and the port."""
    api.replies += [[Act.CLOSE]] * 3

    with pytest.raises(ElevenLabsConnectionError) as caught:
        await mint(client)

    text = f"lost the connection to 127.0.0.1:{api.port} before the reply was complete after 3 attempts; try again"
    assert str(caught.value).startswith(text)
    assert ElevenLabsConnectionError is type(caught.value)


@pytest.mark.promise(row=33)
async def test_nobody_listens(frozen_time: FrozenTime) -> None:
    """Connecting is tried again, too."""
    with ScriptedApi() as gone:
        port = gone.port
    async with AsyncElevenLabsClient(api_key=KEY, base_url=f"http://127.0.0.1:{port}") as client:
        client._pipeline.clock = frozen_time.clock()
        with pytest.raises(ElevenLabsConnectionError) as caught:
            await mint(client)

    text = f"could not connect to 127.0.0.1:{port} (connection refused) after 3 attempts; check the network, base_url"
    assert str(caught.value).startswith(text)
    assert [0.5, 1.0] == frozen_time.slept


async def test_an_attempt_that_stalls_is_tried_again(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """Its time-out bounds the body, too."""
    api.replies += [[b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", Act.STALL], reply()]

    token = await mint(client, attempt_timeout_in_seconds=0.2)

    assert "sutkn_1234567890" == token


async def test_a_deadline_passes(api: ScriptedApi) -> None:
    """One deadline is over all attempts: the second one gets what the first has left."""
    api.replies += [[Act.STALL]] * 3
    async with AsyncElevenLabsClient(
        api_key=KEY, base_url=api.base_url, timeout_in_seconds=0.3, attempt_timeout_in_seconds=10
    ) as client:
        with pytest.raises(
            ElevenLabsTimeoutError, match=r"no complete reply from 127\.0\.0\.1:\d+ in 0\.\d s;"
        ) as caught:
            await mint(client)

    assert isinstance(caught.value, TimeoutError)
    assert 1 == len(api.requests)


async def test_a_deadline_passes_after_a_wait(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """An attempt gets what the waits before it have left, too."""
    api.replies += [reply(503, {}, {"Retry-After": "4.9"}), [Act.STALL]]

    with pytest.raises(ElevenLabsTimeoutError):
        async with asyncio.timeout(2):  # which is a plain TimeoutError
            await mint(client, timeout_in_seconds=5)

    assert 2 == len(api.requests)


async def test_a_key_that_does_not_come_in_time(api: ScriptedApi) -> None:
    """Asking for the key is inside the deadline."""

    async def never() -> str:
        await asyncio.Event().wait()
        return KEY

    async with AsyncElevenLabsClient(api_key=never, base_url=api.base_url, timeout_in_seconds=0.1) as client:
        with pytest.raises(ElevenLabsTimeoutError, match=r"the api_key callable gave no key in 0\.1 s"):
            async with asyncio.timeout(5):  # lest it hang
                await mint(client)

    assert 0 == api.connections


@pytest.mark.promise(row=32)
@pytest.mark.parametrize("max_retries", [-1, 11, 1.0, True, "2", float("nan")])
async def test_retries_that_make_no_sense(client: AsyncElevenLabsClient, max_retries: Any) -> None:
    """They are refused at the call, and at the client."""
    with pytest.raises(ElevenLabsConfigError, match="max_retries must be an integer from 0"):
        client.tokens.single_use.create("realtime_scribe", request_options={"max_retries": max_retries})
    with pytest.raises(ElevenLabsConfigError, match="max_retries must be an integer from 0"):
        AsyncElevenLabsClient(max_retries=max_retries)


async def test_a_key_that_comes_after_the_deadline(
    api: ScriptedApi, client: AsyncElevenLabsClient, frozen_time: FrozenTime
) -> None:
    """A callable that blocks cannot be interrupted, but its key is not sent any more."""

    def slow_key() -> str:
        frozen_time.advance(30.0)
        return KEY

    with pytest.raises(ElevenLabsTimeoutError, match="gave no key in 30 s, so nothing was sent"):
        await mint(client, api_key=slow_key)

    assert 0 == api.connections


async def test_an_attempt_after_a_slow_key(
    api: ScriptedApi, client: AsyncElevenLabsClient, frozen_time: FrozenTime
) -> None:
    """It gets what asking for the key has left."""
    api.replies += [[Act.STALL]]

    def slow_key() -> str:
        frozen_time.advance(4.9)
        return KEY

    with pytest.raises(ElevenLabsTimeoutError):
        async with asyncio.timeout(2):  # which is a plain TimeoutError
            await mint(client, timeout_in_seconds=5, api_key=slow_key)

    assert 1 == len(api.requests)
