"""Chunks of calls, made by one caller or by many at once, with clients that stay open between rounds."""

import asyncio
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager

from benchmarks.contenders import ONE_FOR_EACH_THREAD, AsyncCall, AsyncContender, Call, Contender
from benchmarks.interleave import Chunk


async def share(call: AsyncCall, callers: int, calls: int) -> None:
    """Make some calls, divided among callers that run at the same time."""

    async def caller() -> None:
        for _ in range(calls // callers):
            await call()

    if callers == 1:
        await caller()
    else:
        await asyncio.gather(*(caller() for _ in range(callers)))


@contextmanager
def async_chunks(
    contenders: Mapping[str, AsyncContender],
    base_url: str,
    *,
    callers: int,
    calls: int,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> Generator[dict[str, Chunk]]:
    """Open the clients of async contenders in one event loop."""
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        stack = AsyncExitStack()

        def chunk_of(contender: AsyncContender) -> Chunk:
            call = runner.run(stack.enter_async_context(contender(base_url)))

            async def chunk() -> float:
                began = time.perf_counter()
                await share(call, callers, calls)
                return (time.perf_counter() - began) / calls

            return lambda: runner.run(chunk())

        try:
            yield {name: chunk_of(contender) for name, contender in contenders.items()}
        finally:
            runner.run(stack.aclose())


@contextmanager
def sync_chunks(
    contenders: Mapping[str, Contender], base_url: str, *, threads: int, calls: int
) -> Generator[dict[str, Chunk]]:
    """Open the clients of sync contenders; the threads share a client if the library allows it."""
    with ExitStack() as stack:

        def chunk_of(name: str, contender: Contender) -> Chunk:
            if threads == 1:
                call = stack.enter_context(contender(base_url))
                return lambda: _timed(call, calls)
            if name in ONE_FOR_EACH_THREAD:
                each = [stack.enter_context(contender(base_url)) for _ in range(threads)]
            else:
                each = [stack.enter_context(contender(base_url))] * threads
            return _in_threads(each, calls)

        yield {name: chunk_of(name, contender) for name, contender in contenders.items()}


def _timed(call: Call, calls: int) -> float:
    began = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - began) / calls


def _in_threads(each: Sequence[Call], calls: int) -> Chunk:
    workers = [_Worker(call, calls // len(each)) for call in each]

    def chunk() -> float:
        began = time.perf_counter()
        for worker in workers:
            worker.go.release()
        for worker in workers:
            worker.done.acquire()
        return (time.perf_counter() - began) / calls

    return chunk


class _Worker:
    """A thread that lives on between rounds, so that what a library keeps for each thread is kept, too."""

    def __init__(self, call: Call, calls: int) -> None:
        self._call = call
        self._calls = calls
        self.go = threading.Semaphore(0)
        self.done = threading.Semaphore(0)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            self.go.acquire()
            for _ in range(self._calls):
                self._call()
            self.done.release()
