"""The endpoints under test, for any server: `X-Do` tells their `authorize` what to do."""

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from functools import partial
from threading import Thread
from typing import Any

from aiohttp.web import HTTPUnauthorized
from django.core.exceptions import PermissionDenied
from starlette.exceptions import HTTPException
from werkzeug.exceptions import Unauthorized

from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsClient
from elevenlabs_tokens.endpoint import EndpointRequest, TokenEndpoint

logging.basicConfig(level=logging.DEBUG, format="%(name)s|%(levelname)s|%(message)s")
AUDIT = logging.getLogger("audit")

CALLER = ContextVar("CALLER", default="nobody")
"""A variable of the app, which it sets for each request."""


async def _soon(user_id: str) -> str:
    await asyncio.sleep(0)
    return user_id


def _raise(error: BaseException) -> Any:
    raise error


ACTS: Mapping[str, Callable[[EndpointRequest], Any]] = {
    "none": lambda _: None,
    "false": lambda _: False,
    "true": lambda _: True,
    "empty": lambda _: "",
    "zero": lambda _: 0,
    "number": lambda _: 7,
    "float": lambda _: 7.0,
    "bytes": lambda _: b"ada",
    "list": lambda _: ["ada"],
    "surrogate": lambda _: "\ud800",
    "two lines": lambda _: "eve\nforged|ERROR|a line of its own",
    "later": lambda _: _soon("later"),
    "raise": lambda _: _raise(LookupError("no such table")),
    "cancel": lambda _: _raise(asyncio.CancelledError()),
    "aiohttp": lambda _: _raise(HTTPUnauthorized()),
    "django": lambda _: _raise(PermissionDenied()),
    "starlette": lambda _: _raise(HTTPException(401)),
    "werkzeug": lambda _: _raise(Unauthorized()),
    "caller": lambda _: CALLER.get(),
    "method": lambda request: request.method,
    "path": lambda request: request.path,
    "address": lambda request: request.client_address,
    "framework": lambda request: type(request.framework_request).__name__,
    "header": lambda request: request.headers["x-uSER"],
    "cookie": lambda request: request.cookies["user"],
    "repr": repr,
}
HOOK_ERRORS = {
    "hook raises": LookupError("no such table"),
    "hook is cancelled": asyncio.CancelledError(),
    "hook refuses": HTTPException(401),
}


def authorize(request: EndpointRequest) -> Any:
    act = request.headers.get("X-Do")
    return ACTS[act](request) if act else request.headers.get("X-User")


class Authorizer:
    """An object whose call is a coroutine."""

    async def __call__(self, request: EndpointRequest) -> Any:
        user_id = authorize(request)
        return await user_id if isinstance(user_id, Awaitable) else user_id


def record(kind: str, user_id: str | int, token_type: str, request_id: str | None) -> None:
    if error := HOOK_ERRORS.get(str(user_id).partition("@")[0]):
        raise error
    AUDIT.info(json.dumps([kind, user_id, token_type, request_id]))


async def record_soon(kind: str, user_id: str | int, token_type: str, request_id: str | None) -> None:
    await asyncio.sleep(0)
    record(kind, user_id, token_type, request_id)


def _failing_key() -> str:
    raise LookupError("no such vault")


def _closed(client: Any) -> Any:
    """Close a client in a thread of its own, because uvicorn imports this module inside its event loop."""
    is_async = isinstance(client, AsyncElevenLabsClient)
    thread = Thread(target=lambda: asyncio.run(client.aclose()) if is_async else client.close())
    thread.start()
    thread.join()
    return client


def _endpoints(kind: str, make_client: Callable[..., Any], **hooks: Any) -> dict[str, TokenEndpoint]:
    client = partial(make_client, api_key=os.environ["KEY"], base_url=os.environ["UPSTREAM"], max_retries=0)

    def endpoint(client: Any, **options: Any) -> TokenEndpoint:
        return TokenEndpoint(
            client,
            token_types=os.environ["TOKEN_TYPES"].split(),
            allowed_origins=["https://app.example", "HTTP://Localhost:5173/", "capacitor://localhost"],
            **hooks,
            **options,
        )

    endpoints = {
        "token": endpoint(client()),
        "limited": endpoint(client(), rate_limit="2/minute"),
        "storage": endpoint(client(), rate_limit_storage=os.environ["STORAGE"]),
        "nobody": endpoint(client(base_url=os.environ["NOBODY"])),
        "tls": endpoint(client(base_url=os.environ["TLS_UPSTREAM"])),
        "impatient": endpoint(client(timeout_in_seconds=0.3)),
        "keyless": endpoint(make_client(base_url=os.environ["UPSTREAM"])),
        "failing-key": endpoint(client(api_key=_failing_key)),
        "closed": endpoint(_closed(client())),
    }
    return {f"{kind}/{name}": made for name, made in endpoints.items()}


ENDPOINTS: Mapping[str, TokenEndpoint] = {
    **_endpoints("async", AsyncElevenLabsClient, authorize=Authorizer(), on_minted=partial(record, "async")),
    **_endpoints("sync", ElevenLabsClient, authorize=authorize, on_minted=partial(record_soon, "sync")),
}
"""By their paths: with an async client, an async `authorize` and a sync `on_minted`, and each the other way round."""


def endpoint_at(path: str) -> TokenEndpoint:
    return ENDPOINTS[path.removeprefix("/mounted").strip("/")]
