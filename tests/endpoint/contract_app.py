"""A token route for `test_openapi.py`, and the same once more with a rate limit."""

from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route

from elevenlabs_tokens import AsyncElevenLabsClient, SingleUseTokenType
from elevenlabs_tokens.endpoint import EndpointRequest, TokenEndpoint

USERS: dict[str, Any] = {"Bearer ada": "ada", "Bearer no-id": True}


def authorize(request: EndpointRequest) -> Any:
    return USERS.get(request.headers.get("Authorization", ""))


client = AsyncElevenLabsClient(timeout_in_seconds=2, max_retries=0)
free = TokenEndpoint(client, authorize=authorize, token_types=[*SingleUseTokenType, "ttd_websocket"], rate_limit=None)
limited = TokenEndpoint(client, authorize=authorize, rate_limit="1/hour")
app = Starlette(routes=[Route("/elevenlabs-token", free.asgi), Route("/limited", limited.asgi)])
