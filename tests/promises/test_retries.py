"""Which calls are retried, after how long, and when they end: over a socket, with a frozen clock in most tests."""

import asyncio
import socket
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Self

import pytest

import scripted
from elevenlabs_tokens import (
    AsyncElevenLabsClient,
    ElevenLabsConnectionError,
    ElevenLabsStatusError,
    ElevenLabsTimeoutError,
    RateLimitError,
    ServerError,
)
from frozen import EPOCH_IN_SECONDS, KEY, FrozenTime
from minting import mint
from rows import row
from scripted import Act, Script, ScriptedApi, head, reply

pytestmark = pytest.mark.anyio

TOKEN = scripted.TOKEN["token"]
UNAVAILABLE = reply(503, {})
HALF_A_REPLY = head(200, {"Content-Length": 99}) + b"{"


@pytest.mark.promise(row=28)
@pytest.mark.parametrize(
    ("status_code", "requests"),
    [
        *((status_code, 3) for status_code in (408, 429, 500, 501, 502, 503, 504, 529)),
        *((status_code, 1) for status_code in (400, 401, 402, 403, 404, 405, 409, 413, 422)),
    ],
)
async def test_error_statuses(
    api: ScriptedApi, client: AsyncElevenLabsClient, frozen_time: FrozenTime, status_code: int, requests: int
) -> None:
    """Those that another attempt may mend get three attempts, the others one; chance halves the waits at most."""
    api.replies += [reply(status_code, {})] * 3
    frozen_time.draw = 0.0

    attempts = " after 3 attempts" if requests == 3 else ""
    with pytest.raises(ElevenLabsStatusError, match=rf"^{status_code}( .*)? from POST \S+{attempts}; "):
        await mint(client)

    assert requests == len(api.requests)
    assert [0.25, 0.5][: requests - 1] == frozen_time.slept


@pytest.mark.promise(row=32)
@pytest.mark.parametrize(("of_client", "of_call"), [(0, {}), (2, {"max_retries": 0})], ids=["client", "call"])
async def test_no_retries(api: ScriptedApi, of_client: int, of_call: dict[str, Any]) -> None:
    """With `max_retries=0`, one request is sent."""
    api.replies += [UNAVAILABLE]
    async with AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, max_retries=of_client) as client:
        with pytest.raises(ServerError, match=r"^503 Service Unavailable from"):
            await mint(client, **of_call)

    assert 1 == len(api.requests)


# Retry-After; the table of all its texts is in `pure/test_pure_retry.py`


def date(seconds_from_now: float) -> str:
    """Write a time of the frozen clock as HTTP does."""
    return format_datetime(datetime.fromtimestamp(EPOCH_IN_SECONDS + seconds_from_now, UTC), usegmt=True)


@pytest.mark.promise(row=26)
@pytest.mark.parametrize(
    ("status_code", "text", "waits", "outcome"),
    [
        pytest.param(429, "29.9", [29.9], TOKEN, id="fits the deadline"),
        pytest.param(503, "30", [], 30.0, id="takes all until the deadline"),
        pytest.param(503, "5, 10", [0.5], TOKEN, id="unreadable"),
    ],
)
async def test_retry_after(
    api: ScriptedApi,
    client: AsyncElevenLabsClient,
    frozen_time: FrozenTime,
    *,
    status_code: int,
    text: str,
    waits: list[float],
    outcome: str | float,
) -> None:
    """The call waits exactly as long as it is told, or ends with an error that names the wait."""
    api.replies += [reply(status_code, {}, {"Retry-After": text})]

    [result] = await asyncio.gather(mint(client), return_exceptions=True)

    assert outcome == getattr(result, "retry_after", result)
    assert waits == frozen_time.slept
    assert (1, 1 + len(waits)) == (api.connections, len(api.requests))


@pytest.mark.promise(row=26)
@pytest.mark.parametrize(("seconds", "waits", "outcome"), [(25, [15.0], TOKEN), (100, [], 90.0)])
async def test_a_date_counts_from_when_the_reply_came(
    api: ScriptedApi,
    client: AsyncElevenLabsClient,
    frozen_time: FrozenTime,
    *,
    seconds: float,
    waits: list[float],
    outcome: str | float,
) -> None:
    """If the server takes 10 s to reply, the wait and the error's `retry_after` are 10 s shorter."""
    answer = threading.Event()
    late: Script = [answer, *reply(429, {}, {"Retry-After": date(seconds)})]
    api.replies += [late]
    call = asyncio.create_task(mint(client))
    await asyncio.to_thread(api.request_came.wait, 5)
    frozen_time.advance(10)
    answer.set()

    [result] = await asyncio.gather(call, return_exceptions=True)

    assert (waits, outcome) == (frozen_time.slept, getattr(result, "retry_after", result))


