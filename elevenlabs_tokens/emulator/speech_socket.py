"""The sockets that turn text into speech: what they have in common, from the handshake to the close."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from attrs import define, frozen

from elevenlabs_tokens.emulator.admission import Admission, KeyRefusedError
from elevenlabs_tokens.emulator.frames import read_object
from elevenlabs_tokens.emulator.ledger import TokenRefusedError
from elevenlabs_tokens.emulator.query import InvalidParameterError, Query
from elevenlabs_tokens.emulator.sockets import OpenSockets, receive_frame
from elevenlabs_tokens.emulator.speech import POLICY_VIOLATION, Frame, SpeechError, SpeechSettings, unreadable


@define
class SpeechConnection:
    """One connection: what comes from the client, and what goes to it.

    Attributes:
        query: What the client asked for.
        settings: What of it all speech sockets understand.
    """

    query: Query
    settings: SpeechSettings
    _socket: web.WebSocketResponse
    _admit: Callable[[Frame], None] | None
    """Admits the connection by its first message; None when it is admitted."""

    async def receive(self) -> Frame | None:
        """Wait for the client's next message; None if the client left.

        Raises:
            SpeechError: No message came in time, it is not a JSON object, or the first one has no credentials.
        """
        timeout_in_seconds = self.settings.inactivity_timeout_in_seconds
        try:
            frame = await receive_frame(self._socket, timeout_in_seconds=timeout_in_seconds)
        except TimeoutError as error:
            raise SpeechError.from_silence(timeout_in_seconds) from error
        if frame is None:
            return None
        fields = read_object(frame)
        if fields is None:
            raise unreadable("expected a JSON object")
        if self._admit is not None:
            self._admit(fields)
            self._admit = None
        return fields

    async def send(self, frame: Frame) -> None:
        """Send one frame."""
        await self._socket.send_json(frame)


@frozen(kw_only=True)
class SpeechSocket:
    """A socket that the tokens of one type open; the query parameter `single_use_token` carries them.

    An API key opens it too, in the `xi-api-key` header or in the first message.

    Attributes:
        talk: Speaks with an admitted client until one of them ends the connection.
        takes_token_in_first_message: Whether the first message may carry the token.
    """

    admission: Admission
    sockets: OpenSockets
    token_type: str
    talk: Callable[[SpeechConnection], Awaitable[None]]
    takes_token_in_first_message: bool = False

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection to its end."""
        async with self.sockets.accept(request) as socket:
            try:
                await self.talk(self._open(socket, request))
            except SpeechError as error:
                await socket.send_json(error.frame)
                await socket.close(code=POLICY_VIOLATION, message=error.close_reason.encode())
        return socket

    def _open(self, socket: web.WebSocketResponse, request: web.Request) -> SpeechConnection:
        query = Query(request.query)
        try:
            settings = SpeechSettings.from_query(query)
        except InvalidParameterError as error:
            raise SpeechError.from_parameter(error) from error
        token, header_key = query.text("single_use_token"), request.headers.get("xi-api-key")

        def admit_by_message(fields: Frame) -> None:
            # The API reference shows both spellings.
            key = header_key or _text(fields, "xi_api_key") or _text(fields, "xi-api-key")
            self._admit(_text(fields, "single_use_token") if self.takes_token_in_first_message else None, key)

        if token is None and (header_key is None or self.takes_token_in_first_message):
            return SpeechConnection(query, settings, socket, admit_by_message)
        self._admit(token, header_key)
        return SpeechConnection(query, settings, socket, None)

    def _admit(self, token: str | None, api_key: str | None) -> None:
        try:
            self.admission.admit(self.token_type, token=token, api_key=api_key)
        except (TokenRefusedError, KeyRefusedError) as refusal:
            raise SpeechError.from_refusal(refusal) from refusal


def _text(fields: Frame, name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) else None
