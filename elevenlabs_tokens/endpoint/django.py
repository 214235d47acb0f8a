"""The token route as a view of Django."""

from collections.abc import Awaitable
from typing import TYPE_CHECKING, TypeVar

from asgiref.sync import async_to_sync
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse

from elevenlabs_tokens.endpoint.bodies import MAX_BODY_BYTES
from elevenlabs_tokens.endpoint.request import EndpointRequest
from elevenlabs_tokens.endpoint.runners import InThread, outcome_of, result_or_error, run_in_thread
from elevenlabs_tokens.endpoint.wsgi import headers_of, read_body

if TYPE_CHECKING:
    from elevenlabs_tokens.endpoint.endpoint import TokenEndpoint

T = TypeVar("T")


class DjangoView:
    """A sync view. Under ASGI, Django runs it in the thread of the request, and what is async in the server's loop."""

    def __init__(self, endpoint: "TokenEndpoint") -> None:
        self._endpoint = endpoint
        self.csrf_exempt = True  # the rule about origins replaces Django's tokens; decorators copy what an instance has

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve a request."""
        is_asgi = isinstance(request, ASGIRequest)

        async def body() -> bytes:
            # Django limits what it reads to the announced length, and reads nothing of chunks under WSGI.
            is_read_by_django = is_asgi or request.META.get("CONTENT_LENGTH")
            return request.read(MAX_BODY_BYTES + 1) if is_read_by_django else read_body(request.META)

        runner = _InThreadBesideLoop() if is_asgi else InThread()
        reply = run_in_thread(self._endpoint.reply(_request(request), body, runner))
        response = HttpResponse(reply.body, status=reply.status, headers=dict(reply.headers))
        if not reply.body and "Content-Length" not in response:
            del response["Content-Type"]  # Django's own, of a reply that has none
        return response


class _InThreadBesideLoop(InThread):
    """Blocks the thread of the request, while the server's loop runs what is async."""

    def result_of(self, awaitable: Awaitable[T]) -> T:
        return result_or_error(*async_to_sync(outcome_of)(awaitable))


def _request(request: HttpRequest) -> EndpointRequest:
    return EndpointRequest.of(
        request.method or "", request.path, headers_of(request.META), request.META.get("REMOTE_ADDR") or None, request
    )
