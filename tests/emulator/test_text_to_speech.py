import asyncio
import base64
import json
from typing import Any

import pytest
from multidict import MultiDict

from elevenlabs_tokens.emulator.query import InvalidParameterError, Query
from elevenlabs_tokens.emulator.speech import SpeechSettings, speak
from frontend import KEY_HEADER, TEXT_TO_SPEECH, Conversation, Frontend
from frozen import KEY

pytestmark = pytest.mark.anyio


def test_settings_have_the_defaults_of_the_api() -> None:
    """MP3 and 20 s, unless the query says otherwise."""
    default = SpeechSettings.from_query(Query(MultiDict()))
    asked = SpeechSettings.from_query(Query(MultiDict(output_format="ulaw_8000", inactivity_timeout="180")))

    assert ("mp3_44100_128", 20) == (default.output_format, default.inactivity_timeout_in_seconds)
    assert ("ulaw_8000", 180) == (asked.output_format, asked.inactivity_timeout_in_seconds)


@pytest.mark.parametrize(
    ("name", "value"), [("output_format", "opus_48000_33"), ("inactivity_timeout", "0"), ("inactivity_timeout", "181")]
)
def test_settings_out_of_bounds_are_refused(name: str, value: str) -> None:
    """The error names the parameter."""
    with pytest.raises(InvalidParameterError) as caught:
        SpeechSettings.from_query(Query(MultiDict({name: value})))

    assert name == caught.value.parameter


@pytest.mark.parametrize("text", ["", " ", " \n"])
def test_white_space_is_not_spoken(text: str) -> None:
    """It makes no frame of audio."""
    assert [] == list(speak(text, "pcm_16000"))


def test_each_character_has_its_time() -> None:
    """The alignment covers the audio to the millisecond."""
    (frame,) = speak("Hi ", "pcm_16000")

    alignment = {"charStartTimesMs": [0, 60, 120], "charDurationsMs": [60, 60, 60], "chars": ["H", "i", " "]}
    assert (alignment, alignment, None) == (frame["alignment"], frame["normalizedAlignment"], frame["isFinal"])
    assert 16_000 * 2 * 180 // 1000 == len(base64.b64decode(str(frame["audio"])))


def test_a_long_text_comes_in_frames_that_clients_accept() -> None:
    """No frame of the largest format is over 1 MiB, no character is lost, and the times of each frame begin at 0."""
    text = "all work and no play " * 20
    frames: list[Any] = list(speak(text, "pcm_48000"))

    assert text == "".join("".join(frame["alignment"]["chars"]) for frame in frames)
    assert max(len(json.dumps(frame)) for frame in frames) < 2**20
    assert [0] * len(frames) == [frame["alignment"]["charStartTimesMs"][0] for frame in frames]


@pytest.mark.parametrize(
    "frame",
    [b"", b"{", b"[]", b"null", b"9" * 5000, b"[" * 100_000, b"{}", b'{"text": null}', b'{"text": 1}'],
    ids=lambda frame: frame[:15].decode(),
)
async def test_a_message_is_an_object_with_a_text(frontend: Frontend, frame: bytes) -> None:
    """Anything else is an invalid input message, and ends the connection."""
    async with frontend.connect(TEXT_TO_SPEECH, headers=KEY_HEADER) as socket:
        await socket.send_str(frame.decode())
        error = await socket.receive_json(timeout=5)

        assert "Could not parse input message" in error["message"]
        assert ("invalid_input_message", 1008) == (error["error"], error["code"])
        assert (await socket.receive()).data == 1008


FIRST = {"text": " ", "voice_settings": None, "generation_config": {"chunk_length_schedule": [50]}}
FINAL = {"audio": None, "isFinal": True}


async def say(frontend: Frontend, *messages: dict[str, Any], query: str = "") -> Conversation:
    """Speak with a fresh token."""
    token = await frontend.mint("tts_websocket")
    return await frontend.converse(f"{TEXT_TO_SPEECH}?single_use_token={token}{query}", *messages)


async def test_a_whole_conversation(frontend: Frontend) -> None:
    """Each text is spoken, then come the final frame and a close with 1000."""
    (*audio, final), code, _ = await say(
        frontend,
        FIRST,
        {"text": "Hello ", "try_trigger_generation": True},
        {"text": " "},
        {"text": "world. ", "flush": True},
        {"text": ""},
        query="&output_format=pcm_16000",
    )

    assert (FINAL, 1000) == (final, code)
    assert ["Hello ", "world. "] == ["".join(frame["alignment"]["chars"]) for frame in audio]
    assert [6 * 1920, 7 * 1920] == [len(base64.b64decode(frame["audio"])) for frame in audio]


