"""The parts of the benchmarks that do not measure."""

import asyncio
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from benchmarks.delaying_proxy import ROUND_TRIP_IN_SECONDS, DelayingProxy, reset
from benchmarks.figures import Wait
from benchmarks.page import published
from benchmarks.server import listen, port_of
from benchmarks.tables import wait_in_words

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("path", "content"), published().items(), ids=lambda value: getattr(value, "name", ""))
def test_the_docs_show_the_results(path: Path, content: str) -> None:
    """`PYTHONPATH=tests python -m benchmarks.page` makes them anew."""
    assert content == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        ({}, "82 (1,204)"),
        ({"ReadError": 20}, "ReadError after 82 (1,204)"),
        ({"ReadError": 3, "OSError": 1}, "3 x ReadError, 1 x OSError after 82 (1,204)"),
    ],
)
def test_a_wait_in_words(errors: dict[str, int], words: str) -> None:
    """Errors stand before the times, counted where some calls gave a token."""
    assert words == wait_in_words(Wait("next call", "someone", 20, errors, 81.7, 1204.2))


class Echo(asyncio.Protocol):
    """Sends back what comes; ends the connection when told to."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if data == b"FIN":
            self._transport.close()
        elif data == b"RST":
            reset(self._transport)
        else:
            self._transport.write(data)


@pytest.mark.parametrize(
    ("end", "outcome", "last"), [(b"FIN", nullcontext(), [b""]), (b"RST", pytest.raises(ConnectionResetError), [])]
)
async def test_the_proxy_delays(end: bytes, outcome: AbstractContextManager[object], last: list[bytes]) -> None:
    """The first answer takes two round trips, one of which stands for the connecting; each other one takes one.

    A reset reaches the client as a reset.
    """
    server = await listen(Echo)
    proxy = await listen(lambda: DelayingProxy(port_of(server)))
    times = [time.perf_counter()]
    answers = []
    async with server, proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(proxy))
        for _ in range(2):
            writer.write(b"1")
            writer.write(b"2")
            answers.append(await reader.readexactly(2))
            times.append(time.perf_counter())
        writer.write(end)
        with outcome:
            answers.append(await reader.read())
        writer.close()

    assert [b"12", b"12", *last] == answers
    assert times[1] - times[0] >= 2 * ROUND_TRIP_IN_SECONDS
    assert times[2] - times[1] >= ROUND_TRIP_IN_SECONDS
