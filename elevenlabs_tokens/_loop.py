"""The event loop of sync calls, and its thread."""

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
    """An event loop that looks hosts up in daemon threads, so that the interpreter need not wait for them to exit."""

    def __init__(self) -> None:
        super().__init__()
        self.is_serving = False
        if sys.version_info >= (3, 12):
            self.set_task_factory(asyncio.eager_task_factory)  # a call begins at once, not one turn later

    def run_forever(self) -> None:
        """Run until the loop is stopped; a task that raises `SystemExit` does not stop a loop that is serving.

        Such a task is the caller's own: an `api_key` callable started it.
        """
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
        """Run a function in an executor; in a daemon thread of its own where the executor is None."""
        if executor is not None:
            return super().run_in_executor(executor, func, *args)
        outcome: Future[T] = Future()

        def run() -> None:
            if outcome.set_running_or_notify_cancel():
                try:
                    outcome.set_result(func(*args))
                except BaseException as error:  # noqa: BLE001  # whoever awaits the outcome gets it
                    outcome.set_exception(error)

        threading.Thread(target=run, name="elevenlabs-tokens-lookup", daemon=True).start()
        return asyncio.wrap_future(outcome, loop=self)


class RunningLoop(NamedTuple):
    """An event loop that runs.

    Attributes:
        thread: The daemon thread that it runs in.
        loop: The event loop.
        stop: An event of that loop; setting it ends the loop.
    """

    thread: threading.Thread
    loop: asyncio.AbstractEventLoop
    stop: anyio.Event


def start_loop() -> Future[RunningLoop]:
    """Start an event loop in a thread of its own.

    Returns:
        A future of the loop, set once the loop runs; or of the error that kept it from running.

    Raises:
        RuntimeError: No thread can be started.
    """
    started: Future[RunningLoop] = Future()

    async def main() -> None:
        stop = anyio.Event()
        loop = cast("PortalLoop", current_token().native_token)
        loop.is_serving = True
        started.set_result(RunningLoop(threading.current_thread(), loop, stop))
        await stop.wait()
        loop.is_serving = False  # anyio then cancels the calls under way, and closes the sessions

    def serve() -> None:
        try:
            anyio.run(main, backend_options={"loop_factory": PortalLoop})
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    threading.Thread(target=serve, name="elevenlabs-tokens", daemon=True).start()
    return started
