"""Starlette: signed-in users get tokens for speech to text in real time.

Install:
    pip install starlette uvicorn itsdangerous
    pip install "elevenlabs-tokens[limits] @ git+https://github.com/elevenlabs-tokens/elevenlabs-tokens"
Set:
    ELEVENLABS_API_KEY, and SESSION_SECRET (a long random text that signs the session cookies)
Run:
    python -m uvicorn starlette_app:app --port 8000
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from elevenlabs_tokens import AsyncElevenLabsClient
from elevenlabs_tokens.endpoint import EndpointRequest, TokenEndpoint

client = AsyncElevenLabsClient()  # one for the whole app; it reads ELEVENLABS_API_KEY


def signed_in_user(connection: HTTPConnection) -> str | None:
    """Give the user who is signed in, if any."""
    name: str | None = connection.session.get("name")
    return name


async def authorize(request: EndpointRequest) -> str | None:
    """Let the token route use the same function. None refuses, and the browser gets 401."""
    return signed_in_user(HTTPConnection(request.framework_request))


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
    """Connect before the first user comes, and close the client when the app ends."""
    async with client:
        await client.connect()
        yield


async def sign_in(request: Request) -> Response:
    """Sign in, in this demo, whoever gives a name. Check a password here, or use a login provider."""
    request.session["name"] = (await request.json())["name"]
    return Response(status_code=204)


async def sign_out(request: Request) -> Response:
    """Forget who was signed in."""
    request.session.clear()
    return Response(status_code=204)


async def me(request: Request) -> Response:
    """Tell who is signed in."""
    return JSONResponse({"name": signed_in_user(request)})


async def health(_request: Request) -> Response:
    """Tell that the app runs."""
    return JSONResponse({"status": "ok"})


endpoint = TokenEndpoint(client, authorize=authorize)
app = Starlette(
    lifespan=lifespan,
    middleware=[
        Middleware(SessionMiddleware, secret_key=os.environ["SESSION_SECRET"])  # with TLS: https_only=True
    ],
    routes=[
        Route("/elevenlabs-token", endpoint.asgi),
        Route("/sign-in", sign_in, methods=["POST"]),
        Route("/sign-out", sign_out, methods=["POST"]),
        Route("/me", me),
        Route("/health", health),
        # The page (index.html), and the JavaScript that fetches the token; last, because it matches every path.
        Mount("/", StaticFiles(directory=Path(__file__).with_name("frontend"), html=True)),
    ],
)
