"""What the async `create` returns."""

import asyncio
import inspect
from collections.abc import Coroutine, Generator
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from elevenlabs_tokens._http.decipher import with_raw_response
from elevenlabs_tokens._http.explain import Exchange
from elevenlabs_tokens.responses import WithRawResponse

T_co = TypeVar("T_co", covariant=True)


class HttpResponsePromise(Coroutine[Any, Any, T_co]):
    """A call that is made when first awaited, and once however often it is awaited.

    Awaited, it gives the model; `await promise.with_raw_response()` gives it next to the response that it was read
    from. It is a coroutine: `asyncio.create_task`, `gather`, task groups and anyio take it. Awaited again after it is
    done, in either form, it gives the same result or raises the same error; cancelled, it stays spent.

    Raises:
        RuntimeError: It is awaited while another task waits for it, or after it was cancelled.
    """

    __slots__ = ("__weakref__", "_call", "_has_begun", "_outcome", "_steps", "_task", "_traceback")

    def __init__(self, call: Coroutine[Any, Any, tuple[T_co, Exchange]], name: str) -> None:
        self._call: Any = call
        call.__qualname__ = name  # type: ignore[attr-defined]  # what Python calls it if it is never awaited
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
            except Exception as error:  # noqa: BLE001  # kept, and raised below and at every later await
                outcome = error
                self._traceback = error.__traceback__
            self._outcome = outcome
        if isinstance(outcome, Exception):
            try:
                raise outcome.with_traceback(self._traceback)  # as it was when it was new, however often it is raised
            finally:
                del self, outcome  # which lead back here
        return outcome[0]

    async def with_raw_response(self) -> WithRawResponse[T_co]:
        """Make the call, and give its result next to the response that it was read from."""
        await self
        return with_raw_response(*cast("tuple[T_co, Exchange]", self._outcome))

    # What a task, which drives a coroutine by hand, needs of one.

    def send(self, value: Any) -> Any:
        """Run on to the next suspension; as a coroutine's."""
        return self._step("send", [value])

    def throw(self, typ: Any, val: Any = None, tb: TracebackType | None = None) -> Any:
        """Raise an exception where the call waits; as a coroutine's."""
        given = [typ] if val is None and tb is None else [typ, val, tb]
        del typ, val, tb  # aiohttp's errors quote what came: no traceback is to show them
        if not self._has_begun:
            self._has_begun = True
            return self._call.throw(*given)
        return self._step("throw", given)

    def close(self) -> None:
        """End the call where it waits; as a coroutine's."""
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
            self._steps = self._task = None  # the task refers to this promise
            given.clear()
            raise

    if TYPE_CHECKING:
        __name__: str
        __qualname__: str
    else:  # a type checker shall know a misspelt name

        def __getattr__(self, name: str) -> Any:
            """Show the state, the frame and the code of the call, which asyncio, anyio and debuggers read."""
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