async def test_a_key_in_the_first_message_opens_it(frontend: Frontend) -> None:
    """It need not be repeated, and a bad key is refused. If the query has a token, no key counts."""
    last = {"text": ""}
    opened, _, _ = await frontend.converse(TEXT_TO_SPEECH, {**FIRST, "xi_api_key": KEY}, {"text": "Hi "}, last)
    (refusal,), _, _ = await frontend.converse(TEXT_TO_SPEECH, {**FIRST, "xi-api-key": "sk_bad"})
    (no_help,), _, _ = await frontend.converse(f"{TEXT_TO_SPEECH}?single_use_token=", {**FIRST, "xi_api_key": KEY})
    no_harm, _, _ = await say(frontend, {**FIRST, "xi_api_key": "sk_bad"}, last)

    assert [False, True] == [frame == FINAL for frame in opened]
    assert "authentication_required" == refusal["error"] == no_help["error"]
    assert [FINAL] == no_harm


async def test_a_bad_parameter_is_refused_before_the_token_is_spent(frontend: Frontend) -> None:
    """The frame names the parameter, and says what it must be."""
    (frame,), code, reason = await say(frontend, query="&output_format=wav")

    assert ("invalid_parameters", 1008, "output_format") == (frame["error"], frame["code"], frame["param"])
    assert "output_format must be one of" in frame["message"]
    assert (1008, "invalid_parameters") == (code, reason)
    assert ["fresh"] == [record.state for record in frontend.emulator.tokens]


async def test_opus_is_refused_as_a_format_that_the_plan_lacks(frontend: Frontend) -> None:
    """The token stays fresh."""
    (frame,), code, _ = await say(frontend, query="&output_format=opus_48000_32")

    assert ("output_format_not_allowed", 1008, "output_format") == (frame["error"], code, frame["param"])
    assert ["fresh"] == [record.state for record in frontend.emulator.tokens]


@pytest.mark.timed
async def test_silence_ends_the_connection(frontend: Frontend) -> None:
    """The query says after how many seconds; an error frame comes first."""
    loop = asyncio.get_running_loop()
    started_at = loop.time()

    (frame,), code, reason = await say(frontend, FIRST, query="&inactivity_timeout=1")

    assert 1 <= loop.time() - started_at < 10
    assert ("input_timeout_exceeded", 1008) == (frame["error"], frame["code"])
    assert (1008, "input_timeout_exceeded") == (code, reason)


@pytest.mark.parametrize("way", ["with a close", "without one"])
async def test_a_client_may_leave_in_the_middle(frontend: Frontend, way: str, caplog: pytest.LogCaptureFixture) -> None:
    """A client that leaves while audio is on its way causes no error, and the emulator goes on."""
    async with frontend.connect(f"{TEXT_TO_SPEECH}?output_format=pcm_48000", headers=KEY_HEADER) as socket:
        await socket.send_json({"text": "a" * 10_000})
        await socket.receive_json(timeout=5)
        if way == "without one":
            socket._response.close()

    assert 1000 == (await say(frontend, {"text": ""}))[1]
    assert [] == [record for record in caplog.records if record.name.startswith("aiohttp")]


MULTI = TEXT_TO_SPEECH.replace("/stream-input", "/multi-stream-input")


async def test_each_context_has_its_own_audio_and_final(frontend: Frontend) -> None:
    """Contexts take turns; an empty text ends none; those still open get their final when the socket closes."""
    token = await frontend.mint("tts_websocket")
    received, code, _ = await frontend.converse(
        f"{MULTI}?single_use_token={token}&output_format=pcm_16000",
        {"text": " ", "context_id": "a", "voice_settings": None},
        {"text": "One ", "context_id": "a"},
        {"text": "Two ", "contextId": "b", "flush": True},
        {"text": "", "context_id": "a"},
        {"context_id": "a", "flush": True},
        {"text": "never said", "context_id": "a", "close_context": True},
        {"context_id": "never opened", "close_context": True},
        {"text": "", "context_id": "never opened"},
        {"text": "Three "},
        {"close_socket": True},
    )

    said = [
        (frame["contextId"], "final" if frame.get("isFinal") else "".join(frame["alignment"]["chars"]))
        for frame in received
    ]
    assert [
        ("a", "One "),
        ("b", "Two "),
        ("a", "final"),
        ("default", "Three "),
        ("b", "final"),
        ("default", "final"),
    ] == said
    assert 1000 == code
    assert [4 * 1920, 4 * 1920, 6 * 1920] == [len(base64.b64decode(f["audio"])) for f in received if "audio" in f]


async def test_a_token_opens_one_of_the_two_sockets(frontend: Frontend) -> None:
    """Once it has opened the one, the other refuses it."""
    token = await frontend.mint("tts_websocket")
    query = f"?single_use_token={token}"

    assert [FINAL] == (await frontend.converse(TEXT_TO_SPEECH + query, {"text": ""}))[0]
    assert 1008 == (await frontend.converse(MULTI + query, {"close_socket": True}))[1]
