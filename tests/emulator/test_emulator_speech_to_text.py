import asyncio
import base64
from contextlib import AbstractAsyncContextManager
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from elevenlabs_tokens.emulator import Emulator, speech_to_text

pytestmark = pytest.mark.anyio

REFUSED = {"message_type": "auth_error", "error": "You must be authenticated to use this endpoint."}
ONE_SECOND = {
    "message_type": "input_audio_chunk",
    "audio_base_64": base64.b64encode(bytes(32_000)).decode(),
    "commit": False,
    "sample_rate": 16000,
    "previous_text": None,
}
COMMIT = {"message_type": "input_audio_chunk", "audio_base_64": "", "commit": True, "sample_rate": 16000}


class Caller:
    """A frontend of the emulator."""

    def __init__(self, http: aiohttp.ClientSession, emulator: Emulator) -> None:
        self.http = http
        self.emulator = emulator

    async def mint(self, kind: str = "realtime_scribe") -> str:
        url = f"{self.emulator.base_url}/v1/single-use-token/{kind}"
        async with self.http.post(url, headers={"xi-api-key": "sk_good"}) as response:
            return str((await response.json())["token"])

    def connect(
        self, headers: dict[str, str] | None = None, **query: str
    ) -> AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse]:
        url = f"{self.emulator.websocket_base_url}/v1/speech-to-text/realtime"
        return self.http.ws_connect(url, params=query, headers=headers, compress=15)

    async def first_message(self, headers: dict[str, str] | None = None, **query: str) -> Any:
        async with self.connect(headers, **query) as socket:
            return await socket.receive_json(timeout=5)


async def close_code(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    message = await socket.receive(timeout=5)
    assert message.type is aiohttp.WSMsgType.CLOSE
    return socket.close_code


@pytest.fixture
def caller(http: aiohttp.ClientSession, emulator: Emulator) -> Caller:
    return Caller(http, emulator)


async def test_a_whole_session(caller: Caller) -> None:
    """Started, one partial for each chunk, committed, and again with timestamps."""
    async with caller.connect(token=await caller.mint(), include_timestamps="true") as socket:
        started = await socket.receive_json(timeout=5)
        await socket.send_json(ONE_SECOND)
        await socket.send_json(ONE_SECOND)
        await socket.send_json(COMMIT)
        messages = [await socket.receive_json(timeout=5) for _ in range(4)]

    assert ("session_started", True) == (started["message_type"], started["config"]["include_timestamps"])
    assert [
        ("partial_transcript", "emulated transcript of 1.0 s of audio"),
        ("partial_transcript", "emulated transcript of 2.0 s of audio"),
        ("committed_transcript", "emulated transcript of 2.0 s of audio"),
        ("committed_transcript_with_timestamps", "emulated transcript of 2.0 s of audio"),
    ] == [(message["message_type"], message["text"]) for message in messages]


async def test_sessions_have_names_of_their_own(caller: Caller) -> None:
    """Two sessions are not called the same."""
    first = await caller.first_message(token=await caller.mint())
    second = await caller.first_message(token=await caller.mint())

    assert first["session_id"] != second["session_id"]


async def test_a_token_is_spent_by_the_connection(caller: Caller) -> None:
    """Opening it spends it, and the second connection is accepted, refused and closed with 1000."""
    token = await caller.mint()
    await caller.first_message(token=token)

    assert ["spent"] == [record.state for record in caller.emulator.tokens]
    async with caller.connect(token=token) as socket:
        assert REFUSED == await socket.receive_json(timeout=5)
        assert 1000 == await close_code(socket)


async def test_an_expired_token_is_refused(caller: Caller, clock: SimpleNamespace) -> None:
    """At the instant at which it lapses."""
    token = await caller.mint()
    clock.now += 900

    assert REFUSED == await caller.first_message(token=token)
    assert ["expired"] == [record.state for record in caller.emulator.tokens]


async def test_a_token_of_another_type_is_refused_unspent(caller: Caller) -> None:
    """It can still open what it is for."""
    token = await caller.mint("tts_websocket")

    assert REFUSED == await caller.first_message(token=token)
    assert ["fresh"] == [record.state for record in caller.emulator.tokens]


async def test_of_two_racing_connections_one_wins(caller: Caller) -> None:
    """Both are accepted; one session starts, the other is refused."""
    token = await caller.mint()

    messages = await asyncio.gather(*(caller.first_message(token=token) for _ in range(2)))

    assert ["auth_error", "session_started"] == sorted(message["message_type"] for message in messages)


async def test_a_key_opens_a_session_too(caller: Caller) -> None:
    """In the header; a bad one, or none, does not."""
    assert "session_started" == (await caller.first_message({"xi-api-key": "sk_good"}))["message_type"]
    assert REFUSED == await caller.first_message({"xi-api-key": "sk_bad"})
    assert REFUSED == await caller.first_message()


async def test_a_token_alone_decides(caller: Caller) -> None:
    """A good key does not help a bad token, not even an empty one; a bad key does not harm a good token."""
    token = await caller.mint()

    assert REFUSED == await caller.first_message({"xi-api-key": "sk_good"}, token="undefined")
    assert REFUSED == await caller.first_message({"xi-api-key": "sk_good"}, token="")
    assert "session_started" == (await caller.first_message({"xi-api-key": "sk_bad"}, token=token))["message_type"]


async def test_browsers_of_any_origin_may_connect(caller: Caller) -> None:
    """The page that holds the token is on another host by nature."""
    started = await caller.first_message({"Origin": "https://example.com"}, token=await caller.mint())

    assert "session_started" == started["message_type"]


async def test_a_bad_parameter_is_refused_before_the_token_is_spent(caller: Caller) -> None:
    """The connection ends with an `invalid_request`, closed with 1000."""
    async with caller.connect(token=await caller.mint(), audio_format="mp3") as socket:
        message = await socket.receive_json(timeout=5)

        assert "invalid_request" == message["message_type"]
        assert "audio_format" in message["error"]
        assert 1000 == await close_code(socket)
    assert ["fresh"] == [record.state for record in caller.emulator.tokens]


@pytest.mark.parametrize("frame", ["not JSON", b"\0\0"])
async def test_a_bad_message_ends_the_session(caller: Caller, frame: str | bytes) -> None:
    """Text that is no message, and a binary frame, which no message is."""
    async with caller.connect(token=await caller.mint()) as socket:
        await socket.receive_json(timeout=5)
        await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))

        assert "input_error" == (await socket.receive_json(timeout=5))["message_type"]
        assert 1000 == await close_code(socket)


async def test_silence_ends_the_session_without_an_error(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the close comes."""
    monkeypatch.setattr(speech_to_text, "_INACTIVITY_TIMEOUT_IN_SECONDS", 0.05)
    async with caller.connect(token=await caller.mint()) as socket:
        await socket.receive_json(timeout=5)

        assert 1000 == await close_code(socket)
