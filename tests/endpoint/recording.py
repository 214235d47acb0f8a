"""Every case of the table, sent to one adapter under its real server, and all that came of it."""

import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence
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
from servers import serving

KINDS = ("async", "sync")
COOKIE = "c00kie"
CREDENTIAL = "cr3dential"
AUDIT_PREFIX = "audit|INFO|"


@frozen(eq=False)
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


def _hypercorn(app: str) -> Sequence[str]:
    return ["-m", "hypercorn", "--bind", "127.0.0.1:{port}", app]


def _gunicorn(*arguments: str) -> Sequence[str]:
    return ["-m", "gunicorn", "--bind", "127.0.0.1:{port}", *arguments]


ADAPTERS = (
    Adapter("uvicorn", _uvicorn("--lifespan", "on", "endpoint.asgi_app:app"), notices_leaving=True),
    Adapter("hypercorn", _hypercorn("endpoint.starlette_app:app"), notices_leaving=True),
    Adapter("gunicorn with 2 workers", _gunicorn("--workers", "2", "endpoint.wsgi_app:app"), workers=2),
    Adapter("gunicorn with threads", _gunicorn("--threads", "8", "endpoint.wsgi_app:app")),
    Adapter("aiohttp", ["-m", "endpoint.aiohttp_app", "{port}"], "Request", notices_leaving=True),
    Adapter("Django under WSGI", _gunicorn("--threads", "8", "endpoint.django_app:wsgi"), "WSGIRequest"),
    Adapter("Django under ASGI", _uvicorn("--lifespan", "off", "endpoint.django_app:asgi"), "ASGIRequest"),
)


@frozen
class Recording:
    """What came of all cases under one adapter.

    Attributes:
        replies: The replies, by kind and name of the case.
        limited: By kind, the statuses of one user's requests at the limited endpoint: one with a bad body, then
            mints that fail until the limit is met, then one more with a bad body; and the reply that met the limit.
        abandoned: By kind, whether a mint ended when its client had gone away.
        mints: How many mints reached the API.
        journal: The endpoint's lines about the cases.
        log: All that the server wrote, to its end.
    """

    replies: Mapping[tuple[str, str], Reply | None]
    limited: Mapping[str, tuple[list[int], Reply]]
    abandoned: Mapping[str, bool]
    mints: int
    journal: Sequence[str]
    log: str

    @property
    def audits(self) -> list[list[Any]]:
        """The records of `on_minted`: kind, user id, type, request id."""
        lines = self.log.splitlines()
        return [json.loads(line.removeprefix(AUDIT_PREFIX)) for line in lines if line.startswith(AUDIT_PREFIX)]


def applies(case: Case, adapter: Adapter) -> bool:
    return adapter.name not in case.not_under and (not case.only_under or adapter.name in case.only_under)


def user_of(case: Case, kind: str) -> str:
    return f"{case.user or case.name}@{kind}"


def user_id_of(case: Case, kind: str, adapter: Adapter) -> str | int:
    """Give the id that `on_minted` gets."""
    if isinstance(case.user_id, str):
        return case.user_id.format(kind=kind, request_class=adapter.request_class)
    return user_of(case, kind) if case.user_id is None else case.user_id


def _written(case: Case, kind: str, port: int) -> bytes:
    given = {line.partition(":")[0] for line in case.lines}
    is_old = case.version == "HTTP/1.0"
    is_sized = case.method == "POST" and not is_old and "Transfer-Encoding" not in given
    usual = {
        "Host": None if is_old else "{host}",
        "Content-Length": str(len(case.body)) if is_sized else None,
        "Connection": "close",
        "Cookie": f"session={COOKIE}",
        "Authorization": f"Bearer {CREDENTIAL}",
        "X-User": None if case.user is None else user_of(case, kind),
        "X-Do": case.does,
    }
    lines = [f"{name}: {value}" for name, value in usual.items() if value is not None and name not in given]
    host = f"127.0.0.1:{port}"
    lines = [line.format(host=host) for line in (*case.lines, *lines)]
    return request_bytes(case.method, case.target.format(kind=kind), lines, case.body, case.version)


def _send(case: Case, kind: str, port: int) -> Reply | None:
    return exchange(port, _written(case, kind, port), is_cut_short=case.is_cut_short)


def _limited(kind: str, port: int) -> tuple[list[int], Reply]:
    def ask(body: bytes) -> Reply:
        reply = _send(Case("limited", 0, [JSON], body, target="/{kind}/limited"), kind, port)
        assert reply
        return reply

    replies = [ask(b"[]")]
    while replies[-1].status != 429 and len(replies) < 8:
        replies.append(ask(asks_for("status_500")))
    met = replies[-1]
    return [reply.status for reply in (*replies, ask(b"[]"))], met


def _abandoned(kind: str, port: int, api: Upstream) -> bool:
    api.waits.clear()
    api.abandoned.clear()
    with sending(port, _written(Case("abandoned", 0, [JSON], asks_for("is_abandoned")), kind, port)):
        assert api.waits.wait(10)
    return api.abandoned.wait(5)


def record(adapter: Adapter) -> Recording:
    """Send all cases, several at a time, and end the server."""
    tls = server_context(trustme.CA(), "127.0.0.1")
    tests = str(Path(__file__).parent.parent)
    with Upstream() as api, ScriptedApi(tls) as stranger, socket.socket() as deaf, ThreadPoolExecutor(8) as pool:
        deaf.bind(("127.0.0.1", 0))  # it does not listen, and nobody else can
        nobody = f"127.0.0.1:{deaf.getsockname()[1]}"
        environment = {
            "KEY": KEY,
            "NOBODY": f"http://{nobody}",
            "NO_PROXY": "*",
            "PYTHONPATH": os.pathsep.join([tests, *filter(None, [os.environ.get("PYTHONPATH")])]),
            "STORAGE": f"redis://user:{ENCODED_PASSWORD}@{nobody}/0",
            "TLS_UPSTREAM": stranger.base_url,
            "TOKEN_TYPES": " ".join(["realtime_scribe", "batch_scribe", "is_abandoned", *FAULTS]),
            "UPSTREAM": api.base_url,
        }
        with serving(sys.executable, *adapter.command, environment=environment) as server:
            slowest_first = sorted(CASES, key=lambda case: case.status != 408)
            asked = [(kind, case) for case in slowest_first if applies(case, adapter) for kind in KINDS]
            sent = {(kind, case.name): pool.submit(_send, case, kind, server.port) for kind, case in asked}
            replies = {key: reply.result() for key, reply in sent.items()}
            mints = len(api.requests)
            journal = [line for line in server.log.splitlines() if "|token route: " in line]
            limited = {kind: _limited(kind, server.port) for kind in KINDS}
            leaving = KINDS if adapter.notices_leaving else ()
            abandoned = {kind: _abandoned(kind, server.port, api) for kind in leaving}
            server.process.terminate()
            server.process.wait(20)
            return Recording(replies, limited, abandoned, mints, journal, server.log)
