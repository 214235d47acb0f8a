"""What is said on the two text-to-speech sockets: `stream-input` and `multi-stream-input`.

Source: https://elevenlabs.io/docs/api-reference/text-to-speech/v-1-text-to-speech-voice-id-multi-stream-input, read
2026-11-24.
"""

from elevenlabs_tokens.emulator.speech import FINAL, Frame, speak, text_of, unreadable
from elevenlabs_tokens.emulator.speech_socket import SpeechConnection

_DEFAULT_CONTEXT = "default"


async def speak_one_stream(connection: SpeechConnection) -> None:
    """Speak each text at once, until an empty one ends the connection."""
    while (fields := await connection.receive()) is not None:
        text = text_of(fields)
        for frame in speak(text, connection.settings.output_format):
            await connection.send(frame)
        if not text:
            await connection.send(FINAL)
            return


async def speak_in_contexts(connection: SpeechConnection) -> None:
    """Speak the texts of several contexts, each with its own audio and its own final frame.

    The first text of a context opens it. Here, an empty text keeps a context open, and ends nothing.
    """
    open_contexts: dict[str, None] = {}
    while (fields := await connection.receive()) is not None:
        if fields.get("close_socket") is True:
            for context_id in open_contexts:
                await connection.send(_final(context_id))
            return
        context_id = _context_of(fields)
        if fields.get("close_context") is True:
            if context_id in open_contexts:
                del open_contexts[context_id]
                await connection.send(_final(context_id))
            continue
        text = "" if fields.get("text") is None else text_of(fields)
        if text:
            open_contexts[context_id] = None
        for frame in speak(text, connection.settings.output_format):
            del frame["isFinal"]  # only the final frame of a context has it
            await connection.send(frame | {"contextId": context_id})


def _context_of(fields: Frame) -> str:
    # The API reference shows both spellings.
    context_id = fields.get("context_id") or fields.get("contextId") or _DEFAULT_CONTEXT
    if not isinstance(context_id, str):
        raise unreadable("context_id must be a string")
    return context_id


def _final(context_id: str) -> Frame:
    return {"isFinal": True, "contextId": context_id}
