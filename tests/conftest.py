"""What the tests share: a scripted server, clients of it, and time that only moves when it is told to."""

import os
import signal
import ssl
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
import trustme

from elevenlabs_tokens import AsyncElevenLabsClient
from frozen import KEY, FrozenTime
from proxies import server_context
from scripted import ScriptedApi


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> None:
    """Heed Ctrl-C, here and in what is started from here; shells have what they run in the background ignore it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the key, the base URL and the proxies of whoever runs the tests out of them."""
    for name in list(os.environ):
        if name in {"ELEVENLABS_API_KEY", "ELEVENLABS_BASE_URL"} or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    with ScriptedApi() as running:
        yield running


@pytest.fixture
def frozen_time() -> FrozenTime:
    return FrozenTime()


@pytest.fixture
async def client(api: ScriptedApi, frozen_time: FrozenTime) -> AsyncIterator[AsyncElevenLabsClient]:
    """A client of the scripted server, in frozen time."""
    async with AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url) as open_client:
        open_client._pipeline.clock = frozen_time.clock()
        yield open_client


@pytest.fixture(params=["owned", "borrowed"])
async def either_client(
    request: pytest.FixtureRequest, api: ScriptedApi, frozen_time: FrozenTime
) -> AsyncIterator[AsyncElevenLabsClient]:
    """A client with a session of its own, and one with a session that it borrowed."""
    async with aiohttp.ClientSession() as session:
        borrowed = session if request.param == "borrowed" else None
        async with AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, session=borrowed) as client:
            client._pipeline.clock = frozen_time.clock()
            yield client


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """Trust the tests' authority, and no other."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def tls_api(authority: trustme.CA) -> Iterator[ScriptedApi]:
    with ScriptedApi(server_context(authority, "127.0.0.1", "localhost", "api.example.test")) as running:
        yield running
