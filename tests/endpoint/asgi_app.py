"""The endpoints as an ASGI app without a framework."""

from typing import Any

from endpoint.app import CALLER, ENDPOINTS, endpoint_at


async def app(scope: Any, receive: Any, send: Any) -> None:
    CALLER.set("the app")
    endpoint = endpoint_at(scope["path"]) if "path" in scope else next(iter(ENDPOINTS.values()))
    await endpoint.asgi(scope, receive, send)
