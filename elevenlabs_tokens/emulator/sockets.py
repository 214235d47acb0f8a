"""The server's end of the WebSockets."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from aiohttp import WSCloseCode, WSMsgType, web

from elevenlabs_tokens.emulator.query import Query

# How long the client may take to answer a close; one that is gone does not, and must not hold up a stopping server.
_CLOSE_TIMEOUT_IN_SECONDS = 1.0
_SHUTDOWN_TIMEOUT_IN_SECONDS = 0.5


class OpenSockets:
    """The sockets that are open now, so that a stopping server can close them."""

    def __init__(self) -> None:
        self._open: dict[web.WebSocketResponse, asyncio.Transport | None] = {}

    @asynccontextmanager
    async def accept(self, request: web.Request) -> AsyncGenerator[web.WebSocketResponse, None]:
        """Accept the handshake, whatever `Origin` it names; a client that goes away ends the block.

        What is still open when the request has been handled, aiohttp closes with 1000.
        """
        socket = web.WebSocketResponse(timeout=_CLOSE_TIMEOUT_IN_SECONDS)
        await socket.prepare(request)
        self._open[socket] = request.transport
        try:
            with suppress(ConnectionError):
                yield socket
        finally:
            del self._open[socket]

    async def close_all(self, _app: web.Application) -> None:
        """Close every socket with 1001; in half a second, even if no client answers."""
        await asyncio.gather(*(_go_away(socket, transport) for socket, transport in self._open.items()))


async def _go_away(socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_SHUTDOWN_TIMEOUT_IN_SECONDS):
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the emulator is stopping")
    # A client that has stopped reading keeps the last bytes from being sent, and with them the transport open.
    if transport is not None and transport.get_write_buffer_size():
        transport.abort()


def read_query(request: web.Request) -> Query:
    """Give the parameters in a request's URL."""
    return Query({name: request.query.getall(name) for name in request.query})


async def receive_frame(socket: web.WebSocketResponse, *, timeout_in_seconds: float) -> str | None:
    """Wait for the client's next frame; None once it has gone.

    Raises:
        TimeoutError: Nothing came in time.
    """
    message = await socket.receive(timeout=timeout_in_seconds)
    if message.type is WSMsgType.TEXT:
        return str(message.data)
    # All messages of the API are text, so whatever a binary frame holds is as good as an empty one.
    return "" if message.type is WSMsgType.BINARY else None
