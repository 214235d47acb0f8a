"""What a connection costs that the server ended while it was idle: one new connection, and no wait."""

import asyncio
import socket
import sys
import time
from threading import Event

import pytest

from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsConnectionError
from frozen import FrozenTime
from minting import mint, until
from reach import connector_of
from rows import row
from scripted import TOKEN, Act, Script, ScriptedApi, Step, reply

pytestmark = pytest.mark.anyio

LOSSES = pytest.mark.parametrize("loss", [row(1, Act.CLOSE, id="FIN"), row(2, Act.RESET, id="RST")])


def reply_and_end(loss: Step, *before: Step) -> Script:
    """Answer, and end the connection when it is used again."""
    return [*before, *reply(), Act.READ, loss]


async def keep_connections(api: ScriptedApi, client: AsyncElevenLabsClient, count: int, loss: Step) -> None:
    """Have the client keep as many idle connections, each of which ends when it is used again."""
    all_came = Event()
    api.replies += [reply_and_end(loss, all_came)] * count
    calls = [asyncio.create_task(mint(client)) for _ in range(count)]
    await until(lambda: len(api.requests) == count)
    all_came.set()
    await asyncio.gather(*calls)


@LOSSES
@pytest.mark.parametrize("count", [1, 20])
async def test_one_new_connection_and_no_wait(
    api: ScriptedApi, client: AsyncElevenLabsClient, frozen_time: FrozenTime, count: int, loss: Step
) -> None:
    """However many idle connections have ended, the call meets one of them, and waits for nothing."""
    await keep_connections(api, client, count, loss)

    answer = await client.tokens.single_use.with_raw_response.create("realtime_scribe")

    assert (TOKEN["token"], 1) == (answer.data.token, answer.raw_response.retries_taken)
    assert ([], count + 1) == (frozen_time.slept, api.connections)


@LOSSES
async def test_many_calls_at_once_meet_stale_connections(
    api: ScriptedApi, client: AsyncElevenLabsClient, frozen_time: FrozenTime, loss: Step
) -> None:
    """Each meets one at most, and opens one new connection; those that the others opened are not dropped."""
    await keep_connections(api, client, 20, loss)

    tokens = [token for _ in range(2) for token in await asyncio.gather(*(mint(client) for _ in range(20)))]

    assert [TOKEN["token"]] * 40 == tokens
    assert ([], 20 + 20) == (frozen_time.slept, api.connections)


async def test_a_connection_made_since_is_kept(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """A stale connection says nothing of those that were opened after another one was found stale."""
    both_came, ends = Event(), [Event(), Event()]
    api.replies += [[both_came, *reply(), Act.READ, end, Act.CLOSE] for end in ends]
    first = [asyncio.create_task(mint(client)) for _ in ends]
    await until(lambda: len(api.requests) == len(ends))
    both_came.set()
    await asyncio.gather(*first)

    calls = [asyncio.create_task(mint(client)) for _ in ends]
    await asyncio.sleep(0)
    for end in ends:
        end.set()
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        calls = [call for call in calls if not call.done()]

    assert (2 + 1, []) == (api.connections, calls)


@LOSSES
@pytest.mark.parametrize(
    ("units", "max_retries"), [pytest.param(500, 0, id="no retries"), row(29, 13, 2, id="an empty budget")]
)
async def test_without_retries(
    api: ScriptedApi, client: AsyncElevenLabsClient, loss: Step, units: int, max_retries: int
) -> None:
    """A call that may not retry sends one request, and fails: each retry is charged to the client's budget."""
    await keep_connections(api, client, 1, loss)
    client._pipeline._budget._units = units

    with pytest.raises(ElevenLabsConnectionError):
        await mint(client, max_retries=max_retries)

    assert (1, 1) == (api.connections, len(api.requests))


@pytest.mark.parametrize("first", [b"H", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"], ids=["a byte", "a head"])
async def test_a_kept_connection_that_is_lost_after_the_first_byte_waits(
    api: ScriptedApi, client: AsyncElevenLabsClient, frozen_time: FrozenTime, first: bytes
) -> None:
    """A request that was being answered is not sent again at once."""
    api.replies += [[*reply(), Act.READ, first, Act.CLOSE]]
    await mint(client)

    token = await mint(client)

    assert (TOKEN["token"], [0.5]) == (token, frozen_time.slept)


async def test_the_second_stale_connection_of_a_call_waits(
    api: ScriptedApi, client: AsyncElevenLabsClient, frozen_time: FrozenTime
) -> None:
    """Once a call: while the first is tried again, another call may leave a connection that ends as well."""
    await keep_connections(api, client, 1, Act.CLOSE)
    api.replies += [[*reply(503), Act.READ, Act.CLOSE]]

    answer = await client.tokens.single_use.with_raw_response.create(
        "realtime_scribe", request_options={"max_retries": 3}
    )

    assert (TOKEN["token"], 3) == (answer.data.token, answer.raw_response.retries_taken)
    assert [1.0, 2.0] == frozen_time.slept


async def test_idle_for_90_seconds(
    api: ScriptedApi, client: AsyncElevenLabsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that was idle for 89 s is used again; one that was idle for 91 s is not."""
    idle_in_seconds = 0.0
    monkeypatch.setattr("aiohttp.connector.monotonic", lambda: time.monotonic() + idle_in_seconds)
    connections = []
    for seconds in (0.0, 20.0, 89.0, 91.0):
        idle_in_seconds += seconds
        await mint(client)
        connections.append(api.connections)

    assert [1, 1, 1, 2] == connections


@pytest.mark.skipif(sys.platform != "linux", reason="reads the options by their names on Linux")
async def test_a_connection_that_dies_without_a_word_is_noticed(client: AsyncElevenLabsClient) -> None:
    """The system asks after 15 s of idleness, gives up 15 s later, and waits 5 s for what was sent."""
    await mint(client)
    [[(protocol, _)]] = connector_of(client)._conns.values()  # no public way leads to it
    connection = protocol.transport.get_extra_info("socket")

    options = {
        name: connection.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
        for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
    }

    assert {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 5_000} == options
    assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
