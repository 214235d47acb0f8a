from collections.abc import AsyncIterator
from types import SimpleNamespace

import aiohttp
import pytest

from elevenlabs_tokens.emulator import Emulator


@pytest.fixture
def clock() -> SimpleNamespace:
    """Its `now`, in seconds since the epoch, passes only when a test says so."""
    return SimpleNamespace(now=1_700_000_000.0)


@pytest.fixture
async def emulator(clock: SimpleNamespace) -> AsyncIterator[Emulator]:
    async with Emulator(api_keys=["sk_good"], clock=lambda: clock.now) as emulator:
        yield emulator


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session
