"""`connect()`: a connection that is open before the first mint needs it."""

import asyncio
import ssl

import aiohttp
import pytest

from elevenlabs_tokens import (
    AsyncElevenLabsClient,
    ClientClosedError,
    ElevenLabsClient,
    ElevenLabsConfigError,
    ElevenLabsConnectionError,
    ElevenLabsTimeoutError,
    ElevenLabsTLSError,
)
from frozen import KEY, FrozenTime
from minting import mint, mint_once
from proxies import ConnectProxy
from scripted import TOKEN, Act, ScriptedApi

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("way", ["http", "https", "https, through a proxy", "http, on a borrowed session"])
async def test_the_next_mint_opens_no_connection(
    api: ScriptedApi, tls_api: ScriptedApi, trusting: ssl.SSLContext, way: str
) -> None:
    """It sends no request, and a second `connect` finds the connection open. A closed client opens none."""
    server = tls_api if "https" in way else api
    with ConnectProxy(server.port) as proxy:
        async with aiohttp.ClientSession() as session:
            client = AsyncElevenLabsClient(
                api_key=KEY,
                base_url=server.base_url,
                ssl=trusting if "https" in way else None,
                proxy=f"http://{proxy.address}" if "proxy" in way else None,
                session=session if "borrowed" in way else None,
            )
            await client.connect()
            await client.connect()
            requests = len(server.requests)
            token = await mint_once(client)
            with pytest.raises(ClientClosedError):
                await client.connect()

    assert 0 == requests
    assert (TOKEN["token"], 1, 1) == (token, server.connections, len(server.requests))
    assert ("proxy" in way) == len(proxy.heads)


def test_in_sync_code(tls_api: ScriptedApi, trusting: ssl.SSLContext) -> None:
    """The sync client has it too."""
    with ElevenLabsClient(api_key=KEY, base_url=tls_api.base_url, ssl=trusting) as client:
        client.connect()
        requests = len(tls_api.requests)
        token = client.tokens.single_use.create("realtime_scribe").token

    assert (0, TOKEN["token"], 1) == (requests, token, tls_api.connections)


async def test_many_at_once(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """Calls at the same time open a connection each, and the mints that follow use them."""
    await asyncio.gather(*(client.connect() for _ in range(5)))
    await asyncio.gather(*(mint(client) for _ in range(5)))

    assert 5 == api.connections


async def test_nobody_listens(frozen_time: FrozenTime) -> None:
    """It raises what a mint would raise, after as many attempts."""
    with ScriptedApi() as gone:
        base_url = gone.base_url
    async with AsyncElevenLabsClient(api_key=KEY, base_url=base_url) as client:
        client._pipeline.clock = frozen_time.clock()
        with pytest.raises(ElevenLabsConnectionError, match=r"could not connect to 127\.0\.0\.1:.* after 3 attempts"):
            await client.connect()

    assert [0.5, 1.0] == frozen_time.slept


async def test_a_server_that_is_not_trusted(tls_api: ScriptedApi) -> None:
    """The fault shows at start-up, and not with the first user."""
    async with AsyncElevenLabsClient(api_key=KEY, base_url=tls_api.base_url) as client:
        with pytest.raises(ElevenLabsTLSError):
            await client.connect()

    assert 1 == tls_api.connections


async def test_a_handshake_that_stalls(tls_api: ScriptedApi, trusting: ssl.SSLContext) -> None:
    """It ends by the attempt's timeout."""
    tls_api.greetings += [[Act.STALL]]
    async with AsyncElevenLabsClient(
        api_key=KEY, base_url=tls_api.base_url, ssl=trusting, attempt_timeout_in_seconds=0.2, max_retries=0
    ) as client:
        with pytest.raises(ElevenLabsTimeoutError):
            await client.connect()


async def test_without_a_key(api: ScriptedApi) -> None:
    """A client that has no key says so at start-up; a callable is not asked."""
    async with AsyncElevenLabsClient(base_url=api.base_url) as client:
        with pytest.raises(ElevenLabsConfigError, match="there is no API key"):
            await client.connect()
    asked: list[str] = []

    def ask() -> str:
        asked.append("asked")
        return KEY

    async with AsyncElevenLabsClient(api_key=ask, base_url=api.base_url) as client:
        await client.connect()

    assert ([], 0) == (asked, len(api.requests))


async def test_the_hooks_of_the_client_s_own(api: ScriptedApi) -> None:
    """They see a connection that is made, and no request that was sent."""
    seen: list[str] = []
    trace = aiohttp.TraceConfig()

    async def note(*given: object) -> None:
        seen.append(type(given[-1]).__name__)

    trace.on_connection_create_end.append(note)
    trace.on_request_headers_sent.append(note)
    async with AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, trace_configs=[trace]) as client:
        await client.connect()

    assert ["TraceConnectionCreateEndParams"] == seen
