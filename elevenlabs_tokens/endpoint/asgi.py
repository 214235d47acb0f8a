"""The token route as an ASGI app."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from elevenlabs_tokens.endpoint.bodies import BODY_TIMEOUT_IN_SECONDS, MAX_BODY_BYTES, cut_off
from elevenlabs_tokens.endpoint.leaving import LEFT, reply_unless_left
from elevenlabs_tokens.endpoint.replies import Reply, refusal
from elevenlabs_tokens.endpoint.request import EndpointRequest
from elevenlabs_tokens.endpoint.runners import InLoop

if TYPE_CHECKING:
    from elevenlabs_tokens.endpoint.endpoint import TokenEndpoint

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


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
        inbox = _Inbox(receive)
        work = self._endpoint.reply(_request(scope), inbox.body, InLoop())
        # A reply is sent to a frontend that went away, too: some servers and middleware fail without one.
        reply = await reply_unless_left(work, inbox.watch()) or inbox.reply_to_nobody()
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})


class _Inbox:
    """What the server says of a request: its body, and that the frontend went away."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._body = b""
        self._is_whole = asyncio.Event()

    async def watch(self) -> None:
        """Collect the body, and end when the frontend goes away."""
        while (message := await self._receive())["type"] != "http.disconnect":
            if not self._is_whole.is_set():
                self._body += message.get("body", b"")[: MAX_BODY_BYTES + 1 - len(self._body)]
            if len(self._body) > MAX_BODY_BYTES or not message.get("more_body", False):
                self._is_whole.set()

    def reply_to_nobody(self) -> Reply:
        """Give the reply to a frontend that went away: some can still read it, if they have closed their half only."""
        return LEFT if self._is_whole.is_set() else refusal(cut_off())

    async def body(self) -> bytes:
        async with asyncio.timeout(BODY_TIMEOUT_IN_SECONDS):
            await self._is_whole.wait()
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
