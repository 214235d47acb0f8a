"""What is said on the text-to-dialogue socket.

Source: https://elevenlabs.io/docs/api-reference/text-to-dialogue/v-1-text-to-dialogue-stream-input, read 2026-11-24.
"""

from collections.abc import Iterator
from typing import cast

from elevenlabs_tokens.emulator.query import InvalidParameterError, Query
from elevenlabs_tokens.emulator.speech import Frame, SpeechError, speak, text_of, unreadable
from elevenlabs_tokens.emulator.speech_socket import SpeechConnection

_DEFAULT_MODEL = "eleven_v3_conversational"
_MOST_VOICES = 10
_TURN_FINAL: Frame = {"is_final_audio_for_turn": True}


async def speak_dialogue(connection: SpeechConnection) -> None:
    """Speak the lines of a dialogue; a flush, a new turn and the end of the connection finish a turn."""
    try:
        most_voices, has_alignment = _read_settings(connection.query)
    except InvalidParameterError as error:
        raise SpeechError.from_parameter(error) from error
    voices: list[str] | None = None
    is_in_turn = False
    while (fields := await connection.receive()) is not None:
        if voices is None:
            voices = _voices_of(fields, at_most=most_voices)
        for line in _lines_of(fields, voices):
            if line.get("new_turn") is True and is_in_turn:
                await connection.send(_TURN_FINAL)
            for frame in speak(text_of(line), connection.settings.output_format):
                await connection.send(_in_snake_case(frame, has_alignment=has_alignment))
            is_in_turn = True
        is_last = fields.get("close_socket") is True
        if is_in_turn and (is_last or fields.get("flush") is True):
            await connection.send(_TURN_FINAL)
            is_in_turn = False
        if is_last:
            await connection.send({"is_final": True})
            return


def _read_settings(query: Query) -> tuple[int, bool]:
    """Read how many voices the model takes, and whether the client wants the times of the characters."""
    model_id = query.text("model_id") or _DEFAULT_MODEL
    if not model_id.startswith("eleven_v3"):
        raise InvalidParameterError("model_id", "a model of the family eleven_v3")
    most_voices = 1 if model_id == _DEFAULT_MODEL else _MOST_VOICES
    return most_voices, query.boolean("sync_alignment", default=False)


def _voices_of(fields: Frame, *, at_most: int) -> list[str]:
    voices = fields.get("voices")
    if not (isinstance(voices, list) and 1 <= len(voices) <= at_most and all(isinstance(one, str) for one in voices)):
        raise unreadable(f"the first message must have voices, a list of voice ids (for this model, up to {at_most})")
    return cast("list[str]", voices)


def _lines_of(fields: Frame, voices: list[str]) -> Iterator[Frame]:
    inputs = fields.get("inputs")
    if inputs is None:
        return
    if not isinstance(inputs, list):
        raise unreadable("inputs must be a list")
    for line in cast("list[object]", inputs):
        if not isinstance(line, dict):
            raise unreadable("inputs must hold objects")
        fields_of_line = cast("Frame", line)
        if fields_of_line.get("voice_id") not in voices:
            raise unreadable("voice_id must be one of the voices in the first message")
        yield fields_of_line


def _in_snake_case(frame: Frame, *, has_alignment: bool) -> Frame:
    if not has_alignment:
        return {"audio": frame["audio"]}
    times = cast("Frame", frame["alignment"])
    alignment = {
        "chars": times["chars"],
        "char_start_times_ms": times["charStartTimesMs"],
        "char_durations_ms": times["charDurationsMs"],
    }
    return {"audio": frame["audio"], "alignment": alignment}
