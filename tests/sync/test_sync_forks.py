"""Promise 57: sync calls in forked processes."""

import json
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from frozen import KEY
from programs import run_python
from scripted import TOKEN, ScriptedApi, reply
from sync.callers import CLIENT

pytestmark = pytest.mark.promise(row=57)

FORKS = {
    "after a call": ("mint(); assert [0] == codes(in_child(mint)); mint()", 2, 3),
    "four workers, before any call": ("assert [0] * 4 == codes(*[in_child(mint) for _ in range(4)])", 4, 4),
    "a pool of processes, as Celery has them": (
        """
import multiprocessing
mint()
with multiprocessing.get_context("fork").Pool(4, initializer=mint) as pool:
    tokens = pool.starmap(mint, [()] * 40, chunksize=1)
    pool.close()
    pool.join()
assert [mint()] * 40 == tokens
""",
        1 + 4,
        1 + 4 + 40 + 1,
    ),
}


@pytest.mark.parametrize(("program", "connections", "requests"), FORKS.values(), ids=FORKS)
def test_a_fork(api: ScriptedApi, program: str, connections: int, requests: int) -> None:
    """Each child answers within 1 s on a socket of its own, and the parent goes on with its own."""
    run = run_python(CLIENT + program, base_url=api.base_url)

    assert (0, "", "") == (run.returncode, run.stdout, run.stderr)
    assert (connections, requests) == (api.connections, len(api.requests))


def test_a_fork_while_the_locks_are_held(api: ScriptedApi) -> None:
    """Neither the lock of the event loop's start nor that of the retry budget stays locked in the child."""
    api.replies += [reply(), reply(503, {}, {"Retry-After": "0.01"})]
    program = """
from elevenlabs_tokens._portal import portal
mint()
held, done = threading.Event(), threading.Event()
def hold():
    with portal._lock, client._asynchronous._pipeline._budget._lock:
        held.set(); done.wait()
threading.Thread(target=hold, daemon=True).start()
held.wait()
child = in_child(mint)
done.set()
assert [0] == codes(child)
mint()
"""
    run = run_python(CLIENT + program, base_url=api.base_url)

    assert (0, "") == (run.returncode, run.stderr)
    assert 4 == len(api.requests)


def test_a_fork_during_the_first_call(api: ScriptedApi) -> None:
    """The child does not wait for the event loop that its parent is starting, nor for the lock of an import."""
    program = """
import asyncio
from elevenlabs_tokens._portal import portal
assert "anyio._backends._asyncio" in sys.modules
parent, starting, forked = os.getpid(), threading.Event(), threading.Event()
make_loop = asyncio.SelectorEventLoop.__init__
def make_slowly(loop):
    if os.getpid() == parent:
        starting.set(); forked.wait()
    make_loop(loop)
asyncio.SelectorEventLoop.__init__ = make_slowly
first = threading.Thread(target=mint)
first.start()
starting.wait()
with portal._lock: pass  # the parent holds it no more when it waits for its loop
assert [0] == codes(in_child(mint))
forked.set()
first.join()
"""
    run = run_python(CLIENT + program, base_url=api.base_url)

    assert (0, "") == (run.returncode, run.stderr)
    assert 2 == len(api.requests)


FLASK = """
import os
from flask import Flask
from elevenlabs_tokens import ElevenLabsClient

app = Flask(__name__)
client = ElevenLabsClient(api_key={key!r}, base_url={base_url!r})
if {is_used_before}:
    client.tokens.single_use.create("realtime_scribe")

@app.post("/token")
def token():
    return {{"token": client.tokens.single_use.create("realtime_scribe").token, "worker": os.getpid()}}
"""


def post(url: str) -> dict[str, Any]:
    with urlopen(Request(url, method="POST"), timeout=20) as answer:  # noqa: S310  # the test's own server
        token: dict[str, Any] = json.load(answer)
        return token


@pytest.mark.parametrize("is_used_before", [False, True], ids=["forked before a call", "forked after a call"])
def test_flask_under_gunicorn(api: ScriptedApi, tmp_path: Path, *, is_used_before: bool) -> None:
    """Four workers, whose parent made the client, mint each on a socket of its own, and stop at once."""
    (tmp_path / "web.py").write_text(FLASK.format(key=KEY, base_url=api.base_url, is_used_before=is_used_before))
    command = [sys.executable, "-m", "gunicorn", "--preload", "--workers", "4", "--bind", "127.0.0.1:0", "web:app"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        log = ""
        while log.count("Booting worker") < 4 and (line := server.stderr.readline()):
            log += line
        [url] = re.findall(r"Listening at: (\S+)", log)
        with ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(post, [f"{url}/token"] * 40))
        server.send_signal(signal.SIGTERM)
        log += server.stderr.read()

    assert {TOKEN["token"]} == {answer["token"] for answer in replies}
    assert len({answer["worker"] for answer in replies}) + is_used_before <= api.connections
    assert 0 == server.returncode
    assert "Traceback" not in log
