"""How long a user waits for a token while the API is 80 ms away: what counts then is the number of round trips."""

import asyncio
import gc
import random
import ssl
import statistics
import time
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from itertools import count

from attrs import frozen

from benchmarks.contenders import (
    BARE,
    OURS,
    VENDOR,
    AsyncCall,
    AsyncContender,
    Contender,
    async_vendor,
    bare_aiohttp,
    ours,
    ours_sync,
    sync_vendor,
)
from benchmarks.distant_server import FIN, RST, TOKEN, UNAVAILABLE
from benchmarks.figures import Wait
from benchmarks.server import Server

OURS_ASYNC = f"{OURS}, async"
OURS_SYNC = f"{OURS}, sync"
VENDOR_ASYNC = f"{VENDOR}, async"
VENDOR_SYNC = f"{VENDOR}, sync"

_clients = count()

_PAUSE_IN_SECONDS = 0.05
"""Between the starts of two samples, so that they do not wait for each other."""


@frozen
class _Case:
    """A call, and what came before it.

    Attributes:
        name: What is measured.
        server: How the server meets the second request on a connection.
        connections: How many are open, each made by a call.
        idle_in_seconds: How long none of them was used.
    """

    name: str
    server: str = TOKEN
    connections: int = 1
    idle_in_seconds: float = 0.0


_FIRST = _Case("first call", connections=0)
_CONNECTED = _Case("first call after `connect()`", connections=0)


def _cases(idle_in_seconds: Sequence[float]) -> list[_Case]:
    return [
        _FIRST,
        _CONNECTED,
        _Case("next call"),
        *(_Case(f"next call, {idle:g} s later", idle_in_seconds=idle) for idle in idle_in_seconds),
        _Case("next call, connection ended (FIN)", FIN),
        _Case("next call, connection ended (RST)", RST),
        _Case("next call, 20 connections ended (FIN)", FIN, connections=20),
        _Case("next call, one 503", UNAVAILABLE),
    ]


@frozen
class _Ending:
    """How a call ended.

    Attributes:
        error: The class of the error; empty if there was a token.
        seconds: After how long.
    """

    error: str
    seconds: float


def measure_waits(server: Server, rounds: int, idle_in_seconds: Sequence[float]) -> list[Wait]:
    """Make each call once a round, each with a client of its own.

    Args:
        server: The distant one.
        rounds: How many.
        idle_in_seconds: How long connections are idle before a call; all of them at the same time.
    """
    return asyncio.run(_measure(server, rounds, idle_in_seconds))


async def _measure(server: Server, rounds: int, idle_in_seconds: Sequence[float]) -> list[Wait]:
    contenders, connected = _contenders(server.ssl_context), _connected(server.ssl_context)
    samples = [
        (case, name, contender)
        for case in _cases(idle_in_seconds)
        for name, contender in (connected if case is _CONNECTED else contenders).items()
    ]
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(100))
    for contender in contenders.values():  # the libraries import what they import late
        await _sample(_FIRST, contender, server.base_url)
    gc.collect()
    gc.freeze()
    tasks: dict[tuple[str, str], list[asyncio.Task[_Ending]]] = {(case.name, name): [] for case, name, _ in samples}
    async with asyncio.TaskGroup() as group:
        for _ in range(rounds):
            for case, name, contender in random.sample(samples, len(samples)):
                tasks[case.name, name].append(group.create_task(_sample(case, contender, server.base_url)))
                await asyncio.sleep(_PAUSE_IN_SECONDS)
    return [_wait(case, name, [task.result() for task in made]) for (case, name), made in tasks.items()]


def _contenders(tls: ssl.SSLContext | None) -> dict[str, AsyncContender]:
    return {
        OURS_ASYNC: partial(ours, ssl_context=tls),
        OURS_SYNC: _in_threads(partial(ours_sync, ssl_context=tls)),
        BARE: partial(bare_aiohttp, ssl_context=tls),
        VENDOR_ASYNC: partial(async_vendor, ssl_context=tls),
        VENDOR_SYNC: _in_threads(partial(sync_vendor, ssl_context=tls)),
    }


def _connected(tls: ssl.SSLContext | None) -> dict[str, AsyncContender]:
    return {
        OURS_ASYNC: partial(ours, ssl_context=tls, connects=True),
        OURS_SYNC: _in_threads(partial(ours_sync, ssl_context=tls, connects=True)),
    }


def _in_threads(contender: Contender) -> AsyncContender:
    @asynccontextmanager
    async def opened(base_url: str) -> AsyncGenerator[AsyncCall]:
        stack = ExitStack()
        call = await asyncio.to_thread(stack.enter_context, contender(base_url))
        try:
            yield lambda: asyncio.to_thread(call)
        finally:
            await asyncio.to_thread(stack.close)

    return opened


async def _open(call: AsyncCall, connections: int) -> None:
    """Have a client open connections: the server answers none of these calls before all have come."""
    calls = []
    for _ in range(connections):
        calls.append(asyncio.ensure_future(call()))
        await asyncio.sleep(0.005)  # handshakes at the same moment would delay the other samples
    await asyncio.gather(*calls)


async def _sample(case: _Case, contender: AsyncContender, base_url: str) -> _Ending:
    async with contender(f"{base_url}/{case.server}/{case.connections}/{next(_clients)}") as call:
        await _open(call, case.connections)
        await asyncio.sleep(case.idle_in_seconds)
        began = time.perf_counter()
        try:
            await call()
        except Exception as error:  # noqa: BLE001  # whatever a contender raises is what its user gets
            return _Ending(type(error).__name__, time.perf_counter() - began)
        return _Ending("", time.perf_counter() - began)


def _wait(case: str, contender: str, endings: Sequence[_Ending]) -> Wait:
    milliseconds = [ending.seconds * 1e3 for ending in endings]
    errors = Counter(ending.error for ending in endings if ending.error)
    return Wait(
        case, contender, len(endings), dict(errors.most_common()), statistics.median(milliseconds), max(milliseconds)
    )
