"""When a call is made again, and after how long: over a real socket, most of it in frozen time."""

import asyncio
import math
import random
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from statistics import fmean
from typing import Any, Self

import pytest

from elevenlabs_tokens import (
    AsyncElevenLabsClient,
    RateLimitError,
    ServerError,
)
from elevenlabs_tokens._http.clock import Clock
from elevenlabs_tokens._http.retry import RetryBudget, decide
from elevenlabs_tokens._http.wire import Failure, FailureKind
from frozen import EPOCH_IN_SECONDS, KEY, FrozenTime
from minting import mint
from scripted import Script, ScriptedApi, reply

pytestmark = pytest.mark.anyio

TOKEN = "sutkn_1234567890"
BACKOFF = 0.5


def date(seconds_from_now: float) -> str:
    """Write a moment of the frozen wall clock as HTTP does."""
    return format_datetime(datetime.fromtimestamp(EPOCH_IN_SECONDS + seconds_from_now, UTC), usegmt=True)


WAITS = {
    "0": BACKOFF,
    "-5": BACKOFF,
    "nan": BACKOFF,
    "soon": BACKOFF,
    "": BACKOFF,
    "5, 10": BACKOFF,
    date(-1): BACKOFF,
    date(0): BACKOFF,
    date(-1e9): BACKOFF,
    "1.5": 1.5,
    "60": 60.0,
    date(3): 3.0,
    date(60): 60.0,
}
TOO_LONG = {
    "61": 61.0,
    "60.001": 60.001,
    "3600": 3600.0,
    "inf": math.inf,
    "1e400": math.inf,
    "9" * 400: math.inf,
    date(61): 61.0,
    "Fri, 31 Dec 9999 23:59:59 GMT": 253_402_300_799 - EPOCH_IN_SECONDS,
}


async def outcome_of(client: AsyncElevenLabsClient, **options: Any) -> tuple[list[float], float | str | None]:
    """Give the waits of a call in time of its own, and the token or the wait that its error names."""
    frozen_time = FrozenTime()
    client._pipeline.clock = frozen_time.clock()
    try:
        return frozen_time.slept, await mint(client, **options)
    except (RateLimitError, ServerError) as error:
        return frozen_time.slept, error.retry_after


@pytest.mark.promise(row=26)
@pytest.mark.parametrize("status_code", [408, 429, 503])
async def test_every_kind_of_retry_after(api: ScriptedApi, client: AsyncElevenLabsClient, status_code: int) -> None:
    """What can be waited for is, to the second; what says nothing is as if absent."""
    outcomes = {}
    for text in WAITS:
        api.replies += [reply(status_code, {}, {"Retry-After": text}), reply()]
        outcomes[text] = await outcome_of(client, timeout_in_seconds=1000)

    assert {text: ([wait], TOKEN) for text, wait in WAITS.items()} == outcomes
    assert (1, 2 * len(WAITS)) == (api.connections, len(api.requests))


@pytest.mark.promise(row=26)
@pytest.mark.parametrize("status_code", [429, 503])
async def test_every_kind_of_retry_after_that_is_too_long(
    api: ScriptedApi, client: AsyncElevenLabsClient, status_code: int
) -> None:
    """Over 60 s the call ends with the first reply, and its error names the wait."""
    outcomes = {}
    for text in TOO_LONG:
        api.replies += [reply(status_code, {}, {"Retry-After": text})]
        outcomes[text] = await outcome_of(client, timeout_in_seconds=1000)

    assert {text: ([], seconds) for text, seconds in TOO_LONG.items()} == outcomes
    assert (1, len(TOO_LONG)) == (api.connections, len(api.requests))


