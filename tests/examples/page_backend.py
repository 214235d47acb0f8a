"""A backend for a built page: it serves the folder PAGE, signs users in by their name, and mints their tokens."""

import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from elevenlabs_tokens import AsyncElevenLabsClient
from elevenlabs_tokens.endpoint import EndpointRequest, TokenEndpoint


async def authorize(request: EndpointRequest) -> str | None:
    return request.cookies.get("user")


async def sign_in(request: Request) -> Response:
    response = Response(status_code=204)
    response.set_cookie("user", (await request.json())["name"])
    return response


app = Starlette(
    routes=[
        Route("/elevenlabs-token", TokenEndpoint(AsyncElevenLabsClient(), authorize=authorize).asgi),
        Route("/sign-in", sign_in, methods=["POST"]),
        Mount("/", StaticFiles(directory=os.environ["PAGE"], html=True)),
    ]
)
