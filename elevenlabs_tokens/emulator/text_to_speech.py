"""`WS /v1/text-to-speech/{voice_id}/stream-input`."""

from aiohttp import web
from attrs import frozen

from elevenlabs_tokens.emulator.admission import Admission, KeyRefusedError
from elevenlabs_tokens.emulator.ledger import TokenRefusedError
from elevenlabs_tokens.emulator.query import InvalidParameterError, Query
from elevenlabs_tokens.emulator.sockets import OpenSockets, receive_frame
from elevenlabs_tokens.emulator.speech import (
    FINAL,
    POLICY_VIOLATION,
    SpeechError,
    SpeechSettings,
    TextInput,
    speak,
)


@frozen
class TextToSpeechSocket:
    """The socket that `tts_websocket` tokens open; the query parameter `single_use_token` carries them.

    An API key opens it too, in the `xi-api-key` header or in the first message.
    """

    admission: Admission
    sockets: OpenSockets

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection to its end."""
        async with self.sockets.accept(request) as socket:
            try:
                await self._speak(socket, request)
            except SpeechError as error:
                await socket.send_json(error.frame)
                await socket.close(code=POLICY_VIOLATION, message=error.close_reason.encode())
        return socket

    async def _speak(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        query = Query(request.query)
        try:
            settings = SpeechSettings.from_query(query)
        except InvalidParameterError as error:
            raise SpeechError.from_parameter(error) from error
        token, api_key = query.text("single_use_token"), request.headers.get("xi-api-key")
        is_admitted = token is not None or api_key is not None
        if is_admitted:
            self._admit(token=token, api_key=api_key)
        while (message := await self._receive(socket, settings)) is not None:
            if not is_admitted:
                self._admit(token=None, api_key=message.api_key)
                is_admitted = True
            for frame in speak(message.text, settings.output_format):
                await socket.send_json(frame)
            if not message.text:
                await socket.send_json(FINAL)
                return

    def _admit(self, *, token: str | None, api_key: str | None) -> None:
        try:
            self.admission.admit("tts_websocket", token=token, api_key=api_key)
        except (TokenRefusedError, KeyRefusedError) as refusal:
            raise SpeechError.from_refusal(refusal) from refusal

    async def _receive(self, socket: web.WebSocketResponse, settings: SpeechSettings) -> TextInput | None:
        timeout_in_seconds = settings.inactivity_timeout_in_seconds
        try:
            frame = await receive_frame(socket, timeout_in_seconds=timeout_in_seconds)
        except TimeoutError as error:
            raise SpeechError.from_silence(timeout_in_seconds) from error
        return None if frame is None else TextInput.from_frame(frame)
