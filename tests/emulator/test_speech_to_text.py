import base64
import json
from array import array
from typing import Any
from urllib.parse import parse_qsl

import pytest
from multidict import MultiDict

from elevenlabs_tokens.emulator import speech_to_text
from elevenlabs_tokens.emulator.audio import _ulaw
from elevenlabs_tokens.emulator.query import InvalidParameterError, Query
from elevenlabs_tokens.emulator.transcription import Transcription, TranscriptionError, TranscriptionSettings
from frontend import KEY_HEADER, SPEECH_TO_TEXT, Frontend

pytestmark = pytest.mark.anyio

DEFAULTS = {
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
}


def session(query: str = "") -> Transcription:
    settings = TranscriptionSettings.from_query(Query(MultiDict(parse_qsl(query))))
    return Transcription(settings, session_id="0b0a")


def encode(audio: bytes) -> str:
    return base64.b64encode(audio).decode()


def chunk(size_in_bytes: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "message_type": "input_audio_chunk",
        "audio_base_64": encode(bytes(size_in_bytes)),
        "commit": False,
        "sample_rate": 16000,
        **fields,
    }


def answers(talk: Transcription, size_in_bytes: int, **fields: Any) -> list[tuple[object, object]]:
    """Send a chunk; give the type and the text of each answer."""
    return [
        (answer["message_type"], answer["text"]) for answer in talk.answer(json.dumps(chunk(size_in_bytes, **fields)))
    ]


def partial(duration: str, sound: str = "silence") -> tuple[str, str]:
    return "partial_transcript", f"emulated transcript of {duration} s of {sound}"


def committed(duration: str, sound: str = "silence") -> tuple[str, str]:
    return "committed_transcript", f"emulated transcript of {duration} s of {sound}"


def test_a_session_starts_with_the_defaults() -> None:
    """The first message says every setting; what was not asked for has the API's default."""
    assert {"message_type": "session_started", "session_id": "0b0a", "config": DEFAULTS} == session().start()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("model_id=scribe_v3_live", {"model_id": "scribe_v3_live"}),
        ("audio_format=ulaw_8000", {"audio_format": "ulaw_8000", "sample_rate": 8000}),
        ("language_code=de", {"language_code": "de"}),
        ("commit_strategy=vad", {"commit_strategy": "vad", "vad_commit_strategy": "vad"}),
        ("include_timestamps=true", {"include_timestamps": True, "timestamps_granularity": "word"}),
        ("include_language_detection=true", {"include_language_detection": True}),
        ("vad_silence_threshold_secs=0.3", {"vad_silence_threshold_secs": 0.3}),
        ("vad_threshold=0.9", {"vad_threshold": 0.9}),
        ("min_speech_duration_ms=50", {"min_speech_duration_ms": 50}),
        ("min_silence_duration_ms=2000", {"min_silence_duration_ms": 2000}),
        ("keyterms=Ada&keyterms=Lovelace", {"keyterms": ["Ada", "Lovelace"]}),
        ("no_verbatim=true", {"no_verbatim": True}),
        ("enable_logging=false", {"enable_logging": False}),
    ],
)
def test_a_session_starts_with_what_was_asked_for(query: str, expected: dict[str, object]) -> None:
    """A setting from the query, up to its bounds, replaces the default; the others do not change."""
    assert DEFAULTS | expected == session(query).start()["config"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("audio_format", "mp3"),
        ("commit_strategy", "sometimes"),
        ("include_timestamps", "maybe"),
        *(("vad_silence_threshold_secs", value) for value in ("0.29", "3.01")),
        *(("vad_threshold", value) for value in ("0.09", "0.91")),
        *(("min_speech_duration_ms", value) for value in ("49", "2001")),
        *(("min_silence_duration_ms", value) for value in ("49", "2001")),
    ],
)
def test_settings_out_of_bounds_are_refused(name: str, value: str) -> None:
    """The error names the parameter."""
    with pytest.raises(InvalidParameterError, match=name):
        session(f"{name}={value}")


@pytest.mark.parametrize(
    ("audio_format", "size_in_bytes", "duration"),
    [
        ("pcm_16000", 32_000, "1.0"),
        ("pcm_8000", 24_000, "1.5"),
        ("pcm_44100", 22_050, "0.2"),
        ("pcm_16000", 32_001, "1.0"),
    ],
)
def test_a_transcript_says_how_much_audio_came(audio_format: str, size_in_bytes: int, duration: str) -> None:
    """The rate and the width of the format turn bytes into seconds."""
    assert [partial(duration)] == answers(session(f"audio_format={audio_format}"), size_in_bytes)


