"""Faults of the app's own: in its functions, in its `api_key` callable, in how it makes or wraps the endpoint."""

import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, web
from django.views.decorators.cache import never_cache

from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsClient, ElevenLabsConfigError
from elevenlabs_tokens.emulator import Emulator
from elevenlabs_tokens.endpoint import EndpointRequest, TokenEndpoint
from frozen import KEY

pytestmark = pytest.mark.anyio


class OwnError(BaseException):
    """An error that is no `Exception`."""


def fails(error: BaseException) -> str:
    raise error


@asynccontextmanager
async def served(endpoint: TokenEndpoint) -> AsyncGenerator[str]:
    app = web.Application()
    app.router.add_route("*", "/token", endpoint.aiohttp_handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/token"
    await runner.cleanup()


async def outcomes(endpoint: TokenEndpoint) -> list[tuple[int, str | None]]:
    """Ask twice: a server must live on."""
    seen = []
    async with served(endpoint) as url, ClientSession() as http:
        for _ in range(2):
            async with http.post(url) as reply:
                seen.append((reply.status, json.loads(await reply.text())["error"]["code"]))
    return seen


@pytest.mark.parametrize("client_class", [AsyncElevenLabsClient, ElevenLabsClient])
@pytest.mark.parametrize("error", [SystemExit(3), LookupError("SECRET"), OwnError("SECRET")], ids=repr)
async def test_a_key_that_cannot_be_had(
    client_class: type[AsyncElevenLabsClient | ElevenLabsClient],
    error: BaseException,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What an `api_key` callable raises is a 500 that says nothing of it, and ends neither request nor server."""
    client = client_class(api_key=lambda: fails(error), base_url="http://127.0.0.1:9")
    endpoint = TokenEndpoint(client, authorize=lambda _: "ada", rate_limit=None)

    assert [(500, "internal_error")] * 2 == await outcomes(endpoint)
    assert "SECRET" not in caplog.text


async def test_an_error_that_is_no_exception(caplog: pytest.LogCaptureFixture) -> None:
    """Hooks that raise one are a 500 and an ERROR in the log, like hooks that raise any other."""

    def authorize(_: EndpointRequest) -> str:
        return fails(OwnError("SECRET"))

    async def authorize_async(request: EndpointRequest) -> str:
        return authorize(request)

    with Emulator() as emulator:
        client = AsyncElevenLabsClient(api_key=KEY, base_url=emulator.base_url)
        async with client:
            for hook in (authorize, authorize_async):
                endpoint = TokenEndpoint(client, authorize=hook, rate_limit=None)

                assert [(500, "internal_error")] * 2 == await outcomes(endpoint)
    assert [logging.ERROR] * 4 == [r.levelno for r in caplog.records if r.name == "elevenlabs_tokens.endpoint"]
    assert "SECRET" not in caplog.text


@pytest.mark.parametrize("rate", ["10/minute;100/day", "5/second, 9/minute", "0/minute", "1000001/minute", "often", 5])
async def test_an_unreadable_rate(rate: str) -> None:
    """A rate that cannot be used, of which a part would be dropped, or that needs too much memory, is refused."""
    client = AsyncElevenLabsClient(api_key=KEY)
    with pytest.raises(ElevenLabsConfigError, match="one rate"):
        TokenEndpoint(client, authorize=lambda _: "ada", rate_limit=rate)


async def test_memory_in_capitals(caplog: pytest.LogCaptureFixture) -> None:
    """It is the same memory, and has the same warning."""
    TokenEndpoint(AsyncElevenLabsClient(api_key=KEY), authorize=lambda _: "ada", rate_limit_storage="MEMORY://")

    assert "THIS PROCESS ALONE" in caplog.text


async def test_a_decorated_view() -> None:
    """Django's decorators keep the view's exemption from CSRF tokens."""
    endpoint = TokenEndpoint(AsyncElevenLabsClient(api_key=KEY), authorize=lambda _: "ada", rate_limit=None)

    assert getattr(never_cache(endpoint.django_view), "csrf_exempt", False)
