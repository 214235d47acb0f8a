"""Runners wait for the app's own functions, the mint and the storage: in an event loop, or in a thread without one.

The policy awaits a runner's methods in both cases. In a thread they block and never suspend, so that the policy's
coroutine runs to its end in one step.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from functools import partial
from typing import Any, Protocol, Self, TypeVar, cast

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from attrs import frozen

from elevenlabs_tokens._portal import portal
from elevenlabs_tokens.exceptions import ElevenLabsConfigError

T = TypeVar("T")

_MOST_THREADS = 64
"""How many sync hooks of an event loop run at once; the threads that the app itself uses do not count."""

_threads: RunVar[CapacityLimiter] = RunVar("elevenlabs_tokens.endpoint.threads")


@frozen
class Hook:
    """One of the app's own functions.

    Attributes:
        name: `authorize` or `on_minted`.
        function: The function. Its result is awaited if it is awaitable, even if `is_async` is false.
        is_async: Whether it is an `async def`, so that calling it cannot block.
    """

    name: str
    function: Callable[..., object]
    is_async: bool

    @classmethod
    def of(cls, name: str, function: object) -> Self:
        """Check a function.

        Raises:
            ElevenLabsConfigError: It cannot be called.
        """
        if not callable(function):
            raise ElevenLabsConfigError(f"{name} must be a function, not {type(function).__name__}")
        call = getattr(function, "__call__", None)  # noqa: B004  # of an object
        return cls(name, function, inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call))


class Runner(Protocol):
    """Waits for what the policy needs."""

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody outside has cancelled the request."""
        ...

    async def hook(self, hook: Hook, *args: object) -> object:
        """Call one of the app's functions, sync or async, and give its result."""

    async def mint(self, work: Coroutine[Any, Any, T], *, is_of_sync_client: bool) -> T:
        """Run a client's call."""
        ...

    async def wait(self, future: Future[T], seconds: float) -> T:
        """Wait for another thread.

        Raises:
            TimeoutError: It took longer.
        """
        ...


class InLoop:
    """Never blocks the event loop: sync functions run in threads, a sync client's calls in its own loop."""

    @property
    def is_cancelled(self) -> bool:
        """Whether the request's task is being cancelled."""
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0

    async def hook(self, hook: Hook, *args: object) -> object:
        """Await it, or call it in a thread with the context variables of the request."""
        if hook.is_async:
            result = hook.function(*args)
        else:
            call = partial(_outcome, hook.function, args)
            result, error = await to_thread.run_sync(call, abandon_on_cancel=True, limiter=_limiter())
            if error is not None:
                raise error
        return await result if inspect.isawaitable(result) else result

    async def mint(self, work: Coroutine[Any, Any, T], *, is_of_sync_client: bool) -> T:
        """Await it, or the loop of sync calls that runs it."""
        if not is_of_sync_client:
            return await work
        return result_or_error(*await asyncio.wrap_future(portal.submit(outcome_of(work))))

    async def wait(self, future: Future[T], seconds: float) -> T:
        """Wait for another thread."""
        return await asyncio.wait_for(asyncio.wrap_future(future), seconds)


IN_LOOP = InLoop()


class InThread:
    """Blocks the thread, which serves one request; what is async runs in the loop of sync calls."""

    is_cancelled = False  # a WSGI server does not tell

    async def hook(self, hook: Hook, *args: object) -> object:
        """Call it in this thread."""
        result = hook.function(*args)
        return self.result_of(result) if inspect.isawaitable(result) else result

    async def mint(self, work: Coroutine[Any, Any, T], *, is_of_sync_client: bool) -> T:
        """Run it in the loop of sync calls, whichever client it is of."""
        return portal.run(work) if is_of_sync_client else self.result_of(work)

    async def wait(self, future: Future[T], seconds: float) -> T:
        """Wait for another thread."""
        try:
            return future.result(seconds)
        finally:
            future.cancel()

    def result_of(self, awaitable: Awaitable[T]) -> T:
        """Await something in the loop of sync calls."""
        return portal.run(_awaited(awaitable))


def run_in_thread(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that awaits nothing but the methods of an `InThread`."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    work.close()
    raise RuntimeError("the policy awaited something that is not a runner's")


def _limiter() -> CapacityLimiter:
    try:
        return _threads.get()
    except LookupError:
        _threads.set(CapacityLimiter(_MOST_THREADS))
        return _threads.get()


def _outcome(function: Callable[..., object], args: tuple[object, ...]) -> tuple[object, BaseException | None]:
    """Call a function, and give its error instead of raising it: a thread cannot hand over every error."""
    try:
        return function(*args), None
    except BaseException as error:  # noqa: BLE001  # the event loop raises it again
        return None, error


async def outcome_of(awaitable: Awaitable[T]) -> tuple[T | None, BaseException | None]:
    """Await something in another loop, which an exit would end: give the error instead of raising it."""
    try:
        return await awaitable, None
    except (Exception, SystemExit) as error:  # noqa: BLE001  # raised again where it was awaited
        return None, error


def result_or_error(result: T | None, error: BaseException | None) -> T:
    """Raise the error, or give the result."""
    if error is not None:
        raise error
    return cast("T", result)


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable
