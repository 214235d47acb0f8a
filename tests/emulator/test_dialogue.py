import base64
from typing import Any

import pytest

from frontend import KEY_HEADER, TEXT_TO_DIALOGUE, Conversation, Frontend
from frozen import KEY

pytestmark = pytest.mark.anyio

FIRST = {"voices": ["ada"]}
LAST = {"close_socket": True}
FINAL = {"is_final": True}
TURN_FINAL = {"is_final_audio_for_turn": True}


def line(text: str, **fields: Any) -> dict[str, Any]:
    return {"text": text, "voice_id": "ada", **fields}


async def say(frontend: Frontend, *messages: dict[str, Any], query: str = "") -> Conversation:
    """Speak with a fresh token."""
    token = await frontend.mint("ttd_websocket")
    return await frontend.converse(f"{TEXT_TO_DIALOGUE}?single_use_token={token}{query}", *messages)


async def test_a_whole_dialogue(frontend: Frontend) -> None:
    """A new turn, a flush and the end finish a turn; silence may be broken by a message that says nothing."""
    received, code, _ = await say(
        frontend,
        FIRST,
        {"inputs": [line("One. "), line("Two. ", new_turn=True)]},
        {"keep_alive": True},
        {"flush": True},
        {"flush": True},
        {"inputs": [line("Three. ", new_turn=True)], "close_socket": True},
        query="&output_format=pcm_16000",
    )

    assert [5, TURN_FINAL, 5, TURN_FINAL, 7, TURN_FINAL, FINAL] == [
        len(base64.b64decode(frame["audio"])) // 1920 if "audio" in frame else frame for frame in received
    ]
    assert all({"audio"} == frame.keys() for frame in received if "audio" in frame)
    assert 1000 == code


async def test_the_times_come_if_asked_for(frontend: Frontend) -> None:
    """Their names are in snake case here."""
    (audio, *_), _, _ = await say(frontend, FIRST, {"inputs": [line("Hi")], **LAST}, query="&sync_alignment=true")

    assert {"chars": ["H", "i"], "char_start_times_ms": [0, 60], "char_durations_ms": [60, 60]} == audio["alignment"]


async def test_credentials_may_come_in_the_first_message(frontend: Frontend) -> None:
    """A token there decides over a key, even over one in the header, and it is spent."""
    token, other = await frontend.mint("ttd_websocket"), await frontend.mint("tts_websocket")
    attempts: list[tuple[dict[str, Any], dict[str, str]]] = [
        ({"single_use_token": token, "xi_api_key": "sk_bad"}, {}),
        ({"single_use_token": token, "xi_api_key": KEY}, KEY_HEADER),
        ({"single_use_token": other}, {}),
        ({"xi_api_key": KEY}, {}),
        ({}, KEY_HEADER),
        ({}, {}),
    ]
    outcomes = [
        (await frontend.converse(TEXT_TO_DIALOGUE, FIRST | LAST | credentials, headers=headers))[0][0]
        for credentials, headers in attempts
    ]

    assert [
        FINAL,
        "authentication_required",
        "invalid_token_type",
        FINAL,
        FINAL,
        "authentication_required",
    ] == [outcome.get("error", outcome) for outcome in outcomes]
    assert ["spent", "fresh"] == [record.state for record in frontend.emulator.tokens]


@pytest.mark.parametrize(
    ("message", "query", "error", "text"),
    [
        ({}, "", "invalid_input_message", "must have voices"),
        ({"voices": []}, "", "invalid_input_message", "must have voices"),
        ({"voices": [1]}, "", "invalid_input_message", "must have voices"),
        ({"voices": ["ada", "bob"]}, "", "invalid_input_message", "up to 1"),
        ({"voices": ["ada"] * 11}, "&model_id=eleven_v3", "invalid_input_message", "up to 10"),
        ({**FIRST, "inputs": {}}, "", "invalid_input_message", "inputs must be a list"),
        ({**FIRST, "inputs": ["Hi"]}, "", "invalid_input_message", "objects"),
        ({**FIRST, "inputs": [line("Hi", voice_id="bob")]}, "", "invalid_input_message", "voice_id"),
        ({**FIRST, "inputs": [{"voice_id": "ada"}]}, "", "invalid_input_message", "text must be a string"),
        (FIRST, "&model_id=eleven_v2", "invalid_parameters", "model_id"),
        (FIRST, "&sync_alignment=maybe", "invalid_parameters", "sync_alignment"),
    ],
)
async def test_bad_messages_and_settings_are_refused(
    frontend: Frontend, message: dict[str, Any], query: str, error: str, text: str
) -> None:
    """The error frame says what was expected, and its code is that of the close."""
    (frame,), code, reason = await say(frontend, message, query=query)

    assert (error, 1008, 1008, error) == (frame["error"], frame["code"], code, reason)
    assert text in frame["message"]