@pytest.mark.parametrize(
    ("amplitude", "sound"), [(20, "silence"), (200, "quiet audio"), (8000, "audio"), (30_000, "loud audio")]
)
@pytest.mark.parametrize("audio_format", ["pcm_8000", "ulaw_8000"])
def test_a_transcript_says_how_loud_the_audio_is(audio_format: str, amplitude: int, sound: str) -> None:
    """Both codecs are measured alike."""
    samples = [amplitude, -amplitude] * 4000
    audio = _ulaw(samples) if audio_format == "ulaw_8000" else array("h", samples).tobytes()

    assert [partial("1.0", sound)] == answers(session(f"audio_format={audio_format}"), 0, audio_base_64=encode(audio))


TONE = array("h", [8000, -8000] * 1600).tobytes()  # 0.2 s of pcm_16000
PAUSE = bytes(6400)


@pytest.mark.parametrize("size_in_bytes", [100, 320, 6400, 10**6])
def test_voice_activity_commits_at_each_pause(size_in_bytes: int) -> None:
    """The size of the chunks does not matter; without speech, nothing is committed."""
    talk = session("commit_strategy=vad&vad_silence_threshold_secs=0.4")
    audio = PAUSE * 5 + (TONE + PAUSE + TONE + PAUSE * 3) * 2
    received = [
        answer
        for start in range(0, len(audio), size_in_bytes)
        for answer in answers(talk, 0, audio_base_64=encode(audio[start : start + size_in_bytes]))
    ]

    commits = [answer for answer in received if answer[0] == "committed_transcript"]
    assert [committed("2.0", "audio"), committed("1.2", "audio")] == commits
    assert partial("0.2") == received[-1]


@pytest.mark.parametrize(
    "query",
    [
        "vad_silence_threshold_secs=1.1",
        "vad_silence_threshold_secs=0.3&min_silence_duration_ms=1100",
        "vad_silence_threshold_secs=0.3&min_speech_duration_ms=210",
        "vad_silence_threshold_secs=0.3&vad_threshold=0.9",
    ],
)
def test_voice_activity_heeds_its_settings(query: str) -> None:
    """Here the pause is too short, or the speech is too short or too quiet; a commit by hand works."""
    talk = session(f"commit_strategy=vad&{query}")

    assert [partial("1.6", "audio")] == answers(talk, 0, audio_base_64=encode((TONE + PAUSE) * 2 + PAUSE * 4))
    assert [committed("1.6", "audio")] == answers(talk, 0, commit=True)


def test_a_commit_by_hand_is_not_repeated_at_the_next_pause() -> None:
    """The speech before it is transcribed already."""
    talk = session("commit_strategy=vad")
    answers(talk, 0, audio_base_64=encode(TONE), commit=True)

    assert [partial("2.0")] == answers(talk, 0, audio_base_64=encode(PAUSE * 10))


def test_partials_grow_until_a_commit() -> None:
    """A commit, in its long or its short form, transcribes the audio since the last one and what comes with it."""
    talk = session()

    assert [partial("0.5")] == answers(talk, 16_000)
    assert [partial("1.0")] == answers(talk, 16_000)
    assert [committed("1.0")] == answers(talk, 0, commit=True)
    assert [partial("0.5"), committed("0.5")] == answers(talk, 16_000, commit=True)
    assert [partial("0.0")] == answers(talk, 0)
    assert [committed("0.0")] == answers(talk, 0, message_type="commit")


def test_timestamps_follow_with_the_same_text() -> None:
    """Words and spaces cover the committed audio without gaps; times count from the start of the session."""
    talk = session("include_timestamps=true")
    answers(talk, 64_000, commit=True)

    _, plain, timed = talk.answer(json.dumps(chunk(32_000, commit=True)))

    words: Any = timed["words"]
    assert ("committed_transcript_with_timestamps", plain["text"]) == (timed["message_type"], timed["text"])
    assert plain["text"] == "".join(word["text"] for word in words)
    assert ["word", "spacing"] * 6 + ["word"] == [word["type"] for word in words]
    assert (2.0, 3.0) == (words[0]["start"], words[-1]["end"])
    assert [word["end"] for word in words[:-1]] == [word["start"] for word in words[1:]]


