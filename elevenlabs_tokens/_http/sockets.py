"""Sockets that notice a dead connection of which nobody told them: a router forgot it, or the host lost its power."""

import socket

import aiohttp

# A connection that is idle is asked after 15 s whether the other side is there, and is dead after 3 questions in 5 s
# each. One that is in use is dead when what was sent is not acknowledged in 5 s.
_OPTIONS = (
    ("TCP_KEEPIDLE", 15),
    ("TCP_KEEPALIVE", 15),  # its name on macOS
    ("TCP_KEEPINTVL", 5),
    ("TCP_KEEPCNT", 3),
    ("TCP_USER_TIMEOUT", 5_000),  # milliseconds; Linux
)


def watched_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """Make a socket for an address, with what this system offers to notice that a connection is dead."""
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _OPTIONS:
        if hasattr(socket, name):
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return made
