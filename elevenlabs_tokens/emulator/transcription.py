"""The messages of a realtime speech-to-text socket, in both directions.

Source: https://elevenlabs.io/docs/api-reference/speech-to-text/v-1-speech-to-text-realtime, read 2026-11-24.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Self

from attrs import asdict, frozen

from elevenlabs_tokens.emulator.frames import read_object
from elevenlabs_tokens.emulator.loudness import Codec, Sound
from elevenlabs_tokens.emulator.query import InvalidParameterError, Query
from elevenlabs_tokens.emulator.voice_activity import VoiceActivity

Message = dict[str, object]

AUDIO_FORMATS = ("pcm_8000", "pcm_16000", "pcm_22050", "pcm_24000", "pcm_44100", "pcm_48000", "ulaw_8000")
_COMMIT_STRATEGIES = ("manual", "vad")


@frozen(kw_only=True)
class TranscriptionSettings:
    """What the client asked for in the query, with the API's defaults for the rest."""

    model_id: str
    audio_format: str
    language_code: str | None
    commit_strategy: str
    include_timestamps: bool
    include_language_detection: bool
    vad_silence_threshold_secs: float
    vad_threshold: float
    min_speech_duration_ms: int
    min_silence_duration_ms: int
    keyterms: list[str]
    no_verbatim: bool
    enable_logging: bool

    @classmethod
    def from_query(cls, query: Query) -> Self:
        """Read the settings.

        Raises:
            InvalidParameterError: A parameter has a bad value.
        """
        return cls(
            model_id=query.text("model_id") or "scribe_v2_realtime",
            audio_format=query.one_of("audio_format", AUDIO_FORMATS, default="pcm_16000"),
            language_code=query.text("language_code"),
            commit_strategy=query.one_of("commit_strategy", _COMMIT_STRATEGIES, default="manual"),
            include_timestamps=query.boolean("include_timestamps", default=False),
            include_language_detection=query.boolean("include_language_detection", default=False),
            vad_silence_threshold_secs=query.number(
                "vad_silence_threshold_secs", at_least=0.3, at_most=3.0, default=1.5
            ),
            vad_threshold=query.number("vad_threshold", at_least=0.1, at_most=0.9, default=0.4),
            min_speech_duration_ms=query.integer("min_speech_duration_ms", at_least=50, at_most=2000, default=100),
            min_silence_duration_ms=query.integer("min_silence_duration_ms", at_least=50, at_most=2000, default=100),
            keyterms=query.texts("keyterms"),
            no_verbatim=query.boolean("no_verbatim", default=False),
            enable_logging=query.boolean("enable_logging", default=True),
        )

    @property
    def sample_rate(self) -> int:
        """Samples per second."""
        return int(self.audio_format.partition("_")[2])

    @property
    def codec(self) -> Codec:
        """How samples are coded."""
        return "ulaw" if self.audio_format.startswith("ulaw") else "pcm"


class TranscriptionError(Exception):
    """An error that ends the connection; `message` is the last that is sent."""

    def __init__(self, message_type: str, text: str) -> None:
        super().__init__(text)
        self.message: Message = {"message_type": message_type, "error": text}

    @classmethod
    def from_refusal(cls) -> Self:
        """Say that the connection is not admitted. The API says the same for every bad token or key."""
        return cls("auth_error", "You must be authenticated to use this endpoint.")

    @classmethod
    def from_parameter(cls, error: InvalidParameterError) -> Self:
        """Say that a query parameter has a bad value."""
        return cls("invalid_request", str(error))


def _input_error(text: str) -> TranscriptionError:
    return TranscriptionError("input_error", text)


