import os
import subprocess
import sys
from pathlib import Path

import pytest

import elevenlabs_tokens.emulator

PLUGIN = "elevenlabs_tokens.emulator.pytest_plugin"
ROOT = Path(elevenlabs_tokens.emulator.__file__).parents[2]

SUITE = """
import http.client

def mint(emulator):
    connection = http.client.HTTPConnection(emulator.base_url.removeprefix("http://"), timeout=5)
    connection.request("POST", "/v1/single-use-token/realtime_scribe", headers={"xi-api-key": "sk"})
    status = connection.getresponse().status
    connection.close()
    return status

def test_mints(elevenlabs_emulator):
    assert mint(elevenlabs_emulator) == 200
    assert len(elevenlabs_emulator.tokens) == 1

def test_is_fresh_for_each_test(elevenlabs_emulator):
    assert elevenlabs_emulator.tokens == ()
    elevenlabs_emulator.fail_next(status=503)
    assert mint(elevenlabs_emulator) == 503
"""


def python(*arguments: str, cwd: Path | None = None) -> str:
    """Run Python; the plugin is loaded by name, so that it does not matter whether the package is installed."""
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
    """Another project's suite, with warnings as errors, mints against the fixture."""
    (tmp_path / "test_suite.py").write_text(SUITE)

    output = python("-m", "pytest", "-p", PLUGIN, "-p", "no:cacheprovider", "-W", "error", cwd=tmp_path)

    assert "2 passed" in output


def test_the_plugin_loads_nothing_but_pytest() -> None:
    """A suite that does not use it pays for three small modules."""
    output = python(
        "-c",
        "import pytest, sys\n"
        "before = set(sys.modules)\n"
        f"import {PLUGIN}\n"
        "print(sorted({name.partition('.')[0] for name in set(sys.modules) - before}))\n"
        "print('asyncio' in sys.modules, 'aiohttp' in sys.modules)\n",
    )

    assert "['elevenlabs_tokens']\nFalse False\n" == output


def test_the_package_loads_its_names_when_they_are_asked_for() -> None:
    """Importing it loads neither aiohttp nor asyncio; a name brings what it needs, and stays."""
    output = python(
        "-c",
        "import sys\n"
        "import elevenlabs_tokens.emulator as package\n"
        "print('aiohttp' in sys.modules, 'asyncio' in sys.modules, 'attrs' in sys.modules)\n"
        "print(package.TokenRecord.__name__, 'aiohttp' in sys.modules)\n"
        "print(package.Emulator.__name__, 'aiohttp' in sys.modules, 'Emulator' in vars(package))\n",
    )

    assert "False False False\nTokenRecord False\nEmulator True True\n" == output


def test_the_package_lists_its_names_and_no_others() -> None:
    """`dir` shows them before they are loaded, and a misspelt one is an AttributeError."""
    assert {"Emulator", "TokenRecord"} <= set(dir(elevenlabs_tokens.emulator))
    with pytest.raises(AttributeError, match="has no attribute 'Emulater'"):
        _ = elevenlabs_tokens.emulator.Emulater  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue] # the point
