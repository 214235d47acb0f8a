"""The endpoints under aiohttp.web: `python -m endpoint.aiohttp_app PORT`."""

import sys

from aiohttp import web
from aiohttp.typedefs import Handler

from endpoint.app import CALLER, ENDPOINTS


@web.middleware
async def set_caller(request: web.Request, handler: Handler) -> web.StreamResponse:
    CALLER.set("the app")
    return await handler(request)


def application() -> web.Application:
    app, mounted = web.Application(middlewares=[set_caller]), web.Application()
    for path, endpoint in ENDPOINTS.items():
        app.router.add_route("*", f"/{path}", endpoint.aiohttp_handler)
        mounted.router.add_route("*", f"/{path}/", endpoint.aiohttp_handler)
    app.add_subapp("/mounted", mounted)
    return app


if __name__ == "__main__":
    web.run_app(application(), host="127.0.0.1", port=int(sys.argv[1]))
