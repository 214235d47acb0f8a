"""The life of a token, between the client and the emulator: minted, and opened by its URL."""

from collections.abc import AsyncIterator

import pytest

from elevenlabs_tokens import AsyncElevenLabsClient, AuthenticationError, ServerError, UnprocessableEntityError
from elevenlabs_tokens.emulator import Emulator
from frontend import Frontend
from frozen import KEY, FrozenTime
from minting import mint

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(emulator: Emulator, frozen_time: FrozenTime) -> AsyncIterator[AsyncElevenLabsClient]:
    """Give a client of the emulator, with the same frozen clock."""
    async with AsyncElevenLabsClient(api_key=KEY, base_url=emulator.base_url) as open_client:
        open_client._pipeline.clock = frozen_time.clock()
        yield open_client


async def test_each_token_opens_its_socket(
    emulator: Emulator, frontend: Frontend, client: AsyncElevenLabsClient
) -> None:
    """The connection begins with what the URL asks for, and the token expires when the client says."""
    to_text, to_speech = [await client.tokens.single_use.create(kind) for kind in ("realtime_scribe", "tts_websocket")]
    text_url = to_text.connect_url(
        model_id="scribe_v2_realtime", keyterms=["Grace & Ada", "C++"], include_timestamps=True, vad_threshold=0.5
    )
    speech_url = to_speech.connect_url(voice_id="a voice/with: odd characters", output_format="pcm_16000")

    (started, _), *_ = await frontend.converse(text_url.removeprefix(emulator.websocket_base_url), {})
    (spoken, _), *_ = await frontend.converse(
        speech_url.removeprefix(emulator.websocket_base_url), {"text": "Hello. "}, {"text": ""}
    )

    asked_for = [started["config"][name] for name in ("keyterms", "include_timestamps", "vad_threshold")]
    assert [["Grace & Ada", "C++"], True, 0.5] == asked_for
    assert spoken["audio"]
    assert [record.expires_at for record in emulator.tokens] == [to_text.expires_at, to_speech.expires_at]


@pytest.mark.promise(row=25)
async def test_the_emulator_s_errors(emulator: Emulator, client: AsyncElevenLabsClient) -> None:
    """The client reads them as it reads those of the API."""
    with pytest.raises(UnprocessableEntityError) as unknown_type:
        await mint(client, "no_such_type")
    emulator.fail_next(status=401)
    with pytest.raises(AuthenticationError) as refused:
        await mint(client)
    emulator.fail_next(status=503, body={"detail": "down"})
    with pytest.raises(ServerError) as down:
        await mint(client, max_retries=0)

    assert ("path", "token_type") == unknown_type.value.errors[0].loc
    assert ("unauthorized", "invalid_api_key") == (refused.value.code, refused.value.api_status)
    assert "down" == down.value.message
    assert all(error.request_id for error in (unknown_type.value, refused.value, down.value))
