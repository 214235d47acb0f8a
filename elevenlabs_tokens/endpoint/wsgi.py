"""The token route as a WSGI app."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from elevenlabs_tokens.endpoint.bodies import MAX_BODY_BYTES
from elevenlabs_tokens.endpoint.request import EndpointRequest
from elevenlabs_tokens.endpoint.runners import InThread, run_in_thread

if TYPE_CHECKING:
    from elevenlabs_tokens.endpoint.endpoint import TokenEndpoint

Environ = dict[str, Any]


class WsgiApp:
    """The route, in the thread of each request."""

    def __init__(self, endpoint: "TokenEndpoint") -> None:
        self._endpoint = endpoint

    def __call__(self, environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
        """Serve a request."""

        async def body() -> bytes:
            return read_body(environ)

        reply = run_in_thread(self._endpoint.reply(_request(environ), body, InThread()))
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", list(reply.headers))
        return [reply.body]


def read_body(environ: Environ) -> bytes:
    """Read no more of the body than was announced: what follows is not ours, and reading it may block for ever."""
    if announced := environ.get("CONTENT_LENGTH"):
        most = min(int(announced), MAX_BODY_BYTES + 1)
    elif environ.get("wsgi.input_terminated"):
        most = MAX_BODY_BYTES + 1
    elif "HTTP_TRANSFER_ENCODING" in environ:
        raise OSError("this server does not say where a chunked body ends")
    else:
        return b""
    body = b""
    try:
        while len(body) < most and (chunk := environ["wsgi.input"].read(most - len(body))):
            body += chunk
    except Exception as error:
        raise OSError from error  # each server has errors of its own for chunks that are malformed
    return body


def _request(environ: Environ) -> EndpointRequest:
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return EndpointRequest.of(
        environ["REQUEST_METHOD"],
        path.encode("latin-1").decode("utf-8", "replace"),
        headers_of(environ),
        environ.get("REMOTE_ADDR") or None,
        environ,
    )


def headers_of(environ: Environ) -> list[tuple[str, str]]:
    """Give the headers of a WSGI environ."""
    headers = [(key[5:].replace("_", "-").title(), value) for key, value in environ.items() if key.startswith("HTTP_")]
    others = {"Content-Type": environ.get("CONTENT_TYPE"), "Content-Length": environ.get("CONTENT_LENGTH")}
    return headers + [(name, value) for name, value in others.items() if value]
