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

_WATCH_DELAY_IN_SECONDS = 0.05
"""Few mints are quicker, and those need no watch."""


class AsgiApp:
    """An object, because Starlette's `Route` would call a function or a method as a view."""

    def __init__(self, endpoint: "TokenEndpoint") -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, refuse a WebSocket, or tell the server that nothing has to be started or stopped."""
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
        inbox = _Inbox(receive, is_without_body=is_without_body)
        work = self._endpoint.reply(request, inbox.body, IN_LOOP)
        # The watch also collects the body, so a request that has one is watched at once.
        delay_in_seconds = _WATCH_DELAY_IN_SECONDS if is_without_body else 0
        reply = await reply_unless_left(work, inbox.watch, delay_in_seconds=delay_in_seconds)
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})


class _Inbox:
    """Receives what the server says of a request: its body, and that the frontend went away."""

    def __init__(self, receive: Receive, *, is_without_body: bool) -> None:
        self._receive = receive
        self._body: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        if is_without_body:
            self._body.set_result(b"")

    async def watch(self) -> None:
        """Collect the body, and end when the frontend goes away."""
        body = b""
        while (message := await self._receive())["type"] != "http.disconnect":
            body += message.get("body", b"")[: MAX_BODY_BYTES + 1 - len(body)]
            is_whole = len(body) > MAX_BODY_BYTES or not message.get("more_body", False)
            if is_whole and not self._body.done():
                self._body.set_result(body)
        if not self._body.done():
            # A frontend that closes only its half of the connection can still read that its body is too short.
            self._body.set_exception(EOFError())
            self._body.exception()  # asyncio must not complain if the body is never asked for
            await asyncio.get_running_loop().create_future()

    async def body(self) -> bytes:
        return await asyncio.wait_for(self._body, BODY_TIMEOUT_IN_SECONDS)


def _request(scope: Scope) -> EndpointRequest:
    path, mount, client = scope["path"], scope.get("root_path", ""), scope.get("client")
    return EndpointRequest.of(
        scope["method"],
        path if path.startswith(mount) else f"{mount}{path}",
        [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
        client[0] if client else None,
        scope,
    )
