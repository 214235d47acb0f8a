"""The simplest conversations that a frontend has on the sockets that a token opens."""

import base64
import math
from array import array

import aiohttp
from attrs import frozen

SAMPLE_RATE = 16_000
"""Samples per second of the audio that is sent and received: 16-bit mono PCM."""

_BYTES_PER_SAMPLE = 2
_CHUNK_IN_SECONDS = 0.25
_REPLY_TIMEOUT_IN_SECONDS = 10.0


class RefusedError(Exception):
    """The server ended the connection with an error; the text is the server's."""


@frozen
class Transcript:
    """What the server made of some audio.

    Attributes:
        text: The final transcript.
        partials: How many partial transcripts came before it.
    """

    text: str
    partials: int


def tone(seconds: float, pitch_in_hertz: float = 440.0) -> bytes:
    """Generate audio: a sine tone, 16-bit mono PCM at `SAMPLE_RATE`."""
    samples = (
        round(8_000 * math.sin(2 * math.pi * pitch_in_hertz * index / SAMPLE_RATE))
        for index in range(round(seconds * SAMPLE_RATE))
    )
    return array("h", samples).tobytes()


async def transcribe(socket: aiohttp.ClientWebSocketResponse, audio: bytes) -> Transcript:
    """Stream audio to an open speech-to-text socket and return the transcript.

    Raises:
        RefusedError: The server ended the connection with an error.
    """
    await _read(socket, "session_started")
    size = round(_CHUNK_IN_SECONDS * SAMPLE_RATE) * _BYTES_PER_SAMPLE
    partials = 0
    for start in range(0, len(audio), size):
        await _send_chunk(socket, audio[start : start + size])
        await _read(socket, "partial_transcript")
        partials += 1
    await _send_chunk(socket, b"", commit=True)
    committed = await _read(socket, "committed_transcript")
    return Transcript(text=str(committed["text"]), partials=partials)


async def _send_chunk(socket: aiohttp.ClientWebSocketResponse, audio: bytes, *, commit: bool = False) -> None:
    await socket.send_json(
        {
            "message_type": "input_audio_chunk",
            "audio_base_64": base64.b64encode(audio).decode("ascii"),
            "commit": commit,
            "sample_rate": SAMPLE_RATE,
        }
    )


async def _read(socket: aiohttp.ClientWebSocketResponse, message_type: str) -> dict[str, object]:
    message = await socket.receive(_REPLY_TIMEOUT_IN_SECONDS)
    if message.type is not aiohttp.WSMsgType.TEXT:
        raise RefusedError(f"closed with {socket.close_code}")
    content: dict[str, object] = message.json()
    if content.get("message_type") != message_type:
        raise RefusedError(str(content.get("error", content)))
    return content


async def speak(socket: aiohttp.ClientWebSocketResponse, text: str) -> bytes:
    """Send text to an open text-to-speech socket and return the audio.

    Raises:
        RefusedError: The server ended the connection with an error.
    """
    for part in (" ", f"{text} ", ""):
        await socket.send_json({"text": part})
    audio = b""
    while True:
        message = await socket.receive(_REPLY_TIMEOUT_IN_SECONDS)
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise RefusedError(f"closed with {socket.close_code} before the end")
        content = message.json()
        if "error" in content:
            raise RefusedError(str(content["message"]))
        audio += base64.b64decode(content["audio"] or "")
        if content.get("isFinal"):
            return audio


def seconds_of(audio: bytes) -> float:
    """Return how long the audio plays (16-bit mono PCM at `SAMPLE_RATE`)."""
    return len(audio) / _BYTES_PER_SAMPLE / SAMPLE_RATE
