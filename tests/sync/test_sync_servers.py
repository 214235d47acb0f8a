"""Promise 57: sync calls under the server of legacy code. Nothing here depends on Python's version."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from frozen import KEY
from scripted import TOKEN, ScriptedApi
from servers import serving

FLASK = """
import os
from flask import Flask
from elevenlabs_tokens import ElevenLabsClient

app = Flask(__name__)
client = ElevenLabsClient(api_key={key!r}, base_url={base_url!r})
client.tokens.single_use.create("realtime_scribe")

@app.post("/token")
def token():
    return {{"token": client.tokens.single_use.create("realtime_scribe").token, "worker": os.getpid()}}
"""


def post(url: str) -> Any:
    with urlopen(url, data=b"", timeout=20) as answer:  # noqa: S310  # the test's own server
        return json.load(answer)


@pytest.mark.promise(row=57)
def test_flask_under_gunicorn(api: ScriptedApi, tmp_path: Path) -> None:
    """Four workers, whose parent has used the client, mint each on a socket of its own, and stop at once."""
    api.delay_in_seconds = 0.1  # so that none answers them all before the others have started
    (tmp_path / "web.py").write_text(FLASK.format(key=KEY, base_url=api.base_url))
    command = [sys.executable, "-m", "gunicorn", "--preload", "--workers=4", "--bind=127.0.0.1:{port}", "web:app"]
    with serving(*command, folder=tmp_path) as server, ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(post, [f"{server.base_url}/token"] * 40))
        server.process.terminate()
        code = server.process.wait(20)
        log = server.log

    assert {TOKEN["token"]} == {answer["token"] for answer in replies}
    assert 4 == len({answer["worker"] for answer in replies})
    assert 1 + 4 <= api.connections
    assert 0 == code
    assert "Traceback" not in log
