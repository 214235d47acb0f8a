"""Every snippet of the README and the docs runs, against an emulator that stands where the API is."""

import asyncio
import inspect
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
import uvicorn
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from flask import Flask
from starlette.applications import Starlette
from sybil import Example, Sybil
from sybil.parsers.myst import PythonCodeBlockParser

from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsClient
from elevenlabs_tokens.emulator import Emulator
from frozen import KEY
from proxies import ConnectProxy, server_context

ROOT = Path(__file__).parents[1]
REPOSITORY = "https://github.com/elevenlabs-tokens/elevenlabs-tokens/blob/main/"
ADA = {"Cookie": "session=session-of-ada"}
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture
def production(elevenlabs_emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Have the emulator stand where the API is: behind TLS that the machine trusts, and a proxy that leads there."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    port = int(elevenlabs_emulator.base_url.rpartition(":")[2])
    with ConnectProxy(port, server_context(authority, "api.elevenlabs.io")) as proxy:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
        monkeypatch.setenv("ELEVENLABS_API_KEY", KEY)
        yield elevenlabs_emulator


def is_a_view(example: Example, function: object) -> bool:
    """Tell whether Flask calls the function, in a context of its own."""
    return any(function in app.view_functions.values() for app in example.namespace.values() if isinstance(app, Flask))


async def statuses_of_async(app: Starlette | web.Application) -> set[int]:
    if isinstance(app, web.Application):
        async with TestClient(TestServer(app)) as client:
            paths = [resource.canonical for resource in app.router.resources()]
            return {(await client.post(path, headers=ADA)).status for path in paths}
    server = uvicorn.Server(uvicorn.Config(app, ws="none", log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve([listener]))
        async with ClientSession(f"http://127.0.0.1:{listener.getsockname()[1]}") as browser:
            statuses = {(await browser.post("/elevenlabs-token", headers=ADA)).status}
        server.should_exit = True
        await serving
    return statuses


def statuses_of(app: Flask | Starlette | web.Application) -> set[int]:
    """Ask each route of an app, as a user whom the pages know."""
    if not isinstance(app, Flask):
        return asyncio.run(statuses_of_async(app))
    browser = app.test_client()
    if app.secret_key:
        with browser.session_transaction() as session:
            session["user_id"] = "ada"
    return {browser.post(rule.rule).status_code for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())}


def run(example: Example) -> None:
    """Run a snippet, and then each function that it defines; what takes more than fixtures is for an app to call."""
    before = set(example.namespace)
    example.evaluate()
    for name in [name for name in example.namespace if name not in before]:
        value = example.namespace[name]
        if isinstance(value, Flask | Starlette | web.Application):
            assert {201} == statuses_of(value)
        if not inspect.isfunction(value) or value.__code__.co_filename != example.path or is_a_view(example, value):
            continue
        with Emulator() as emulator, pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setenv("ELEVENLABS_BASE_URL", emulator.base_url)
            fixtures = {"elevenlabs_emulator": emulator, "elevenlabs_environment": emulator}
            needed = {name for name, of in inspect.signature(value).parameters.items() if of.default is of.empty}
            if not needed <= fixtures.keys():
                continue
            result = value(**{name: fixtures[name] for name in needed})
            if inspect.iscoroutine(result):
                asyncio.run(result)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.usefixtures("production")
def test_snippets(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They mint against the emulator, and print no token."""
    document = Sybil(parsers=[PythonCodeBlockParser()]).parse(page)
    document.namespace["__name__"] = "__main__"
    examples = list(document.examples())

    seen: list[object] = []
    for example in examples:
        run(example)
        seen += document.namespace.values()
    for value in seen:
        if isinstance(value, AsyncElevenLabsClient):
            asyncio.run(value.aclose())
        if isinstance(value, ElevenLabsClient):
            value.close()

    assert len(examples) == page.read_text().count("```python")
    assert "sutkn_emulator_" not in capsys.readouterr().out


def test_the_quick_start() -> None:
    """Its first two blocks are the two commands, a line each, which need nothing but Python; the third installs."""
    quick_start = (ROOT / "README.md").read_text().partition("## Quick start\n")[2].partition("\n## ")[0]

    commands = re.findall(r"```sh\n(.*?)```", quick_start, re.DOTALL)

    assert ["elevenlabs-tokens demo\n", "nox --parallel 3\n"] == [c.rpartition("bin/")[2] for c in commands[:2]]
    assert all(c.startswith("python3 -m venv .venv && ") and c.count("\n") == 1 for c in commands[:2])
    assert ["pip"] == [command.partition(" ")[0] for command in commands[2:]]


def test_links_lead_somewhere() -> None:
    """A link to a file of the project leads to one that exists."""
    for page in (*PAGES, ROOT / "SECURITY.md", ROOT / "CHANGELOG.md"):
        text = page.read_text().replace(REPOSITORY, f"{ROOT}/")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_links_of_the_readme() -> None:
    """They are whole URLs, because a package index shows the README without the files beside it."""
    assert not re.findall(r"\]\((?!https://).*?\)", (ROOT / "README.md").read_text())
