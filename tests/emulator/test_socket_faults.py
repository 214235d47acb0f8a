import time
from typing import Any

import aiohttp
import pytest

from elevenlabs_tokens.emulator import Emulator
from elevenlabs_tokens.emulator.socket_faults import SPEECH_ERRORS, TRANSCRIPTION_ERRORS
from frontend import KEY_HEADER, SPEECH_TO_TEXT, TEXT_TO_SPEECH, Frontend

pytestmark = pytest.mark.anyio

COMMIT = {"message_type": "input_audio_chunk", "audio_base_64": "", "commit": True}
TEXT = "The emulator was told to fail."


@pytest.mark.parametrize("status", [403, 429, 503])
async def test_a_refused_handshake_spends_no_token(emulator: Emulator, frontend: Frontend, status: int) -> None:
    """The next socket after it opens with the same token."""
    token = await frontend.mint("tts_websocket")
    emulator.fail_next_socket(status=status)
    url = f"{TEXT_TO_SPEECH}?single_use_token={token}"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await frontend.converse(url)
    *_, code, _ = await frontend.converse(url, {"text": ""})

    assert (status, 1000) == (refused.value.status, code)


@pytest.mark.parametrize("error", [*TRANSCRIPTION_ERRORS, *SPEECH_ERRORS])
async def test_an_error_after_messages(emulator: Emulator, frontend: Frontend, error: str) -> None:
    """The socket sends one message, then the API's error frame for its kind, and closes as the API does."""
    emulator.fail_next_socket(error=error, after_messages=1)
    is_speech = error in SPEECH_ERRORS

    received, code, _ = await frontend.converse(
        TEXT_TO_SPEECH if is_speech else SPEECH_TO_TEXT, {"text": "a "} if is_speech else COMMIT, headers=KEY_HEADER
    )

    expected = {"message": TEXT, "error": error, "code": 1008} if is_speech else {"message_type": error, "error": TEXT}
    assert ([expected], 1008 if is_speech else 1000) == (received[1:], code)


@pytest.mark.parametrize(("after_messages", "close_code"), [(0, 1011), (2, 4000)])
async def test_it_closes_after_messages(
    emulator: Emulator, frontend: Frontend, after_messages: int, close_code: int
) -> None:
    """With the code that was asked for, and without an error frame."""
    emulator.fail_next_socket(close_code=close_code, after_messages=after_messages)

    received, code, _ = await frontend.converse(SPEECH_TO_TEXT, COMMIT, headers=KEY_HEADER)

    assert (after_messages, close_code) == (len(received), code)


async def test_it_cuts_every_connection_until_it_recovers(emulator: Emulator, frontend: Frontend) -> None:
    """A cut connection ends without a close frame."""
    emulator.fail_next_socket(times=None, disconnect=True)
    for _ in range(2):
        async with frontend.connect(TEXT_TO_SPEECH, headers=KEY_HEADER) as socket:
            assert aiohttp.WSMsgType.TEXT is not (await socket.receive(timeout=5)).type
            assert 1006 == socket.close_code
    emulator.recover()

    *_, code, _ = await frontend.converse(TEXT_TO_SPEECH, {"text": ""}, headers=KEY_HEADER)
    assert 1000 == code


async def test_a_slow_socket_says_the_same(emulator: Emulator, frontend: Frontend) -> None:
    """The handshake and each of its two messages are late; nothing is lost."""
    emulator.fail_next_socket(delay_in_seconds=0.05)
    started_at = time.monotonic()

    received, code, _ = await frontend.converse(TEXT_TO_SPEECH, {"text": "a "}, {"text": ""}, headers=KEY_HEADER)

    assert (2, 1000) == (len(received), code)
    assert time.monotonic() - started_at >= 0.15


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"times": 0}, "times must be"),
        ({"status": 200}, "status must be a whole number from 400 to 599"),
        ({"error": "nope"}, "error must be one of auth_error"),
        *(({"close_code": code}, "close_code") for code in (999, 1005, 1006, 2000, 5000, True)),
        ({"after_messages": 2}, "after_messages needs"),
        ({"after_messages": 2, "delay_in_seconds": 1}, "after_messages needs"),
        ({"after_messages": -1, "disconnect": True}, "after_messages must be"),
        ({"delay_in_seconds": -1}, "delay_in_seconds must be"),
        ({"disconnect": 1}, "disconnect must be"),
        ({"disconnect": True, "close_code": 1000}, "disconnect cuts"),
        ({"status": 503, "error": "auth_error"}, "status refuses"),
    ],
)
async def test_bad_arguments_are_refused_at_the_call(arguments: dict[str, Any], message: str) -> None:
    """The error names the wrong argument."""
    with pytest.raises(ValueError, match=message):
        Emulator().fail_next_socket(**arguments)
