"""How long a new process takes: for the import, and until it has its first token."""

import subprocess
import sys
import time

from benchmarks.contenders import AGAIN, BARE, HEADERS, KEY, OURS, PATH, VENDOR
from benchmarks.figures import Figure, Target, Timing, milliseconds_more, ratio, timings
from benchmarks.interleave import Chunk, interleave

_PYTHON = "bare Python"
_PACKAGE = "import elevenlabs_tokens"
_PYTEST = "pytest"
_PLUGIN = "the pytest plugin"
_CLIENT = "import of AsyncElevenLabsClient"
_VENDOR_CLIENT = "import of the vendor's client"

_IMPORTS = {
    _PYTHON: "",
    AGAIN: "",
    _PACKAGE: "import elevenlabs_tokens",
    _PYTEST: "import pytest",
    _PLUGIN: "import pytest, elevenlabs_tokens.emulator.pytest_plugin",
}
_CLIENT_IMPORTS = {
    _PYTHON: "",
    _CLIENT: "from elevenlabs_tokens import AsyncElevenLabsClient",
    _VENDOR_CLIENT: "from elevenlabs.client import AsyncElevenLabs",
}

START_UP = "new process to first token"
_OURS_SYNC = "this package, sync"
_FIRST_TOKEN = {
    BARE: f"""
import asyncio, sys, aiohttp
async def main():
    async with aiohttp.ClientSession() as session:
        async with session.post(sys.argv[1] + "{PATH}", headers={HEADERS}) as response:
            response.raise_for_status()
            (await response.json())["token"]
asyncio.run(main())
""",
    OURS: f"""
import asyncio, sys
from elevenlabs_tokens import AsyncElevenLabsClient
async def main():
    async with AsyncElevenLabsClient(api_key="{KEY}", base_url=sys.argv[1]) as client:
        (await client.tokens.single_use.create("realtime_scribe")).token
asyncio.run(main())
""",
    _OURS_SYNC: f"""
import sys
from elevenlabs_tokens import ElevenLabsClient
with ElevenLabsClient(api_key="{KEY}", base_url=sys.argv[1]) as client:
    client.tokens.single_use.create("realtime_scribe").token
""",
    VENDOR: f"""
import sys
from elevenlabs.client import ElevenLabs
ElevenLabs(api_key="{KEY}", base_url=sys.argv[1]).tokens.single_use.create("realtime_scribe").token
""",
}
_FIRST_TOKEN[AGAIN] = _FIRST_TOKEN[BARE]


def _process(program: str, *arguments: str) -> Chunk:
    def run() -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-P", "-c", program, *arguments], check=True)
        return time.perf_counter() - began

    return run


def measure_imports(rounds: int) -> list[Figure]:
    """Compare processes that import with those that do not."""
    times = interleave({name: _process(program) for name, program in _IMPORTS.items()}, rounds)
    clients = interleave({name: _process(program) for name, program in _CLIENT_IMPORTS.items()}, max(2, rounds // 5))
    return [
        Figure(_PACKAGE, _PYTHON, "ms", milliseconds_more(times, _PACKAGE, _PYTHON), Target("<", 4.0)),
        Figure(_PLUGIN, _PYTEST, "ms", milliseconds_more(times, _PLUGIN, _PYTEST), Target("<", 6.0)),
        Figure("nothing at all (noise)", _PYTHON, "ms", milliseconds_more(times, AGAIN, _PYTHON)),
        *(Figure(name, _PYTHON, "ms", milliseconds_more(clients, name, _PYTHON)) for name in (_CLIENT, _VENDOR_CLIENT)),
    ]


def measure_start_up(base_url: str, rounds: int) -> tuple[list[Timing], list[Figure]]:
    """Compare scripts that mint one token; a figure is our time divided by the base's."""
    times = interleave({name: _process(program, base_url) for name, program in _FIRST_TOKEN.items()}, rounds)
    figures = [
        # Here, unlike elsewhere, less is better.
        Figure(f"{START_UP}, async", BARE, "ratio", ratio(times, BARE, OURS), Target("<=", 1.10)),
        Figure(f"{START_UP}, sync", BARE, "ratio", ratio(times, BARE, _OURS_SYNC), Target("<=", 1.20)),
    ]
    return timings(START_UP, times, BARE), figures
