"""An API that is 80 ms away, speaks TLS, and fails where it is told to.

The path of a request begins with three parts: `/fin/20/7` means that client 7 opens 20 connections ahead. The server
answers none of their first requests until all of them have come, so that each has a connection of its own. It answers
every other request at once, but it meets the second one on a connection as the first part says.
"""

import asyncio
import ssl
from collections import defaultdict

from benchmarks.delaying_proxy import DelayingProxy, reset
from benchmarks.server import HEAD_END, REPLY, announce, listen, main, port_of

PROGRAM = __file__

TOKEN = "token"
FIN = "fin"
RST = "rst"
UNAVAILABLE = "503"

_UNAVAILABLE_REPLY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


class _Api(asyncio.Protocol):
    def __init__(self, by_client: defaultdict[bytes, list[asyncio.Transport]]) -> None:
        self._by_client = by_client
        self._pending = b""
        self._requests = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *heads, self._pending = (self._pending + data).split(HEAD_END)
        for head in heads:
            _, how, connections, client, _ = head.split(b"/", 4)
            self._requests += 1
            if self._requests == 1:
                self._answer_first(client, int(connections))
            else:
                self._answer(how.decode() if self._requests == 2 else TOKEN)

    def _answer_first(self, client: bytes, connections: int) -> None:
        opened = self._by_client[client]
        opened.append(self._transport)
        if len(opened) >= connections:
            for transport in opened if len(opened) == connections else [self._transport]:
                transport.write(REPLY)

    def _answer(self, how: str) -> None:
        if how == FIN:
            self._transport.close()  # this sends the close_notify of TLS
            self._transport.abort()  # and this the FIN, without a wait for the client's close_notify
        elif how == RST:
            reset(self._transport)
        else:
            self._transport.write(_UNAVAILABLE_REPLY if how == UNAVAILABLE else REPLY)


async def _serve(context: ssl.SSLContext | None) -> None:
    by_client: defaultdict[bytes, list[asyncio.Transport]] = defaultdict(list)
    port = port_of(await listen(lambda: _Api(by_client), context))
    await announce(await listen(lambda: DelayingProxy(port)))


if __name__ == "__main__":
    main(_serve)
