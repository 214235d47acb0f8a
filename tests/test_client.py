"""A client: its arguments, its address, the hooks of aiohttp, and a session that it borrows."""

import asyncio
import contextlib
import ssl
from functools import partial
from typing import Any

import aiohttp
import pytest

from elevenlabs_tokens import (
    AsyncElevenLabsClient,
    ClientClosedError,
    ElevenLabsClient,
    ElevenLabsConfigError,
    ElevenLabsConnectionError,
    ElevenLabsEnvironment,
    ElevenLabsTimeoutError,
)
from frozen import KEY, FrozenTime
from minting import mint, mint_once
from scripted import TOKEN, Act, ScriptedApi, reply

pytestmark = pytest.mark.anyio

REGION = ElevenLabsEnvironment.PRODUCTION_EU


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ({"environment": "PRODUCTION"}, "PRODUCTION, PRODUCTION_US, PRODUCTION_EU"),
        ({"session": "a session"}, "session must be"),
        ({"ssl": False}, "ssl must be"),
        ({"ssl": True}, "ssl must be"),
        ({"trace_configs": 5}, "trace_configs must be"),
        ({"trace_configs": [1]}, "trace_configs must be"),
        ({"base_url": "http://other.example", "allow_insecure_http": "no"}, "allow_insecure_http"),
    ],
    ids=repr,
)
def test_arguments_of_the_wrong_type(argument: dict[str, Any], text: str) -> None:
    """They are refused when the client is made, not when it is used."""
    with pytest.raises(ElevenLabsConfigError, match=text):
        AsyncElevenLabsClient(api_key=KEY, **argument)


@pytest.mark.promise(row=40)
@pytest.mark.parametrize(
    "other",
    [{"ssl": ssl.create_default_context()}, {"proxy": "http://p.example"}, {"trace_configs": [aiohttp.TraceConfig()]}],
    ids=lambda other: next(iter(other)),
)
async def test_what_cannot_stand_beside_a_borrowed_session(other: dict[str, Any]) -> None:
    """A session keeps its own TLS, proxy and traces."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ElevenLabsConfigError, match="cannot be combined with session"):
            AsyncElevenLabsClient(api_key=KEY, session=session, **other)


# Its address


@pytest.mark.parametrize("is_argument", [False, True], ids=["variable", "argument"])
@pytest.mark.parametrize("way", ["async", "borrowed", "sync"])
async def test_where_a_mint_goes(
    *, api: ScriptedApi, monkeypatch: pytest.MonkeyPatch, way: str, is_argument: bool
) -> None:
    """To the variable's address rather than the region's, and to the argument's rather than the variable's."""
    monkeypatch.setenv("ELEVENLABS_BASE_URL", "http://127.0.0.1:1" if is_argument else api.base_url)
    base_url = api.base_url if is_argument else None

    if way == "sync":
        with ElevenLabsClient(api_key=KEY, environment=REGION, base_url=base_url) as client:
            await asyncio.to_thread(client.tokens.single_use.create, "realtime_scribe")
    else:
        async with aiohttp.ClientSession() as session:
            borrowed = session if way == "borrowed" else None
            await mint_once(AsyncElevenLabsClient(api_key=KEY, environment=REGION, base_url=base_url, session=borrowed))

    assert 1 == len(api.requests)


@pytest.mark.parametrize("kind", [AsyncElevenLabsClient, ElevenLabsClient])
def test_the_variable_is_read_when_the_client_is_made(
    monkeypatch: pytest.MonkeyPatch, kind: type[AsyncElevenLabsClient] | type[ElevenLabsClient]
) -> None:
    """Neither earlier nor later; `http:` to another machine is refused then, unless the caller permits it."""
    make = partial(kind, api_key=KEY, environment=REGION)
    made = [make()]
    for value in ("https://h.example/path/", ""):
        monkeypatch.setenv("ELEVENLABS_BASE_URL", value)
        made.append(make())
    monkeypatch.setenv("ELEVENLABS_BASE_URL", "http://h.example")
    with pytest.raises(ElevenLabsConfigError, match=r"^ELEVENLABS_BASE_URL is http:"):
        make()
    made.append(make(allow_insecure_http=True))

    expected = [REGION.base_url, "https://h.example/path", REGION.base_url, "http://h.example"]
    assert [f"<{kind.__name__} of {url}>" for url in expected] == [repr(client) for client in made]


# A borrowed session


async def test_a_borrowed_session(api: ScriptedApi) -> None:
    """It is used as it is, with its headers and middlewares, and is not closed."""
    seen: list[str] = []

    async def middleware(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        seen.append(request.method)
        return await handler(request)

    async with aiohttp.ClientSession(
        headers={"X-Theirs": "1"}, raise_for_status=True, middlewares=[middleware]
    ) as session:
        api.replies += [reply(503, {}), reply()]
        async with AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, session=session) as client:
            client._pipeline.clock = FrozenTime().clock()
            token = await mint(client)

        assert not session.closed
    assert TOKEN["token"] == token
    assert b"\r\nX-Theirs: 1\r\n" in api.requests[0]
    assert ["POST", "POST"] == seen


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of BasicAuth
async def test_its_auth_cannot_stand_beside_a_header_of_authorization(api: ScriptedApi) -> None:
    """Only one of them can be sent, so nothing is."""
    async with aiohttp.ClientSession(auth=aiohttp.BasicAuth("user", "password")) as session:
        client = AsyncElevenLabsClient(
            api_key=KEY, base_url=api.base_url, session=session, headers={"Authorization": "Bearer x"}
        )
        with pytest.raises(ElevenLabsConfigError, match="cannot be combined with an Authorization header"):
            await mint(client)

    assert 0 == api.connections


def test_it_belongs_to_its_event_loop(api: ScriptedApi) -> None:
    """In another loop the call is refused before anything is sent; once the session is closed, in its own, too."""

    async def make() -> tuple[AsyncElevenLabsClient, aiohttp.ClientSession]:
        session = aiohttp.ClientSession()
        return AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, session=session), session

    with asyncio.Runner() as runner:
        client, session = runner.run(make())
        with pytest.raises(ElevenLabsConfigError, match="belongs to another event loop"):
            asyncio.run(mint(client))
        runner.run(session.close())
        with pytest.raises(ClientClosedError, match="or the session that it borrowed"):
            runner.run(mint(client))

    assert 0 == api.connections


@pytest.mark.promise(row=50)
@pytest.mark.parametrize("is_cleaning_up", [False, True], ids=["a task", "a task that was cancelled before"])
async def test_it_is_closed_while_calls_wait_for_its_only_connection(api: ScriptedApi, *, is_cleaning_up: bool) -> None:
    """The call that has the connection and those that wait get the error of a closed session.

    One is cancelled at the same moment, and takes that for a cancellation.
    """

    async def call() -> str:
        task = asyncio.current_task()
        if task is not None and is_cleaning_up:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
        return await mint(client)

    api.replies += [[Act.STALL]]
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1))
    client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, session=session)
    calls = [asyncio.create_task(call()) for _ in range(4)]
    await asyncio.to_thread(api.request_came.wait, 5)

    calls[-1].cancel()
    await session.close()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    assert [ClientClosedError] * 3 + [asyncio.CancelledError] == [type(outcome) for outcome in outcomes]


# Hooks of aiohttp


async def test_a_request_that_a_caller_s_test_replaces(
    api: ScriptedApi, client: AsyncElevenLabsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Libraries for offline tests replace a method of aiohttp's: the client calls what stands there at the moment."""

    async def refuse(*_: object, **__: object) -> None:
        raise LookupError("offline")

    await mint(client)
    with monkeypatch.context() as offline:
        offline.setattr(aiohttp.ClientSession, "_request", refuse)
        with pytest.raises(LookupError, match="offline"):
            await mint(client)
    await mint(client)

    assert 2 == len(api.requests)


