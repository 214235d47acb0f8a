"""A server on a real socket that answers as it is told, byte for byte, and remembers every byte it got."""

import json
import socket
import ssl
import struct
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from enum import Enum, auto
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

TOKEN = {"token": "sutkn_1234567890"}
HEAD_END = b"\r\n\r\n"


class Act(Enum):
    """What a script may do besides sending bytes."""

    CLOSE = auto()
    """End the connection in good order."""
    RESET = auto()
    """Cut it."""
    STALL = auto()
    """Say nothing more until the other side closes the connection, or the server stops."""


Step = bytes | Act | threading.Event
Script = Sequence[Step]


def reply(status: int = 200, body: Any = TOKEN, headers: Mapping[str, str] | None = None) -> Script:
    """Write an answer in good order: a mapping or list goes out as JSON, bytes as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {status} {phrase}", f"Content-Length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return [b"\r\n".join(line.encode() for line in lines) + HEAD_END + content]


class ScriptedApi:
    """A server whose every request takes the next script off the list; without one, it hands out a token.

    A script's steps are bytes to send, an `Act`, or an event to wait for.

    Args:
        tls: What makes it speak TLS.

    Attributes:
        replies: The scripts still to be played.
        requests: The bytes of every request, as they came.
        connections: How many were accepted.
        request_came: Set by every request.
        connection_closed: Set when the other side has closed a connection.
        delay_in_seconds: How long every reply waits.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.replies: list[Script] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self.request_came = threading.Event()
        self.connection_closed = threading.Event()
        self.delay_in_seconds = 0.0
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    @property
    def base_url(self) -> str:
        """Where a client finds it."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            still_open = list(self._open)
        for connection in still_open:
            with suppress(OSError):  # the other side may have been faster
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _start(self, target: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._open.add(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        received = b""
        try:
            if self._tls:
                connection = self._secured(connection, self._tls)
            while chunk := connection.recv(65536):
                received += chunk
                while HEAD_END in received:
                    head, _, received = received.partition(HEAD_END)
                    if not self._play(connection, head + HEAD_END):
                        return
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _secured(self, connection: socket.socket, tls: ssl.SSLContext) -> socket.socket:
        secured = tls.wrap_socket(connection, server_side=True)
        with self._lock:
            self._open.discard(connection)
            self._open.add(secured)
        return secured

    def _play(self, connection: socket.socket, request: bytes) -> bool:
        with self._lock:
            self.requests.append(request)
            script = self.replies.pop(0) if self.replies else reply()
        self.request_came.set()
        self._stopping.wait(self.delay_in_seconds)
        for step in script:
            if isinstance(step, bytes):
                connection.sendall(step)
            elif isinstance(step, threading.Event):
                step.wait(10)
            elif step is Act.STALL:
                with suppress(OSError):
                    connection.recv(1)
                self.connection_closed.set()
                return False
            else:
                if step is Act.RESET:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
        return True
