"""What the async `create` returns: a coroutine that makes one call, and can be awaited again when it is done.

Its states:

    state    _has_begun  _outcome  _call    awaited now, it
    new      False       None      created  makes the call
    waiting  True        None      waits    raises RuntimeError: another task is awaiting it
    done     True        set       closed   gives the same result, or raises the same error
    spent    True        None      closed   raises RuntimeError: it was cancelled or closed

`await` and a task drive it in different ways: `await` calls `__await__`, and a task calls `send` and `throw`, which
run `__await__` step by step. `_steps` holds these steps, and `_task` the task that makes them.
"""

import asyncio
import inspect
from collections.abc import Coroutine, Generator
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from elevenlabs_tokens._http.decipher import request_id_of, with_raw_response
from elevenlabs_tokens._http.explain import Exchange
from elevenlabs_tokens.responses import WithRawResponse

T_co = TypeVar("T_co", covariant=True)


class HttpResponsePromise(Coroutine[Any, Any, T_co]):
    """One call, made when it is first awaited; awaiting it again makes no other.

    `await promise` gives the model. `await promise.with_raw_response()` gives the model and the response that it was
    read from. It is a coroutine: `asyncio.create_task`, `gather`, task groups and anyio take it. Once it is done, both
    forms give the same result or raise the same error, as often as they are awaited. Once it is cancelled, it cannot be
    awaited again.

    Raises:
        RuntimeError: Another task is awaiting it, or it was cancelled.
    """

    __slots__ = ("__weakref__", "_call", "_has_begun", "_outcome", "_steps", "_task", "_traceback")

    def __init__(self, call: Coroutine[Any, Any, tuple[T_co, Exchange]], name: str) -> None:
        self._call: Any = call
        call.__qualname__ = name  # type: ignore[attr-defined]  # the name in Python's warning if it is never awaited
        # The model and the record of the whole call, or the error of the call.
        self._outcome: tuple[T_co, Exchange] | Exception | None = None
        self._has_begun = False
        self._steps: Generator[Any, Any, T_co] | None = None
        self._task: asyncio.Task[Any] | None = None
        self._traceback: TracebackType | None = None

    def __await__(self) -> Generator[Any, Any, T_co]:
        outcome = self._outcome
        if outcome is None:
            if self._has_begun:
                is_spent = inspect.getcoroutinestate(self._call) == inspect.CORO_CLOSED
                fate = "was cancelled" if is_spent else "is being awaited already"
                raise RuntimeError(f"this call {fate}; make another with create()")
            self._has_begun = True
            try:
                outcome = yield from self._call.__await__()
            except Exception as error:  # noqa: BLE001  # raised below, and at every later await
                outcome = error
                self._traceback = error.__traceback__
            self._outcome = outcome
        if isinstance(outcome, Exception):
            try:
                raise outcome.with_traceback(self._traceback)  # a traceback grows each time it is raised: reset it
            finally:
                # The error's traceback refers to this frame: deleting these names avoids a reference cycle.
                del self, outcome
        return outcome[0]

    async def with_raw_response(self) -> WithRawResponse[T_co]:
        """Make the call, and give its result and the response that it was read from."""
        await self
        return with_raw_response(*cast("tuple[T_co, Exchange]", self._outcome))

    async def _with_request_id(self) -> tuple[T_co, str | None]:
        """Make the call, and give its result and the API's name for the request, without the rest of the response."""
        await self
        result, exchange = cast("tuple[T_co, Exchange]", self._outcome)
        return result, request_id_of(exchange)

    # A task drives a coroutine through these three methods.

    def send(self, value: Any) -> Any:
        """Run until the call next has to wait, as the `send` of any coroutine does."""
        return self._step("send", [value])

    def throw(self, typ: Any, val: Any = None, tb: TracebackType | None = None) -> Any:
        """Raise an exception where the call waits, as the `throw` of any coroutine does."""
        given = [typ] if val is None and tb is None else [typ, val, tb]
        del typ, val, tb  # an aiohttp error may contain received data: keep it out of tracebacks
        if not self._has_begun:
            self._has_begun = True  # raised in a call that never began, it ends the call for good
            return self._call.throw(*given)
        return self._step("throw", given)

    def close(self) -> None:
        """End the call where it waits, as the `close` of any coroutine does."""
        if self._steps is not None:
            self._steps.close()
            self._steps = self._task = None
        self._has_begun = True
        self._call.close()

    def _step(self, name: str, given: list[Any]) -> Any:
        task = _current_task()
        if self._steps is None:
            self._steps, self._task = self.__await__(), task
        elif task is not self._task:
            raise RuntimeError("this call is being awaited already; make another with create()")
        try:
            return getattr(self._steps, name)(*given)
        except BaseException:
            self._steps = self._task = None  # the task refers to this promise: this avoids a reference cycle
            given.clear()
            raise

    if TYPE_CHECKING:
        __name__: str
        __qualname__: str
    else:  # hidden from type checkers, which would accept any misspelt name as an attribute

        def __getattr__(self, name: str) -> Any:
            """Give the state, the frame and the code of the call: asyncio, anyio and debuggers read them."""
            if name.startswith("cr_") or name == "__qualname__":
                return getattr(self._call, name)
            if name == "__name__":
                return self.__qualname__.rpartition(".")[2]
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}; await it first")


def _current_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # no asyncio loop: the call says what to do about that
        return None
