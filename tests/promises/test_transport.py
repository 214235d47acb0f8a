"""Promises 1 to 15: what a connection may do to a call."""

import asyncio
import gc
import ssl
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from itertools import repeat
from threading import Event
from time import monotonic, sleep, thread_time
from typing import Any

import aiohttp
import pytest
import trustme
from aiohttp.http_parser import HttpResponseParserPy

from elevenlabs_tokens import (
    AsyncElevenLabsClient,
    ClientClosedError,
    ElevenLabsConnectionError,
    ElevenLabsError,
    ElevenLabsTimeoutError,
    InvalidResponseError,
    ServerError,
)
from elevenlabs_tokens._http import transport
from elevenlabs_tokens._http.clock import Clock
from frozen import KEY, FrozenTime
from minting import mint
from proxies import server_context
from reach import connector_of
from scripted import HEAD_END, TOKEN, Act, Pieces, Script, ScriptedApi, Step, dribble, head, reply

pytestmark = pytest.mark.anyio

PLANTED = {"token": "sutkn_planted"}
BODY = b'{"token": "sutkn_1234567890"}'.ljust(100)
"""A reply that is whole JSON long before its end."""


def row(number: int, *values: Any, id: str) -> Any:  # noqa: A002  # as pytest calls it
    """Give a line of a table, and the promise that it proves."""
    return pytest.param(*values, marks=pytest.mark.promise(row=number), id=id)


def chunked(body: bytes, size: int) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])


async def outcome_of(call: Awaitable[str]) -> tuple[str | type[BaseException], float]:
    """Give the token, or the kind of the error; and the seconds that it took."""
    began = monotonic()
    try:
        async with asyncio.timeout(20):  # lest it hang
            outcome: str | type[BaseException] = await call
    except Exception as error:  # noqa: BLE001  # whatever comes out is what is tested
        outcome = type(error)
    return outcome, monotonic() - began


@pytest.fixture(params=["as installed", "in Python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read HTTP with the parser that aiohttp was installed with, and with the one that it has everywhere."""
    if request.param == "in Python":
        monkeypatch.setattr("aiohttp.client_proto.HttpResponseParser", HttpResponseParserPy)


# A connection that is lost


@pytest.mark.parametrize("loss", [row(1, Act.CLOSE, id="FIN"), row(2, Act.RESET, id="RST")])
async def test_a_kept_connection_ends_as_it_is_used_again(
    api: ScriptedApi, either_client: AsyncElevenLabsClient, loss: Step
) -> None:
    """The call succeeds on a new connection, with one request more."""
    api.replies += [reply(), [loss]]
    await mint(either_client)

    token = await mint(either_client)

    assert TOKEN["token"] == token
    assert (2, 1 + 2) == (api.connections, len(api.requests))


@pytest.mark.parametrize("loss", [row(3, Act.CLOSE, id="FIN"), row(2, Act.RESET, id="RST")])
async def test_a_kept_connection_ends_while_the_loop_is_blocked(
    api: ScriptedApi, either_client: AsyncElevenLabsClient, loss: Step
) -> None:
    """The call cannot know when it sends; it succeeds with one connection more."""
    idle, ended = Event(), Event()
    api.replies += [[*reply(), idle, loss, ended.set]]
    await mint(either_client)

    idle.set()
    assert ended.wait(5)
    sleep(0.5)  # noqa: ASYNC251  # what blocks the loop
    token = await mint(either_client)

    assert TOKEN["token"] == token
    assert (1 + 1, 2) == (api.connections, len(api.requests))


RESET_IN_MID_BODY: Script = [head(200, {"Content-Length": len(BODY)}), BODY[:50], Act.RESET]


@pytest.mark.promise(row=4)
async def test_a_reset_in_mid_body(api: ScriptedApi, either_client: AsyncElevenLabsClient) -> None:
    """Once is made good by a second request."""
    api.replies += [RESET_IN_MID_BODY]

    assert TOKEN["token"] == await mint(either_client)
    assert 2 == len(api.requests)


@pytest.mark.promise(row=4)
async def test_a_reset_in_mid_body_every_time(api: ScriptedApi, either_client: AsyncElevenLabsClient) -> None:
    """The third time is the last."""
    api.replies += [RESET_IN_MID_BODY] * 3

    with pytest.raises(ElevenLabsConnectionError, match=r"^lost the connection .* after 3 attempts"):
        await mint(either_client)

    assert 3 == len(api.requests)


@pytest.mark.promise(row=5)
@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    ("headers", "content"),
    [
        pytest.param({"Content-Length": 100}, BODY, id="fewer bytes than were announced"),
        pytest.param({"Transfer-Encoding": "chunked"}, chunked(BODY, 13)[:-1], id="fewer chunks than the last"),
    ],
)
async def test_a_body_cut_at_every_point(
    api: ScriptedApi, client: AsyncElevenLabsClient, headers: dict[str, object], content: bytes
) -> None:
    """It is never taken for a whole one, though it be whole JSON already."""
    outcomes = {}
    for cut in range(len(content)):
        api.replies += [[head(200, headers) + content[:cut], Act.CLOSE]]
        outcomes[cut], _ = await outcome_of(mint(client, max_retries=0))

    assert {} == {cut: outcome for cut, outcome in outcomes.items() if outcome is not ElevenLabsConnectionError}
    assert 100 <= len(outcomes) == len(api.requests)


# A connection that is slow


@pytest.mark.parametrize(
    "script",
    [
        row(6, [dribble(head(200, {"X-Padding": "x" * 100}), 0.05)], id="headers dribbled"),
        row(7, [head(200, {"Content-Length": 100}), dribble(BODY, 0.05)], id="body dribbled"),
        row(8, [Pieces(repeat(head(100)), 0.005)], id="100 Continue for ever"),
    ],
)
async def test_a_reply_that_takes_its_time(api: ScriptedApi, script: Script) -> None:
    """Bytes that keep coming do not move the deadline."""
    api.replies += [script]
    async with AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, timeout_in_seconds=2.0) as client:
        outcome, seconds = await outcome_of(mint(client))

    assert ElevenLabsTimeoutError is outcome
    assert 2.0 == pytest.approx(seconds, abs=0.1)
    assert 1 == len(api.requests)


