"""The pool of connections: aiohttp's, where it trusts a connection less and bounds the whole of connecting."""

import asyncio
from collections.abc import Iterable
from functools import partial
from http.cookies import SimpleCookie
from typing import Any

import aiohttp
from aiohttp import ClientHandlerType
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict
from yarl import URL


class _Protocol(ResponseHandler):
    """One connection."""

    def set_exception(self, exc: BaseException, *args: Any, **kwargs: Any) -> None:
        """Fail whoever waits for the answer, and whoever reads its body too, whom aiohttp forgets."""
        super().set_exception(exc, *args, **kwargs)
        if self._payload is not None and isinstance(exc, HttpProcessingError):
            self._payload.set_exception(exc, *args, **kwargs)


def _early_answer() -> aiohttp.ClientError:
    return aiohttp.ServerDisconnectedError("data came before the request was sent")


async def refuse_early_answer(request: ClientRequest, handler: ClientHandlerType) -> aiohttp.ClientResponse:
    """Refuse, over a connection of a pool that is not ours, an answer that came before: a middleware of aiohttp's."""
    send = request.send

    async def send_unless_answered(conn: Connection) -> aiohttp.ClientResponse:
        if conn.protocol is None or conn.protocol._buffer:  # noqa: SLF001  # nothing public tells
            raise _early_answer()
        return await send(conn)

    request.send = send_unless_answered  # type: ignore[method-assign]  # the one moment between connecting and sending
    return await handler(request)


class WholeRequest(ClientRequest):
    """A request whose URL has a host and no user, whose headers are all there, and which has no body.

    aiohttp, which cannot know that of a request, looks for what may be missing or wrong each time.
    """

    def update_headers(self, headers: Any) -> None:
        """Take them as they are, after the host."""
        self.headers = CIMultiDict(Host=self.url.host_port_subcomponent or "")
        self.headers.update(headers)  # among which a hook of aiohttp's may have put another host

    def update_auto_headers(self, skip_auto_headers: Iterable[str] | None) -> None:
        """Add none, but mind those that must not be sent."""
        if skip_auto_headers is not None:
            super().update_auto_headers(skip_auto_headers)

    def update_body_from_data(self, body: Any, _stacklevel: int = 3) -> None:  # noqa: ARG002  # aiohttp's own names
        """Have none."""
        self.headers["Content-Length"] = "0"

    def _has_none(self, *_: Any, **__: Any) -> None:
        """Look for nothing."""

    update_host = update_cookies = update_auth = update_transfer_encoding = update_expect_continue = _has_none


class NoCookies(aiohttp.DummyCookieJar):
    """A jar that is always empty, and makes nothing to say so."""

    _nothing = SimpleCookie()

    def filter_cookies(self, request_url: URL) -> SimpleCookie:  # noqa: ARG002  # aiohttp's own name
        """Give the cookies of a request."""
        return self._nothing


class Connector(aiohttp.TCPConnector):
    """A pool of connections of one event loop.

    Beyond aiohttp's, it never returns an answer that came before its request was sent, tells at once when a body is
    malformed, and holds the time-out of `sock_connect` over all of connecting: the lookup of the name, a proxy's
    CONNECT, TLS.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._factory: Any = partial(_Protocol, loop=self._loop)

    async def connect(self, req: ClientRequest, traces: Any, timeout: aiohttp.ClientTimeout) -> Connection:
        """Give a connection for a request; one with an answer already has one that was not asked for."""
        connection = await super().connect(req, traces, timeout)
        protocol = connection.protocol
        if protocol is not None and (protocol._buffer or protocol._tail):  # noqa: SLF001  # nothing public tells
            connection.close()
            raise _early_answer()
        return connection

    async def _create_connection(
        self, req: ClientRequest, traces: Any, timeout: aiohttp.ClientTimeout
    ) -> ResponseHandler:
        async with asyncio.timeout(timeout.sock_connect):
            return await super()._create_connection(req, traces, timeout)