@pytest.mark.timed
@pytest.mark.promise(row=27)
async def test_an_hour_is_not_waited_for(api: ScriptedApi) -> None:
    """By the real clock, the error comes in under 0.1 s."""
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


# The budget


@pytest.mark.promise(row=29)
async def test_the_budget_of_a_client(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """After 35 retries, three clean successes pay for no other retry, four for one; one that helps is paid back."""
    client._pipeline._budget._units -= 35 * 14
    for _ in range(3):
        await mint(client)
    api.replies += [UNAVAILABLE]
    with pytest.raises(ServerError, match=r"^503 Service Unavailable from"):
        await mint(client)
    await mint(client)
    api.replies += [UNAVAILABLE, reply()] * 5
    tokens = [await mint(client) for _ in range(5)]
    api.replies += [UNAVAILABLE] * 2
    with pytest.raises(ServerError, match="after 2 attempts"):
        await mint(client)

    assert [TOKEN] * 5 == tokens
    assert 3 + 1 + 1 + 5 * 2 + 2 == len(api.requests)


# Connections


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([Act.CLOSE], id="closed"),
        pytest.param([Act.RESET], id="reset"),
        pytest.param([b"H", Act.CLOSE], id="cut after a byte"),
        pytest.param([HALF_A_REPLY, Act.CLOSE], id="cut in its body"),
        row(4, [HALF_A_REPLY, Act.RESET], id="reset in its body"),
    ],
)
async def test_a_lost_connection(
    api: ScriptedApi, either_client: AsyncElevenLabsClient, frozen_time: FrozenTime, script: Script
) -> None:
    """The call is retried after a wait; after three lost connections its error names the host and the port."""
    api.replies += [script, reply(), *[script] * 3]

    assert TOKEN == await mint(either_client)
    assert ([0.5], 2) == (frozen_time.slept, len(api.requests))
    text = rf"lost the connection to 127\.0\.0\.1:{api.port} before the reply was complete( \(.*\))? after 3 attempts; "
    with pytest.raises(ElevenLabsConnectionError, match=f"^{text}try again later$") as caught:
        await mint(either_client)

    assert ElevenLabsConnectionError is type(caught.value)
    assert 2 + 3 == len(api.requests)


@pytest.mark.promise(row=33)
async def test_nobody_listens(frozen_time: FrozenTime) -> None:
    """Connecting is retried; after three refusals the error names the host and the port."""
    with ScriptedApi() as gone:
        port = gone.port
    async with AsyncElevenLabsClient(api_key=KEY, base_url=f"http://127.0.0.1:{port}") as client:
        client._pipeline.clock = frozen_time.clock()
        with pytest.raises(ElevenLabsConnectionError) as caught:
            await mint(client)

    text = f"could not connect to 127.0.0.1:{port} (connection refused) after 3 attempts; check the network, base_url"
    assert str(caught.value).startswith(text)
    assert [0.5, 1.0] == frozen_time.slept


class LateApi(ScriptedApi):
    """A server that has its port from the beginning, and refuses connections until it is entered."""

    def __init__(self) -> None:
        super().__init__()
        self._listener.close()
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))

    def __enter__(self) -> Self:
        self._listener.listen()
        return super().__enter__()


@pytest.mark.promise(row=33)
async def test_refused_then_up(frozen_time: FrozenTime) -> None:
    """The second attempt reaches a server that starts during the wait."""
    api = LateApi()
    with ExitStack() as running:

        async def start(seconds: float) -> None:
            frozen_time.slept.append(seconds)
            running.enter_context(api)

        async with AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url) as client:
            client._pipeline.clock = frozen_time.clock(sleep=start)
            answer = await client.tokens.single_use.with_raw_response.create("realtime_scribe")

    assert (TOKEN, 1) == (answer.data.token, answer.raw_response.retries_taken)
    assert ([0.5], 1) == (frozen_time.slept, len(api.requests))


# The deadline


async def test_an_attempt_after_a_wait(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """It has the time that the wait has left."""
    api.replies += [reply(503, {}, {"Retry-After": "4.9"}), [Act.STALL]]

    with pytest.raises(ElevenLabsTimeoutError):
        async with asyncio.timeout(2):  # raises a plain TimeoutError
            await mint(client, timeout_in_seconds=5)

    assert 2 == len(api.requests)