class Transcription:
    """A session: it measures the audio that the client sends, and makes the server's messages.

    Args:
        settings: What the client asked for.
        session_id: The id of the session.
    """

    def __init__(self, settings: TranscriptionSettings, *, session_id: str) -> None:
        self._settings = settings
        self._session_id = session_id
        self._has_received_chunk = False
        self._committed_in_seconds = 0.0
        self._pending = self._no_sound()
        self._voice_activity = VoiceActivity(
            codec=settings.codec,
            rate=settings.sample_rate,
            threshold=settings.vad_threshold,
            speech_in_milliseconds=settings.min_speech_duration_ms,
            silence_in_milliseconds=max(
                round(settings.vad_silence_threshold_secs * 1000), settings.min_silence_duration_ms
            ),
        )

    def start(self) -> Message:
        """Give the first message, which says what the client asked for."""
        settings = self._settings
        config = asdict(settings) | {
            "sample_rate": settings.sample_rate,
            # The setting has two names: the API reference has `commit_strategy`, the published types have this one.
            "vad_commit_strategy": settings.commit_strategy,
            "timestamps_granularity": "word" if settings.include_timestamps else "none",
        }
        return {"message_type": "session_started", "session_id": self._session_id, "config": config}

    def answer(self, frame: str) -> list[Message]:
        """Answer one message: a chunk of audio, a commit, or both at once.

        Raises:
            TranscriptionError: It is neither, or has a `previous_text` after the first chunk.
        """
        chunk = _AudioChunk.from_frame(frame)
        if chunk.previous_text is not None and self._has_received_chunk:
            raise _input_error("previous_text can only be sent with the first chunk of audio.")
        self._has_received_chunk = True
        messages: list[Message] = []
        for audio, is_pause in self._pieces(chunk):
            self._pending.add(audio)
            messages.append({"message_type": "partial_transcript", "text": self._pending.transcript()})
            if is_pause:
                messages += self._commit()
        if chunk.commit:
            self._voice_activity.forget()
            messages += self._commit()
        return messages

    def _pieces(self, chunk: "_AudioChunk") -> Iterable[tuple[bytes, bool]]:
        if chunk.audio and self._settings.commit_strategy == "vad":
            return self._voice_activity.split(chunk.audio)
        return [] if chunk.commit and not chunk.audio else [(chunk.audio, False)]

    def _commit(self) -> list[Message]:
        text = self._pending.transcript()
        messages: list[Message] = [{"message_type": "committed_transcript", "text": text}]
        if self._settings.include_timestamps:
            messages.append(
                {
                    "message_type": "committed_transcript_with_timestamps",
                    "text": text,
                    "language_code": self._language_code(),
                    "words": spread_words(text, start=self._committed_in_seconds, duration=self._pending.seconds),
                }
            )
        self._committed_in_seconds += self._pending.seconds
        self._pending = self._no_sound()
        return messages

    def _no_sound(self) -> Sound:
        return Sound(self._settings.codec, self._settings.sample_rate)

    def _language_code(self) -> str | None:
        return self._settings.language_code or ("en" if self._settings.include_language_detection else None)


@frozen(kw_only=True)
class _AudioChunk:
    audio: bytes
    commit: bool
    previous_text: str | None

    @classmethod
    def from_frame(cls, frame: str) -> Self:
        fields = read_object(frame)
        if fields is None:
            raise _input_error("Expected a JSON object.")
        if fields.get("message_type") == "commit":
            # The vendor's SDKs do not send this short form, but its notes for coding agents describe it.
            return cls(audio=b"", commit=True, previous_text=None)
        if fields.get("message_type") != "input_audio_chunk":
            raise _input_error("message_type must be input_audio_chunk.")
        commit = fields.get("commit", False)
        if not isinstance(commit, bool):
            raise _input_error("commit must be true or false.")
        sample_rate = fields.get("sample_rate")
        if sample_rate is not None and type(sample_rate) is not int:
            raise _input_error("sample_rate must be a whole number.")
        previous_text = fields.get("previous_text")
        if previous_text is not None and not isinstance(previous_text, str):
            raise _input_error("previous_text must be a string.")
        return cls(audio=_decode(fields.get("audio_base_64")), commit=commit, previous_text=previous_text)


def _decode(audio_base_64: object) -> bytes:
    if not isinstance(audio_base_64, str):
        raise _input_error("audio_base_64 must be a string.")
    try:
        return base64.b64decode(audio_base_64, validate=True)
    except (binascii.Error, ValueError):
        raise _input_error("audio_base_64 is not valid base64.") from None


def spread_words(text: str, *, start: float, duration: float) -> list[Message]:
    """Spread the words and the spaces evenly over the audio; times are in seconds from the start of the session."""
    pieces = re.split("( )", text)
    edges = [round(start + duration * index / len(pieces), 3) for index in range(len(pieces) + 1)]
    return [
        {
            "text": piece,
            "start": piece_start,
            "end": piece_end,
            "type": "spacing" if piece == " " else "word",
            "logprob": 0.0,
        }
        for piece, (piece_start, piece_end) in zip(pieces, pairwise(edges), strict=True)
    ]
