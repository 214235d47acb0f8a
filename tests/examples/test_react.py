"""The React example: the vendor's hook, with a token for each connection. No Python and no dependency changes it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from browser import Page, browsing
from elevenlabs_tokens.emulator import Emulator
from examples.apps import EXAMPLES
from frozen import KEY
from servers import serving

COUNT_ABORT_CONTROLLERS = """
window.controllers = 0;
window.AbortController = class extends AbortController {
  constructor() { super(); window.controllers += 1; }
};
"""


def run(folder: Path, *command: str, **variables: str) -> None:
    """Run one of npm's commands, for three minutes at most."""
    process = subprocess.run(
        command, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True, timeout=180, check=False
    )
    assert 0 == process.returncode, process.stdout + process.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the example, and install what it needs.

    A fixture of a module runs before `clean_environment`, so npm has the proxies of whoever runs the tests.
    """
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("examples")
    for name in ("frontend", "react"):
        shutil.copytree(EXAMPLES / name, folder / name, ignore=shutil.ignore_patterns("node_modules", "dist"))
    run(folder / "react", "npm", "ci")
    return folder / "react"


def connect_twice(page: Page, url: str) -> int:
    """Sign in, and press the button two times; return how many connections the page has begun."""
    page.open(url)
    page.run(COUNT_ABORT_CONTROLLERS)
    page.type("#name", "ada")
    page.click("form button")
    page.wait_for("form", "You are signed in")
    for _ in range(2):
        page.click("main > button")
        page.wait_for("main", "emulated transcript of")
    return int(str(page.run("return window.controllers")))


def test_the_page_uses_one_token_for_each_connection(project: Path, elevenlabs_emulator: Emulator) -> None:
    """StrictMode, which acts in a development build, begins each connection twice, and one of the two ends at once."""
    run(project, "npm", "run", "types")
    environment = {"ELEVENLABS_BASE_URL": elevenlabs_emulator.base_url, "ELEVENLABS_API_KEY": KEY}
    server = (sys.executable, "-m", "uvicorn", "--port={port}", "page_backend:app")
    begun: list[int] = []
    with browsing() as page:
        for mode in ("development", "production"):
            run(project, "npm", "run", "build", "--", "--mode", mode, NODE_ENV=mode)
            environment["PAGE"] = str(project / "dist")
            with serving(*server, environment=environment, folder=Path(__file__).parent) as backend:
                begun.append(connect_twice(page, backend.base_url))

    assert begun[0] >= 2 * 2  # in the development build; the vendor's hook may make controllers of its own
    assert [("realtime_scribe", "spent")] * 4 == [
        (record.token_type, record.state) for record in elevenlabs_emulator.tokens
    ]


def test_the_lock_file_names_no_registry() -> None:
    """Whoever installs it takes the packages from a registry of their own choice."""
    lock = json.loads((EXAMPLES / "react" / "package-lock.json").read_text())

    assert [] == [name for name, package in lock["packages"].items() if "resolved" in package]
