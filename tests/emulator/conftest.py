from collections.abc import AsyncIterator

import aiohttp
import pytest

from elevenlabs_tokens.emulator import Emulator
from frontend import Frontend
from frozen import KEY, FrozenTime


@pytest.fixture
async def emulator(frozen_time: FrozenTime) -> AsyncIterator[Emulator]:
    """Run an emulator that accepts one key, with a frozen clock."""
    async with Emulator(api_keys=[KEY], clock=frozen_time.clock().wall_clock) as emulator:
        yield emulator


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session


@pytest.fixture
def frontend(http: aiohttp.ClientSession, emulator: Emulator) -> Frontend:
    return Frontend(http, emulator)
