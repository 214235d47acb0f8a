"""The ways to mint a token that are compared, each as its own documentation shows it, with a client that stays open.

Each imports what it needs when it is opened, so that a process that measures one does not load the others.
"""

import json
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from importlib import import_module
from typing import Any, TypeAlias
from urllib.parse import urlsplit

KEY = "sk_0123456789abcdef0123456789abcdef"
PATH = "/v1/single-use-token/realtime_scribe"
HEADERS = {"xi-api-key": KEY, "Accept": "application/json"}

OURS = "this package"
BEFORE = "this package, before"
BARE = "bare aiohttp"
BARE_SYNC = "http.client"
HTTPX = "httpx"
REQUESTS = "requests"
VENDOR = "the vendor's SDK"
AGAIN = "the base again (noise)"

AsyncCall: TypeAlias = Callable[[], Awaitable[object]]
Call: TypeAlias = Callable[[], object]
AsyncContender: TypeAlias = Callable[[str], AbstractAsyncContextManager[AsyncCall]]
Contender: TypeAlias = Callable[[str], AbstractContextManager[Call]]


@asynccontextmanager
async def bare_aiohttp(
    base_url: str, ssl_context: ssl.SSLContext | None = None, limit: int = 100
) -> AsyncGenerator[AsyncCall]:
    """What a user would write by hand; `limit` is aiohttp's default."""
    import aiohttp

    url = f"{base_url}{PATH}"
    connector = aiohttp.TCPConnector(limit=limit, ssl=ssl_context or True)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def call() -> Any:
            async with session.post(url, headers=HEADERS) as response:
                response.raise_for_status()
                return (await response.json())["token"]

        yield call


@asynccontextmanager
async def ours(
    base_url: str,
    ssl_context: ssl.SSLContext | None = None,
    *,
    package: str = "elevenlabs_tokens",
    connects: bool = False,
) -> AsyncGenerator[AsyncCall]:
    async with import_module(package).AsyncElevenLabsClient(api_key=KEY, base_url=base_url, ssl=ssl_context) as client:
        if connects:
            await client.connect()

        async def call() -> Any:
            return (await client.tokens.single_use.create("realtime_scribe")).token

        yield call


@asynccontextmanager
async def async_httpx(base_url: str) -> AsyncGenerator[AsyncCall]:
    """Httpx, told to keep all connections: by default it keeps 20 idle ones at most."""
    import httpx

    url = f"{base_url}{PATH}"
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=100)) as client:

        async def call() -> Any:
            return (await client.post(url, headers=HEADERS)).raise_for_status().json()["token"]

        yield call


@asynccontextmanager
async def async_vendor(base_url: str, ssl_context: ssl.SSLContext | None = None) -> AsyncGenerator[AsyncCall]:
    import httpx
    from elevenlabs.client import AsyncElevenLabs

    # As the SDK makes it, but for the certificate.
    async with httpx.AsyncClient(verify=ssl_context or True, timeout=240, follow_redirects=True) as httpx_client:
        client = AsyncElevenLabs(api_key=KEY, base_url=base_url, httpx_client=httpx_client)

        async def call() -> Any:
            return (await client.tokens.single_use.create("realtime_scribe")).token

        yield call


@contextmanager
def bare_http_client(base_url: str) -> Generator[Call]:
    """The standard library's client, the fastest for sync code; one connection serves one thread."""
    import http.client

    connection = http.client.HTTPConnection(urlsplit(base_url).netloc)

    def call() -> Any:
        connection.request("POST", PATH, headers=HEADERS)
        response = connection.getresponse()
        assert response.status == http.HTTPStatus.OK
        return json.loads(response.read())["token"]

    yield call
    connection.close()


@contextmanager
def ours_sync(
    base_url: str,
    ssl_context: ssl.SSLContext | None = None,
    *,
    package: str = "elevenlabs_tokens",
    connects: bool = False,
) -> Generator[Call]:
    with import_module(package).ElevenLabsClient(api_key=KEY, base_url=base_url, ssl=ssl_context) as client:
        if connects:
            client.connect()
        yield lambda: client.tokens.single_use.create("realtime_scribe").token


@contextmanager
def sync_httpx(base_url: str) -> Generator[Call]:
    import httpx

    url = f"{base_url}{PATH}"
    with httpx.Client() as client:
        yield lambda: client.post(url, headers=HEADERS).raise_for_status().json()["token"]


@contextmanager
def sync_requests(base_url: str) -> Generator[Call]:
    """Requests; one session serves one thread."""
    import requests

    url = f"{base_url}{PATH}"
    with requests.Session() as session:

        def call() -> Any:
            response = session.post(url, headers=HEADERS, timeout=10)
            response.raise_for_status()
            return response.json()["token"]

        yield call


@contextmanager
def sync_vendor(base_url: str, ssl_context: ssl.SSLContext | None = None) -> Generator[Call]:
    import httpx
    from elevenlabs.client import ElevenLabs

    # As the SDK makes it, but for the certificate.
    with httpx.Client(verify=ssl_context or True, timeout=240, follow_redirects=True) as httpx_client:
        client = ElevenLabs(api_key=KEY, base_url=base_url, httpx_client=httpx_client)
        yield lambda: client.tokens.single_use.create("realtime_scribe").token


ASYNC: dict[str, AsyncContender] = {
    BARE: bare_aiohttp,
    AGAIN: bare_aiohttp,
    OURS: ours,
    HTTPX: async_httpx,
    VENDOR: async_vendor,
}
SYNC: dict[str, Contender] = {
    BARE_SYNC: bare_http_client,
    AGAIN: bare_http_client,
    OURS: ours_sync,
    HTTPX: sync_httpx,
    REQUESTS: sync_requests,
    VENDOR: sync_vendor,
}
ONE_FOR_EACH_THREAD = (BARE_SYNC, AGAIN, REQUESTS)
