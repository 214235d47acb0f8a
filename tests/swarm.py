"""A server for many connections at once, in the test's own event loop."""

import asyncio
import socket
import struct
from collections.abc import Callable
from types import TracebackType
from typing import Self, cast

from scripted import HEAD_END, Act, Script

ESTABLISHED = 1


class Swarm:
    """A server that asks a function for the script of each reply.

    Args:
        choose: Gives the script for the next request.

    Attributes:
        requests: How many requests came.
        most_open: The highest number of connections that were open at the same time.
    """

    def __init__(self, choose: Callable[[], Script]) -> None:
        self.choose = choose
        self.requests = 0
        self.most_open = 0
        self.peers: set[_Peer] = set()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Peer(self), "127.0.0.1", 0, backlog=1024)
        port: int = self._server.sockets[0].getsockname()[1]
        self.base_url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.close()
        for peer in self.peers:
            peer.transport.abort()
        await self.all_gone()

    def count(self) -> None:
        """Update `most_open`, without connections that the client has closed and the loop does not yet know of."""
        if len(self.peers) > self.most_open:
            self.most_open = max(self.most_open, sum(peer.is_established() for peer in self.peers))

    async def all_gone(self) -> None:
        """Wait until no connection is left."""
        async with asyncio.timeout(5):
            while self.peers:  # noqa: ASYNC110  # the loop learns of it within a few rounds
                await asyncio.sleep(0)


class _Peer(asyncio.Protocol):
    def __init__(self, swarm: Swarm) -> None:
        self._swarm = swarm
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._swarm.peers.add(self)
        self._swarm.count()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # the name is asyncio's
        self._swarm.peers.discard(self)

    def is_established(self) -> bool:
        """Ask the operating system; on systems other than Linux, assume that it is."""
        connection: socket.socket = self.transport.get_extra_info("socket")
        if not hasattr(socket, "TCP_INFO"):
            return True
        return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == ESTABLISHED

    def data_received(self, data: bytes) -> None:
        self._received += data
        while HEAD_END in self._received and not self.transport.is_closing():
            self._received = self._received.partition(HEAD_END)[2]
            self._swarm.requests += 1
            self._play(self._swarm.choose())

    def _play(self, script: Script) -> None:
        for step in script:
            match step:
                case bytes():
                    self.transport.write(step)
                case Act.CLOSE:
                    self.transport.close()
                case Act.RESET:
                    connection: socket.socket = self.transport.get_extra_info("socket")
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.transport.abort()
                case _:  # a stall: nothing more is sent
                    pass
