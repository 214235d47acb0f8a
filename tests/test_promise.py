"""What `create` returns: a coroutine in every respect, and a call that is made once."""

import asyncio
import gc
import inspect
import traceback
import warnings
import weakref
from collections.abc import Coroutine
from typing import Any

import anyio
import pytest

from elevenlabs_tokens import AsyncElevenLabsClient, BadRequestError, ClientClosedError, HttpResponsePromise
from frozen import KEY
from scripted import Act, ScriptedApi, reply

pytestmark = pytest.mark.anyio


def mint(client: AsyncElevenLabsClient) -> HttpResponsePromise[Any]:
    return client.tokens.single_use.create("realtime_scribe")


async def test_nothing_is_sent_before_it_is_awaited(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """It is lazy, as a coroutine is."""
    promise = mint(client)
    await asyncio.sleep(0)
    sent = len(api.requests)
    await promise

    assert (0, 1) == (sent, len(api.requests))


async def test_one_request_however_often_it_is_awaited(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """In either form, by the same task or by another."""
    promise = mint(client)

    token = await promise
    answer = await promise.with_raw_response()
    again = await asyncio.create_task(promise)
    once_more = await asyncio.gather(promise)

    assert token is answer.data is again is once_more[0]
    assert answer.raw_response == (await promise.with_raw_response()).raw_response
    assert 1 == len(api.requests)


async def test_the_raw_form_first(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """The order of the forms does not matter."""
    promise = mint(client)

    answer = await promise.with_raw_response()

    assert answer.data is await promise
    assert 200 == answer.raw_response.status_code
    assert 1 == len(api.requests)


async def test_an_error_is_kept(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """Awaited again, it raises the same error."""
    api.replies += [reply(400, {})]
    promise = mint(client)

    with pytest.raises(BadRequestError) as first:
        await promise
    with pytest.raises(BadRequestError) as second:
        await promise.with_raw_response()
    with pytest.raises(BadRequestError) as third:
        await asyncio.create_task(promise)

    assert first.value is second.value is third.value
    assert 1 == len(api.requests)


async def test_a_kept_error_s_traceback_does_not_grow(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """However often it is raised."""
    api.replies += [reply(400, {})]
    promise = mint(client)
    depths: set[int] = set()
    for _ in range(5):
        with pytest.raises(BadRequestError) as caught:
            await promise
        depths.add(len(traceback.extract_tb(caught.value.__traceback__)))

    assert 1 == len(depths)


async def test_every_way_to_run_a_coroutine(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """Tasks, groups and gatherings of asyncio and anyio take it."""
    async with asyncio.TaskGroup() as group:
        in_group = group.create_task(mint(client))
    in_task = asyncio.create_task(mint(client))
    gathered = await asyncio.gather(mint(client), mint(client))
    waited = await asyncio.wait_for(mint(client), 5)
    shielded = await asyncio.shield(mint(client))
    given: list[str] = []

    async def keep() -> None:
        given.append((await mint(client)).token)

    async with anyio.create_task_group() as anyio_group:
        anyio_group.start_soon(client.tokens.single_use.create, "realtime_scribe")
        anyio_group.start_soon(keep)

    tokens = [in_group.result(), await in_task, *gathered, waited, shielded]
    assert ["sutkn_1234567890"] * 7 == [*(token.token for token in tokens), *given]
    assert 8 == len(api.requests)


def test_asyncio_run_takes_it(api: ScriptedApi) -> None:
    """And it says that it is a coroutine."""
    client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url)
    promise = mint(client)

    assert asyncio.iscoroutine(promise)
    assert isinstance(promise, Coroutine)
    assert "sutkn_1234567890" == asyncio.run(promise).token
    asyncio.run(client.aclose())


async def test_a_second_task_while_the_first_waits(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """It is an error, as it would be for a coroutine, and the first task is not disturbed."""
    promise = mint(client)
    first = asyncio.create_task(promise)
    await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="is being awaited already"):
        await promise
    with pytest.raises(RuntimeError, match="is being awaited already"):
        await asyncio.create_task(promise)
    with pytest.raises(RuntimeError, match="is being awaited already"):
        await promise.with_raw_response()

    assert "sutkn_1234567890" == (await first).token
    assert 1 == len(api.requests)


async def test_a_task_of_a_promise_that_is_being_awaited(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """The other way round, too."""
    promise = mint(client)

    async def hold() -> str:
        return str((await promise).token)

    first = asyncio.create_task(hold())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="is being awaited already"):
        await asyncio.create_task(promise)

    assert "sutkn_1234567890" == await first
    assert 1 == len(api.requests)


async def test_cancelled_it_stays_spent(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """A call that was cancelled is not made again behind one's back."""
    api.replies += [[Act.STALL]]
    promise = mint(client)
    task = asyncio.create_task(promise)
    await asyncio.to_thread(api.request_came.wait, 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    with pytest.raises(RuntimeError, match="this call was cancelled; make another with create"):
        await promise
    assert 1 == len(api.requests)


async def test_cancelled_before_it_began(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """Nothing is sent, and nothing warns."""
    promise = mint(client)
    task = asyncio.create_task(promise)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    with pytest.raises(RuntimeError, match="was cancelled"):
        await promise
    assert 0 == api.connections


async def test_closed_by_hand(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """`close`, before and during the call, ends it."""
    unstarted = mint(client)
    unstarted.close()
    started = mint(client)
    started.send(None)
    started.close()

    for promise in (unstarted, started):
        with pytest.raises(RuntimeError, match="was cancelled"):
            await promise
    assert [] == api.requests


async def test_closed_by_hand_it_stays_so(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """Sent on, or given to a task, it says that it is spent, as a coroutine does."""
    promise, other = mint(client), mint(client)
    for started in (promise, other):
        started.send(None)
        started.close()

    with pytest.raises(RuntimeError, match="was cancelled"):
        promise.send(None)
    with pytest.raises(RuntimeError, match="was cancelled"):
        await asyncio.create_task(other)
    assert [] == api.requests


async def test_an_anyio_scope_inside_a_task_of_it(api: ScriptedApi) -> None:
    """The scope asks after the state of the coroutine that its task runs."""
    cancelled: list[bool] = []

    async def key() -> str:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await anyio.sleep_forever()
        cancelled.append(scope.cancelled_caught)
        return KEY

    async with AsyncElevenLabsClient(api_key=key, base_url=api.base_url) as client:
        token = await asyncio.create_task(mint(client))

    assert [True] == cancelled
    assert "sutkn_1234567890" == token.token


async def test_its_states(client: AsyncElevenLabsClient) -> None:
    """What debuggers read of a coroutine can be read of it."""
    promise = mint(client)
    states = [inspect.getcoroutinestate(promise)]
    task = asyncio.create_task(promise)
    await asyncio.sleep(0)
    states.append(inspect.getcoroutinestate(promise))
    shown = repr(task)
    await task
    states.append(inspect.getcoroutinestate(promise))

    assert [inspect.CORO_CREATED, inspect.CORO_SUSPENDED, inspect.CORO_CLOSED] == states
    assert "AsyncSingleUseClient.create" in shown
    assert ("create", "AsyncSingleUseClient.create") == (promise.__name__, promise.__qualname__)
    with pytest.raises(AttributeError, match="no attribute 'tokn'"):
        getattr(promise, "tokn")  # noqa: B009  # what a type checker would not let through


async def test_never_awaited_it_warns(client: AsyncElevenLabsClient) -> None:
    """Under the name that its caller knows."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        mint(client)
        gc.collect()

    assert ["coroutine 'AsyncSingleUseClient.create' was never awaited"] == [str(item.message) for item in caught]


async def test_a_closed_client_is_told_when_awaited(api: ScriptedApi) -> None:
    """`create` itself refuses only what can never work."""
    client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url)
    await client.aclose()
    promise = mint(client)

    with pytest.raises(ClientClosedError, match="the client is closed"):
        await promise
    assert 0 == api.connections


async def test_a_task_of_it_leaves_no_cycle(client: AsyncElevenLabsClient) -> None:
    """Nothing of a call that succeeded waits for the garbage collector."""
    await asyncio.create_task(mint(client))
    promise = mint(client)
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
