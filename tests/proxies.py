"""A proxy for the tests, and certificates for the servers behind it."""

import socket
import ssl
import threading
from contextlib import ExitStack, suppress
from typing import Any, Self

import trustme

from scripted import HEAD_END

HOST = "api.example.test"
"""The name of a host that is not this machine; only the tests know it."""


def server_context(authority: trustme.CA, *names: str, **dates: Any) -> ssl.SSLContext:
    """Make the TLS context of a server with these names; `not_before` and `not_after` date its certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **dates).configure_cert(context)
    return context


class ConnectProxy:
    """A proxy that connects every CONNECT to one port of this machine, and keeps what it receives.

    Args:
        port: The port that it connects to.
        tls: If given, the proxy itself ends the TLS inside the tunnel, and passes the content on unencrypted.

    Attributes:
        heads: The bytes of each CONNECT, or of any other request.
        passed: The bytes that clients sent after it, as they were passed on.
        refusal: If not empty, what it replies instead of connecting.
        address: The host and port that it listens on.
    """

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.heads: list[bytes] = []
        self.passed = b""
        self.refusal = b""
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        head = b""
        with suppress(OSError), ExitStack() as stack:
            stack.enter_context(connection)
            while HEAD_END not in head:
                head += connection.recv(1)
            self.heads.append(head)
            if self.refusal:
                connection.sendall(self.refusal)
                return
            with socket.create_connection(self._target) as target:
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                if self._tls:
                    connection = stack.enter_context(self._tls.wrap_socket(connection, server_side=True))
                back = threading.Thread(target=self._pipe, args=(target, connection), daemon=True)
                back.start()
                self._pipe(connection, target, keep=True)
                back.join(5)

    def _pipe(self, source: socket.socket, sink: socket.socket, *, keep: bool = False) -> None:
        with suppress(OSError):
            while chunk := source.recv(65536):
                if keep:
                    self.passed += chunk
                sink.sendall(chunk)
            sink.shutdown(socket.SHUT_WR)
