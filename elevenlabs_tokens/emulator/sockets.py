"""WebSockets, from the server's side."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from aiohttp import WSCloseCode, WSMsgType, web

from elevenlabs_tokens.emulator.faults import FaultQueue
from elevenlabs_tokens.emulator.socket_faults import SocketFault, accepted

# How long a client may take to answer a close; less when the emulator stops. One that is gone never answers.
_CLOSE_TIMEOUT_IN_SECONDS = 1.0
_SHUTDOWN_TIMEOUT_IN_SECONDS = 0.5


class OpenSockets:
    """The sockets that are open now, so that a stopping server can close them."""

    def __init__(self, faults: FaultQueue[SocketFault]) -> None:
        self._faults = faults
        self._open: dict[web.WebSocketResponse, asyncio.Transport | None] = {}

    @asynccontextmanager
    async def accept(self, request: web.Request) -> AsyncGenerator[web.WebSocketResponse, None]:
        """Accept the handshake, from any `Origin`. If the client goes away, the block ends without an error.

        If the socket is still open after the block, aiohttp closes it with 1000.
        """
        socket = await accepted(self._faults.take(), request, timeout_in_seconds=_CLOSE_TIMEOUT_IN_SECONDS)
        await socket.prepare(request)
        self._open[socket] = request.transport
        try:
            with suppress(ConnectionError):
                yield socket
        finally:
            del self._open[socket]

    async def close_all(self, _app: web.Application) -> None:
        """Close every socket with 1001, within half a second, even if no client answers."""
        await asyncio.gather(*(_close(socket, transport) for socket, transport in self._open.items()))


async def _close(socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_SHUTDOWN_TIMEOUT_IN_SECONDS):
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the emulator is stopping")
    # A client that does not read keeps bytes in the buffer, and while they are there the transport stays open.
    if transport is not None and transport.get_write_buffer_size():
        transport.abort()


async def receive_frame(socket: web.WebSocketResponse, *, timeout_in_seconds: float) -> str | None:
    """Wait for the client's next frame; None if the client left.

    Raises:
        TimeoutError: No frame came in time.
    """
    message = await socket.receive(timeout=timeout_in_seconds)
    if message.type is WSMsgType.TEXT:
        return str(message.data)
    # The API takes text frames only. An empty frame stands for a binary one: both are refused as unreadable.
    return "" if message.type is WSMsgType.BINARY else None