@pytest.mark.promise(row=9)
async def test_a_handshake_that_stalls(api: ScriptedApi) -> None:
    """TLS is inside the attempt's time."""
    api.greetings += [[Act.STALL]]
    async with AsyncElevenLabsClient(
        api_key=KEY, base_url=f"https://127.0.0.1:{api.port}", attempt_timeout_in_seconds=1.0, max_retries=0
    ) as client:
        outcome, seconds = await outcome_of(mint(client))

    assert ElevenLabsTimeoutError is outcome
    assert 1.0 == pytest.approx(seconds, abs=0.1)
    assert 1 == api.connections


@pytest.mark.promise(row=9)
async def test_connecting_has_a_bound_of_its_own(api: ScriptedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that does not answer the handshake is given up in 5 s (here: 0.3 s) of an attempt that may take longer."""
    assert 5.0 == transport.LONGEST_CONNECT_IN_SECONDS
    monkeypatch.setattr(transport, "LONGEST_CONNECT_IN_SECONDS", 0.3)
    api.greetings += [[Act.STALL]]
    async with AsyncElevenLabsClient(
        api_key=KEY, base_url=f"https://127.0.0.1:{api.port}", attempt_timeout_in_seconds=9.75, max_retries=0
    ) as client:
        outcome, seconds = await outcome_of(mint(client))

    assert ElevenLabsTimeoutError is outcome
    assert 0.3 == pytest.approx(seconds, abs=0.1)


@pytest.mark.parametrize(
    "greeting",
    [
        row(1, [Act.READ, Act.CLOSE], id="FIN"),
        row(2, [Act.READ, Act.RESET], id="RST"),
        row(9, [Act.STALL], id="nothing"),
    ],
)
async def test_a_handshake_that_fails_once(tls_api: ScriptedApi, trusting: ssl.SSLContext, greeting: Script) -> None:
    """It is no fault of the certificate's, and is tried again."""
    tls_api.greetings += [greeting]
    async with AsyncElevenLabsClient(
        api_key=KEY, base_url=tls_api.base_url, ssl=trusting, attempt_timeout_in_seconds=0.5
    ) as client:
        client._pipeline.clock = FrozenTime().clock()
        token = await mint(client)

    assert TOKEN["token"] == token
    assert (2, 1) == (tls_api.connections, len(tls_api.requests))


@pytest.mark.promise(row=10)
async def test_calls_that_wait_for_the_only_connection(api: ScriptedApi) -> None:
    """The wait is inside their deadline."""
    api.replies += [[Act.STALL]] * 3
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, session=session, timeout_in_seconds=1.5)
        outcomes = await asyncio.gather(*(outcome_of(mint(client)) for _ in range(3)))

    assert [ElevenLabsTimeoutError] * 3 == [outcome for outcome, _ in outcomes]
    assert max(seconds for _, seconds in outcomes) < 1.6


