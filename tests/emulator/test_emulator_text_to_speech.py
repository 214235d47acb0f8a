import asyncio
import base64
from contextlib import AbstractAsyncContextManager
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from elevenlabs_tokens.emulator import Emulator

pytestmark = pytest.mark.anyio

FIRST = {"text": " ", "voice_settings": None, "generation_config": {"chunk_length_schedule": [50]}}
FINAL = {"audio": None, "isFinal": True}
UNAUTHENTICATED = {
    "message": "You must be authenticated to use this endpoint.",
    "error": "authentication_required",
    "code": 1008,
}


class Caller:
    """A frontend of the emulator."""

    def __init__(self, http: aiohttp.ClientSession, emulator: Emulator) -> None:
        self.http = http
        self.emulator = emulator

    async def mint(self, kind: str = "tts_websocket") -> str:
        url = f"{self.emulator.base_url}/v1/single-use-token/{kind}"
        async with self.http.post(url, headers={"xi-api-key": "sk_good"}) as response:
            return str((await response.json())["token"])

    def connect(
        self, headers: dict[str, str] | None = None, **query: str
    ) -> AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse]:
        url = f"{self.emulator.websocket_base_url}/v1/text-to-speech/21m00Tcm4TlvDq8ikWAM/stream-input"
        return self.http.ws_connect(url, params=query, headers=headers)

    async def say(
        self, *messages: dict[str, Any], headers: dict[str, str] | None = None, **query: str
    ) -> tuple[list[Any], int | None, str | None]:
        """Send messages; give the frames that come, and how the socket was closed."""
        async with self.connect(headers, **query) as socket:
            for message in messages:
                await socket.send_json(message)
            frames: list[Any] = []
            while (received := await socket.receive(timeout=5)).type is aiohttp.WSMsgType.TEXT:
                frames.append(received.json())
            assert received.type is aiohttp.WSMsgType.CLOSE
            return frames, socket.close_code, received.extra


@pytest.fixture
def caller(http: aiohttp.ClientSession, emulator: Emulator) -> Caller:
    return Caller(http, emulator)


async def test_a_whole_conversation(caller: Caller) -> None:
    """Audio with alignment for each text, then the final frame, then a close with 1000."""
    frames, code, _ = await caller.say(
        FIRST,
        {"text": "Hello ", "try_trigger_generation": True},
        {"text": " "},
        {"text": "world. ", "flush": True},
        {"text": ""},
        single_use_token=await caller.mint(),
        output_format="pcm_16000",
    )

    *audio, final = frames
    assert (FINAL, 1000) == (final, code)
    assert ["Hello ", "world. "] == ["".join(frame["alignment"]["chars"]) for frame in audio]
    assert [6 * 1920, 7 * 1920] == [len(base64.b64decode(frame["audio"])) for frame in audio]
    assert ["spent"] == [record.state for record in caller.emulator.tokens]


async def test_the_default_format_is_mp3(caller: Caller) -> None:
    """The audio starts with an MPEG frame of 128 kbit/s."""
    frames, _, _ = await caller.say({"text": "Hello "}, {"text": ""}, single_use_token=await caller.mint())

    assert base64.b64decode(frames[0]["audio"]).startswith(b"\xff\xfb\x90")


async def test_a_spent_token_is_refused(caller: Caller) -> None:
    """By the error frame, and a close with its code and reason."""
    token = await caller.mint()
    await caller.say({"text": ""}, single_use_token=token)

    assert ([UNAUTHENTICATED], 1008, "authentication_required") == await caller.say(single_use_token=token)


async def test_an_expired_token_is_refused(caller: Caller, clock: SimpleNamespace) -> None:
    """At the instant at which it lapses."""
    token = await caller.mint()
    clock.now += 900

    assert ([UNAUTHENTICATED], 1008, "authentication_required") == await caller.say(single_use_token=token)


async def test_a_token_of_another_type_is_refused_unspent(caller: Caller) -> None:
    """The frame names both types, and the token can still open what it is for."""
    frames, code, reason = await caller.say(single_use_token=await caller.mint("ttd_websocket"))

    assert [
        {
            "message": "Token type mismatch: expected 'tts_websocket', got 'ttd_websocket'.",
            "error": "invalid_token_type",
            "code": 1008,
        }
    ] == frames
    assert (1008, "invalid_token_type") == (code, reason)
    assert ["fresh"] == [record.state for record in caller.emulator.tokens]