WHAT_A_HOOK_MAY_RAISE: dict[str, tuple[Exception, type[Exception]]] = {
    "an error of any other kind": (LookupError("sealed"), LookupError),
    "an error of Python's": (RuntimeError("tracer shutdown in progress"), RuntimeError),
    "an OSError": (FileNotFoundError(2, "no spans.log"), ElevenLabsConnectionError),
    "a timeout": (TimeoutError("no answer from the tracer"), ElevenLabsTimeoutError),
    "an error of aiohttp's": (aiohttp.ClientPayloadError("of the tracer's reply"), ElevenLabsConnectionError),
}


@pytest.mark.promise(row=53)
@pytest.mark.parametrize("hook", ["trace", "middleware"])
@pytest.mark.parametrize(("error", "kind"), WHAT_A_HOOK_MAY_RAISE.values(), ids=WHAT_A_HOOK_MAY_RAISE)
async def test_an_error_of_a_hook(api: ScriptedApi, error: Exception, kind: type[Exception], hook: str) -> None:
    """One that looks like the network's is taken for it and tried again, for aiohttp does not tell them apart.

    Any other passes through.
    """
    calls: list[object] = []

    async def fail(*given: object) -> Any:
        calls.append(given)
        raise error

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_start.append(fail)
    hooks: dict[str, Any] = {"trace_configs": [trace]} if hook == "trace" else {"middlewares": [fail]}
    async with aiohttp.ClientSession(**hooks) as session:
        client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, session=session)
        client._pipeline.clock = FrozenTime().clock()
        with pytest.raises(kind) as caught:
            await mint(client)

    assert kind is type(caught.value)
    assert (1 if kind is type(error) else 3) == len(calls)
    assert 0 == api.connections
