"""Promises 54 to 56, 60 and 61: sync calls, in any thread, and inside event loops."""

import contextvars
import linecache
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import aiohttp
import anyio
import anyio.to_thread
import pytest

from elevenlabs_tokens import (
    BlockingCallWarning,
    ClientClosedError,
    ElevenLabsClient,
    ElevenLabsError,
    UnprocessableEntityError,
)
from frozen import FrozenTime
from programs import run_python
from scripted import TOKEN, Act, ScriptedApi, reply
from sync.callers import CLIENT, mint_sync


def test_options_errors_and_raw_responses(
    api: ScriptedApi, sync_client: ElevenLabsClient, frozen_time: FrozenTime
) -> None:
    """They are those of the async client."""
    api.replies += [reply(503, {}), reply(headers={"request-id": "r1"}), reply(422, {"detail": []})]

    create = sync_client.tokens.single_use.with_raw_response.create
    answer = create("realtime_scribe", request_options={"api_key": "sk_2"})
    with pytest.raises(UnprocessableEntityError) as caught:
        mint_sync(sync_client)

    raw = answer.raw_response
    assert (TOKEN["token"], "r1", 1) == (answer.data.token, raw.request_id, raw.retries_taken)
    assert answer.data.connect_url().startswith("ws://127.0.0.1:")
    assert [0.5] == frozen_time.slept
    assert b"xi-api-key: sk_2\r\n" in api.requests[0]
    assert 422 == caught.value.status_code


def test_context_variables_reach_the_request(api: ScriptedApi) -> None:
    """The hooks of aiohttp see what the caller has set, so that tracing works; an `api_key` callable sees it, too."""
    span: contextvars.ContextVar[str] = contextvars.ContextVar("span", default="none")
    seen: list[str] = []

    async def on_request_start(*_: object) -> None:
        seen.append(span.get())

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(on_request_start)
    with ElevenLabsClient(api_key=span.get, base_url=api.base_url, trace_configs=[trace]) as client:
        span.set("the_caller_s")
        mint_sync(client)

    assert ["the_caller_s"] == seen
    assert b"xi-api-key: the_caller_s\r\n" in api.requests[0]


def test_a_traceback_is_short(api: ScriptedApi, sync_client: ElevenLabsClient) -> None:
    """It shows the caller, the method and two frames below it, and none of the event loop's."""
    api.replies += [reply(401, {})]

    with pytest.raises(ElevenLabsError) as caught:
        mint_sync(sync_client)

    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert ["mint_sync", "call", "create", "run"] == names[-4:]
    assert (None, None) == (caught.value.__cause__, caught.value.__context__)


@pytest.mark.timed
@pytest.mark.promise(row=50)
def test_close_during_a_call(api: ScriptedApi, sync_client: ElevenLabsClient) -> None:
    """The thread that waits gets the error within 1 s; closing again does nothing, and a later call is refused."""
    api.replies += [[Act.STALL]]
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(mint_sync, sync_client)
        assert api.request_came.wait(5)
        began = time.monotonic()
        sync_client.close()
        with pytest.raises(ClientClosedError):
            call.result(5)
    took = time.monotonic() - began
    sync_client.close()
    with pytest.raises(ClientClosedError):
        mint_sync(sync_client)

    assert took < 1
    assert 1 == len(api.requests)


@pytest.mark.promise(row=54)
@pytest.mark.anyio
async def test_inside_a_running_loop(sync_client: ElevenLabsClient) -> None:
    """As in a notebook: the call works, and a warning at the caller's line says what a web app should use instead."""
    single_use = sync_client.tokens.single_use
    with pytest.warns(BlockingCallWarning, match="AsyncElevenLabsClient") as caught:
        tokens = [single_use.create("realtime_scribe"), single_use.with_raw_response.create("realtime_scribe").data]
    sync_client.close()  # this does not warn

    assert [TOKEN["token"]] * 2 == [token.token for token in tokens]
    assert [__file__] * 2 == [warning.filename for warning in caught]
    assert ["tokens"] * 2 == [linecache.getline(__file__, warning.lineno).split()[0] for warning in caught]
    assert issubclass(BlockingCallWarning, RuntimeWarning)


@pytest.mark.timed
@pytest.mark.promise(row=55)
def test_a_call_in_the_loop_s_own_thread(api: ScriptedApi) -> None:
    """It is an error at once that says what to do, it never blocks for ever, and the next call works."""
    program = """
def call(): return mint(inner)
async def call_in_an_async_callable(): return mint(inner)
def call_of_a_new_client():
    with ElevenLabsClient(api_key="sk_1234567", base_url=base_url) as new_client:
        return mint(new_client)
def call_after_closing():
    inner.close()
    return mint(inner)
for wrong_key in call, call_in_an_async_callable, call_of_a_new_client, call_after_closing:
    inner = ElevenLabsClient(api_key="sk_1234567", base_url=base_url)
    mint(inner)
    outer = ElevenLabsClient(api_key=wrong_key, base_url=base_url)
    began = time.monotonic()
    try: mint(outer)
    except ElevenLabsError as error: print(error, time.monotonic() - began < 1)
    mint()
"""
    run = run_python(CLIENT + program, base_url=api.base_url)

    text = "a sync client was called in the thread that runs its calls, which cannot wait for itself"
    line = f"{text}; in an api_key callable, await an AsyncElevenLabsClient True"
    assert ([line] * 4, "") == (run.stdout.splitlines(), run.stderr)
    assert 8 == len(api.requests)


@pytest.mark.promise(row=56)
def test_many_threads(api: ScriptedApi, sync_client: ElevenLabsClient) -> None:
    """32 threads make 50 calls each, and one more thread sends them all."""
    with ThreadPoolExecutor(32) as pool:
        jobs = [pool.submit(lambda: [mint_sync(sync_client) for _ in range(50)]) for _ in range(32)]
        tokens = [token for job in jobs for token in job.result()]
        portals = [thread.name for thread in threading.enumerate()].count("elevenlabs-tokens")

    assert [TOKEN["token"]] * 1600 == tokens
    assert 1600 == len(api.requests)
    assert 1 == portals


@pytest.mark.timed
@pytest.mark.promise(row=60)
def test_gevent(api: ScriptedApi) -> None:
    """Greenlets wait side by side, without a warning, and nothing is printed at the exit."""
    api.delay_in_seconds = 0.3
    program = f"""
from gevent import monkey; monkey.patch_all()
import gevent
{CLIENT}
began = time.monotonic()
jobs = [gevent.spawn(mint) for _ in range(50)]
gevent.joinall(jobs, raise_error=True)
print({{job.value for job in jobs}}, time.monotonic() - began < 1.5)
client.close()
"""
    run = run_python(program, base_url=api.base_url)

    assert (f"{{'{TOKEN['token']}'}} True\n", "") == (run.stdout, run.stderr)
    assert 50 == len(api.requests)


@pytest.mark.promise(row=61)
@pytest.mark.anyio
async def test_worker_threads_of_a_cancelled_scope(api: ScriptedApi, sync_client: ElevenLabsClient) -> None:
    """As in a web framework whose client has gone away: each call still gives its token."""
    api.delay_in_seconds = 0.2
    outcomes: list[object] = []

    def call() -> None:
        try:
            outcomes.append(mint_sync(sync_client))
        except ElevenLabsError as error:
            outcomes.append(error)

    async with anyio.create_task_group() as group:
        for _ in range(30):
            group.start_soon(anyio.to_thread.run_sync, call)
        await anyio.to_thread.run_sync(api.request_came.wait, 5)
        group.cancel_scope.cancel()

    assert [TOKEN["token"]] * 30 == outcomes
