"""The life of a token: minted by the client, opened once by its URL, refused ever after."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from attrs import evolve

from elevenlabs_tokens import AsyncElevenLabsClient, AuthenticationError, ServerError, UnprocessableEntityError
from elevenlabs_tokens.emulator import Emulator
from frozen import KEY

pytestmark = pytest.mark.anyio

REFUSED = {"message_type": "auth_error", "error": "You must be authenticated to use this endpoint."}


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def backend(elevenlabs_emulator: Emulator) -> AsyncIterator[AsyncElevenLabsClient]:
    async with AsyncElevenLabsClient(api_key=KEY, base_url=elevenlabs_emulator.base_url) as client:
        yield client


async def first_frame(browser: aiohttp.ClientSession, url: str, **message: object) -> dict[str, Any]:
    async with browser.ws_connect(url, origin="https://app.example") as socket:
        if message:
            await socket.send_json(message)
        frame: dict[str, Any] = await socket.receive_json(timeout=5)
        return frame


async def test_speech_to_text_opens_once(backend: AsyncElevenLabsClient, browser: aiohttp.ClientSession) -> None:
    """The first connection begins a session with what its URL asked for; the second is refused."""
    token = await backend.tokens.single_use.create("realtime_scribe")
    url = token.connect_url(
        model_id="scribe_v2_realtime", keyterms=["Grace & Ada", "C++"], include_timestamps=True, vad_threshold=0.5
    )

    first, second = await first_frame(browser, url), await first_frame(browser, url)

    assert "session_started" == first["message_type"]
    config = first["config"]
    assert (["Grace & Ada", "C++"], True, 0.5) == (
        config["keyterms"],
        config["include_timestamps"],
        config["vad_threshold"],
    )
    assert REFUSED == second


async def test_text_to_speech_opens_once(backend: AsyncElevenLabsClient, browser: aiohttp.ClientSession) -> None:
    """The first connection speaks; the second is refused."""
    token = await backend.tokens.single_use.create("tts_websocket")
    url = token.connect_url(voice_id="a voice/with: odd characters", output_format="pcm_16000")

    first, second = [await first_frame(browser, url, text="Hello. ") for _ in range(2)]

    assert first["audio"]
    assert "authentication_required" == second["error"]


async def test_a_token_opens_only_what_it_is_for(
    backend: AsyncElevenLabsClient, browser: aiohttp.ClientSession, elevenlabs_emulator: Emulator
) -> None:
    """The wrong socket refuses it, and does not spend it."""
    token = await backend.tokens.single_use.create("realtime_scribe")
    wrong = f"{token.websocket_base_url}/v1/text-to-speech/v1/stream-input?single_use_token={token.token}"

    refusal = await first_frame(browser, wrong, text=" ")

    assert "invalid_token_type" == refusal["error"]
    assert ["fresh"] == [record.state for record in elevenlabs_emulator.tokens]


async def test_two_frontends_with_one_token(backend: AsyncElevenLabsClient, browser: aiohttp.ClientSession) -> None:
    """One of them gets in."""
    url = (await backend.tokens.single_use.create("realtime_scribe")).connect_url()

    frames = await asyncio.gather(*(first_frame(browser, url) for _ in range(8)))

    assert 1 == [frame["message_type"] for frame in frames].count("session_started")
    assert 7 == frames.count(REFUSED)


async def test_it_lapses_when_the_client_says(browser: aiohttp.ClientSession) -> None:
    """The client's `expires_at` is never later than the truth."""
    now = 1_800_000_000.0
    async with (
        Emulator(clock=lambda: now) as emulator,
        AsyncElevenLabsClient(api_key=KEY, base_url=emulator.base_url) as client,
    ):
        client._pipeline.clock = evolve(client._pipeline.clock, wall_clock=lambda: now)
        token = await client.tokens.single_use.create("realtime_scribe")
        now = token.expires_at.timestamp()

        assert emulator.tokens[0].expires_at == token.expires_at
        assert REFUSED == await first_frame(browser, token.connect_url())


async def test_the_emulator_s_errors(backend: AsyncElevenLabsClient, elevenlabs_emulator: Emulator) -> None:
    """They arrive as they would from the API."""
    with pytest.raises(UnprocessableEntityError) as unknown_type:
        await backend.tokens.single_use.create("no_such_type")
    elevenlabs_emulator.fail_next(status=401)
    with pytest.raises(AuthenticationError) as refused:
        await backend.tokens.single_use.create("realtime_scribe")
    elevenlabs_emulator.fail_next(times=1, status=503, body={"detail": "down"})
    with pytest.raises(ServerError) as down:
        await backend.tokens.single_use.create("realtime_scribe", request_options={"max_retries": 0})

    assert ("path", "token_type") == unknown_type.value.errors[0].loc
    assert ("unauthorized", "invalid_api_key") == (refused.value.code, refused.value.api_status)
    assert "down" == down.value.message
    for error in (unknown_type.value, refused.value, down.value):
        assert error.request_id
