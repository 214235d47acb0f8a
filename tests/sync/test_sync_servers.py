"""Promise 57: sync calls in the servers of legacy code. No test here depends on Python's version."""

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
from scripted import TOKEN, ScriptedApi
from sync.callers import CLIENT

pytestmark = pytest.mark.promise(row=57)


def test_a_pool_of_processes(api: ScriptedApi) -> None:
    """Its workers, forked from a process that has used the client as Celery's are, have a socket of their own."""
    program = """
import multiprocessing
mint()
with multiprocessing.get_context("fork").Pool(4, initializer=mint) as pool:
    tokens = pool.starmap(mint, [()] * 40, chunksize=1)
    pool.close()
    pool.join()
assert [mint()] * 40 == tokens
"""
    run = run_python(CLIENT + program, base_url=api.base_url)

    assert (0, "", "") == (run.returncode, run.stdout, run.stderr)
    assert (1 + 4, 1 + 4 + 40 + 1) == (api.connections, len(api.requests))


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
