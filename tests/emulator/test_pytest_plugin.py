from pathlib import Path

import pytest

from programs import run_python

PLUGIN = "elevenlabs_tokens.emulator.pytest_plugin"

SUITE = """
from urllib.request import Request, urlopen
import pytest

@pytest.mark.parametrize("run", [1, 2])
def test_the_emulator_is_new(elevenlabs_emulator, run):
    assert elevenlabs_emulator.tokens == ()
    url = elevenlabs_emulator.base_url + "/v1/single-use-token/realtime_scribe"
    urlopen(Request(url, method="POST", headers={"xi-api-key": "sk"}), timeout=5).close()
    assert len(elevenlabs_emulator.tokens) == 1
    elevenlabs_emulator.fail_next(status=503)
"""

SESSION_SUITE = """
import os
import pytest
from elevenlabs_tokens import ElevenLabsClient

@pytest.fixture
def elevenlabs_emulator(elevenlabs_session_emulator):
    elevenlabs_session_emulator.reset()
    return elevenlabs_session_emulator

addresses = set()

@pytest.mark.parametrize("run", [1, 2])
def test_an_app_needs_no_change(elevenlabs_environment, run):
    with ElevenLabsClient() as client:
        client.tokens.single_use.create("tts_websocket")
    assert len(elevenlabs_environment.tokens) == 1
    addresses.add(os.environ["ELEVENLABS_BASE_URL"])
    assert addresses == {elevenlabs_environment.base_url}

def test_the_environment_is_put_back():
    assert not [name for name in os.environ if name.startswith("ELEVENLABS_")]
"""


@pytest.mark.parametrize(
    ("suite", "passed"), [pytest.param(SUITE, 2, id="each"), pytest.param(SESSION_SUITE, 3, id="session")]
)
def test_a_suite_gets_an_emulator_for_each_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suite: str, passed: int
) -> None:
    """Another project's suite, with warnings as errors, mints at the fixture, and no fault outlives its test.

    A suite that shares one emulator gets the same by `reset`, and its app finds it by the environment.
    """
    (tmp_path / "test_suite.py").write_text(suite)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    arguments = ["-p", PLUGIN, "-p", "no:cacheprovider", "-W", "error", f"--rootdir={tmp_path}", str(tmp_path)]

    run = run_python("import pytest; raise SystemExit(pytest.main(arguments))", arguments=arguments)

    assert 0 == run.returncode, run.stdout + run.stderr
    assert f"{passed} passed" in run.stdout


def test_a_suite_that_does_not_use_it_pays_next_to_nothing() -> None:
    """The plugin loads only small modules of the package; a name of the package loads what it needs, once."""
    program = f"""
import pytest, sys
before = set(sys.modules)
import {PLUGIN}
from elevenlabs_tokens import emulator
print({{name.partition(".")[0] for name in set(sys.modules) - before}}, "asyncio" in sys.modules)
print({{"Emulator", "TokenRecord"}} <= set(dir(emulator)))
print(emulator.TokenRecord.__name__, "aiohttp" in sys.modules)
print(emulator.Emulator.__name__, "aiohttp" in sys.modules, "Emulator" in vars(emulator))
"""

    assert [
        "{'elevenlabs_tokens'} False",
        "True",
        "TokenRecord False",
        "Emulator True True",
    ] == run_python(program).stdout.splitlines()
