"""Faults on demand: what the next sockets meet instead of a good service."""

import asyncio
import json

from aiohttp import WSMessage, web
from attrs import frozen

from elevenlabs_tokens.emulator.arguments import check_boolean, check_seconds, check_whole_number

_DEFAULT_STATUS = 503
_CLOSE_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014)
_FIRST_OWN_CLOSE_CODE, _LAST_OWN_CLOSE_CODE = 3000, 4999

# What an error frame of each kind of socket can say.
# Sources: the API reference of the realtime route, and the error frames seen on the speech routes, read 2026-11-24.
TRANSCRIPTION_ERRORS = (
    "error",
    "auth_error",
    "quota_exceeded",
    "commit_throttled",
    "transcriber_error",
    "unaccepted_terms",
    "rate_limited",
    "input_error",
    "invalid_request",
    "queue_overflow",
    "resource_exhausted",
    "session_time_limit_exceeded",
    "chunk_size_exceeded",
    "insufficient_audio_activity",
)
SPEECH_ERRORS = (
    "authentication_required",
    "invalid_token_type",
    "invalid_input_message",
    "invalid_parameters",
    "input_timeout_exceeded",
)
_ERRORS = sorted((*TRANSCRIPTION_ERRORS, *SPEECH_ERRORS))


@frozen(kw_only=True)
class SocketFault:
    """What happens to one socket.

    Attributes:
        status: The status code that refuses the handshake; None to accept it.
        error: The error of the last frame; None for no such frame.
        close_code: The code that closes the socket; None for the usual one after an error frame.
        disconnect: Whether the connection is cut.
        after_messages: How many messages are sent before that.
        delay_in_seconds: How late the reply to the handshake and each message are.
    """

    status: int | None
    error: str | None
    close_code: int | None
    disconnect: bool
    after_messages: int
    delay_in_seconds: float

    @property
    def ends(self) -> bool:
        """Whether the socket ends early."""
        return self.error is not None or self.close_code is not None or self.disconnect


def plan_socket_fault(
    *,
    status: int | None,
    error: str | None,
    close_code: int | None,
    disconnect: bool,
    after_messages: int | None,
    delay_in_seconds: float | None,
) -> SocketFault:
    """Make a fault from the arguments of `Emulator.fail_next_socket`.

    Raises:
        ValueError: An argument is wrong, or two contradict each other.
    """
    check_boolean("disconnect", disconnect)
    ends = error is not None or close_code is not None or disconnect
    if status is None and not ends and delay_in_seconds is None:
        if after_messages is not None:
            raise ValueError("after_messages needs what happens then: error, close_code or disconnect")
        status = _DEFAULT_STATUS
    _check(status, error, close_code, after_messages, delay_in_seconds)
    if status is not None and (ends or after_messages is not None):
        raise ValueError(
            "status refuses the handshake: give no error, close_code, disconnect or after_messages with it"
        )
    if after_messages is not None and not ends:
        raise ValueError("after_messages needs what happens then: error, close_code or disconnect")
    if disconnect and (error is not None or close_code is not None):
        raise ValueError("disconnect cuts the connection: give no error and no close_code with it")
    return SocketFault(
        status=status,
        error=error,
        close_code=close_code,
        disconnect=disconnect,
        after_messages=after_messages or 0,
        delay_in_seconds=delay_in_seconds or 0.0,
    )


def _check(
    status: int | None,
    error: str | None,
    close_code: int | None,
    after_messages: int | None,
    delay_in_seconds: float | None,
) -> None:
    if status is not None:
        check_whole_number("status", status, at_least=400, at_most=599)
    if error is not None and error not in _ERRORS:
        raise ValueError(f"error must be one of {', '.join(_ERRORS)}, not {error!r}")
    if close_code is not None:
        check_whole_number("close_code", close_code, at_least=1000, at_most=_LAST_OWN_CLOSE_CODE)
        if close_code < _FIRST_OWN_CLOSE_CODE and close_code not in _CLOSE_CODES:
            raise ValueError(f"close_code {close_code} cannot be sent: choose one from 1000 to 1014, or from 3000 up")
    if after_messages is not None:
        check_whole_number("after_messages", after_messages, at_least=0)
    if delay_in_seconds is not None:
        check_seconds("delay_in_seconds", delay_in_seconds, can_be_zero=True)


class HandshakeRefusedError(web.HTTPException):
    """A fault refuses the handshake with this status code."""

    def __init__(self, status: int) -> None:
        self.status_code = status
        super().__init__()


class FaultySocket(web.WebSocketResponse):
    """A socket that is late, or ends early.

    Args:
        fault: What happens to it.
        request: The handshake.
        timeout: How long the client may take to answer a close, in seconds.
    """

    def __init__(self, fault: SocketFault, request: web.Request, *, timeout: float) -> None:
        super().__init__(timeout=timeout)
        self._fault = fault
        self._request = request
        self._sent = 0

    async def send_str(self, data: str, compress: int | None = None) -> None:
        """Send a message, late; or end the socket, if enough messages were sent."""
        await self._end_if_due()
        await asyncio.sleep(self._fault.delay_in_seconds)
        await super().send_str(data, compress)
        self._sent += 1

    async def receive(self, timeout: float | None = None) -> WSMessage:
        """Receive a message; or end the socket, if enough messages were sent."""
        await self._end_if_due()
        return await super().receive(timeout)

    async def _end_if_due(self) -> None:
        fault = self._fault
        if not fault.ends or self._sent < fault.after_messages:
            return
        if fault.disconnect:
            if self._request.transport is not None:
                self._request.transport.abort()
        else:
            await self._say_and_close(fault)
        # The routes take this as a client that left.
        raise ConnectionResetError("a planned fault ended the socket")

    async def _say_and_close(self, fault: SocketFault) -> None:
        is_transcription = self._request.path.startswith("/v1/speech-to-text/")
        # The API closes with 1000 after an error of a transcription, and with 1008 after one of speech.
        close_code = fault.close_code or (1000 if is_transcription else 1008)
        text = "The emulator was told to fail."
        if fault.error is not None:
            frame = (
                {"message_type": fault.error, "error": text}
                if is_transcription
                else {"message": text, "error": fault.error, "code": close_code}
            )
            await super().send_str(json.dumps(frame))
        await self.close(code=close_code, message=(fault.error or "").encode())


async def accepted(
    fault: SocketFault | None, request: web.Request, *, timeout_in_seconds: float
) -> web.WebSocketResponse:
    """Make the socket of a handshake, or refuse it, as the fault says.

    Raises:
        HandshakeRefusedError: The fault refuses it.
    """
    if fault is None:
        return web.WebSocketResponse(timeout=timeout_in_seconds)
    await asyncio.sleep(fault.delay_in_seconds)
    if fault.status is not None:
        raise HandshakeRefusedError(fault.status)
    return FaultySocket(fault, request, timeout=timeout_in_seconds)
