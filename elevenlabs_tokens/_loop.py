"""The event loop that sync calls run in, and its thread."""

import asyncio
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import NamedTuple, TypeVar, TypeVarTuple, Unpack, cast

import anyio
from anyio.lowlevel import current_token

from elevenlabs_tokens._internals import load_asyncio_backend

load_asyncio_backend()

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class PortalLoop(asyncio.SelectorEventLoop):
    """A loop whose lookups run in daemon threads, which an interpreter that exits does not wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.is_serving = False
        if sys.version_info >= (3, 12):
            self.set_task_factory(asyncio.eager_task_factory)  # a call begins as it arrives, not a round later

    def run_forever(self) -> None:
        """Run until it is stopped: while it serves, a task of the caller's own that exits ends nothing but itself."""
        while True:
            try:
                return super().run_forever()
            except (SystemExit, KeyboardInterrupt):
                if not self.is_serving:
                    raise

    def run_in_executor(
        self,
        executor: Executor | None,
        func: Callable[[Unpack[Ts]], T],
        *args: *Ts,
    ) -> "asyncio.Future[T]":
        """Run a function in a thread of its own, where it is not told in which."""
        if executor is not None:
            return super().run_in_executor(executor, func, *args)
        outcome: Future[T] = Future()

        def run() -> None:
            if outcome.set_running_or_notify_cancel():
                try:
                    outcome.set_result(func(*args))
                except BaseException as error:  # noqa: BLE001  # it is raised where the outcome is awaited
                    outcome.set_exception(error)

        threading.Thread(target=run, name="elevenlabs-tokens-lookup", daemon=True).start()
        return asyncio.wrap_future(outcome, loop=self)


class Running(NamedTuple):
    """A loop that runs.

    Attributes:
        thread: The daemon thread that it runs in.
        loop: The loop.
        stop: Ends it when it is set, in the loop.
    """

    thread: threading.Thread
    loop: asyncio.AbstractEventLoop
    stop: anyio.Event


def start() -> Future[Running]:
    """Start a loop in a thread of its own.

    Returns:
        What will hold the loop once it runs, or the error that kept it from running.

    Raises:
        RuntimeError: No thread can be started.
    """
    started: Future[Running] = Future()

    async def main() -> None:
        stop = anyio.Event()
        loop = cast("PortalLoop", current_token().native_token)
        loop.is_serving = True
        started.set_result(Running(threading.current_thread(), loop, stop))
        await stop.wait()
        loop.is_serving = False  # and anyio cancels the calls under way, and closes the sessions

    def serve() -> None:
        try:
            anyio.run(main, backend_options={"loop_factory": PortalLoop})
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    threading.Thread(target=serve, name="elevenlabs-tokens", daemon=True).start()
    return started
