"""The event loop that sync calls run in."""

import asyncio
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class PortalLoop(asyncio.SelectorEventLoop):
    """A loop whose lookups run in daemon threads, which an interpreter that exits does not wait for."""

    def __init__(self) -> None:
        super().__init__()
        if sys.version_info >= (3, 12):
            self.set_task_factory(asyncio.eager_task_factory)  # a call begins as it arrives, not a round later

    def run_in_executor(
        self,
        executor: Executor | None,  # noqa: ARG002  # asyncio's own name
        func: Callable[[Unpack[Ts]], T],
        *args: *Ts,
    ) -> "asyncio.Future[T]":
        """Run a function in a thread of its own."""
        outcome: Future[T] = Future()

        def run() -> None:
            if outcome.set_running_or_notify_cancel():
                try:
                    outcome.set_result(func(*args))
                except BaseException as error:  # noqa: BLE001  # it is raised where the outcome is awaited
                    outcome.set_exception(error)

        threading.Thread(target=run, name="elevenlabs-tokens-lookup", daemon=True).start()
        return asyncio.wrap_future(outcome, loop=self)