@pytest.mark.promise(row=11)
async def test_an_api_that_never_recovers(api: ScriptedApi) -> None:
    """The waits are inside the deadline, and the last answer is the error."""
    api.replies += [reply(503, {})] * 11
    async with AsyncElevenLabsClient(
        api_key=KEY, base_url=api.base_url, timeout_in_seconds=1.0, max_retries=10
    ) as client:
        client._pipeline.clock = Clock(
            draw=lambda: 0.0
        )  # 0.25 and 0.5 s; a wait that ends as the deadline does is apart
        outcome, seconds = await outcome_of(mint(client))

    assert ServerError is outcome
    assert seconds < 1.1
    assert 3 == len(api.requests)


# A server that leads elsewhere


ELSEWHERE = {
    "other host": "https://localhost:{secure}/stolen",
    "other port": "https://127.0.0.1:{secure}/stolen",
    "http": "http://127.0.0.1:{plain}/stolen",
    "no scheme": "//localhost:{secure}/stolen",
    "userinfo": "https://user:pass@127.0.0.1:{secure}/stolen",
    "same origin": "/stolen",
}


@pytest.mark.promise(row=12)
@pytest.mark.parametrize("location", ELSEWHERE.values(), ids=ELSEWHERE)
@pytest.mark.parametrize("status_code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("is_borrowed", [False, True], ids=["owned", "borrowed"])
async def test_a_redirect(
    tls_api: ScriptedApi,
    authority: trustme.CA,
    trusting: ssl.SSLContext,
    status_code: int,
    location: str,
    *,
    is_borrowed: bool,
) -> None:
    """The key goes where it was meant to go, and nowhere else, not even to the same server twice."""
    with ScriptedApi(server_context(authority, "127.0.0.1", "localhost")) as secure, ScriptedApi() as plain:
        target = location.format(secure=secure.port, plain=plain.port)
        tls_api.replies += [reply(status_code, TOKEN, {"Location": target})]
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting)) as session:
            options: dict[str, Any] = {"session": session} if is_borrowed else {"ssl": trusting}
            async with AsyncElevenLabsClient(api_key=KEY, base_url=tls_api.base_url, **options) as client:
                with pytest.raises(InvalidResponseError, match=f"^a redirect in the {status_code} reply to POST /v1/"):
                    await mint(client)

        assert (0, 0) == (secure.connections, plain.connections)
        assert b"" == secure.received + plain.received
    assert 1 == len(tls_api.requests) == tls_api.received.count(KEY.encode())


@pytest.mark.promise(row=12)
@pytest.mark.parametrize("status_code", [300, 304, 305, 306, 310, 399])
async def test_any_other_3xx(api: ScriptedApi, client: AsyncElevenLabsClient, status_code: int) -> None:
    """It is not what the API promises, either."""
    api.replies += [reply(status_code, b"")]

    with pytest.raises(InvalidResponseError, match=f"^a redirect in the {status_code} reply to POST /v1/"):
        await mint(client)

    assert 1 == len(api.requests)


@pytest.mark.promise(row=13)
async def test_a_cookie(api: ScriptedApi) -> None:
    """It is not kept, though it be for a host with a name, whose cookies aiohttp would keep."""
    api.replies += [reply(503, {}, {"Set-Cookie": "a=1; Path=/"}), reply(headers={"Set-Cookie": "b=2"})]
    async with AsyncElevenLabsClient(api_key=KEY, base_url=f"http://localhost:{api.port}") as client:
        client._pipeline.clock = FrozenTime().clock()
        await mint(client)
        await mint(client)

    assert 3 == len(api.requests)
    assert b"cookie:" not in api.received.lower()


# A server that says what it was not asked


def kept_connection(client: AsyncElevenLabsClient) -> Any:
    """Give the protocol of the one connection that is kept."""
    [[(protocol, _)]] = connector_of(client)._conns.values()
    return protocol


