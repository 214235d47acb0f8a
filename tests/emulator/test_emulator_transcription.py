import base64
import json
from typing import Any

import pytest
from multidict import MultiDict

from elevenlabs_tokens.emulator.query import InvalidParameterError, Query
from elevenlabs_tokens.emulator.transcription import Transcription, TranscriptionError, TranscriptionSettings


def session(**query: str) -> Transcription:
    settings = TranscriptionSettings.from_query(Query(MultiDict(query)))
    return Transcription(settings, session_id="0b0a")


def chunk(size_in_bytes: int, **fields: Any) -> str:
    audio = base64.b64encode(bytes(size_in_bytes)).decode()
    return json.dumps(
        {"message_type": "input_audio_chunk", "audio_base_64": audio, "commit": False, "sample_rate": 16000, **fields}
    )


def partial(text: str) -> dict[str, object]:
    return {"message_type": "partial_transcript", "text": text}


def committed(text: str) -> dict[str, object]:
    return {"message_type": "committed_transcript", "text": text}


def test_the_session_starts_with_the_defaults() -> None:
    """Every setting is told, and what was not asked for is the API's default."""
    expected = {
        "message_type": "session_started",
        "session_id": "0b0a",
        "config": {
            "model_id": "scribe_v2_realtime",
            "sample_rate": 16000,
            "audio_format": "pcm_16000",
            "language_code": None,
            "commit_strategy": "manual",
            "vad_commit_strategy": "manual",
            "vad_silence_threshold_secs": 1.5,
            "vad_threshold": 0.4,
            "min_speech_duration_ms": 100,
            "min_silence_duration_ms": 100,
            "include_timestamps": False,
            "timestamps_granularity": "none",
            "include_language_detection": False,
            "keyterms": [],
            "no_verbatim": False,
            "enable_logging": True,
        },
    }

    assert expected == session().start()


def test_the_session_reflects_what_was_asked_for() -> None:
    """What the query says stands in the configuration."""
    asked = MultiDict(
        model_id="scribe_v3_live",
        audio_format="ulaw_8000",
        language_code="de",
        commit_strategy="vad",
        include_timestamps="true",
        include_language_detection="true",
        vad_silence_threshold_secs="0.5",
        vad_threshold="0.2",
        min_speech_duration_ms="60",
        min_silence_duration_ms="70",
        no_verbatim="true",
        enable_logging="false",
    )
    asked.extend([("keyterms", "Ada"), ("keyterms", "Lovelace")])
    started = Transcription(TranscriptionSettings.from_query(Query(asked)), session_id="x").start()

    assert {
        "model_id": "scribe_v3_live",
        "sample_rate": 8000,
        "audio_format": "ulaw_8000",
        "language_code": "de",
        "commit_strategy": "vad",
        "vad_commit_strategy": "vad",
        "vad_silence_threshold_secs": 0.5,
        "vad_threshold": 0.2,
        "min_speech_duration_ms": 60,
        "min_silence_duration_ms": 70,
        "include_timestamps": True,
        "timestamps_granularity": "word",
        "include_language_detection": True,
        "keyterms": ["Ada", "Lovelace"],
        "no_verbatim": True,
        "enable_logging": False,
    } == started["config"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("audio_format", "mp3"),
        ("commit_strategy", "sometimes"),
        ("include_timestamps", "maybe"),
        ("vad_silence_threshold_secs", "0.2"),
        ("vad_threshold", "1"),
        ("min_speech_duration_ms", "49"),
        ("min_silence_duration_ms", "2001"),
    ],
)
def test_settings_out_of_bounds_are_refused(name: str, value: str) -> None:
    """The parameter is named, in the words of an `invalid_request`."""
    with pytest.raises(InvalidParameterError, match=name) as caught:
        session(**{name: value})

    error = TranscriptionError.from_parameter(caught.value)
    assert {"message_type": "invalid_request", "error": str(caught.value)} == error.message


@pytest.mark.parametrize(
    ("audio_format", "size_in_bytes", "duration"),
    [
        ("pcm_16000", 32_000, "1.0"),
        ("pcm_8000", 24_000, "1.5"),
        ("pcm_44100", 22_050, "0.2"),
        ("ulaw_8000", 8_000, "1.0"),
    ],
)
def test_the_transcript_says_how_much_audio_came(audio_format: str, size_in_bytes: int, duration: str) -> None:
    """Bytes turn into seconds by the rate and width of the format."""
    answers = session(audio_format=audio_format).answer(chunk(size_in_bytes))

    assert [partial(f"emulated transcript of {duration} s of audio")] == answers


