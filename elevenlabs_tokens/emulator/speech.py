"""The messages of a text-to-speech socket, in both directions.

Source: https://elevenlabs.io/docs/api-reference/text-to-speech/v-1-text-to-speech-voice-id-stream-input, read
2026-11-24.
"""

import base64
from collections.abc import Iterator
from typing import Self

from attrs import frozen

from elevenlabs_tokens.emulator.admission import KeyRefusedError
from elevenlabs_tokens.emulator.audio import OUTPUT_FORMATS, REFUSED_FORMATS, synthesise
from elevenlabs_tokens.emulator.ledger import TokenRefusedError
from elevenlabs_tokens.emulator.query import InvalidParameterError, Query

Frame = dict[str, object]

POLICY_VIOLATION = 1008
FINAL: Frame = {"audio": None, "isFinal": True}

_MILLISECONDS_PER_CHARACTER = 60
# 6 s of audio. Many WebSocket clients refuse frames over 1 MiB; in every format, the frames stay below that.
_CHARACTERS_PER_FRAME = 100


class SpeechError(Exception):
    """An error that ends the connection.

    Attributes:
        frame: The last frame that is sent.
        close_reason: The reason in the close that follows.
    """

    def __init__(self, error: str, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.close_reason = error
        self.frame: Frame = {"message": message, "error": error, "code": POLICY_VIOLATION}
        if param is not None:
            self.frame["param"] = param

    @classmethod
    def from_refusal(cls, refusal: TokenRefusedError | KeyRefusedError) -> Self:
        """Say that the connection is not admitted. The API names the cause only for a token of another type."""
        if isinstance(refusal, TokenRefusedError) and refusal.reason == "wrong_type":
            return cls(
                "invalid_token_type",
                f"Token type mismatch: expected '{refusal.expected}', got '{refusal.actual}'.",
            )
        return cls("authentication_required", "You must be authenticated to use this endpoint.")

    @classmethod
    def from_parameter(cls, error: InvalidParameterError) -> Self:
        """Say that a query parameter has a bad value."""
        return cls("invalid_parameters", str(error), param=error.parameter)

    @classmethod
    def from_silence(cls, timeout_in_seconds: int) -> Self:
        """Say that the client has sent nothing for too long."""
        return cls(
            "input_timeout_exceeded",
            f"No input came for {timeout_in_seconds} seconds; send a text of one space to keep the connection open.",
        )


@frozen(kw_only=True)
class SpeechSettings:
    """What the client asked for in the query.

    Attributes:
        output_format: The format of the audio, one of `OUTPUT_FORMATS`.
        inactivity_timeout_in_seconds: How long the client may send nothing.
    """

    output_format: str
    inactivity_timeout_in_seconds: int

    @classmethod
    def from_query(cls, query: Query) -> Self:
        """Read the settings.

        Raises:
            InvalidParameterError: A parameter has a bad value.
            SpeechError: The format is Opus; the refusal is that of a format which the plan does not include.
        """
        # The API's specification names a default without a bitrate; the vendor's SDKs ask for this one.
        output_format = query.one_of("output_format", OUTPUT_FORMATS + REFUSED_FORMATS, default="mp3_44100_128")
        if output_format in REFUSED_FORMATS:
            raise SpeechError(
                "output_format_not_allowed",
                f"Output format '{output_format}' is not available on the plan of this account (the emulator's).",
                param="output_format",
            )
        return cls(
            output_format=output_format,
            inactivity_timeout_in_seconds=query.integer("inactivity_timeout", at_least=1, at_most=180, default=20),
        )


def text_of(fields: Frame) -> str:
    """Read the text of a message. White space alone is not spoken.

    Raises:
        SpeechError: It has no text.
    """
    text = fields.get("text")
    if not isinstance(text, str):
        raise unreadable("text must be a string")
    return text


def unreadable(why: str) -> SpeechError:
    """Say that a message of the client is not one."""
    return SpeechError("invalid_input_message", f"Could not parse input message, {why}.")


def speak(text: str, output_format: str) -> Iterator[Frame]:
    """Make the frames of audio for a text; the times in a frame count from its start."""
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