@pytest.mark.promise(row=14)
async def test_an_answer_that_nobody_asked_for(api: ScriptedApi, either_client: AsyncElevenLabsClient) -> None:
    """Read before the next request went out, it is dropped with its connection, which counts as lost."""
    idle = Event()
    for _ in range(100):
        idle.clear()
        api.replies += [[*reply(), idle, *reply(body=PLANTED)]]
        await mint(either_client)
        connection = kept_connection(either_client)
        idle.set()
        async with asyncio.timeout(5):
            while not connection.should_close:  # noqa: ASYNC110  # nothing else tells that the loop has read
                await asyncio.sleep(0)
        answer = await either_client.tokens.single_use.with_raw_response.create("realtime_scribe")

        assert (TOKEN["token"], 1) == (answer.data.token, answer.raw_response.retries_taken)


EARLY = reply(body=PLANTED)[0]


@pytest.mark.promise(row=14)
@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    ("is_borrowed", "length"),
    [
        pytest.param(False, len(EARLY), id="owned, whole"),
        pytest.param(False, EARLY.index(HEAD_END) + 10, id="owned, cut in its body"),
        pytest.param(False, EARLY.index(HEAD_END) - 5, id="owned, cut in its head"),
        pytest.param(False, 1, id="owned, cut after a byte"),
        pytest.param(True, len(EARLY), id="borrowed, whole"),
        pytest.param(True, EARLY.index(HEAD_END) + 10, id="borrowed, cut in its body"),
    ],
)
async def test_an_answer_before_the_first_request(api: ScriptedApi, length: int, *, is_borrowed: bool) -> None:
    """A connection on which the server spoke first is dropped, too, as soon as it has said enough to be understood."""
    sent = Event()

    async def until_read(*_: object) -> None:
        await asyncio.to_thread(sent.wait, 5)
        for _turn in range(100):  # on loopback, what was sent has arrived
            await asyncio.sleep(0)

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(until_read)
    api.greetings += [[EARLY[:length], sent.set]]
    async with aiohttp.ClientSession(trace_configs=[trace]) as session:
        options: dict[str, Any] = {"session": session} if is_borrowed else {"trace_configs": [trace]}
        async with AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, **options) as client:
            client._pipeline.clock = FrozenTime().clock()
            token = await mint(client)

    assert TOKEN["token"] == token
    assert 2 == api.connections


@pytest.mark.promise(row=14)
async def test_an_answer_behind_the_one_that_was_asked_for(
    api: ScriptedApi, either_client: AsyncElevenLabsClient
) -> None:
    """In one segment with it, it is dropped with its connection."""
    api.replies += [[reply()[0] + reply(body=PLANTED)[0]]] * 100
    tokens = [await mint(either_client) for _ in range(100)]

    assert {TOKEN["token"]} == set(tokens)
    assert 100 == api.connections


# What is not HTTP

