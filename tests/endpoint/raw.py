"""HTTP as bytes, for requests that an HTTP client would tidy up or refuse to send."""

import json
import socket
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from http.client import HTTPException, HTTPResponse
from typing import Any

from attrs import define


@define(slots=False)
class Reply:
    """A whole reply.

    Attributes:
        status: Its status.
        headers: Its headers, names in lower case, in the order in which they came.
        body: Its body.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        """Give the values of each header with this name."""
        return [value for known, value in self.headers if known == name.lower()]

    @cached_property
    def json(self) -> Any:
        return json.loads(self.body)

    def __str__(self) -> str:
        return f"{self.status} {self.headers} {self.body.decode(errors='replace')}"


@contextmanager
def sending(port: int, request: bytes) -> Generator[socket.socket]:
    """Send a request, and give the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        yield connection


def exchange(port: int, request: bytes, *, is_cut_short: bool = False) -> Reply | None:
    """Send a request, and read until the server closes the connection.

    Args:
        port: The server's port.
        request: What is sent.
        is_cut_short: Whether the connection is closed for writing after that.

    Returns:
        The reply, or None if the connection was closed without one.
    """
    with sending(port, request) as connection, suppress(HTTPException, ConnectionError):
        if is_cut_short:
            connection.shutdown(socket.SHUT_WR)
        return _read(connection, request.partition(b" ")[0].decode())
    return None


def _read(connection: socket.socket, method: str) -> Reply:
    response = HTTPResponse(connection, method=method)
    response.begin()
    return Reply(response.status, [(name.lower(), value) for name, value in response.getheaders()], response.read())


def request_bytes(
    method: str, target: str, lines: Sequence[str], body: bytes = b"", version: str = "HTTP/1.1"
) -> bytes:
    """Write a request; `lines` are its headers."""
    return "\r\n".join([f"{method} {target} {version}", *lines, "", ""]).encode() + body


def chunked(body: bytes) -> bytes:
    """Give a body as one chunk and the end."""
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
