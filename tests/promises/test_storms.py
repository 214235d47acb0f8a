"""Many calls at once, of an API that is down or that fails at random."""

import asyncio
import gc
from collections import Counter
from itertools import count
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

import pytest

from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsConnectionError, ElevenLabsError, ServerError
from elevenlabs_tokens._http.clock import Clock
from faults import FAULTS, HALF_A_REPLY, KEY
from minting import mint
from reach import connector_of
from scripted import Act, Script, reply
from swarm import Swarm

DEADLINE_IN_SECONDS = 5.0
OPEN_FILES = Path("/proc/self/fd")
HURRIED = Clock(sleep=lambda seconds: asyncio.sleep(seconds / 100))

FAILURES: list[Script | None] = [
    *(fault.script for fault in FAULTS if fault.script),
    reply(503, {}),
    reply(429, {}),
    [Act.CLOSE],
    [Act.RESET],
    [*HALF_A_REPLY, Act.RESET],
    None,  # a token, after which the connection is closed: the next call may try to use it
]


def open_files() -> int:
    return len(list(OPEN_FILES.iterdir())) if OPEN_FILES.is_dir() else 0


async def storm(client: AsyncElevenLabsClient, calls: int, at_once: int) -> list[tuple[str | ElevenLabsError, float]]:
    """Make so many calls, some at once, and list the outcome of each with the seconds that it took."""
    outcomes: list[tuple[str | ElevenLabsError, float]] = []
    left = iter(range(calls))

    async def call_until_done() -> None:
        outcome: str | ElevenLabsError
        for _ in left:
            began = monotonic()
            try:
                outcome = await mint(client)
            except ElevenLabsError as error:
                outcome = error
            outcomes.append((outcome, monotonic() - began))

    client._pipeline.clock = HURRIED
    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(call_until_done())
    return outcomes


@pytest.mark.timed
@pytest.mark.anyio
@pytest.mark.promise(row=29)
@pytest.mark.parametrize(
    ("script", "error"),
    [(reply(503, {}), ServerError), ([Act.RESET], ElevenLabsConnectionError)],
    ids=["503", "reset"],
)
async def test_200_calls_at_once_of_a_dead_api(script: Script, error: type[ElevenLabsError]) -> None:
    """They get 35 retries in all, share 64 connections, and fail within their deadlines."""
    async with (
        Swarm(lambda: script) as api,
        AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, timeout_in_seconds=DEADLINE_IN_SECONDS) as client,
    ):
        outcomes = await storm(client, calls=200, at_once=200)

    assert {error: 200} == Counter(type(outcome) for outcome, _ in outcomes)
    assert max(seconds for _, seconds in outcomes) < DEADLINE_IN_SECONDS
    assert 200 + 35 == api.requests
    assert api.most_open <= 64


@pytest.mark.timed
def test_5_000_calls_of_an_api_that_fails_at_random() -> None:
    """Each gives a token of its own or one of our errors, within its deadline, and leaves nothing behind."""
    numbers, chance = count(), Random(14)  # noqa: S311  # no secret depends on it
    minted: set[str] = set()
    complaints: list[dict[str, Any]] = []

    def choose() -> Script:
        fails = chance.random() < 0.2
        failure = chance.choice(FAILURES) if fails else None
        if failure:
            return failure
        token = f"sutkn_{next(numbers)}"
        minted.add(token)
        return [*reply(200, {"token": token}), *([Act.CLOSE] if fails else [])]

    async def main() -> list[tuple[str | ElevenLabsError, float]]:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        async with Swarm(choose) as api:
            client = AsyncElevenLabsClient(
                api_key=KEY,
                base_url=api.base_url,
                timeout_in_seconds=DEADLINE_IN_SECONDS,
                attempt_timeout_in_seconds=0.25,
            )
            outcomes = await storm(client, calls=5_000, at_once=64)
            assert set() == connector_of(client)._acquired
            await client.aclose()
            await api.all_gone()
            assert {asyncio.current_task()} == asyncio.all_tasks()
        assert api.most_open <= 64
        return outcomes

    files = open_files()
    outcomes = asyncio.run(main())
    gc.collect()

    tokens = [outcome for outcome, _ in outcomes if isinstance(outcome, str)]
    assert 5_000 == len(outcomes)
    assert len(tokens) == len(set(tokens))
    assert set(tokens) <= minted
    assert len(tokens) > 2_500
    assert max(seconds for _, seconds in outcomes) < DEADLINE_IN_SECONDS
    assert [] == complaints
    assert files == open_files()
