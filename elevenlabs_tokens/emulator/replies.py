"""HTTP replies as the API sends them."""

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from attrs import evolve
from multidict import CIMultiDict

from elevenlabs_tokens.emulator.api_errors import ApiError, usual_error


def new_request_id() -> str:
    """Make an id for one request."""
    return secrets.token_hex(16)


def reply(
    *, status: int, body: bytes, request_id: str, content_type: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Make a reply; `headers` replace the usual ones of the same name."""
    all_headers = CIMultiDict({"Content-Type": content_type, "request-id": request_id})
    all_headers.update(headers or {})
    return web.Response(status=status, body=body, headers=all_headers)


def json_reply(document: object, *, status: int = 200, request_id: str | None = None) -> web.Response:
    """Make a reply with a JSON document."""
    return reply(
        status=status,
        body=json.dumps(document).encode(),
        request_id=request_id or new_request_id(),
        content_type="application/json",
    )


def error_reply(error: ApiError) -> web.Response:
    """Make a reply with an error of the API."""
    request_id = new_request_id()
    return json_reply(error.document(request_id), status=error.http_status, request_id=request_id)


@web.middleware
async def error_objects(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer a request that no route takes (404, 405) with the API's error object, which names the routes."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        usual = usual_error(error.status)
        paths = sorted({resource.canonical for resource in request.app.router.resources()})
        text = f"The emulator does not serve {request.method} {request.path}. It serves {', '.join(paths)}."
        is_unknown_route = isinstance(error, web.HTTPNotFound | web.HTTPMethodNotAllowed)
        return error_reply(evolve(usual, message=text) if is_unknown_route else usual)
