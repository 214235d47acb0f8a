"""Everything the package uses that its owner does not guarantee (private names, error texts), each with its reason.

Names here are private to aiohttp and anyio, or are texts of Python's own errors. A release of theirs may change them;
`tests/test_internals.py` then says which one, and what to do. No other module of the package uses such a name.
"""

import asyncio
from contextlib import suppress
from functools import partial
from importlib import import_module
from operator import attrgetter
from typing import Any

import aiohttp
from aiohttp import ClientHandlerType
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import BaseConnector, Connection
from aiohttp.http_exceptions import HttpProcessingError

request_of = attrgetter("_request")
"""Give the method of a session that makes a request: called with a method and a URL, it gives a coroutine.

`session.post` wraps that coroutine for `async with`; without the wrapper, making a token takes 3 to 5 % less time.
"""


def middlewares_of(session: aiohttp.ClientSession) -> tuple[aiohttp.ClientMiddlewareType, ...]:
    """Give a session's own middlewares, which those of a request replace, so that a request can repeat them."""
    return tuple(session._middlewares)  # noqa: SLF001


def loop_of(session: aiohttp.ClientSession) -> asyncio.AbstractEventLoop:
    """Give the event loop of a session. Its public `loop` warns of deprecation."""
    return session._loop  # noqa: SLF001


def auth_of(session: aiohttp.ClientSession) -> object:
    """Give a session's `auth`, None where aiohttp has none: version 4 drops it."""
    return getattr(session, "auth", None)


def close_without_waiting(connector: BaseConnector) -> None:
    """Close a connector whose event loop does not run.

    Its first step closes the sockets; the steps after it would wait for the loop.
    """
    next(connector.close().__await__(), None)


def mark_as_closed(connector: BaseConnector) -> None:
    """Have a forked child leave its parent's connections alone.

    When an open connector is collected, it closes its sockets, and with them it takes the parent's sockets out of the
    epoll object that both processes share. Nothing public keeps it from that.
    """
    connector._closed = True  # noqa: SLF001


def load_asyncio_backend() -> None:
    """Load what anyio would load at its first use: a fork during that import would leave its lock held for ever."""
    import_module("anyio._backends._asyncio")


# An answer that came before its request


_SEND = "send" if hasattr(ClientRequest, "send") else "_send"  # its name from aiohttp 4 on


def _early_answer_error() -> aiohttp.ClientError:
    return aiohttp.ServerDisconnectedError("data came before the request was sent")


async def refuse_early_answer(request: ClientRequest, handler: ClientHandlerType) -> aiohttp.ClientResponse:
    """Middleware for borrowed sessions: refuse a connection on which data came before the request was sent."""
    send = getattr(request, _SEND)

    async def send_unless_answered(connection: Connection) -> aiohttp.ClientResponse:
        if connection.protocol is None or connection.protocol.should_close:
            raise _early_answer_error()
        response: aiohttp.ClientResponse = await send(connection)
        return response

    # Replacing the method is the only way to look at a connection after it was chosen and before the request is sent.
    setattr(request, _SEND, send_unless_answered)
    return await handler(request)


# A connection without a request


class _ConnectedError(Exception):
    """Ends a request that was only to open a connection."""


async def connect(session: aiohttp.ClientSession, url: Any, **options: Any) -> None:
    """Open a connection for the session's pool, and send nothing; an idle one that is open will do."""
    with suppress(_ConnectedError):
        await request_of(session)("POST", url, middlewares=(_keep_the_connection,), **options)


async def _keep_the_connection(request: ClientRequest, handler: ClientHandlerType) -> aiohttp.ClientResponse:
    async def keep(connection: Connection) -> aiohttp.ClientResponse:
        connection.release()
        raise _ConnectedError

    setattr(request, _SEND, keep)
    return await handler(request)


class StaleConnectionError(aiohttp.ServerDisconnectedError):
    """A connection that had been taken from the pool before was lost before a byte of this reply came."""


class _Generation:
    """The number of the present generation of a pool's connections.

    Where one idle connection has died, those that were idle beside it are likely dead too: a new generation begins,
    and the pool uses none of an older one again.
    """

    number = 0


class _Protocol(ResponseHandler):
    """One connection.

    Attributes:
        number: The generation that it belongs to.
        times_used: How often it was taken from the pool, by `client.connect()` too.
        has_answered: Whether a byte has come since the last time.
    """

    def __init__(self, generation: _Generation, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._generation = generation
        self.number = generation.number
        self.times_used = 0
        self.has_answered = False

    def data_received(self, data: bytes) -> None:
        """Note that a byte has come."""
        self.has_answered = True
        super().data_received(data)

    def set_exception(self, exc: BaseException, *args: Any, **kwargs: Any) -> None:
        """Fail the wait for the reply, and also the reading of its body, which aiohttp does not do."""
        is_lost = isinstance(exc, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError)
        if is_lost and self.times_used > 1 and not self.has_answered:
            exc = StaleConnectionError()
            if self.number == self._generation.number:
                self._generation.number += 1
        super().set_exception(exc, *args, **kwargs)
        if self._payload is not None and isinstance(exc, HttpProcessingError):
            self._payload.set_exception(exc, *args, **kwargs)


class Connector(aiohttp.TCPConnector):
    """A pool of connections of one event loop.

    Unlike aiohttp's own, it never returns an answer that came before its request was sent, it distinguishes a stale
    connection from other losses, it says at once when a body is malformed, and `sock_connect` limits all of
    connecting: the lookup of the name, a proxy's CONNECT, and TLS.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._generation = _Generation()
        self._factory: Any = partial(_Protocol, self._generation, loop=self._loop)

    async def connect(self, req: ClientRequest, traces: Any, timeout: aiohttp.ClientTimeout) -> Connection:
        """Give a usable connection for a request; close the unusable ones that the pool gives first."""
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol: Any = connection.protocol
            # Data that has come already makes `should_close` true: nobody asked for it.
            is_new = not protocol.times_used
            if not protocol.should_close and (is_new or protocol.number == self._generation.number):
                protocol.times_used += 1
                protocol.has_answered = False
                return connection
            connection.close()
            if is_new:  # it was new, so another new one would fail too
                raise _early_answer_error()

    async def _create_connection(
        self, req: ClientRequest, traces: Any, timeout: aiohttp.ClientTimeout
    ) -> ResponseHandler:
        async with asyncio.timeout(timeout.sock_connect):
            return await super()._create_connection(req, traces, timeout)


# Python's texts, by version, for "no thread can start": for the thread of sync calls, or to look a host up


NO_THREAD_LEFT = ("can't start new thread",)
NO_THREAD_AT_EXIT = (
    "cannot schedule new futures after",
    "can't create new thread at interpreter shutdown",
    "can't start new thread at interpreter shutdown",
)
NO_DAEMON_THREADS = (  # in an isolated subinterpreter
    "daemon threads are disabled in this",
    "thread is not supported for isolated subinterpreters",  # Python 3.11
)


def says(error: RuntimeError, texts: tuple[str, ...]) -> bool:
    """Tell whether an error of Python begins with one of these texts; nothing else identifies it."""
    return str(error).startswith(texts)
