"""The example apps, under the servers that their first lines name."""

import re
import signal
from contextlib import ExitStack
from typing import Any

import aiohttp
import pytest

from elevenlabs_tokens.emulator import Emulator
from examples.apps import COMMANDS, EXAMPLES, running
from frontend import SPEECH_TO_TEXT, Frontend
from redis_server import redis_server

pytestmark = pytest.mark.anyio

TOKEN_ROUTE = "/elevenlabs-token"


async def ask(
    browser: aiohttp.ClientSession, path: str, *, method: str = "POST", **options: Any
) -> aiohttp.ClientResponse:
    """Send a request, and give the response with its body read."""
    async with browser.request(method, path, **options) as response:
        await response.read()
        return response


@pytest.mark.parametrize("app", COMMANDS)
async def test_an_app(app: str, elevenlabs_emulator: Emulator) -> None:
    """It signs users in, gives tokens to them alone, ten in a minute, and ends without a complaint."""
    with ExitStack() as stack:
        redis = {"RATE_LIMIT_STORAGE": stack.enter_context(redis_server()).url} if "--workers" in COMMANDS[app] else {}
        server = stack.enter_context(running(app, elevenlabs_emulator, **redis))
        async with aiohttp.ClientSession(server.base_url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            files = {path: await ask(browser, path, method="GET") for path in ("/", "/elevenlabs-token.js", "/health")}
            signed_out = await ask(browser, TOKEN_ROUTE)
            signed_in = await ask(browser, "/sign-in", json={"name": "Ada"})
            me = await ask(browser, "/me", method="GET")
            refused = [
                await ask(browser, TOKEN_ROUTE, method="GET"),
                await ask(browser, TOKEN_ROUTE, headers={"Sec-Fetch-Site": "cross-site"}),
            ]
            replies = [await ask(browser, TOKEN_ROUTE) for _ in range(11)]
            token = await replies[0].json()
            messages: list[str] = []
            for _ in range(2):
                async with Frontend(browser, elevenlabs_emulator).connect(
                    f"{SPEECH_TO_TEXT}?model_id=scribe_v2_realtime&token={token['token']}"
                ) as socket:
                    messages.append((await socket.receive_json(timeout=5))["message_type"])
            await ask(browser, "/sign-out")
            signed_out_again = await ask(browser, TOKEN_ROUTE)
        server.process.terminate()
        code = server.process.wait(10)
        log = server.log

    assert [200] * 3 == [response.status for response in files.values()]
    assert (EXAMPLES / "frontend/index.html").read_text() == await files["/"].text()
    assert (EXAMPLES / "frontend/elevenlabs-token.js").read_text() == await files["/elevenlabs-token.js"].text()
    assert ["text/html", "text/javascript"] == [response.content_type for response in files.values()][:2]
    assert [401, 204, 401] == [signed_out.status, signed_in.status, signed_out_again.status]
    assert {"name": "Ada"} == await me.json()
    cookie = signed_in.headers["Set-Cookie"].lower()
    assert ("httponly" in cookie, "samesite=lax" in cookie) == (True, True)
    assert [405, 403] == [response.status for response in refused]
    assert [201] * 10 + [429] == [response.status for response in replies]
    assert 0 < int(replies[-1].headers["Retry-After"]) <= 60
    assert elevenlabs_emulator.websocket_base_url == token["websocket_base_url"]
    assert ["session_started", "auth_error"] == messages
    assert code in (0, -signal.SIGTERM)
    assert [] == re.findall(r".*(?:Traceback|Warning|Error).*", log)


def test_the_readme() -> None:
    """It lists each example, and runs one as the example itself says."""
    readme = (EXAMPLES / "README.md").read_text()

    assert {app.partition(":")[0] for app in COMMANDS} == set(re.findall(r"^\| \[(\w+)\.py\]", readme, re.MULTILINE))
    assert COMMANDS["fastapi_app:app"] in readme


async def test_flask_without_redis(elevenlabs_emulator: Emulator) -> None:
    """Its log warns that each worker counts for itself."""
    with running("flask_app:app", elevenlabs_emulator) as server:
        async with aiohttp.ClientSession(server.base_url) as browser:
            await ask(browser, "/health", method="GET")

        assert "THIS PROCESS ALONE" in server.log
