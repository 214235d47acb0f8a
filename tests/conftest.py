"""Fixtures for all tests: a scripted server, clients of it, and a frozen clock."""

import os
import signal
import ssl
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
import trustme

from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsClient
from frozen import KEY, FrozenTime
from proxies import HOST, server_context
from scripted import ScriptedApi


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Try a test with a limit in seconds three times: a machine that does other work may miss it once."""
    for item in items:
        if item.get_closest_marker("timed"):
            item.add_marker(pytest.mark.flaky(reruns=2))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> None:
    """Let Ctrl-C interrupt the tests and the processes that they start: a shell has background jobs ignore it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the variables of whoever runs the tests that would change them: the client's own and the proxies."""
    for name in list(os.environ):
        if name.startswith("ELEVENLABS_") or name.lower().endswith("_proxy"):
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
    """Give a client of the scripted server, with a frozen clock."""
    async with AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url) as open_client:
        open_client._pipeline.clock = frozen_time.clock()
        yield open_client


@pytest.fixture
def sync_client(api: ScriptedApi, frozen_time: FrozenTime) -> Iterator[ElevenLabsClient]:
    """Give the same for sync calls."""
    with ElevenLabsClient(api_key=KEY, base_url=api.base_url) as open_client:
        open_client._asynchronous._pipeline.clock = frozen_time.clock()
        yield open_client


@pytest.fixture(params=["owned", "borrowed"])
async def either_client(
    request: pytest.FixtureRequest, api: ScriptedApi, frozen_time: FrozenTime
) -> AsyncIterator[AsyncElevenLabsClient]:
    """Give, in turn, a client that owns its session and one that borrows it."""
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
    """Give a TLS context that trusts the tests' authority beside the machine's own."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def tls_api(authority: trustme.CA) -> Iterator[ScriptedApi]:
    with ScriptedApi(server_context(authority, "127.0.0.1", "localhost", HOST)) as running:
        yield running
