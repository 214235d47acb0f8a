"""What the async `create` returns: a coroutine in every respect, which makes one call."""

import asyncio
import gc
import inspect
import traceback
import warnings
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import anyio
import pytest

from elevenlabs_tokens import AsyncElevenLabsClient, BadRequestError, HttpResponsePromise
from frozen import KEY
from scripted import TOKEN, Act, ScriptedApi, reply

pytestmark = pytest.mark.anyio

Promise = HttpResponsePromise[Any]


def create(client: AsyncElevenLabsClient) -> Promise:
    return client.tokens.single_use.create("realtime_scribe")


async def in_a_call(promise: Promise) -> Any:
    return await promise


FORMS: dict[str, Callable[[Promise], Awaitable[Any]]] = {
    "await": lambda promise: promise,
    "a raw response": lambda promise: promise.with_raw_response(),
    "a task": asyncio.create_task,
    "a call in a task": lambda promise: asyncio.create_task(in_a_call(promise)),
}
EVERY_FORM = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


@EVERY_FORM
async def test_one_request_however_often_it_is_awaited(
    api: ScriptedApi, client: AsyncElevenLabsClient, form: Callable[[Promise], Awaitable[Any]]
) -> None:
    """Nothing is sent before it is awaited. Awaited again, in either form, it gives the same result."""
    promise = create(client)
    await asyncio.sleep(0)
    sent_before = len(api.requests)

    await form(promise)
    token, answer = await promise, await promise.with_raw_response()
    in_task, in_gathering = await asyncio.create_task(promise), await asyncio.gather(promise)

    assert (0, 1) == (sent_before, len(api.requests))
    assert token is answer.data is in_task is in_gathering[0]
    assert (TOKEN["token"], 200) == (token.token, answer.raw_response.status_code)
    assert answer.raw_response == (await promise.with_raw_response()).raw_response


@EVERY_FORM
async def test_an_error_is_kept(
    api: ScriptedApi, client: AsyncElevenLabsClient, form: Callable[[Promise], Awaitable[Any]]
) -> None:
    """Each form raises the same error, whose traceback leads to where it was first raised, and does not grow."""
    api.replies += [reply(400, {})]
    promise = create(client)
    with pytest.raises(BadRequestError) as first:
        await form(promise)

    origin = traceback.extract_tb(first.value.__traceback__)[-1]
    depths: set[int] = set()
    for _ in range(5):
        with pytest.raises(BadRequestError) as caught:
            await form(promise)
        frames = traceback.extract_tb(caught.value.__traceback__)
        depths.add(len(frames))
        assert first.value is caught.value
        assert origin == frames[-1]

    assert "_promise.py" not in origin.filename
    assert 1 == len(depths)
    assert 1 == len(api.requests)


async def test_every_way_to_run_a_coroutine(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """The functions and task groups of asyncio and anyio take it."""
    async with asyncio.TaskGroup() as group:
        in_group = group.create_task(create(client))
    gathered = await asyncio.gather(create(client), create(client))
    waited = await asyncio.wait_for(create(client), 5)
    shielded = await asyncio.shield(create(client))
    async with anyio.create_task_group() as anyio_group:
        anyio_group.start_soon(client.tokens.single_use.create, "realtime_scribe")

    tokens = [in_group.result(), *gathered, waited, shielded]
    assert [TOKEN["token"]] * 5 == [token.token for token in tokens]
    assert 6 == len(api.requests)


@pytest.mark.parametrize("first", [FORMS["a task"], FORMS["a call in a task"]], ids=["a task", "a call in a task"])
async def test_it_is_awaited_by_one_task_at_a_time(
    api: ScriptedApi, client: AsyncElevenLabsClient, first: Callable[[Promise], Awaitable[Any]]
) -> None:
    """A second one gets an error, as from any coroutine, and the first is not disturbed."""
    promise = create(client)
    waiting = first(promise)
    await asyncio.sleep(0)

    for form in FORMS.values():
        with pytest.raises(RuntimeError, match="is being awaited already"):
            await form(promise)

    assert TOKEN["token"] == (await waiting).token
    assert 1 == len(api.requests)


async def cancel(api: ScriptedApi, promise: Promise, *, is_under_way: bool) -> None:
    task = asyncio.create_task(promise)
    if is_under_way:
        await asyncio.to_thread(api.request_came.wait, 5)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def close(_: ScriptedApi, promise: Promise, *, is_under_way: bool) -> None:
    if is_under_way:
        promise.send(None)
    promise.close()


@pytest.mark.parametrize("is_under_way", [False, True], ids=["before it begins", "under way"])
@pytest.mark.parametrize("end", [cancel, close], ids=lambda end: end.__name__)
async def test_after_its_end_it_cannot_be_awaited(
    api: ScriptedApi, client: AsyncElevenLabsClient, end: Callable[..., Awaitable[None]], *, is_under_way: bool
) -> None:
    """A promise that was cancelled or closed does not make its call again, and warns of nothing."""
    api.replies += [[Act.STALL]]
    promise = create(client)
    await end(api, promise, is_under_way=is_under_way)

    for form in FORMS.values():
        with pytest.raises(RuntimeError, match="this call was cancelled; make another with create"):
            await form(promise)
    with pytest.raises(RuntimeError, match="was cancelled"):
        promise.send(None)
    assert (end is cancel and is_under_way) == len(api.requests)


async def test_an_anyio_scope_inside_a_task_of_it(api: ScriptedApi) -> None:
    """When the scope is cancelled, it reads the state of the coroutine that its task runs."""
    cancelled: list[bool] = []

    async def key() -> str:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await anyio.sleep_forever()
        cancelled.append(scope.cancelled_caught)
        return KEY

    async with AsyncElevenLabsClient(api_key=key, base_url=api.base_url) as client:
        token = await asyncio.create_task(create(client))

    assert [True] == cancelled
    assert TOKEN["token"] == token.token


async def test_its_states(client: AsyncElevenLabsClient) -> None:
    """Debuggers can read of it what they read of a coroutine."""
    promise = create(client)
    states = [inspect.getcoroutinestate(promise)]
    task = asyncio.create_task(promise)
    await asyncio.sleep(0)
    states.append(inspect.getcoroutinestate(promise))
    shown = repr(task)
    await task
    states.append(inspect.getcoroutinestate(promise))

    assert asyncio.iscoroutine(promise)
    assert isinstance(promise, Coroutine)
    assert [inspect.CORO_CREATED, inspect.CORO_SUSPENDED, inspect.CORO_CLOSED] == states
    assert "AsyncSingleUseClient.create" in shown
    assert ("create", "AsyncSingleUseClient.create") == (promise.__name__, promise.__qualname__)
    with pytest.raises(AttributeError, match="no attribute 'tokn'"):
        getattr(promise, "tokn")  # noqa: B009  # a type checker would refuse the attribute


async def test_never_awaited_it_warns(client: AsyncElevenLabsClient) -> None:
    """The warning names the method that its caller knows."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        create(client)
        gc.collect()

    assert ["coroutine 'AsyncSingleUseClient.create' was never awaited"] == [str(item.message) for item in caught]


async def test_a_task_of_it_leaves_no_cycle(client: AsyncElevenLabsClient) -> None:
    """Nothing of a call that succeeded waits for the garbage collector."""
    await asyncio.create_task(create(client))
    promise = create(client)
    gone = weakref.ref(promise)
    task = asyncio.create_task(promise)
    await task

    gc.disable()
    try:
        del promise, task
        await asyncio.sleep(0)
        assert gone() is None
    finally:
        gc.enable()
