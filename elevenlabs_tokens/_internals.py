"""All that the package uses of its dependencies without their promise, each with its reason.

Names here are private to aiohttp and anyio, or are texts of Python's own errors. A release of theirs may change them;
`tests/test_internals.py` then says which one, and what to do. No other module of the package uses such a name.
"""

import asyncio
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any

import aiohttp
from aiohttp import ClientHandlerType
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import BaseConnector, Connection
from aiohttp.http_exceptions import HttpProcessingError


def post(session: aiohttp.ClientSession, url: Any, **options: Any) -> Any:
    """Start a POST and give the coroutine of its response.

    `session.post` wraps that coroutine for `async with`; without the wrapper, a mint takes 3 to 5 % less time.
    """
    return session._request("POST", url, **options)  # noqa: SLF001


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
    """Be a middleware that refuses an answer which came before its request, on a connection of a borrowed session."""
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
    """Open a connection, and keep it in the session's pool. Nothing is sent; where one is open, nothing is done."""
    with suppress(_ConnectedError):
        await post(session, url, middlewares=(_keep_the_connection,), **options)


async def _keep_the_connection(request: ClientRequest, handler: ClientHandlerType) -> aiohttp.ClientResponse:
    async def keep(connection: Connection) -> aiohttp.ClientResponse:
        connection.release()
        raise _ConnectedError

    setattr(request, _SEND, keep)
    return await handler(request)


class StaleConnectionError(aiohttp.ServerDisconnectedError):
    """A connection that had been used before ended before a byte of the reply came."""


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
        times_used: How many requests were given this connection.
        has_answered: Whether a byte has come since the last of them.
    """

    def __init__(self, generation: _Generation, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._generation = generation
        self.number = generation.number
        self.times_used = 0
        self.has_answered = False

    def is_usable(self) -> bool:
        """Tell whether a request may be sent over it: it is new or of this generation, and nothing has come on it."""
        return not self.should_close and (not self.times_used or self.number == self._generation.number)

    def data_received(self, data: bytes) -> None:
        """Note that a byte has come."""
        self.has_answered = True
        super().data_received(data)

    def set_exception(self, exc: BaseException, *args: Any, **kwargs: Any) -> None:
        """Fail the wait for the answer, and the reading of its body too, which aiohttp forgets."""
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

    Unlike aiohttp's own, it never returns an answer that came before its request was sent, it tells a stale connection
    from a fault, it says at once when a body is malformed, and `sock_connect` limits all of connecting: the lookup of
    the name, a proxy's CONNECT, and TLS.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._factory: Any = partial(_Protocol, _Generation(), loop=self._loop)

    async def connect(self, req: ClientRequest, traces: Any, timeout: aiohttp.ClientTimeout) -> Connection:
        """Give a connection for a request, and close those on the way to it that cannot be used."""
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol: Any = connection.protocol
            if protocol.is_usable():
                protocol.times_used += 1
                protocol.has_answered = False
                return connection
            connection.close()
            if not protocol.times_used:  # on a new one, the next would fare no better
                raise _early_answer_error()

    async def _create_connection(
        self, req: ClientRequest, traces: Any, timeout: aiohttp.ClientTimeout
    ) -> ResponseHandler:
        async with asyncio.timeout(timeout.sock_connect):
            return await super()._create_connection(req, traces, timeout)


# How Python says, in its several versions, that no thread can be started: for the facade, or to look a host up in


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
    """Tell whether an error of Python's own begins with one of these texts: it has no other mark."""
    return str(error).startswith(texts)