@pytest.mark.promise(row=26)
async def test_a_retry_after_that_does_not_fit_the_deadline(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """The call ends at once, with what it was asked to wait."""
    api.replies += [reply(429, {}, {"Retry-After": "30"}), reply(429, {}, {"Retry-After": "29.9"}), reply()]

    assert ([], 30.0) == await outcome_of(client, timeout_in_seconds=30)
    assert ([29.9], TOKEN) == await outcome_of(client, timeout_in_seconds=30)


@pytest.mark.promise(row=26)
async def test_a_date_counts_from_when_the_reply_came(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """Not from when the request was sent: what the server took is not waited for again, nor told to the caller."""
    outcomes = []
    for seconds in (25, 100):
        frozen_time, answer = FrozenTime(), threading.Event()
        client._pipeline.clock = frozen_time.clock()
        late: Script = [answer, *reply(429, {}, {"Retry-After": date(seconds)})]
        api.replies += [late, reply()]
        api.request_came.clear()
        call = asyncio.create_task(mint(client))
        await asyncio.to_thread(api.request_came.wait, 5)
        frozen_time.advance(10)
        answer.set()
        [outcome] = await asyncio.gather(call, return_exceptions=True)
        outcomes.append((frozen_time.slept, getattr(outcome, "retry_after", outcome)))

    assert [([15.0], TOKEN), ([], 90.0)] == outcomes


@pytest.mark.promise(row=27)
async def test_an_hour_is_not_waited_for(api: ScriptedApi) -> None:
    """By the real clock, the error is there in under 0.1 s."""
    api.replies += [reply(), reply(429, {}, {"Retry-After": "3600"})]
    async with AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url) as client:
        await mint(client)
        began = time.monotonic()
        with pytest.raises(RateLimitError, match=r"\(retry after 3600 s\)") as caught:
            await mint(client)
        took = time.monotonic() - began

    assert 3600 == caught.value.retry_after
    assert took < 0.1
    assert 2 == len(api.requests)


@pytest.mark.promise(row=29)
async def test_a_retry_that_helped_is_paid_back(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """A budget that is all but spent lets call after call be saved, and exactly one retry go to waste."""
    api.replies += [reply(503, {})] * (18 + 35)
    for _ in range(18):
        with pytest.raises(ServerError):
            await mint(client)
    for _ in range(4):
        await mint(client)
    before = len(api.requests)
    api.replies += [reply(503, {}), reply()] * 5
    saved = [await mint(client) for _ in range(5)]
    saving = len(api.requests) - before
    api.replies += [reply(503, {})] * 3
    for _ in range(2):
        with pytest.raises(ServerError):
            await mint(client)

    assert [TOKEN] * 5 == saved
    assert 10 == saving
    assert before + 10 + 2 + 1 == len(api.requests)


class Hesitant(int):
    """A number that lets other threads go first once it has been compared."""

    def __gt__(self, other: int) -> bool:
        time.sleep(0)
        return int(self) > other


@pytest.fixture
def hesitant_price(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put a pause between the look at the budget and the withdrawal, where a thread without a lock would be lost."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    monkeypatch.setattr(RetryBudget, "COST", Hesitant(RetryBudget.COST))
    yield
    sys.setswitchinterval(interval)


@pytest.mark.promise(row=30)
@pytest.mark.usefixtures("hesitant_price")
def test_the_budget_under_32_threads_for_a_second() -> None:
    """Whatever they take and give, it stays from 0 to 500."""
    budget, done = RetryBudget(), threading.Event()
    extremes: list[tuple[int, int, int]] = []

    def work(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311  # no secret hangs on it
        lowest, highest, granted = 500, 0, 0
        while not done.is_set():
            if chance.random() < 0.5:
                granted += budget.withdraw()
            else:
                budget.deposit(after_retry=chance.random() < 0.3)
            units = budget.units
            lowest, highest = min(lowest, units), max(highest, units)
        extremes.append((lowest, highest, granted))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(32)]
    for thread in threads:
        thread.start()
    done.wait(1)
    done.set()
    for thread in threads:
        thread.join()
    lowest, highest, granted = zip(*extremes, strict=True)

    assert 32 == len(extremes)
    assert 0 <= min(lowest)
    assert max(highest) <= 500
    assert sum(granted) > 35


@pytest.mark.promise(row=31)
@pytest.mark.parametrize(("attempt", "longest"), [(0, 0.5), (1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (9, 8.0)])
def test_ten_thousand_waits_of_a_client(attempt: int, longest: float) -> None:
    """By the chance that a client has, they spread evenly from half of the longest to all of it."""
    random.seed(31)
    clock = Clock()

    waits = [
        decide(
            Failure(FailureKind.LOST),
            attempt=attempt,
            max_retries=10,
            seconds_left=30.0,
            wall_clock=clock.wall_clock(),
            draw=clock.draw(),
        )
        for _ in range(10_000)
    ]

    drawn = [wait for wait in waits if wait is not None]
    assert 10_000 == len(drawn)
    assert longest / 2 <= min(drawn) < max(drawn) <= longest
    assert pytest.approx(longest * 0.75, rel=0.02) == fmean(drawn)


@pytest.mark.promise(row=32)
async def test_a_client_without_retries(api: ScriptedApi) -> None:
    """`max_retries=0`, of the client, sends one request."""
    api.replies += [reply(503, {})]
    async with AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, max_retries=0) as client:
        with pytest.raises(ServerError, match=r"^503 Service Unavailable from"):
            await mint(client)

    assert 1 == len(api.requests)


class LateApi(ScriptedApi):
    """A server whose port is its own from the beginning, and refuses connections until it is entered."""

    def __init__(self) -> None:
        super().__init__()
        self._listener.close()
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))

    def __enter__(self) -> Self:
        self._listener.listen()
        super().__enter__()
        return self


@pytest.fixture
async def late() -> AsyncIterator[tuple[LateApi, AsyncElevenLabsClient, FrozenTime]]:
    """Give a server, and a client whose first wait it comes up in."""
    api, frozen_time = LateApi(), FrozenTime()

    async def come_up(seconds: float) -> None:
        frozen_time.slept.append(seconds)
        api.__enter__()

    async with AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url) as client:
        client._pipeline.clock = frozen_time.clock(sleep=come_up)
        yield api, client, frozen_time
    api.__exit__(None, None, None)


@pytest.mark.promise(row=33)
async def test_refused_then_up(late: tuple[LateApi, AsyncElevenLabsClient, FrozenTime]) -> None:
    """The second attempt finds the server that the first one did not."""
    api, client, frozen_time = late

    answer = await client.tokens.single_use.with_raw_response.create("realtime_scribe")

    assert (TOKEN, 1) == (answer.data.token, answer.raw_response.retries_taken)
    assert ([0.5], 1) == (frozen_time.slept, len(api.requests))
