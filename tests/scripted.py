"""A server on a real socket that sends the bytes it is told to send, and keeps every byte that it receives."""

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from typing import Any, Self

TOKEN = {"token": "sutkn_1234567890"}
HEAD_END = b"\r\n\r\n"


class Act(Enum):
    """What a script may do besides sending bytes."""

    CLOSE = auto()
    """Close the connection (FIN)."""
    RESET = auto()
    """Reset the connection (RST)."""
    READ = auto()
    """Wait until the client sends something."""
    STALL = auto()
    """Send nothing more, and wait until the client closes the connection or the server stops."""


@dataclass(frozen=True)
class Pieces:
    """Bytes that are sent piece by piece, each in a segment of its own, until the client closes the connection.

    Attributes:
        pieces: The bytes; with `itertools.repeat` they never end.
        every_in_seconds: The pause after each piece.
    """

    pieces: Iterable[bytes]
    every_in_seconds: float = 0.0


def dribble(content: bytes, every_in_seconds: float) -> Pieces:
    """Send one byte at a time."""
    return Pieces([bytes([byte]) for byte in content], every_in_seconds)


Step = bytes | Pieces | Act | threading.Event | Callable[[], object]
"""Bytes to send, an act, an event to wait for, or a function to call, such as `event.set`."""
Script = Sequence[Step]


def head(status: int = 200, headers: Mapping[str, object] | None = None) -> bytes:
    """Give the status line and the headers of a reply; there are no headers but those given."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    return "\r\n".join(lines).encode() + HEAD_END


def reply(status: int = 200, body: Any = TOKEN, headers: Mapping[str, str] | None = None) -> list[bytes]:
    """Give a well-formed reply. A mapping or a list is sent as JSON, bytes as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return [head(status, {"Content-Length": len(content), **(headers or {})}) + content]


def _shake_hands(secured: ssl.SSLSocket) -> None:
    try:
        secured.do_handshake()
    except ssl.SSLError:
        # Read on, past TLS: to close with bytes unread resets the connection, and the client may miss the TLS alert.
        while socket.socket.recv(secured, 65536):
            pass
        raise


class ScriptedApi:
    """A server that plays the next script of a list to each request; when the list is empty, it replies with a token.

    Args:
        tls: The context for TLS; None for plain HTTP.

    Attributes:
        greetings: The scripts for the next connections, each played when its connection is accepted, before TLS.
        replies: The scripts for the next requests.
        requests: The bytes of each request that came.
        connections: How many connections were accepted.
        received: Every byte that came, part of a request or not; also what a greeting read before TLS.
        bytes_sent: How many bytes were sent.
        request_came: Set when a request comes.
        connection_closed: Set when a client has closed its connection.
        delay_in_seconds: How long each reply is held back.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.greetings: list[Script] = []
        self.replies: list[Script] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self.received = bytearray()
        self.bytes_sent = 0
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
        """The port that it listens on."""
        return int(self._listener.getsockname()[1])

    @property
    def base_url(self) -> str:
        """The base URL for its clients."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            still_open = list(self._open)
        for connection in still_open:
            with suppress(OSError):  # the client may have closed it meanwhile
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
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # one send, one segment
            with self._lock:
                self.connections += 1
                self._open.add(connection)
                greeting = self.greetings.pop(0) if self.greetings else ()
            self._start(self._serve, connection, greeting)

    def _serve(self, connection: socket.socket, greeting: Script) -> None:
        try:
            if self._play(connection, greeting):
                if self._tls:
                    connection = secured = self._wrapped(connection, self._tls)
                    _shake_hands(secured)
                self._answer_all(connection)
        except OSError:
            self.connection_closed.set()
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _wrapped(self, connection: socket.socket, tls: ssl.SSLContext) -> ssl.SSLSocket:
        secured = tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._open.discard(connection)
            self._open.add(secured)
        return secured

    def _answer_all(self, connection: socket.socket) -> None:
        received = b""
        while chunk := self._receive(connection):
            received += chunk
            while HEAD_END in received:
                request, _, received = received.partition(HEAD_END)
                with self._lock:
                    self.requests.append(request + HEAD_END)
                    script = self.script_for(request)
                self.request_came.set()
                self._stopping.wait(self.delay_in_seconds)
                if not self._play(connection, script):
                    return

    def script_for(self, request: bytes) -> Script:
        """Choose the script for a request; only one thread at a time asks."""
        del request
        return self.replies.pop(0) if self.replies else reply()

    def _receive(self, connection: socket.socket) -> bytes:
        chunk = connection.recv(65536)
        with self._lock:
            self.received += chunk
        if not chunk:
            self.connection_closed.set()
        return chunk

    def _send(self, connection: socket.socket, content: bytes) -> None:
        connection.sendall(content)
        with self._lock:
            self.bytes_sent += len(content)

    def _play(self, connection: socket.socket, script: Script) -> bool:
        """Play a script, and tell whether the connection is still to be used."""
        for step in script:
            match step:
                case bytes():
                    self._send(connection, step)
                case Pieces():
                    for piece in step.pieces:
                        self._send(connection, piece)
                        if self._stopping.wait(step.every_in_seconds):
                            break
                case threading.Event():
                    while not (step.wait(0.05) or self._stopping.is_set()):
                        pass
                case Act():
                    self._act(connection, step)
                case _:
                    step()
        return not any(isinstance(step, Act) and step is not Act.READ for step in script)

    def _act(self, connection: socket.socket, act: Act) -> None:
        if act is Act.READ:
            self._receive(connection)
        elif act is Act.STALL:
            while self._receive(connection):
                pass
        else:
            if act is Act.RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
