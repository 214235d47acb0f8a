"""The token route as a handler of aiohttp.web."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import ClientError, web

from elevenlabs_tokens.endpoint.bodies import BODY_TIMEOUT_IN_SECONDS, MAX_BODY_BYTES
from elevenlabs_tokens.endpoint.leaving import reply_unless_left
from elevenlabs_tokens.endpoint.request import EndpointRequest
from elevenlabs_tokens.endpoint.runners import IN_LOOP

if TYPE_CHECKING:
    from elevenlabs_tokens.endpoint.endpoint import TokenEndpoint

AiohttpHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_POLL_INTERVAL_IN_SECONDS = 0.1


def handler_of(endpoint: "TokenEndpoint") -> AiohttpHandler:
    """Give the handler."""

    async def handle(request: web.Request) -> web.StreamResponse:
        async def body() -> bytes:
            return await _body(request)

        work = endpoint.reply(_request(request), body, IN_LOOP)
        reply = await reply_unless_left(work, partial(_leaving, request), delay_in_seconds=_POLL_INTERVAL_IN_SECONDS)
        return web.Response(status=reply.status, headers=reply.headers, body=reply.body or None)

    return handle


async def _leaving(request: web.Request) -> None:
    """Wait until the frontend goes away: aiohttp tells nobody, but its transport is gone then."""
    while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110  # there is no event
        await asyncio.sleep(_POLL_INTERVAL_IN_SECONDS)


async def _body(request: web.Request) -> bytes:
    body = b""
    try:
        async with asyncio.timeout(BODY_TIMEOUT_IN_SECONDS):
            while len(body) <= MAX_BODY_BYTES and not request.content.at_eof():
                body += await request.content.readany()
    except ClientError as error:  # a chunk that is malformed
        raise OSError from error
    return body


def _request(request: web.Request) -> EndpointRequest:
    return EndpointRequest.of(request.method, request.path, request.headers.items(), request.remote, request)
