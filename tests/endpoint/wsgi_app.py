"""The endpoints as a WSGI app without a framework."""

from collections.abc import Iterable
from typing import Any

from endpoint.app import CALLER, endpoint_at


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    CALLER.set("the app")
    path = environ["PATH_INFO"]
    if path.startswith("/mounted/"):
        environ |= {"SCRIPT_NAME": "/mounted", "PATH_INFO": path.removeprefix("/mounted")}
    return endpoint_at(path).wsgi(environ, start_response)
