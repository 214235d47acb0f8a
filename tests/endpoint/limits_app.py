"""An app for every server, with a route for each case of the tests of limits, of hooks, and of frontends that leave."""

import asyncio
import json
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import Any, NamedTuple
from urllib.request import urlopen

import aiohttp
import django
import werkzeug.exceptions
from aiohttp import web
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.exceptions import PermissionDenied
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path as django_path
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsClient
from elevenlabs_tokens.endpoint import EndpointRequest, TokenEndpoint
from frozen import KEY

OPTIONS = json.loads(os.environ["LIMITS_APP"])
logging.basicConfig(level=logging.INFO)
SEEN = logging.getLogger("seen")


class Origin(NamedTuple):
    """Where a request came in, as the app's own middleware saw it."""

    user: str | None
    thread: int
    loop: object


NOWHERE = Origin(None, 0, None)
ORIGIN: ContextVar[Origin] = ContextVar("ORIGIN")


def remember(user: str | None, loop: object = None) -> None:
    """Set the app's context variable, as a middleware does."""
    ORIGIN.set(Origin(user, threading.get_ident(), loop))


# Hooks. Each is an `authorize` and an `on_minted`.


def user_of(first: object) -> Any:
    return json.loads(first.headers["X-User"]) if isinstance(first, EndpointRequest) else None


def see(*arguments: object) -> Any:
    """Write down where a hook runs, and give the user."""
    try:
        loop: object = asyncio.get_running_loop()
    except RuntimeError:
        loop = None
    origin = ORIGIN.get(NOWHERE)
    if loop is not None and loop is origin.loop:
        place = "the server's loop"
    elif threading.get_ident() == origin.thread:  # under gevent, there seems to be a loop in it: another greenlet's
        place = "the request's thread"
    else:
        place = "another thread" if loop is None else "another loop"
    SEEN.info(json.dumps([origin.user, place, os.getpid(), id(loop)]))
    return user_of(arguments[0])


async def see_async(*arguments: object) -> Any:
    await asyncio.sleep(0)
    return see(*arguments)


class Seer:
    async def __call__(self, *arguments: object) -> Any:
        return await see_async(*arguments)

    def method(self, *arguments: object) -> Any:
        return see(*arguments)

    async def async_method(self, *arguments: object) -> Any:
        return await see_async(*arguments)


KINDS: Mapping[str, Callable[..., Any]] = {
    "function": see,
    "async-function": see_async,
    "async-lambda": lambda *arguments: see_async(*arguments),  # noqa: PLW0108  # not an `async def`, but it gives a coroutine
    "partial": partial(see),
    "async-partial": partial(see_async),
    "async-object": Seer(),
    "method": Seer().method,
    "async-method": Seer().async_method,
}


def wait(request: EndpointRequest) -> Any:
    """Wait until the test answers."""
    urlopen(request.headers["X-Gate"], timeout=20).close()  # noqa: S310  # the test's own server
    return user_of(request)


async def wait_async(request: EndpointRequest) -> Any:
    async with aiohttp.ClientSession() as session, session.get(request.headers["X-Gate"]):
        return user_of(request)


async def wait_stubbornly(request: EndpointRequest) -> Any:
    with suppress(asyncio.CancelledError):
        await wait_async(request)
    return f"stubborn {user_of(request)}"


WITH_A_LIMIT: Mapping[str, Callable[..., Any]] = {
    "limited": see,
    "limited-too": see,
    "slow": wait,
    "slow-async": wait_async,
    "slow-stubborn": wait_stubbornly,
}
FAULTS: Mapping[str, Callable[[], BaseException]] = {
    "starlette": partial(HTTPException, 401),
    "flask": werkzeug.exceptions.Unauthorized,  # what `abort(401)` raises
    "django": PermissionDenied,
    "aiohttp": web.HTTPUnauthorized,
    "cancelled": asyncio.CancelledError,
    "stop-iteration": StopIteration,
    "system-exit": partial(SystemExit, 3),
}


def failing(fault: Callable[[], BaseException]) -> Callable[..., Any]:
    def fail(*_: object) -> Any:
        raise fault()

    return fail


