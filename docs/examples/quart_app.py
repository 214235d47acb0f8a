"""Quart: signed-in users get tokens for speech to text in real time.

Install:
    pip install quart hypercorn
    pip install "elevenlabs-tokens[limits] @ git+https://github.com/elevenlabs-tokens/elevenlabs-tokens"
Set:
    ELEVENLABS_API_KEY, and SESSION_SECRET (a long random text that signs the session cookies)
Run:
    python -m hypercorn quart_app:asgi --bind 127.0.0.1:8000
"""

import os
from collections.abc import AsyncGenerator
from typing import Any

from quart import Quart, Response, request, session
from werkzeug.datastructures import Headers

from elevenlabs_tokens import AsyncElevenLabsClient
from elevenlabs_tokens.endpoint import EndpointRequest, TokenEndpoint

client = AsyncElevenLabsClient()  # one for the whole app; it reads ELEVENLABS_API_KEY

app = Quart(__name__, static_folder="frontend", static_url_path="")  # serves the JavaScript that fetches the token
app.secret_key = os.environ["SESSION_SECRET"]
app.config["SESSION_COOKIE_SAMESITE"] = "Lax"  # with TLS, set SESSION_COOKIE_SECURE too


def signed_in_user() -> str | None:
    """Give the user who is signed in, if any."""
    name: str | None = session.get("name")
    return name


async def authorize(token_request: EndpointRequest) -> str | None:
    """Let the token route use the same function. None refuses, and the browser gets 401."""
    # The endpoint runs beside Quart, so Quart's session is opened here, from the headers of the request.
    async with app.test_request_context(token_request.path, headers=Headers(token_request.headers.pairs)):
        return signed_in_user()


endpoint = TokenEndpoint(client, authorize=authorize)


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    """Serve the token route, and leave all others to Quart: this is the app that the server runs."""
    is_token_route = scope["type"] == "http" and scope["path"] == "/elevenlabs-token"
    await (endpoint.asgi if is_token_route else app)(scope, receive, send)


@app.while_serving
async def lifespan() -> AsyncGenerator[None]:
    """Connect before the first user comes, and close the client when the app ends."""
    async with client:
        await client.connect()
        yield


@app.post("/sign-in")
async def sign_in() -> tuple[str, int]:
    """Sign in, in this demo, whoever gives a name. Check a password here, or use a login provider."""
    session["name"] = (await request.get_json())["name"]
    return "", 204


@app.post("/sign-out")
async def sign_out() -> tuple[str, int]:
    """Forget who was signed in."""
    session.clear()
    return "", 204


@app.get("/me")
async def me() -> dict[str, str | None]:
    """Tell who is signed in."""
    return {"name": signed_in_user()}


@app.get("/health")
async def health() -> dict[str, str]:
    """Tell that the app runs."""
    return {"status": "ok"}


@app.get("/")
async def page() -> Response:
    """Give the page."""
    return await app.send_static_file("index.html")
