import os
import subprocess
import sys
from pathlib import Path

import elevenlabs_tokens.emulator

PLUGIN = "elevenlabs_tokens.emulator.pytest_plugin"
ROOT = Path(elevenlabs_tokens.emulator.__file__).parents[2]

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


def python(*arguments: str, cwd: Path | None = None) -> str:
    """Run Python; the plugin is loaded by its name, so the package need not be installed."""
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert 0 == result.returncode, result.stdout + result.stderr
    return result.stdout


def test_a_suite_gets_an_emulator_for_each_test(tmp_path: Path) -> None:
    """Another project's suite, with warnings as errors, mints at the fixture, and no fault outlives its test."""
    (tmp_path / "test_suite.py").write_text(SUITE)

    output = python("-m", "pytest", "-p", PLUGIN, "-p", "no:cacheprovider", "-W", "error", cwd=tmp_path)

    assert "2 passed" in output


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
    ] == python("-c", program).splitlines()
