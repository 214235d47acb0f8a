"""Where a client goes when `ELEVENLABS_BASE_URL` is set."""

import asyncio
from collections.abc import Callable, Mapping

import aiohttp
import pytest

from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsClient, ElevenLabsConfigError, ElevenLabsEnvironment
from frozen import KEY
from scripted import ScriptedApi

VARIABLE = "ELEVENLABS_BASE_URL"
REGION = ElevenLabsEnvironment.PRODUCTION_EU

Kind = type[AsyncElevenLabsClient] | type[ElevenLabsClient]
BOTH = pytest.mark.parametrize("kind", [AsyncElevenLabsClient, ElevenLabsClient])


async def mint(base_url: str | None) -> None:
    async with AsyncElevenLabsClient(api_key=KEY, environment=REGION, base_url=base_url) as client:
        await client.tokens.single_use.create("realtime_scribe")


async def mint_with_borrowed_session(base_url: str | None) -> None:
    async with aiohttp.ClientSession() as session:
        client = AsyncElevenLabsClient(api_key=KEY, environment=REGION, base_url=base_url, session=session)
        await client.tokens.single_use.create("realtime_scribe")
        await client.aclose()


def mint_in_sync_code(base_url: str | None) -> None:
    with ElevenLabsClient(api_key=KEY, environment=REGION, base_url=base_url) as client:
        client.tokens.single_use.create("realtime_scribe")


WAYS: Mapping[str, Callable[[str | None], None]] = {
    "async": lambda base_url: asyncio.run(mint(base_url)),
    "borrowed": lambda base_url: asyncio.run(mint_with_borrowed_session(base_url)),
    "sync": mint_in_sync_code,
}


@pytest.mark.parametrize("is_argument", [False, True], ids=["variable", "argument"])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_where_a_mint_goes(
    *, api: ScriptedApi, monkeypatch: pytest.MonkeyPatch, way: Callable[[str | None], None], is_argument: bool
) -> None:
    """To the variable's address rather than the region's, and to the argument's rather than the variable's."""
    monkeypatch.setenv(VARIABLE, "http://127.0.0.1:1" if is_argument else api.base_url)

    way(api.base_url if is_argument else None)

    assert 1 == len(api.requests)


@BOTH
def test_the_variable_is_read_when_the_client_is_made(monkeypatch: pytest.MonkeyPatch, kind: Kind) -> None:
    """Neither earlier nor later; without it, the client goes to its region."""
    before = kind(api_key=KEY, environment=REGION)
    monkeypatch.setenv(VARIABLE, "https://h.example/path/")
    with_variable = kind(api_key=KEY, environment=REGION)
    monkeypatch.setenv(VARIABLE, "")
    empty = kind(api_key=KEY, environment=REGION)

    expected = [REGION.base_url, "https://h.example/path", REGION.base_url]
    assert [f"<{kind.__name__} of {url}>" for url in expected] == [
        repr(made) for made in (before, with_variable, empty)
    ]


@BOTH
def test_http_to_another_machine(monkeypatch: pytest.MonkeyPatch, kind: Kind) -> None:
    """It is refused when the client is made, unless the caller permits it."""
    monkeypatch.setenv(VARIABLE, "http://h.example")

    with pytest.raises(ElevenLabsConfigError, match=r"^ELEVENLABS_BASE_URL is http:"):
        kind(api_key=KEY)
    permitted = kind(api_key=KEY, allow_insecure_http=True)

    assert f"<{kind.__name__} of http://h.example>" == repr(permitted)
