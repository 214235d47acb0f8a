"""The token route as an ASGI app."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from elevenlabs_tokens.endpoint.bodies import BODY_TIMEOUT_IN_SECONDS, MAX_BODY_BYTES
from elevenlabs_tokens.endpoint.leaving import reply_unless_left
from elevenlabs_tokens.endpoint.request import EndpointRequest
from elevenlabs_tokens.endpoint.runners import IN_LOOP

if TYPE_CHECKING:
    from elevenlabs_tokens.endpoint.endpoint import TokenEndpoint

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_WATCHED_AFTER = 0.05
"""Seconds. Few mints are quicker, and those need no watch."""


class AsgiApp:
    """An object and not a function, for Starlette's `Route` takes functions and methods for views."""

    def __init__(self, endpoint: "TokenEndpoint") -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, refuse a socket, or say that there is nothing to start and to stop."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "lifespan":
            for step in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{step}.complete"})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = _request(scope)
        is_without_body = request.headers.get("content-length") == "0"
        inbox = _Inbox(receive, is_whole=is_without_body)
        work = self._endpoint.reply(request, inbox.body, IN_LOOP)
        # What watches also collects the body.
        reply = await reply_unless_left(work, inbox.watch, watched_after=_WATCHED_AFTER if is_without_body else 0)
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})


class _Inbox:
    """What the server says of a request: its body, and that the frontend went away."""

    def __init__(self, receive: Receive, *, is_whole: bool) -> None:
        self._receive = receive
        self._body = b""
        self._is_whole = is_whole
        self._is_cut_off = False
        self._whole: asyncio.Future[None] | None = None

    async def watch(self) -> None:
        """Collect the body, and end when the frontend goes away."""
        while (message := await self._receive())["type"] != "http.disconnect":
            if not self._is_whole:
                self._body += message.get("body", b"")[: MAX_BODY_BYTES + 1 - len(self._body)]
                self._is_whole = len(self._body) > MAX_BODY_BYTES or not message.get("more_body", False)
            if self._is_whole and self._whole is not None and not self._whole.done():
                self._whole.set_result(None)
        if not self._is_whole:
            # A frontend that closes only its half of the connection can still read that its body is too short.
            self._is_cut_off = True
            if self._whole is not None and not self._whole.done():
                self._whole.set_exception(EOFError)
            await asyncio.get_running_loop().create_future()

    async def body(self) -> bytes:
        if self._is_cut_off:
            raise EOFError
        if not self._is_whole:
            self._whole = asyncio.get_running_loop().create_future()
            await asyncio.wait_for(self._whole, BODY_TIMEOUT_IN_SECONDS)
        return self._body


def _request(scope: Scope) -> EndpointRequest:
    path, mount, client = scope["path"], scope.get("root_path", ""), scope.get("client")
    return EndpointRequest.of(
        scope["method"],
        path if path.startswith(mount) else f"{mount}{path}",
        [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
        client[0] if client else None,
        scope,
    )
