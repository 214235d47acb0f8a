"""Every case of the table, sent to one adapter under its real server, and all that came of it."""

import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import trustme
from attrs import frozen

from endpoint.cases import CASES, JSON, Case, asks_for
from endpoint.raw import Reply, exchange, request_bytes, sending
from endpoint.upstream import FAULTS, Upstream
from faults import ENCODED_PASSWORD, KEY
from proxies import server_context
from scripted import ScriptedApi
from servers import free_port, serving

KINDS = ("async", "sync")
COOKIE = "c00kie"
CREDENTIAL = "cr3dential"
AUDIT_PREFIX = "audit|INFO|"


@frozen
class Adapter:
    """An adapter under a server.

    Attributes:
        name: Their name.
        command: The arguments of Python that start it.
        request_class: The class of the `framework_request`.
        workers: How many processes count requests, each for itself.
        notices_leaving: Whether it is told when a client goes away.
    """

    name: str
    command: Sequence[str]
    request_class: str = "dict"
    workers: int = 1
    notices_leaving: bool = False


def _uvicorn(*arguments: str) -> Sequence[str]:
    return ["-m", "uvicorn", "--port", "{port}", *arguments]


def _gunicorn(*arguments: str) -> Sequence[str]:
    return ["-m", "gunicorn", "--bind", "127.0.0.1:{port}", *arguments]


ADAPTERS = (
    Adapter("uvicorn", _uvicorn("--lifespan", "on", "endpoint.starlette_app:app"), notices_leaving=True),
    Adapter("uvicorn without Starlette", _uvicorn("--lifespan", "on", "endpoint.asgi_app:app"), notices_leaving=True),
    Adapter(
        "hypercorn",
        ["-m", "hypercorn", "--bind", "127.0.0.1:{port}", "endpoint.asgi_app:app"],
        notices_leaving=True,
    ),
    Adapter("gunicorn with 2 workers", _gunicorn("--workers", "2", "endpoint.wsgi_app:app"), workers=2),
    Adapter("gunicorn with threads", _gunicorn("--threads", "8", "endpoint.wsgi_app:app")),
    Adapter("aiohttp", ["-m", "endpoint.aiohttp_app", "{port}"], "Request", notices_leaving=True),
    Adapter("Django under WSGI", _gunicorn("--threads", "8", "endpoint.django_app:wsgi"), "WSGIRequest"),
    Adapter("Django under ASGI", _uvicorn("--lifespan", "off", "endpoint.django_app:asgi"), "ASGIRequest"),
)
