"""A proxy of the tests' own, and certificates for what is behind it."""

import socket
import ssl
import threading
from contextlib import ExitStack, suppress
from typing import Self

import trustme

from scripted import HEAD_END


def server_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """Make what a server needs to be taken for one of these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


class ConnectProxy:
    """A proxy that leads every CONNECT to one port of this machine, and remembers what it was told.

    Args:
        port: Where it leads.
        tls: If given, TLS ends here, and what was inside goes on in the clear.

    Attributes:
        heads: The bytes of every CONNECT.
        passed: The bytes that came after them, as they were passed on.
        refusal: What it answers instead, if anything.
        address: Where it listens.
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
