"""A control API: tests in other languages steer the emulator over HTTP, under `/emulator/`."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from inspect import signature
from typing import Any

from aiohttp import web
from attrs import asdict, evolve, has

from elevenlabs_tokens.emulator.api_errors import usual_error
from elevenlabs_tokens.emulator.replies import error_reply, json_reply
from elevenlabs_tokens.environments import is_loopback

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def control_routes(
    *, calls: Iterable[Callable[..., object]], views: Mapping[str, Callable[[], object]]
) -> list[web.RouteDef]:
    """Make the routes.

    Args:
        calls: What `POST /emulator/NAME` calls, each by its own name; the JSON object in the body has the arguments.
        views: What `GET /emulator/NAME` gives, by name.
    """
    return [
        *(web.post(f"/emulator/{call.__name__}", _local_only(_calling(call))) for call in calls),
        *(web.get(f"/emulator/{name}", _local_only(_showing(view))) for name, view in views.items()),
    ]


def _local_only(handler: Handler) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        if not _is_local(request.remote):
            return _refusal(403, "the control API answers this machine only")
        # A page of any site can send requests to this machine. Its browser names the site, or else, where the site's
        # name leads here, the host has that name.
        if "Origin" in request.headers or not is_loopback(request.url.host or ""):
            return _refusal(403, "the control API takes no requests of web pages: send them from the test's process")
        return await handler(request)

    return serve


def _is_local(address: str | None) -> bool:
    # A socket that listens on all addresses writes IPv4 ones as ::ffff:127.0.0.1.
    return is_loopback((address or "").removeprefix("::ffff:"))


def _calling(call: Callable[..., object]) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        try:
            return json_reply(_document(call(**_arguments(call, await request.read()))))
        except (TypeError, ValueError, RecursionError) as error:
            return _refusal(400, str(error))
        except KeyError as error:
            return _refusal(404, str(error.args[0]))

    return serve


def _arguments(call: Callable[..., object], body: bytes) -> dict[str, Any]:
    arguments = json.loads(body or b"{}")
    if not isinstance(arguments, dict):
        raise ValueError("expected a JSON object with the arguments")  # noqa: TRY004 - each error of the body is one
    signature(call).bind(**arguments)
    return arguments


def _showing(view: Callable[[], object]) -> Handler:
    async def serve(_: web.Request) -> web.StreamResponse:
        return json_reply(_document(view()))

    return serve


def _document(value: Any) -> Any:
    """Give what JSON can hold: objects for records, lists for tuples, ISO 8601 for times."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return [_document(item) for item in value]
    if has(type(value)):
        return {name: _document(part) for name, part in asdict(value, recurse=False).items()}
    return value


def _refusal(status: int, message: str) -> web.Response:
    return error_reply(evolve(usual_error(status), message=message))