async def test_of_two_racing_connections_one_wins(caller: Caller) -> None:
    """One speaks, the other is refused."""
    token = await caller.mint()

    replies = await asyncio.gather(*(caller.say({"text": ""}, single_use_token=token) for _ in range(2)))

    assert [1000, 1008] == sorted(code or 0 for _, code, _ in replies)


@pytest.mark.parametrize("name", ["xi_api_key", "xi-api-key"])
async def test_a_key_in_the_first_message_opens_it(caller: Caller, name: str) -> None:
    """Under either of its names; it need not be repeated."""
    frames, code, _ = await caller.say({**FIRST, name: "sk_good"}, {"text": "Hi "}, {"text": ""})

    assert (2, 1000) == (len(frames), code)


async def test_a_key_in_the_header_opens_it(caller: Caller) -> None:
    """Then the first message needs none."""
    assert ([FINAL], 1000) == (await caller.say(FIRST, {"text": ""}, headers={"xi-api-key": "sk_good"}))[:2]


@pytest.mark.parametrize("headers", [{}, {"xi-api-key": "sk_bad"}])
async def test_without_a_good_key_it_is_refused(caller: Caller, headers: dict[str, str]) -> None:
    """A bad key in the header is refused at once, a missing one once the first message has none either."""
    assert ([UNAUTHENTICATED], 1008) == (await caller.say(FIRST, headers=headers))[:2]


async def test_a_bad_key_in_the_first_message_is_refused(caller: Caller) -> None:
    """As one in the header is."""
    assert ([UNAUTHENTICATED], 1008) == (await caller.say({**FIRST, "xi_api_key": "sk_bad"}))[:2]


async def test_a_token_alone_decides(caller: Caller) -> None:
    """A good key does not help a bad token, wherever it is; a bad key does not harm a good token."""
    good = {"xi-api-key": "sk_good"}
    first = {**FIRST, "xi_api_key": "sk_bad"}

    assert 1008 == (await caller.say(headers=good, single_use_token="undefined"))[1]
    assert 1008 == (await caller.say({**FIRST, **good}, single_use_token=""))[1]
    assert 1000 == (await caller.say(first, {"text": ""}, single_use_token=await caller.mint()))[1]


async def test_a_bad_parameter_is_refused_before_the_token_is_spent(caller: Caller) -> None:
    """The frame names the parameter."""
    frames, code, reason = await caller.say(single_use_token=await caller.mint(), output_format="wav")

    assert ("invalid_parameters", "output_format") == (frames[0]["error"], frames[0]["param"])
    assert (1008, "invalid_parameters") == (code, reason)
    assert ["fresh"] == [record.state for record in caller.emulator.tokens]


async def test_a_message_without_text_is_refused(caller: Caller) -> None:
    """It cannot be parsed, and ends the connection."""
    frames, code, _ = await caller.say({"flush": True}, single_use_token=await caller.mint())

    assert ("invalid_input_message", 1008) == (frames[0]["error"], code)


async def test_silence_ends_the_connection(caller: Caller) -> None:
    """After the number of seconds that the query names, by an error frame."""
    loop = asyncio.get_running_loop()
    started_at = loop.time()

    frames, code, reason = await caller.say(FIRST, single_use_token=await caller.mint(), inactivity_timeout="1")

    assert 1 <= loop.time() - started_at < 10
    assert ("input_timeout_exceeded", 1008) == (frames[0]["error"], frames[0]["code"])
    assert (1008, "input_timeout_exceeded") == (code, reason)


@pytest.mark.parametrize("way", ["with a goodbye", "without"])
async def test_a_client_may_leave_in_the_middle(caller: Caller, way: str, caplog: pytest.LogCaptureFixture) -> None:
    """However it leaves while audio is on its way to it, that is no error, and the emulator goes on."""
    async with caller.connect(single_use_token=await caller.mint(), output_format="pcm_48000") as socket:
        await socket.send_json({"text": "a" * 10_000})
        await socket.receive_json(timeout=5)
        if way == "without":
            socket._response.close()

    assert 1000 == (await caller.say({"text": ""}, single_use_token=await caller.mint()))[1]
    assert [] == [record for record in caplog.records if record.name.startswith("aiohttp")]