def test_the_language_is_asked_for_or_detected() -> None:
    """The message with the timestamps says it."""
    for query, expected in (("", None), ("language_code=de", "de"), ("include_language_detection=true", "en")):
        timed = session(f"include_timestamps=true&{query}").answer(json.dumps(chunk(commit=True)))[-1]

        assert expected == timed["language_code"]


def test_previous_text_comes_with_the_first_chunk_alone() -> None:
    """Later it is an error; null, which the vendor's Python client always sends, is no text."""
    talk = session()
    answers(talk, 2, previous_text="before")
    answers(talk, 2, previous_text=None)

    with pytest.raises(TranscriptionError, match="first chunk") as caught:
        answers(talk, 2, previous_text="again")

    assert "input_error" == caught.value.message["message_type"]


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        ("", "JSON object"),
        ("[1]", "JSON object"),
        ("{}", "message_type"),
        ('{"message_type": "hello"}', "message_type"),
        ('{"message_type": "input_audio_chunk"}', "audio_base_64 must be"),
        (json.dumps(chunk(audio_base_64=1)), "audio_base_64 must be"),
        (json.dumps(chunk(audio_base_64="AAA")), "not valid base64"),
        (json.dumps(chunk(audio_base_64="A\u00e9==")), "not valid base64"),
        (json.dumps(chunk(audio_base_64="AA-_")), "not valid base64"),
        (json.dumps(chunk(audio_base_64="AA\nAA")), "not valid base64"),
        (json.dumps(chunk(commit="yes")), "commit"),
        (json.dumps(chunk(sample_rate="16000")), "sample_rate"),
        (json.dumps(chunk(sample_rate=True)), "sample_rate"),
        (json.dumps(chunk(previous_text=5)), "previous_text"),
    ],
)
def test_anything_but_a_chunk_is_an_input_error(frame: str, error: str) -> None:
    """The error says what was expected."""
    with pytest.raises(TranscriptionError, match=error) as caught:
        session().answer(frame)

    assert {"message_type": "input_error", "error": str(caught.value)} == caught.value.message


async def test_a_whole_session(frontend: Frontend) -> None:
    """The session starts; each chunk has its partial, the commit both its transcripts; a bad message ends it."""
    path = f"{SPEECH_TO_TEXT}?include_timestamps=true&token={await frontend.mint('realtime_scribe')}"

    received, code, _ = await frontend.converse(path, chunk(32_000), chunk(32_000), chunk(commit=True), {})

    assert [
        "session_started",
        "partial_transcript",
        "partial_transcript",
        "committed_transcript",
        "committed_transcript_with_timestamps",
        "input_error",
    ] == [message["message_type"] for message in received]
    assert received[0]["config"]["include_timestamps"]
    assert 1000 == code


async def test_each_session_has_an_id_of_its_own(frontend: Frontend) -> None:
    """Here, a binary frame, which is no message, ends each session."""
    ids: set[str] = set()
    for _ in range(2):
        token = await frontend.mint("realtime_scribe")
        (started, error), _, _ = await frontend.converse(f"{SPEECH_TO_TEXT}?token={token}", b"\0")
        ids.add(started["session_id"])

        assert "input_error" == error["message_type"]
    assert 2 == len(ids)


async def test_a_bad_parameter_is_refused_before_the_token_is_spent(frontend: Frontend) -> None:
    """The error names the parameter."""
    token = await frontend.mint("realtime_scribe")

    (message,), code, _ = await frontend.converse(f"{SPEECH_TO_TEXT}?token={token}&audio_format=mp3")

    assert ("invalid_request", 1000) == (message["message_type"], code)
    assert "audio_format" in message["error"]
    assert ["fresh"] == [record.state for record in frontend.emulator.tokens]


async def test_silence_ends_the_session_without_an_error(frontend: Frontend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the close comes."""
    monkeypatch.setattr(speech_to_text, "_INACTIVITY_TIMEOUT_IN_SECONDS", 0.05)

    received, code, _ = await frontend.converse(SPEECH_TO_TEXT, headers=KEY_HEADER)

    assert ["session_started"] == [message["message_type"] for message in received]
    assert 1000 == code
