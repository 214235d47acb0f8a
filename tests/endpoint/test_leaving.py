"""Frontends that go away while they wait."""

import socket
import threading

import pytest

from endpoint.asking import running, statuses, wait_until
from scripted import Act, ScriptedApi, reply
from servers import Server

SERVERS = pytest.mark.parametrize("server", ["uvicorn", "uvicorn, BaseHTTPMiddleware", "hypercorn", "aiohttp"])
CLIENTS = pytest.mark.parametrize("client", ["async", "sync"])


def leave(server: Server, path: str, when: threading.Event) -> None:
    """Ask for a token, and close the connection."""
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        request = f'POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-User: "ada"\r\nContent-Length: 0\r\n\r\n'
        connection.sendall(request.encode())
        assert when.wait(5)


def assert_it_goes_on(server: Server, path: str) -> None:
    """The next frontend gets its token, and the server has logged no error."""
    assert [201] == statuses(f"{server.base_url}{path}", "ada")
    assert "Traceback" not in server.log
    assert "ERROR" not in server.log


@SERVERS
@CLIENTS
def test_leaving_cancels_the_mint(server: str, client: str, api: ScriptedApi) -> None:
    """The API sees the connection of the mint closed before it has replied."""
    api.replies = [[Act.STALL]]
    with running(server, api.base_url) as process:
        leave(process, f"/{client}/function", api.request_came)

        assert api.connection_closed.wait(5)
        assert_it_goes_on(process, f"/{client}/function")


@SERVERS
@CLIENTS
def test_leaving_cancels_authorize(server: str, client: str, api: ScriptedApi) -> None:
    """A frontend that leaves during an async `authorize` gets no token, and none is counted."""
    with ScriptedApi() as gate, running(server, api.base_url, gate=gate.base_url, rate="1/minute") as process:
        gate.replies = [[Act.STALL]]
        leave(process, f"/{client}/slow-async", gate.request_came)

        assert gate.connection_closed.wait(5)
        assert_it_goes_on(process, f"/{client}/slow-async")
        assert 1 == len(api.requests)


@SERVERS
@CLIENTS
def test_leaving_during_a_sync_authorize(server: str, client: str, api: ScriptedApi) -> None:
    """A frontend that leaves during a sync `authorize` gets no token, and none is counted, although that goes on."""
    done = threading.Event()
    with ScriptedApi() as gate, running(server, api.base_url, gate=gate.base_url, rate="1/minute") as process:
        gate.replies = [[done, *reply()]]
        leave(process, f"/{client}/slow", gate.request_came)
        wait_until(lambda: "outcome=left" in process.log)
        done.set()
        assert_it_goes_on(process, f"/{client}/slow")

    assert 1 == len(api.requests)
