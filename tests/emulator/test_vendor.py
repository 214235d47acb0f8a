"""The vendor's Python package, unchanged, against the emulator."""

import json
import warnings
from array import array
from collections.abc import Iterator
from typing import Any

import pytest

from elevenlabs_tokens.emulator import Emulator
from frontend import TEXT_TO_DIALOGUE, TEXT_TO_SPEECH

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its dependencies warn on import
    elevenlabs = pytest.importorskip("elevenlabs")
    types = pytest.importorskip("elevenlabs.types")
    websockets = pytest.importorskip("websockets.sync.client")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

TONE = array("h", [8000, -8000] * 16_000).tobytes()  # 2 s of pcm_16000


@pytest.fixture
def client(elevenlabs_emulator: Emulator) -> Iterator[Any]:
    client = elevenlabs.ElevenLabs(api_key="sk_emulator", base_url=elevenlabs_emulator.base_url)
    # The client always asks for TLS here.
    client.text_to_speech._ws_base_url = elevenlabs_emulator.websocket_base_url
    yield client
    client._client_wrapper.httpx_client.httpx_client.close()


def converse(emulator: Emulator, path: str, *messages: Any) -> list[dict[str, Any]]:
    """Send messages of the vendor's types, and receive until the emulator closes with 1000."""
    with websockets.connect(emulator.websocket_base_url + path) as socket:
        for message in messages:
            socket.send(message.model_dump_json(by_alias=True))
        return [json.loads(frame) for frame in socket]


def check(frame: dict[str, Any], **models: Any) -> str:
    """Check a frame against the vendor's type for the first of these keys in it, which must know all its fields."""
    key = next(key for key in models if key in frame)
    assert not models[key].model_validate(frame).model_extra
    return key


def test_an_upload(client: Any) -> None:
    """It is transcribed once for each token; the second time it is a 401."""
    token = client.tokens.single_use.create("batch_scribe").token
    transcript = client.speech_to_text.convert(
        model_id="scribe_v2", token=token, file=TONE, file_format="pcm_s16le_16", keyterms=["Ada", "Grace"]
    )
    with pytest.raises(elevenlabs.core.ApiError) as refused:
        client.speech_to_text.convert(model_id="scribe_v2", token=token, file=TONE)

    assert ("emulated transcript of 2.0 s of audio", 2.0) == (transcript.text, transcript.audio_duration_secs)
    assert types.SpeechToTextChunkResponseModel.model_validate(transcript.model_dump())
    assert 401 == refused.value.status_code


def test_text_to_speech_in_one_stream(client: Any) -> None:
    """The audio comes; a refused format raises, and says why."""
    texts = ["Hello there. ", "Bye. "]
    audio = list(client.text_to_speech.convert_realtime("ada", text=iter(texts), output_format="pcm_16000"))
    with pytest.raises(elevenlabs.core.ApiError) as refused:
        list(client.text_to_speech.convert_realtime("ada", text=iter(texts), output_format="opus_48000_32"))

    assert (18 + 1) * 1920 == sum(map(len, audio))  # the client adds a space at the end
    assert (1008, "output_format_not_allowed") == (refused.value.status_code, refused.value.body)


def test_text_to_speech_in_several_streams(client: Any, elevenlabs_emulator: Emulator) -> None:
    """The emulator reads all messages that the vendor's types describe, and its frames are of the vendor's types."""
    token = client.tokens.single_use.create("tts_websocket").token
    frames = converse(
        elevenlabs_emulator,
        f"{TEXT_TO_SPEECH.replace('/stream', '/multi-stream')}?single_use_token={token}",
        types.InitializeConnectionMulti(context_id="a"),
        types.SendTextMulti(text="Hi ", context_id="a"),
        types.FlushContext(context_id="a", flush=True),
        types.KeepContextAlive(context_id="a"),
        types.CloseContext(context_id="a", close_context=True),
        types.InitialiseContext(text="Hi ", context_id="b"),
        types.CloseSocket(close_socket=True),
    )

    models = {"audio": types.AudioOutputMulti, "isFinal": types.FinalOutputMulti}
    assert ["audio", "isFinal"] * 2 == [check(frame, **models) for frame in frames]


def test_text_to_dialogue(client: Any, elevenlabs_emulator: Emulator) -> None:
    """The token comes in the first message; the frames are of the vendor's types."""
    token = client.tokens.single_use.create("ttd_websocket").token
    message = types.TextToDialogueWebsocketClientMessage
    line = types.TextToDialogueWebsocketVoiceInput(text="Hi", voice_id="ada")
    frames = converse(
        elevenlabs_emulator,
        f"{TEXT_TO_DIALOGUE}?sync_alignment=true",
        message(single_use_token=token, voices=["ada"]),
        message(inputs=[line], flush=True),
        message(close_socket=True),
    )

    models = {
        "audio": types.TextToDialogueWebsocketAudioChunk,
        "is_final_audio_for_turn": types.TextToDialogueWebsocketFinalAudioForTurn,
        "is_final": types.TextToDialogueWebsocketFinal,
    }
    assert list(models) == [check(frame, **models) for frame in frames]
