"""The servers of `limits_app`, and frontends that ask them for tokens."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any, NamedTuple

import aiohttp

from servers import Server, serving

_APP = "endpoint.limits_app"
_GUNICORN = ("gunicorn", "--bind", "127.0.0.1:{port}")
_UVICORN = ("uvicorn", "--no-access-log", "--port", "{port}")
SERVERS = {
    "uvicorn": (*_UVICORN, f"{_APP}:starlette_app"),
    "uvicorn, BaseHTTPMiddleware": (*_UVICORN, f"{_APP}:starlette_in_base_middleware"),
    "hypercorn": ("hypercorn", "--bind", "127.0.0.1:{port}", f"{_APP}:starlette_app"),
    "aiohttp": ("aiohttp.web", "-H", "127.0.0.1", "-P", "{port}", f"{_APP}:aiohttp_app"),
    "gunicorn": (*_GUNICORN, "--threads", "50", f"{_APP}:wsgi_app"),
    "gunicorn, 2 workers": (*_GUNICORN, "--threads", "20", "--workers", "2", f"{_APP}:wsgi_app"),
    "gunicorn, gevent": (*_GUNICORN, "-k", "gevent", f"{_APP}:wsgi_app"),
    "Django, gunicorn": (*_GUNICORN, "--threads", "50", f"{_APP}:django_wsgi"),
    "Django, uvicorn": (*_UVICORN, f"{_APP}:django_asgi"),
}


@contextmanager
def running(server: str, base_url: str, *, rate: str = "10/minute", storage: str = "memory://") -> Generator[Server]:
    """Run the app until the block ends.

    Args:
        server: Its name in `SERVERS`.
        base_url: The API at which it mints.
        rate: How many tokens a user gets.
        storage: Where they are counted.
    """
    options = {"base_url": base_url, "rate": rate, "storage": storage}
    paths = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {"LIMITS_APP": json.dumps(options), "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    with serving(sys.executable, "-m", *SERVERS[server], environment=environment) as process:
        yield process


def seen(server: Server) -> list[list[Any]]:
    """Give where the hooks ran, one list for each call: the user in JSON, the place, the process and the loop."""
    return [json.loads(line) for line in re.findall(r"^INFO:seen:(.*)$", server.log, re.MULTILINE)]


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for what nothing tells, 10 s at most."""
    ends_at = monotonic() + 10
    while not is_so():
        assert monotonic() < ends_at
        sleep(0.01)


class Answer(NamedTuple):
    status: int
    document: Any
    retry_after: str
    seconds: float

    @property
    def token(self) -> str:
        """The token; of a refusal, a KeyError."""
        return str(self.document["token"])


async def post(session: aiohttp.ClientSession, url: str, user: object, gate: str = "") -> Answer:
    """Ask for a token, as a user who has signed in; slow hooks wait for the answer of the gate."""
    began = monotonic()
    async with session.post(url, headers={"X-User": json.dumps(user), "X-Gate": gate}) as response:
        document = await response.json()
        return Answer(response.status, document, response.headers.get("Retry-After", ""), monotonic() - began)


def crowd() -> aiohttp.ClientSession:
    """Make a session that asks any number of times at once."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(30))


def ask(url: str, *users: object, gate: str = "") -> list[Answer]:
    """Ask for tokens, all users at once."""

    async def ask_all() -> list[Answer]:
        async with crowd() as session:
            return await asyncio.gather(*(post(session, url, user, gate) for user in users))

    return asyncio.run(ask_all())


def statuses(url: str, *users: object, gate: str = "") -> list[int]:
    """Ask for tokens, one user after the other, and give the statuses."""
    return [ask(url, user, gate=gate)[0].status for user in users]
