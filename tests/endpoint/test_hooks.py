"""Where hooks run, and what happens if they raise or take long."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.request import urlopen

import pytest

from elevenlabs_tokens.emulator import Emulator
from endpoint.asking import ask, running, seen, statuses
from scripted import ScriptedApi, reply
from servers import Server

OWN, OTHER, LOOP, FACADE = "the request's thread", "another thread", "the server's loop", "another loop"
PLACES = {
    "uvicorn": (OTHER, LOOP),
    "uvicorn, BaseHTTPMiddleware": (OTHER, LOOP),
    "hypercorn": (OTHER, LOOP),
    "aiohttp": (OTHER, LOOP),
    "gunicorn": (OWN, FACADE),
    "gunicorn, gevent": (OWN, FACADE),
    "Django, gunicorn": (OWN, FACADE),
    "Django, uvicorn": (OWN, LOOP),  # Django's own sync code of the request runs in this thread, too
}
"""Where sync and where async hooks run, by server."""

CLIENTS = ("async", "sync")
KINDS = (
    "function",
    "method",
    "partial",
    "async-function",
    "async-lambda",
    "async-method",
    "async-object",
    "async-partial",
)
FAULTS = ("starlette", "flask", "django", "aiohttp", "cancelled", "stop-iteration", "system-exit")


@dataclass
class Hooked:
    server: Server
    emulator: Emulator
    sync_place: str
    async_place: str

    def url(self, path: str) -> str:
        return f"{self.server.base_url}/{path}"

    def seen(self, user: str) -> list[list[object]]:
        """Give where the hooks of this user's requests ran."""
        return [line for line in seen(self.server) if line[0] == json.dumps(user)]


@pytest.fixture(scope="module", params=PLACES)
def hooked(request: pytest.FixtureRequest) -> Iterator[Hooked]:
    with Emulator() as emulator, running(request.param, emulator.base_url) as server:
        yield Hooked(server, emulator, *PLACES[request.param])


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("kind", KINDS)
def test_any_callable_is_a_hook(hooked: Hooked, client: str, kind: str) -> None:
    """Both hooks run where they may block or await, with the context variables of the app's middleware."""
    user = f"{client} {kind}"
    place = hooked.async_place if kind.startswith("async") else hooked.sync_place

    assert [201] == statuses(hooked.url(f"{client}/{kind}"), user)
    assert [place, place] == [line[1] for line in hooked.seen(user)]


def test_async_hooks_share_one_loop(hooked: Hooked) -> None:
    """The async hooks of all requests run in one event loop, also those of requests at the same time."""
    ask(hooked.url("async/async-function"), *["alan"] * 8)
    ask(hooked.url("sync/async-method"), *["alan"] * 8)
    seen = hooked.seen("alan")

    assert 2 * 16 == len(seen)
    assert 1 == len({line[3] for line in seen})


@pytest.mark.parametrize("fault", FAULTS)
def test_what_hooks_raise(hooked: Hooked, fault: str) -> None:
    """Whatever a hook raises, a framework's own refusals too, is a 500 without a token; the log says how to refuse."""
    for place, mints in {"authorize": 0, "on_minted": 1}.items():
        for client in CLIENTS:
            for colour in ("sync", "async"):
                minted, logged = len(hooked.emulator.tokens), len(hooked.server.log)
                [answer] = ask(hooked.url(f"{client}/{place}/{colour}/{fault}"), "ada")
                log = hooked.server.log[logged:]

                assert (500, ["error"]) == (answer.status, list(answer.document))
                assert mints == len(hooked.emulator.tokens) - minted
                assert f"{place} raised" in log
                assert (place == "authorize") == ("return None" in log)


@pytest.mark.parametrize("path", ["slow", "slow-async"])
def test_slow_hooks_hinder_nobody(hooked: Hooked, path: str) -> None:
    """While 40 users wait for a slow `authorize`, others get their tokens, and the app's own threads are free."""
    all_wait, answer = threading.Barrier(41), threading.Event()
    with ScriptedApi() as gate, ThreadPoolExecutor(1) as pool:
        gate.replies = [[lambda: all_wait.wait(20), answer, *reply()] for _ in range(40)]
        slow = pool.submit(ask, hooked.url(f"async/{path}"), *range(40), gate=gate.base_url)
        try:
            all_wait.wait(20)
            others = [statuses(hooked.url(f"async/{kind}"), "grace") for kind in ("function", "async-function")]
            with urlopen(hooked.url("thread"), timeout=20) as thread:  # noqa: S310  # the test's own server
                content = thread.read()
        finally:
            answer.set()

        assert [[201], [201]] == others
        assert b"well" == content
        assert {201} == {answer.status for answer in slow.result()}
