"""The life of a token, between the client and the emulator: minted, opened once by its URL, and then refused."""

from typing import Any

import aiohttp
import pytest
from attrs import evolve

from elevenlabs_tokens import AsyncElevenLabsClient, AuthenticationError, ServerError, UnprocessableEntityError
from elevenlabs_tokens.emulator import Emulator
from frozen import KEY
from minting import mint

pytestmark = pytest.mark.anyio

REFUSED = {"message_type": "auth_error", "error": "You must be authenticated to use this endpoint."}


async def first_frame(url: str, **message: object) -> dict[str, Any]:
    """Open a URL as a browser does, and give the first frame that comes."""
    async with aiohttp.ClientSession() as browser, browser.ws_connect(url, origin="https://app.example") as socket:
        if message:
            await socket.send_json(message)
        frame: dict[str, Any] = await socket.receive_json(timeout=5)
        return frame


async def test_each_token_opens_its_socket_once(elevenlabs_emulator: Emulator) -> None:
    """The first connection begins a session, with what its URL asks for; the second is refused."""
    async with AsyncElevenLabsClient(api_key=KEY, base_url=elevenlabs_emulator.base_url) as client:
        to_text = (await client.tokens.single_use.create("realtime_scribe")).connect_url(
            model_id="scribe_v2_realtime", keyterms=["Grace & Ada", "C++"], include_timestamps=True, vad_threshold=0.5
        )
        to_speech = (await client.tokens.single_use.create("tts_websocket")).connect_url(
            voice_id="a voice/with: odd characters", output_format="pcm_16000"
        )

    text_frames = [await first_frame(to_text) for _ in range(2)]
    speech_frames = [await first_frame(to_speech, text="Hello. ") for _ in range(2)]

    assert ["session_started", "auth_error"] == [frame["message_type"] for frame in text_frames]
    config = text_frames[0]["config"]
    asked_for = [config[name] for name in ("keyterms", "include_timestamps", "vad_threshold")]
    assert [["Grace & Ada", "C++"], True, 0.5] == asked_for
    assert speech_frames[0]["audio"]
    assert "authentication_required" == speech_frames[1]["error"]


async def test_it_lapses_when_the_client_says() -> None:
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
        assert REFUSED == await first_frame(token.connect_url())


async def test_the_emulator_s_errors(elevenlabs_emulator: Emulator) -> None:
    """The client reads them as it reads those of the API."""
    async with AsyncElevenLabsClient(api_key=KEY, base_url=elevenlabs_emulator.base_url) as client:
        with pytest.raises(UnprocessableEntityError) as unknown_type:
            await mint(client, "no_such_type")
        elevenlabs_emulator.fail_next(status=401)
        with pytest.raises(AuthenticationError) as refused:
            await mint(client)
        elevenlabs_emulator.fail_next(status=503, body={"detail": "down"})
        with pytest.raises(ServerError) as down:
            await mint(client, max_retries=0)

    assert ("path", "token_type") == unknown_type.value.errors[0].loc
    assert ("unauthorized", "invalid_api_key") == (refused.value.code, refused.value.api_status)
    assert "down" == down.value.message
    assert all(error.request_id for error in (unknown_type.value, refused.value, down.value))
