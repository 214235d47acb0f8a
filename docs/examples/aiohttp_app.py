"""aiohttp.web: signed-in users get tokens for speech to text in real time.

Install:
    pip install itsdangerous
    pip install "elevenlabs-tokens[limits] @ git+https://github.com/elevenlabs-tokens/elevenlabs-tokens"
Set:
    ELEVENLABS_API_KEY, and SESSION_SECRET (a long random text that signs the session cookies)
Run:
    python -m aiohttp.web aiohttp_app:make_app -H 127.0.0.1 -P 8000
"""

import os
from collections.abc import AsyncGenerator
from pathlib import Path

from aiohttp import web
from itsdangerous import BadSignature, URLSafeTimedSerializer

from elevenlabs_tokens import AsyncElevenLabsClient
from elevenlabs_tokens.endpoint import EndpointRequest, TokenEndpoint

FRONTEND = Path(__file__).with_name("frontend")
ONE_WEEK_IN_SECONDS = 7 * 24 * 60 * 60

client = AsyncElevenLabsClient()  # one for the whole app; it reads ELEVENLABS_API_KEY
sessions = URLSafeTimedSerializer(os.environ["SESSION_SECRET"])  # aiohttp has no sessions, so this signs the cookies


def signed_in_user(request: web.Request) -> str | None:
    """Give the user who is signed in, if any."""
    try:
        name: str = sessions.loads(request.cookies.get("session", ""), max_age=ONE_WEEK_IN_SECONDS)
    except BadSignature:
        return None
    return name


async def authorize(request: EndpointRequest) -> str | None:
    """Let the token route use the same function. None refuses, and the browser gets 401."""
    return signed_in_user(request.framework_request)


async def lifespan(_app: web.Application) -> AsyncGenerator[None]:
    """Connect before the first user comes, and close the client when the app ends."""
    async with client:
        await client.connect()
        yield


async def sign_in(request: web.Request) -> web.Response:
    """Sign in, in this demo, whoever gives a name. Check a password here, or use a login provider."""
    cookie = sessions.dumps((await request.json())["name"])
    response = web.Response(status=204)
    # With TLS, add secure=True.
    response.set_cookie("session", cookie, max_age=ONE_WEEK_IN_SECONDS, httponly=True, samesite="Lax")
    return response


async def sign_out(_request: web.Request) -> web.Response:
    """Forget who was signed in."""
    response = web.Response(status=204)
    response.del_cookie("session")
    return response


async def me(request: web.Request) -> web.Response:
    """Tell who is signed in."""
    return web.json_response({"name": signed_in_user(request)})


async def health(_request: web.Request) -> web.Response:
    """Tell that the app runs."""
    return web.json_response({"status": "ok"})


async def page(_request: web.Request) -> web.FileResponse:
    """Give the page."""
    return web.FileResponse(FRONTEND / "index.html")


def make_app(_arguments: list[str]) -> web.Application:
    """Make the app; aiohttp's command line calls this function."""
    endpoint = TokenEndpoint(client, authorize=authorize)
    app = web.Application()
    app.cleanup_ctx.append(lifespan)
    app.add_routes(
        [
            web.route("*", "/elevenlabs-token", endpoint.aiohttp_handler),
            web.post("/sign-in", sign_in),
            web.post("/sign-out", sign_out),
            web.get("/me", me),
            web.get("/health", health),
            web.get("/", page),
            web.static("/", FRONTEND),  # the JavaScript that fetches the token; last, because it matches every path
        ]
    )
    return app
