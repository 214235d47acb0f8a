"""What is said on a text-to-speech socket, both ways.

Source: https://elevenlabs.io/docs/api-reference/text-to-speech/v-1-text-to-speech-voice-id-stream-input, read
2026-11-24.
"""

import base64
from collections.abc import Iterator
from typing import Self

from attrs import frozen

from elevenlabs_tokens.emulator.admission import KeyRefusedError
from elevenlabs_tokens.emulator.audio import OUTPUT_FORMATS, synthesise
from elevenlabs_tokens.emulator.frames import read_object
from elevenlabs_tokens.emulator.ledger import TokenRefusedError
from elevenlabs_tokens.emulator.query import InvalidParameterError, Query

Frame = dict[str, object]

POLICY_VIOLATION = 1008
FINAL: Frame = {"audio": None, "isFinal": True}

_MILLISECONDS_PER_CHARACTER = 60
# 6 s of audio: the largest frame stays under the 1 MiB that many WebSocket clients take at most.
_CHARACTERS_PER_FRAME = 100


class SpeechError(Exception):
    """The end of a connection; `frame` is the last that it sends, `name` the reason for the close that follows."""

    def __init__(self, error: str, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.name = error
        self.frame: Frame = {"message": message, "error": error, "code": POLICY_VIOLATION}
        if param is not None:
            self.frame["param"] = param

    @classmethod
    def from_refusal(cls, refusal: TokenRefusedError | KeyRefusedError) -> Self:
        """Why the connection is not let in; but for a token of another type, the API does not go into details."""
        if isinstance(refusal, TokenRefusedError) and refusal.reason == "wrong_type":
            return cls(
                "invalid_token_type",
                f"Token type mismatch: expected '{refusal.expected}', got '{refusal.actual}'.",
            )
        return cls("authentication_required", "You must be authenticated to use this endpoint.")

    @classmethod
    def from_parameter(cls, error: InvalidParameterError) -> Self:
        """A query parameter that is not of its kind."""
        return cls("invalid_parameters", str(error), param=error.parameter)

    @classmethod
    def from_silence(cls, timeout_in_seconds: int) -> Self:
        """A client that has sent nothing for too long."""
        return cls(
            "input_timeout_exceeded",
            f"No input came for {timeout_in_seconds} seconds; send a text of one space to keep the connection open.",
        )


@frozen(kw_only=True)
class SpeechSettings:
    """What a connection asked for in its query.

    Attributes:
        output_format: The format of the audio.
        inactivity_timeout_in_seconds: How long the client may send nothing.
    """

    output_format: str
    inactivity_timeout_in_seconds: int

    @classmethod
    def from_query(cls, query: Query) -> Self:
        """Read the settings.

        Raises:
            InvalidParameterError: A parameter is not of its kind, or a format needs a codec (Opus).
        """
        return cls(
            # The API's specification names the default without a bitrate; its SDKs ask for this one.
            output_format=query.one_of("output_format", OUTPUT_FORMATS, default="mp3_44100_128"),
            inactivity_timeout_in_seconds=query.integer("inactivity_timeout", at_least=1, at_most=180, default=20),
        )


@frozen(kw_only=True)
class TextInput:
    """One message of the client.

    Attributes:
        text: What to say; white space alone says nothing and keeps the connection open, an empty text ends it.
        api_key: The key that a first message may carry.
    """

    text: str
    api_key: str | None

    @classmethod
    def from_frame(cls, frame: str) -> Self:
        """Read a message.

        Raises:
            SpeechError: It is not JSON, or has no text.
        """
        fields = read_object(frame)
        if fields is None:
            raise _unreadable("expected a JSON object")
        text = fields.get("text")
        if not isinstance(text, str):
            raise _unreadable("text must be a string")
        # The API reference shows both spellings.
        api_key = fields.get("xi_api_key") or fields.get("xi-api-key")
        return cls(text=text, api_key=api_key if isinstance(api_key, str) else None)


def _unreadable(why: str) -> SpeechError:
    return SpeechError("invalid_input_message", f"Could not parse input message, {why}.")


def speak(text: str, output_format: str) -> Iterator[Frame]:
    """Give the frames of audio that say a text; times in a frame count from its own start."""
    if not text.strip():
        return
    for start in range(0, len(text), _CHARACTERS_PER_FRAME):
        characters = list(text[start : start + _CHARACTERS_PER_FRAME])
        duration_in_seconds = len(characters) * _MILLISECONDS_PER_CHARACTER / 1000
        alignment = {
            "charStartTimesMs": [index * _MILLISECONDS_PER_CHARACTER for index in range(len(characters))],
            "charDurationsMs": [_MILLISECONDS_PER_CHARACTER] * len(characters),
            "chars": characters,
        }
        audio = synthesise(output_format, duration_in_seconds=duration_in_seconds)
        yield {
            "audio": base64.b64encode(audio).decode(),
            "isFinal": None,
            "normalizedAlignment": alignment,
            "alignment": alignment,
        }
