"""Many users at once."""

import asyncio
from time import monotonic

import aiohttp
import pytest

from elevenlabs_tokens.emulator import Emulator
from endpoint.asking import crowd, post, running

pytestmark = pytest.mark.anyio

SERVERS = pytest.mark.parametrize("server", ["uvicorn", "aiohttp"])
CLIENTS = pytest.mark.parametrize("client", ["async", "sync"])


@SERVERS
@CLIENTS
async def test_every_user_gets_another_token(server: str, client: str, elevenlabs_emulator: Emulator) -> None:
    """200 users at once get 200 different tokens."""
    with running(server, elevenlabs_emulator.base_url) as process:
        async with crowd() as session:
            url = f"{process.base_url}/{client}/limited"
            answers = await asyncio.gather(*(post(session, url, f"user {number}") for number in range(200)))

    assert {201} == {answer.status for answer in answers}
    assert 200 == len({answer.token for answer in answers}) == len(elevenlabs_emulator.tokens)


async def seconds_of(session: aiohttp.ClientSession, url: str) -> float:
    began = monotonic()
    async with session.get(url) as response:
        response.raise_for_status()
        await response.read()
    return monotonic() - began


@SERVERS
@CLIENTS
@pytest.mark.timed
async def test_the_loop_stays_free(server: str, client: str, elevenlabs_emulator: Emulator) -> None:
    """While mints take a second, another route of the same loop answers within 100 ms."""
    elevenlabs_emulator.fail_next(128, delay_in_seconds=1)
    with running(server, elevenlabs_emulator.base_url) as process:
        async with crowd() as session, asyncio.TaskGroup() as tasks:
            url = f"{process.base_url}/{client}/limited"
            mints = [tasks.create_task(post(session, url, number)) for number in range(128)]
            while len(elevenlabs_emulator.tokens) < 64:  # noqa: ASYNC110  # nothing tells when the emulator mints
                await asyncio.sleep(0.01)
            waits = []
            while not all(mint.done() for mint in mints):
                waits.append(await seconds_of(session, f"{process.base_url}/health"))
                await asyncio.sleep(0.02)

    assert {201} == {mint.result().status for mint in mints}
    assert len(waits) > 20
    assert max(waits) < 0.1
