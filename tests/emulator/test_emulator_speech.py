import base64
import json
from typing import Any

import pytest
from multidict import MultiDict

from elevenlabs_tokens.emulator.admission import KeyRefusedError
from elevenlabs_tokens.emulator.api_errors import INVALID_API_KEY
from elevenlabs_tokens.emulator.ledger import TokenRefusedError
from elevenlabs_tokens.emulator.query import InvalidParameterError, Query
from elevenlabs_tokens.emulator.speech import SpeechError, SpeechSettings, TextInput, speak


def test_settings_have_the_defaults_of_the_api() -> None:
    """MP3 and 20 s, unless the query says otherwise."""
    default = SpeechSettings.from_query(Query(MultiDict()))
    asked = SpeechSettings.from_query(Query(MultiDict(output_format="ulaw_8000", inactivity_timeout="180")))

    assert ("mp3_44100_128", 20) == (default.output_format, default.inactivity_timeout_in_seconds)
    assert ("ulaw_8000", 180) == (asked.output_format, asked.inactivity_timeout_in_seconds)


@pytest.mark.parametrize(
    ("name", "value"), [("output_format", "opus_48000_32"), ("inactivity_timeout", "0"), ("inactivity_timeout", "181")]
)
def test_settings_out_of_bounds_are_refused(name: str, value: str) -> None:
    """The error frame names the parameter."""
    with pytest.raises(InvalidParameterError) as caught:
        SpeechSettings.from_query(Query(MultiDict({name: value})))

    assert {
        "message": str(caught.value),
        "error": "invalid_parameters",
        "code": 1008,
        "param": name,
    } == SpeechError.from_parameter(caught.value).frame


def test_a_token_of_another_type_is_told_apart() -> None:
    """The error frame names both types."""
    refusal = TokenRefusedError("wrong_type", expected="tts_websocket", actual="realtime_scribe")

    assert {
        "message": "Token type mismatch: expected 'tts_websocket', got 'realtime_scribe'.",
        "error": "invalid_token_type",
        "code": 1008,
    } == SpeechError.from_refusal(refusal).frame


@pytest.mark.parametrize(
    "refusal",
    [
        TokenRefusedError("unknown", expected="tts_websocket", actual=None),
        TokenRefusedError("spent", expected="tts_websocket", actual="tts_websocket"),
        KeyRefusedError(INVALID_API_KEY),
    ],
)
def test_other_refusals_say_no_more_than_that(refusal: TokenRefusedError | KeyRefusedError) -> None:
    """Unknown, spent, or a bad key: the frame is the same."""
    assert {
        "message": "You must be authenticated to use this endpoint.",
        "error": "authentication_required",
        "code": 1008,
    } == SpeechError.from_refusal(refusal).frame


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, None),
        ({"xi_api_key": "sk_a"}, "sk_a"),
        ({"xi-api-key": "sk_b"}, "sk_b"),
        ({"xi_api_key": None, "xi-api-key": "sk_b"}, "sk_b"),
        ({"xi_api_key": 5}, None),
    ],
)
def test_a_message_may_carry_a_key(fields: dict[str, Any], expected: str | None) -> None:
    """Under either of its names."""
    assert TextInput(text=" ", api_key=expected) == TextInput.from_frame(json.dumps({"text": " ", **fields}))


@pytest.mark.parametrize("frame", ["", "[]", "{}", '{"text": null}', '{"text": 1}'])
def test_a_message_has_a_text(frame: str) -> None:
    """All else is an invalid input message."""
    with pytest.raises(SpeechError, match="Could not parse input message") as caught:
        TextInput.from_frame(frame)

    assert ("invalid_input_message", 1008) == (caught.value.frame["error"], caught.value.frame["code"])


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


def test_a_long_text_comes_in_frames_that_clients_take() -> None:
    """No frame of the widest format is over 1 MiB, no character is lost, and times start anew in each."""
    text = "all work and no play " * 20
    frames: list[Any] = list(speak(text, "pcm_48000"))

    assert text == "".join("".join(frame["alignment"]["chars"]) for frame in frames)
    assert max(len(json.dumps(frame)) for frame in frames) < 2**20
    assert [0] * len(frames) == [frame["alignment"]["charStartTimesMs"][0] for frame in frames]
