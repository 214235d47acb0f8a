"""A backend that mints at the emulator, and a frontend that speaks with it, over real sockets."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp

from elevenlabs_tokens.emulator import Emulator
from frozen import KEY

KEY_HEADER = {"xi-api-key": KEY}

SPEECH_TO_TEXT = "/v1/speech-to-text/realtime"
TEXT_TO_SPEECH = "/v1/text-to-speech/21m00Tcm4TlvDq8ikWAM/stream-input"
TEXT_TO_DIALOGUE = "/v1/text-to-dialogue/stream-input"

Conversation = tuple[list[Any], int | None, str | None]
"""The messages that the emulator sent, and the code and the reason with which it closed the socket."""


class Frontend:
    def __init__(self, http: aiohttp.ClientSession, emulator: Emulator) -> None:
        self.http = http
        self.emulator = emulator

    async def mint(self, token_type: str) -> str:
        url = f"{self.emulator.base_url}/v1/single-use-token/{token_type}"
        async with self.http.post(url, headers=KEY_HEADER) as response:
            return str((await response.json())["token"])

    def connect(
        self, path_and_query: str, *, headers: dict[str, str] | None = None, compress: int = 0
    ) -> AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse]:
        url = f"{self.emulator.websocket_base_url}{path_and_query}"
        return self.http.ws_connect(url, headers=headers, compress=compress)

    async def converse(
        self, path_and_query: str, *messages: dict[str, Any] | bytes, headers: dict[str, str] | None = None
    ) -> Conversation:
        """Send messages, and receive until the emulator closes the socket; offer compression, as browsers do."""
        async with self.connect(path_and_query, headers=headers, compress=15) as socket:
            for message in messages:
                await (socket.send_bytes(message) if isinstance(message, bytes) else socket.send_json(message))
            received: list[Any] = []
            while (frame := await socket.receive(timeout=5)).type is aiohttp.WSMsgType.TEXT:
                received.append(frame.json())
            assert frame.type is aiohttp.WSMsgType.CLOSE
            return received, socket.close_code, frame.extra