LENGTH = len(BODY)
MALFORMED: dict[str, Script] = {
    "Content-Length and Transfer-Encoding": [
        head(200, {"Content-Length": LENGTH, "Transfer-Encoding": "chunked"}) + chunked(BODY, 13)
    ],
    "Transfer-Encoding and Content-Length": [
        head(200, {"Transfer-Encoding": "chunked", "Content-Length": LENGTH}) + chunked(BODY, 13)
    ],
    "two lengths that differ": [head(200, {"Content-Length": 29, "content-length": LENGTH}) + BODY],
    "two lengths that are equal": [head(200, {"Content-Length": LENGTH, "content-length": LENGTH}) + BODY],
    "two lengths in one": [head(200, {"Content-Length": f"{LENGTH}, {LENGTH}"}) + BODY],
    "a length that is none": [head(200, {"Content-Length": "+100"}) + BODY],
    "a length below zero": [head(200, {"Content-Length": "-1"}) + BODY],
    "a status that is none": [b"HTTP/1.1 2OO OK\r\nContent-Length: 100\r\n\r\n" + BODY],
    "a status of two digits": [b"HTTP/1.1 20 OK\r\nContent-Length: 100\r\n\r\n" + BODY],
    "another protocol": [b"ICY 200 OK\r\nContent-Length: 100\r\n\r\n" + BODY],
    "no status line": [BODY + b"\r\n\r\n"],
    "a header without a name": [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n: x\r\n\r\n" + BODY],
    "a header that is none": [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nbroken\r\n\r\n" + BODY],
    "a NUL in a header": [head(200, {"Content-Length": LENGTH, "X-Nul": "a\0b"}) + BODY],
    "101 with a token": [head(101, {"Content-Length": LENGTH}) + BODY],
    "101 with an upgrade": [head(101, {"Connection": "Upgrade", "Upgrade": "websocket"}) + BODY],
    "a bad chunk in one segment": [head(200, {"Transfer-Encoding": "chunked"}) + b"zz\r\n" + BODY],
    "a bad chunk in a segment of its own": [
        Pieces([head(200, {"Transfer-Encoding": "chunked"}), b"zz\r\n" + BODY], 0.05)
    ],
    "a bad chunk after a token": [
        Pieces([head(200, {"Transfer-Encoding": "chunked"}), b"64\r\n" + BODY + b"\r\n", b"zz\r\n"], 0.05)
    ],
    "a chunk longer than it says": [
        Pieces([head(200, {"Transfer-Encoding": "chunked"}), b"1d\r\n" + BODY + b"\r\n0\r\n\r\n"], 0.05)
    ],
}


@pytest.mark.promise(row=15)
@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("script", MALFORMED.values(), ids=MALFORMED)
async def test_what_is_not_http(api: ScriptedApi, client: AsyncElevenLabsClient, script: Script) -> None:
    """It is an error at once, never the token, and not tried again."""
    api.replies += [script]

    outcome, seconds = await outcome_of(mint(client, attempt_timeout_in_seconds=1.0))

    assert InvalidResponseError is outcome
    assert seconds < 0.5
    assert 1 == len(api.requests)


@pytest.mark.promise(row=15)
@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("status_code", [100, 102, 103, 199])
async def test_1xx_for_ever(api: ScriptedApi, client: AsyncElevenLabsClient, status_code: int) -> None:
    """A reply that never begins is one that does not come in time."""
    api.replies += [[Pieces(repeat(head(status_code)), 0.005)]]

    outcome, seconds = await outcome_of(mint(client, attempt_timeout_in_seconds=0.3, max_retries=0))

    assert ElevenLabsTimeoutError is outcome
    assert 0.3 == pytest.approx(seconds, abs=0.1)


# What ends an attempt


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Give what makes it a minute later for the running loop, so that the timers of a call are due."""

    def skip() -> None:
        loop = asyncio.get_running_loop()
        now = loop.time
        monkeypatch.setattr(loop, "time", lambda: now() + 60.0)

    return skip


async def under_way(api: ScriptedApi, call: Coroutine[Any, Any, str]) -> asyncio.Task[str]:
    """Begin a call that nobody answers, and give it when it waits for the answer."""
    api.replies += [[Act.STALL]]
    task = asyncio.create_task(call)
    assert await asyncio.to_thread(api.request_came.wait, 5)
    return task


@pytest.mark.promise(row=48)
async def test_the_timer_of_an_attempt_ends_with_it(client: AsyncElevenLabsClient, later: Callable[[], None]) -> None:
    """What the task does afterwards is not cut short."""

    async def go_on_after_a_call() -> str:
        token = await mint(client)
        later()
        for _turn in range(3):
            await asyncio.sleep(0)
        return token

    assert TOKEN["token"] == await asyncio.create_task(go_on_after_a_call())


@pytest.mark.promise(row=48)
async def test_a_cancellation_in_the_moment_of_a_timeout(
    api: ScriptedApi, client: AsyncElevenLabsClient, later: Callable[[], None]
) -> None:
    """It reaches the caller all the same."""
    call = await under_way(api, mint(client))

    later()
    asyncio.get_running_loop().call_soon(call.cancel)

    with pytest.raises(asyncio.CancelledError):
        await call
    assert 1 == len(api.requests)


@pytest.mark.promise(row=48)
async def test_a_timeout_in_a_task_that_was_cancelled_before(
    api: ScriptedApi, client: AsyncElevenLabsClient, later: Callable[[], None]
) -> None:
    """What runs while a task cleans up gets its own errors."""

    async def clean_up() -> str:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        return await mint(client, max_retries=0)

    call = await under_way(api, clean_up())

    later()

    with pytest.raises(ElevenLabsTimeoutError):
        await call


@pytest.mark.promise(row=48)
async def test_a_timeout_leaves_no_cancellation_behind(
    api: ScriptedApi, client: AsyncElevenLabsClient, later: Callable[[], None]
) -> None:
    """The scopes around the call find the task as it was."""
    call = await under_way(api, mint(client, max_retries=0))

    later()

    with pytest.raises(ElevenLabsTimeoutError):
        await call
    assert 0 == call.cancelling()


@pytest.mark.promise(row=50)
@pytest.mark.parametrize("is_first", [True, False], ids=["before", "after"])
async def test_a_close_in_the_moment_of_a_timeout(
    api: ScriptedApi, client: AsyncElevenLabsClient, later: Callable[[], None], *, is_first: bool
) -> None:
    """The call ends once, as one of a client that is closed."""
    call = await under_way(api, mint(client))

    later()
    closing: list[asyncio.Task[None]] = []

    def close() -> None:
        closing.append(asyncio.create_task(client.aclose()))

    if is_first:
        close()
    else:
        asyncio.get_running_loop().call_soon(close)  # in the round after that of the timer

    with pytest.raises(ClientClosedError):
        await call
    await asyncio.gather(*closing)
    assert 0 == call.cancelling()


@pytest.mark.parametrize("bounds", [(0.2, 0.6, 0.4), (0.6, 0.2, 0.4), (0.2, 0.2, 0.2)], ids=repr)
async def test_attempts_at_once_have_a_time_each(
    api: ScriptedApi, client: AsyncElevenLabsClient, bounds: tuple[float, ...]
) -> None:
    """One that may take longer or less long, begun before or after, changes nothing for another."""
    api.replies += [[Act.STALL]] * 3

    calls = (mint(client, max_retries=0, attempt_timeout_in_seconds=seconds) for seconds in bounds)
    outcomes = await asyncio.gather(*map(outcome_of, calls))

    assert [ElevenLabsTimeoutError] * 3 == [outcome for outcome, _ in outcomes]
    assert pytest.approx(bounds, abs=0.1) == [seconds for _, seconds in outcomes]


async def test_attempts_in_turn_have_a_time_each(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """One that timed out does not take the bound of the next with it."""
    api.replies += [[Act.STALL]] * 3

    outcome, seconds = await outcome_of(mint(client, max_retries=2, attempt_timeout_in_seconds=0.2))

    assert ElevenLabsTimeoutError is outcome
    assert 0.6 == pytest.approx(seconds, abs=0.1)
    assert 3 == len(api.requests)


async def test_an_end_is_told_once_and_waited_for_in_peace(api: ScriptedApi) -> None:
    """What takes its time to end, like a key callable that cleans up, does not keep the processor busy."""

    async def vault() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.3)
        return KEY

    async with AsyncElevenLabsClient(api_key=vault, base_url=api.base_url, timeout_in_seconds=0.05) as client:
        began = thread_time()
        outcome, _ = await outcome_of(mint(client))

    assert ElevenLabsTimeoutError is outcome
    assert thread_time() - began < 0.1


@pytest.mark.promise(row=50)
async def test_a_closed_client_leaves_no_timer_behind(client: AsyncElevenLabsClient) -> None:
    """Its loop may run for long, and does not keep it until a time-out that nobody waits for."""
    await mint(client)
    [loop_session] = client._sessions.by_loop.values()
    watch = weakref.ref(loop_session._timer)
    del loop_session

    await client.aclose()
    gc.collect()

    assert watch() is None


@pytest.mark.parametrize("script", [reply(401, {}), reply(503, {}), [Act.CLOSE]], ids=["401", "503", "FIN"])
async def test_an_error_is_gone_with_its_last_reference(
    api: ScriptedApi, client: AsyncElevenLabsClient, script: Script
) -> None:
    """No cycle keeps it, and with it the request, for the garbage collector."""
    api.replies += [script] * 3
    gc.disable()
    try:
        with pytest.raises(ElevenLabsError) as caught:
            await mint(client)
        error = weakref.ref(caught.value)
        del caught

        assert error() is None
    finally:
        gc.enable()


@pytest.mark.promise(row=53)
async def test_what_a_key_callable_raises_as_its_time_is_up(api: ScriptedApi, later: Callable[[], None]) -> None:
    """It is the caller's own, and passes through."""
    asked = asyncio.Event()

    async def vault() -> str:
        asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise LookupError("sealed") from None
        return KEY

    async with AsyncElevenLabsClient(api_key=vault, base_url=api.base_url) as client:
        call = asyncio.create_task(mint(client))
        await asked.wait()
        later()
        with pytest.raises(LookupError, match="sealed"):
            await call

    assert 0 == api.connections
