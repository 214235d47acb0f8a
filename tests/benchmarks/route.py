"""What the token route costs: a FastAPI app with `TokenEndpoint` beside one that mints by hand with bare aiohttp.

Both are called as their server would call them, so that no server's time hides the difference.
"""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from benchmarks.chunks import async_chunks
from benchmarks.contenders import AGAIN, KEY, OURS, PATH, AsyncCall
from benchmarks.figures import Figure, Target, Timing, ratio, timings
from benchmarks.interleave import interleave

BY_HAND = "a route by hand"
ROUTE_ONE = "token route, one caller"
ROUTE_MANY = "token route, 64 callers"

_REQUESTS_OF_A_USER = 10  # as many as the endpoint grants
_users = itertools.count()  # one for all endpoints: they share the count of each user
_App = Callable[[Any, Any, Any], Awaitable[None]]


@asynccontextmanager
async def by_hand(base_url: str) -> AsyncGenerator[AsyncCall]:
    """The route of most backends, with the least that it needs: a user, a mint, a reply."""
    import aiohttp
    from fastapi import FastAPI, HTTPException, Request

    app = FastAPI()
    async with aiohttp.ClientSession() as session:

        @app.post("/token", status_code=201)
        async def token(request: Request) -> dict[str, str]:
            if request.headers.get("x-user") is None:
                raise HTTPException(401)
            async with session.post(f"{base_url}{PATH}", headers={"xi-api-key": KEY}) as response:
                response.raise_for_status()
                document: dict[str, str] = await response.json()
                return document

        yield _call_of(app)


@asynccontextmanager
async def with_endpoint(base_url: str) -> AsyncGenerator[AsyncCall]:
    from fastapi import FastAPI

    from elevenlabs_tokens import AsyncElevenLabsClient
    from elevenlabs_tokens.endpoint import EndpointRequest, TokenEndpoint

    async def authorize(request: EndpointRequest) -> str | None:
        return request.headers.get("x-user")

    app = FastAPI()
    async with AsyncElevenLabsClient(api_key=KEY, base_url=base_url) as client:
        app.add_route("/token", TokenEndpoint(client, authorize=authorize).asgi)  # type: ignore[arg-type]  # an ASGI app
        yield _call_of(app)


def _call_of(app: _App) -> AsyncCall:
    async def call() -> None:
        statuses: list[int] = []

        async def send(message: MutableMapping[str, Any]) -> None:
            statuses.append(message.get("status", 0))

        user = str(next(_users) // _REQUESTS_OF_A_USER).encode()
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/token",
            "raw_path": b"/token",
            "root_path": "",
            "query_string": b"",
            "headers": [
                (b"host", b"app.example"),
                (b"content-length", b"0"),
                (b"sec-fetch-site", b"same-origin"),
                (b"x-user", user),
            ],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 80),
        }
        await app(scope, _receive_of_one_request(), send)
        assert [201, 0] == statuses[:2]

    return call


def _receive_of_one_request() -> Callable[[], Awaitable[dict[str, Any]]]:
    has_come = False

    async def receive() -> dict[str, Any]:
        nonlocal has_come
        if has_come:
            await asyncio.get_running_loop().create_future()  # the browser stays
        has_come = True
        return {"type": "http.request", "body": b"", "more_body": False}

    return receive


def measure_route(base_url: str, rounds: int) -> tuple[list[Timing], list[Figure]]:
    """Compare the two apps."""
    contenders = {BY_HAND: by_hand, AGAIN: by_hand, OURS: with_endpoint}
    all_timings: list[Timing] = []
    figures: list[Figure] = []
    for measure, callers, calls in ((ROUTE_ONE, 1, 100), (ROUTE_MANY, 64, 640)):
        with async_chunks(contenders, base_url, callers=callers, calls=calls) as chunks:
            times = interleave(chunks, rounds)
        all_timings += timings(measure, times, BY_HAND)
        figures.append(Figure(measure, BY_HAND, "ratio", ratio(times, BY_HAND, OURS), Target("<=", 1.15)))
    return all_timings, figures
