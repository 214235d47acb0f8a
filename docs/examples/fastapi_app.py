"""FastAPI: signed-in users get tokens for speech to text in real time.

Install:
    pip install fastapi uvicorn itsdangerous
    pip install "elevenlabs-tokens[limits] @ git+https://github.com/elevenlabs-tokens/elevenlabs-tokens"
Set:
    ELEVENLABS_API_KEY, and SESSION_SECRET (a long random text that signs the session cookies)
Run:
    python -m uvicorn fastapi_app:app --port 8000
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import Body, Depends, FastAPI, HTTPException, Request
from fastapi.staticfiles import StaticFiles
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import HTTPConnection
from starlette.routing import Route

from elevenlabs_tokens import AsyncElevenLabsClient
from elevenlabs_tokens.endpoint import EndpointRequest, TokenEndpoint

client = AsyncElevenLabsClient()  # one for the whole app; it reads ELEVENLABS_API_KEY


async def signed_in_user(connection: HTTPConnection) -> str:
    """Give the user who is signed in: every route that needs one depends on this function."""
    name: str | None = connection.session.get("name")
    if not name:
        raise HTTPException(401, "Sign in first.")
    return name


async def authorize(request: EndpointRequest) -> str | None:
    """Let the token route use the same function. None refuses, and the browser gets 401."""
    try:
        return await signed_in_user(HTTPConnection(request.framework_request))
    except HTTPException:
        return None


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
    """Connect before the first user comes, and close the client when the app ends."""
    async with client:
        await client.connect()
        yield


endpoint = TokenEndpoint(client, authorize=authorize)
app = FastAPI(lifespan=lifespan)
app.add_middleware(SessionMiddleware, secret_key=os.environ["SESSION_SECRET"])  # with TLS: https_only=True
app.router.routes.append(Route("/elevenlabs-token", endpoint.asgi))


@app.post("/sign-in", status_code=204)
async def sign_in(request: Request, name: Annotated[str, Body(embed=True, min_length=1)]) -> None:
    """Sign in, in this demo, whoever gives a name. Check a password here, or use a login provider."""
    request.session["name"] = name


@app.post("/sign-out", status_code=204)
async def sign_out(request: Request) -> None:
    """Forget who was signed in."""
    request.session.clear()


@app.get("/me")
async def me(user: Annotated[str, Depends(signed_in_user)]) -> dict[str, str]:
    """Tell who is signed in."""
    return {"name": user}


@app.get("/health")
async def health() -> dict[str, str]:
    """Tell that the app runs."""
    return {"status": "ok"}


# The page (index.html), and the JavaScript that fetches the token. This comes last, because it matches every path.
app.mount("/", StaticFiles(directory=Path(__file__).with_name("frontend"), html=True))