def test_partials_grow_and_a_commit_starts_anew() -> None:
    """A commit sums up what came since the last one, and leaves nothing behind."""
    talk = session()
    talk.answer(chunk(16_000))

    assert [partial("emulated transcript of 1.0 s of audio")] == talk.answer(chunk(16_000))
    assert [committed("emulated transcript of 1.0 s of audio")] == talk.answer(chunk(0, commit=True))
    assert [partial("emulated transcript of 0.5 s of audio")] == talk.answer(chunk(16_000))


def test_audio_may_come_with_the_commit() -> None:
    """A chunk that commits is counted before it is summed up."""
    text = "emulated transcript of 0.5 s of audio"

    assert [partial(text), committed(text)] == session().answer(chunk(16_000, commit=True))


def test_the_short_form_of_a_commit_is_understood() -> None:
    """A message of the type `commit` does the same as an empty chunk that commits."""
    talk = session()
    talk.answer(chunk(32_000))

    assert [committed("emulated transcript of 1.0 s of audio")] == talk.answer('{"message_type": "commit"}')


def test_timestamps_follow_with_the_same_text() -> None:
    """Words and spaces cover the committed audio without gaps, counted from the start of the session."""
    talk = session(include_timestamps="true")
    talk.answer(chunk(64_000, commit=True))

    plain, timed = talk.answer(chunk(32_000, commit=True))[1:]

    assert committed("emulated transcript of 1.0 s of audio") == plain
    words: Any = timed["words"]
    assert ("committed_transcript_with_timestamps", plain["text"]) == (timed["message_type"], timed["text"])
    assert plain["text"] == "".join(word["text"] for word in words)
    assert ["word", "spacing"] * 6 + ["word"] == [word["type"] for word in words]
    assert (2.0, 3.0) == (words[0]["start"], words[-1]["end"])
    assert [word["end"] for word in words[:-1]] == [word["start"] for word in words[1:]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [({}, None), ({"language_code": "de"}, "de"), ({"include_language_detection": "true"}, "en")],
)
def test_the_language_is_the_one_asked_for_or_detected(query: dict[str, str], expected: str | None) -> None:
    """It is told with the timestamps."""
    timed = session(include_timestamps="true", **query).answer(chunk(0, commit=True))[-1]

    assert expected == timed["language_code"]


def test_previous_text_comes_with_the_first_chunk_alone() -> None:
    """Later it is an error; null, which the vendor's Python client always sends, is no text."""
    talk = session()
    talk.answer(chunk(2, previous_text="before"))
    talk.answer(chunk(2, previous_text=None))

    with pytest.raises(TranscriptionError, match="first chunk") as caught:
        talk.answer(chunk(2, previous_text="again"))

    assert "input_error" == caught.value.message["message_type"]


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        ("", "JSON object"),
        ("[1]", "JSON object"),
        ("{}", "message_type"),
        ('{"message_type": "hello"}', "message_type"),
        ('{"message_type": "input_audio_chunk"}', "audio_base_64 must be"),
        ('{"message_type": "input_audio_chunk", "audio_base_64": 1}', "audio_base_64 must be"),
        (chunk(0, audio_base_64="AAA"), "not valid base64"),
        (chunk(0, audio_base_64="A\u00e9=="), "not valid base64"),
        (chunk(0, audio_base_64="AA-_"), "not valid base64"),
        (chunk(0, audio_base_64="AA\nAA"), "not valid base64"),
        (chunk(0, commit="yes"), "commit"),
        (chunk(0, sample_rate="16000"), "sample_rate"),
        (chunk(0, sample_rate=True), "sample_rate"),
        (chunk(0, previous_text=5), "previous_text"),
    ],
)
def test_what_is_no_chunk_is_an_input_error(frame: str, error: str) -> None:
    """Each says what was expected."""
    with pytest.raises(TranscriptionError, match=error) as caught:
        session().answer(frame)

    assert {"message_type": "input_error", "error": str(caught.value)} == caught.value.message
