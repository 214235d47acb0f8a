"""Frontends that go away while they wait."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from elevenlabs_tokens.endpoint.leaving import reply_unless_left
from elevenlabs_tokens.endpoint.replies import Reply, preflight
from endpoint.asking import running, statuses, wait_until
from scripted import Act, ScriptedApi, reply
from servers import Server

CLIENTS = pytest.mark.parametrize("client", ["async", "sync"])


class Frontend:
    """A frontend of one server, which asks as a user of its own.

    Attributes:
        api: Where the server mints.
        gate: Where its slow hooks wait.
    """

    def __init__(self, server: Server, user: str, api: ScriptedApi, gate: ScriptedApi) -> None:
        self.server = server
        self.api = api
        self.gate = gate
        self._user = user

    def leaves(self, path: str, is_time: Callable[[], bool], *, times: int = 1) -> None:
        """Ask for a token this many times at once, and close the connections."""
        headers = {"Host": "127.0.0.1", "X-User": json.dumps(self._user), "X-Gate": self.gate.base_url}
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        with ExitStack() as stack:
            for _ in range(times):
                connection = stack.enter_context(socket.create_connection(("127.0.0.1", self.server.port)))
                connection.sendall("\r\n".join([*lines, "Content-Length: 0", "", ""]).encode())
            wait_until(is_time)

    def gets_a_token(self, path: str) -> bool:
        """Ask for a token and wait for it."""
        return [201] == statuses(f"{self.server.base_url}{path}", self._user, gate=self.gate.base_url)


@pytest.fixture(scope="module")
def shared_api() -> Iterator[ScriptedApi]:
    with ScriptedApi() as running_api:
        yield running_api


@pytest.fixture(scope="module", params=["uvicorn", "uvicorn, BaseHTTPMiddleware", "hypercorn", "aiohttp"])
def server(request: pytest.FixtureRequest, shared_api: ScriptedApi) -> Iterator[Server]:
    with running(request.param, shared_api.base_url, rate="1/minute") as process:
        yield process


@pytest.fixture
def frontend(request: pytest.FixtureRequest, server: Server, shared_api: ScriptedApi) -> Iterator[Frontend]:
    """Give a frontend of the shared server, and fail if the server logs an error during the test."""
    shared_api.requests.clear()
    shared_api.request_came.clear()
    shared_api.connection_closed.clear()
    logged = len(server.log)
    with ScriptedApi() as gate:
        yield Frontend(server, request.node.name, shared_api, gate)
    assert "Traceback" not in server.log[logged:]
    assert "ERROR" not in server.log[logged:]


@CLIENTS
def test_leaving_cancels_the_mint(frontend: Frontend, client: str) -> None:
    """The API sees the connection of the mint closed before it has replied."""
    frontend.api.replies = [[Act.STALL]]
    frontend.leaves(f"/{client}/function", frontend.api.request_came.is_set)

    assert frontend.api.connection_closed.wait(5)
    assert frontend.gets_a_token(f"/{client}/function")


@CLIENTS
def test_leaving_cancels_authorize(frontend: Frontend, client: str) -> None:
    """A frontend that leaves during an async `authorize` gets no token, and none is counted."""
    frontend.gate.replies = [[Act.STALL]]
    frontend.leaves(f"/{client}/slow-async", frontend.gate.request_came.is_set)

    assert frontend.gate.connection_closed.wait(5)
    assert frontend.gets_a_token(f"/{client}/slow-async")
    assert 1 == len(frontend.api.requests)


@CLIENTS
def test_an_authorize_that_goes_on(frontend: Frontend, client: str) -> None:
    """A frontend that leaves during an `authorize` that cannot be cancelled gets no token."""
    frontend.gate.replies = [[Act.STALL]]
    frontend.leaves(f"/{client}/slow-stubborn", frontend.gate.request_came.is_set)

    assert frontend.gate.connection_closed.wait(5)
    assert frontend.gets_a_token(f"/{client}/function")
    assert 1 == len(frontend.api.requests)


@CLIENTS
def test_leaving_during_a_sync_authorize(frontend: Frontend, client: str) -> None:
    """After its frontend has left, a sync `authorize` goes on, but it delays nobody, and nothing is counted."""
    done = threading.Event()
    left = frontend.server.log.count("outcome=left")
    frontend.gate.replies = [[done, *reply()] for _ in range(70)]
    frontend.leaves(f"/{client}/slow", lambda: len(frontend.gate.requests) >= 64, times=70)
    wait_until(lambda: frontend.server.log.count("outcome=left") >= left + 70)

    assert frontend.gets_a_token(f"/{client}/function")

    done.set()

    assert frontend.gets_a_token(f"/{client}/slow")
    assert 2 == len(frontend.api.requests)


@pytest.mark.anyio
async def test_leaving_as_the_reply_is_ready() -> None:
    """A frontend that leaves in the turns of the event loop in which its reply is ready cancels nothing after it."""

    async def leave() -> None: ...

    async def work(turns: int) -> Reply:
        for _ in range(turns):
            await asyncio.sleep(0)
        return preflight()

    task = asyncio.current_task()
    assert task is not None
    seen: list[int] = []
    for turns in range(10):
        seen.append((await reply_unless_left(work(turns), leave, delay_in_seconds=0)).status)
        await asyncio.sleep(0)  # raises if the task was cancelled

        assert 0 == task.cancelling()

    assert {204, 503} == set(seen)
