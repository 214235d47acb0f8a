"""The endpoints as routes of Starlette, and mounted, behind a middleware."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from endpoint.app import CALLER, ENDPOINTS


class SetsCaller(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        CALLER.set("the app")
        return await call_next(request)


app = Starlette(
    routes=[
        *(Route(f"/{path}", endpoint.asgi) for path, endpoint in ENDPOINTS.items()),
        *(Mount(f"/mounted/{path}", endpoint.asgi) for path, endpoint in ENDPOINTS.items()),
    ],
    middleware=[Middleware(SetsCaller)],
)
