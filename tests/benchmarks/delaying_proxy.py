"""A proxy that makes a server on this machine as slow to reach as one that is far away."""

import asyncio
import socket
import struct
from collections.abc import Callable

ONE_WAY_IN_SECONDS = 0.040
ROUND_TRIP_IN_SECONDS = 2 * ONE_WAY_IN_SECONDS

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class _End(asyncio.Protocol):
    """One of the two connections that the proxy joins: what comes in here goes out at the other one 40 ms later."""

    def __init__(self, other: "_End | None" = None) -> None:
        self.other = other
        self._last_departure = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._later(lambda other: other.transport.write(data))

    def connection_lost(self, exc: Exception | None) -> None:
        is_reset = isinstance(exc, ConnectionResetError)
        self._later(lambda other: other.close(is_reset=is_reset))

    def hold_until(self, time: float) -> None:
        """Treat what comes before a time of the event loop as if it came then."""
        self._last_departure = time + ONE_WAY_IN_SECONDS

    def _later(self, act: Callable[["_End"], None]) -> None:
        assert self.other is not None
        loop = asyncio.get_running_loop()
        # The event loop does not keep the order of two timers that end at the same time.
        self._last_departure = max(loop.time() + ONE_WAY_IN_SECONDS, self._last_departure + 1e-6)
        loop.call_at(self._last_departure, act, self.other)

    def close(self, *, is_reset: bool) -> None:
        """End this connection as the other one ended: with a FIN or with an RST."""
        if self.transport.is_closing():
            return
        if is_reset:
            reset(self.transport)
        else:
            self.transport.close()


class DelayingProxy(_End):
    """The client's connection, which opens one to the server.

    The system accepts it at once, and no proxy can change that. So what the client sends first is held back for a round
    trip: the client gets its first answer when it would get it if the connecting itself had taken that round trip.

    Args:
        port: Where the server listens.
    """

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.pause_reading()
        loop = asyncio.get_running_loop()
        self.hold_until(loop.time() + ROUND_TRIP_IN_SECONDS)
        self._opening = loop.create_task(self._open())

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        _, self.other = await loop.create_connection(lambda: _End(self), "127.0.0.1", self._port)
        self.transport.resume_reading()


def reset(transport: asyncio.Transport) -> None:
    """End a connection with an RST."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
