"""`WS /v1/speech-to-text/realtime`."""

import secrets
from contextlib import suppress

from aiohttp import web
from attrs import frozen

from elevenlabs_tokens.emulator.admission import Admission, KeyRefusedError
from elevenlabs_tokens.emulator.ledger import TokenRefusedError
from elevenlabs_tokens.emulator.query import InvalidParameterError, Query
from elevenlabs_tokens.emulator.sockets import OpenSockets, receive_frame
from elevenlabs_tokens.emulator.transcription import Transcription, TranscriptionError, TranscriptionSettings

# The live API closes a connection without an error when the client has sent nothing for about this long.
_INACTIVITY_TIMEOUT_IN_SECONDS = 15.0


@frozen
class SpeechToTextSocket:
    """The socket that `realtime_scribe` tokens open; the query parameter `token` carries them."""

    admission: Admission
    sockets: OpenSockets

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection to its end."""
        async with self.sockets.accept(request) as socket:
            try:
                await self._transcribe(socket, request)
            except TranscriptionError as error:
                # Then the socket closes with 1000, for the vendor's clients report any other code as one more error.
                await socket.send_json(error.message)
        return socket

    async def _transcribe(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        settings = self._admit(Query(request.query), api_key=request.headers.get("xi-api-key"))
        session = Transcription(settings, session_id=secrets.token_hex(16))
        await socket.send_json(session.start())
        with suppress(TimeoutError):
            while (frame := await receive_frame(socket, timeout_in_seconds=_INACTIVITY_TIMEOUT_IN_SECONDS)) is not None:
                for message in session.answer(frame):
                    await socket.send_json(message)

    def _admit(self, query: Query, *, api_key: str | None) -> TranscriptionSettings:
        try:
            settings = TranscriptionSettings.from_query(query)
            self.admission.admit("realtime_scribe", token=query.text("token"), api_key=api_key)
        except InvalidParameterError as error:
            raise TranscriptionError.from_parameter(error) from error
        except (TokenRefusedError, KeyRefusedError) as refusal:
            raise TranscriptionError.from_refusal() from refusal
        return settings