def failing_async(fault: Callable[[], BaseException]) -> Callable[..., Any]:
    async def fail(*_: object) -> Any:
        raise fault()

    return fail


# Routes.

CLIENTS: Mapping[str, AsyncElevenLabsClient | ElevenLabsClient] = {
    "async": AsyncElevenLabsClient(api_key=KEY, base_url=OPTIONS["base_url"]),
    "sync": ElevenLabsClient(api_key=KEY, base_url=OPTIONS["base_url"]),
}


def endpoints_of(client: AsyncElevenLabsClient | ElevenLabsClient) -> Iterator[tuple[str, TokenEndpoint]]:
    unlimited = partial(TokenEndpoint, client, rate_limit=None)
    limited = partial(TokenEndpoint, client, rate_limit=OPTIONS["rate"], rate_limit_storage=OPTIONS["storage"])
    for kind, hook in KINDS.items():
        yield kind, unlimited(authorize=hook, on_minted=hook)
    for name, fault in FAULTS.items():
        for colour, fail in {"sync": failing(fault), "async": failing_async(fault)}.items():
            yield f"authorize/{colour}/{name}", unlimited(authorize=fail)
            yield f"on_minted/{colour}/{name}", unlimited(authorize=see, on_minted=fail)
    for path, authorize in WITH_A_LIMIT.items():
        yield path, limited(authorize=authorize)


ENDPOINTS = {f"/{name}/{path}": made for name, client in CLIENTS.items() for path, made in endpoints_of(client)}


# Apps.


class AsgiMiddleware:
    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        user = dict(scope.get("headers", ())).get(b"x-user", b"").decode()
        remember(user, asyncio.get_running_loop())
        await self._app(scope, receive, send)


async def starlette_health(_: Request) -> PlainTextResponse:
    return PlainTextResponse("well")


def starlette_thread(_: Request) -> PlainTextResponse:
    return PlainTextResponse("well")


async def pass_on(request: Request, call_next: Callable[[Request], Awaitable[Any]]) -> Any:
    return await call_next(request)


starlette_app = AsgiMiddleware(
    Starlette(
        routes=[
            Route("/health", starlette_health),
            Route("/thread", starlette_thread),
            *(Route(path, endpoint.asgi) for path, endpoint in ENDPOINTS.items()),
        ]
    )
)
starlette_in_base_middleware = BaseHTTPMiddleware(starlette_app, dispatch=pass_on)


def wsgi_app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    remember(environ.get("HTTP_X_USER"))
    if environ["PATH_INFO"] == "/thread":
        start_response("200 OK", [])
        return [b"well"]
    return ENDPOINTS[environ["PATH_INFO"]].wsgi(environ, start_response)


@web.middleware
async def aiohttp_middleware(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    remember(request.headers.get("X-User"), asyncio.get_running_loop())
    return await handler(request)


async def aiohttp_health(_: web.Request) -> web.Response:
    return web.Response(text="well")


async def aiohttp_thread(_: web.Request) -> web.Response:
    return web.Response(text=await asyncio.to_thread(str, "well"))


def aiohttp_app(_: list[str]) -> web.Application:
    app = web.Application(middlewares=[aiohttp_middleware])
    app.router.add_get("/health", aiohttp_health)
    app.router.add_get("/thread", aiohttp_thread)
    for path, endpoint in ENDPOINTS.items():
        app.router.add_route("*", path, endpoint.aiohttp_handler)
    return app


def django_middleware(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Make a sync middleware: under ASGI, Django runs it in the thread of the request's database connections."""

    def run(request: Any) -> Any:
        remember(request.headers.get("X-User"), ORIGIN.get(NOWHERE).loop)
        return get_response(request)

    return run


def django_thread(_: HttpRequest) -> HttpResponse:
    return HttpResponse("well")


urlpatterns = [
    django_path("thread", django_thread),
    *(django_path(path[1:], endpoint.django_view) for path, endpoint in ENDPOINTS.items()),
]
settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    LOGGING_CONFIG=None,
    MIDDLEWARE=[f"{__name__}.django_middleware"],
    ROOT_URLCONF=__name__,
    SECRET_KEY=KEY,
)
django.setup()
django_asgi = AsgiMiddleware(get_asgi_application())
django_wsgi = get_wsgi_application()
