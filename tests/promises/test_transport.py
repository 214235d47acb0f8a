"""Promises 1 to 3, 5 and 12 to 15: what the connection and the server may do to a call."""

import asyncio
import gc
import ssl
import weakref
from itertools import repeat
from threading import Event
from time import sleep
from typing import Any

import aiohttp
import pytest
import trustme
from aiohttp.http_parser import HttpResponseParserPy

from elevenlabs_tokens import (
    AsyncElevenLabsClient,
    ElevenLabsConnectionError,
    ElevenLabsError,
    ElevenLabsTimeoutError,
    InvalidResponseError,
)
from frozen import KEY, FrozenTime
from minting import mint, outcome_of, until
from proxies import server_context
from reach import connector_of
from rows import row
from scripted import HEAD_END, TOKEN, Act, Pieces, Script, ScriptedApi, Step, head, reply

pytestmark = pytest.mark.anyio

PLANTED = {"token": "sutkn_planted"}
BODY = b'{"token": "sutkn_1234567890"}'.ljust(100)
"""A body whose JSON is complete long before the body ends."""


def chunked(body: bytes, size: int) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])


@pytest.fixture(params=["as installed", "in Python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse HTTP in turn with the parser that aiohttp was installed with, and with its fallback in Python."""
    if request.param == "in Python":
        monkeypatch.setattr("aiohttp.client_proto.HttpResponseParser", HttpResponseParserPy)


# A connection that is lost


@pytest.mark.parametrize("loss", [row(1, Act.CLOSE, id="FIN"), row(2, Act.RESET, id="RST")])
async def test_a_kept_connection_ends_as_it_is_used_again(
    api: ScriptedApi, either_client: AsyncElevenLabsClient, loss: Step
) -> None:
    """The call succeeds on a new connection, with one more request."""
    api.replies += [reply(), [loss]]
    await mint(either_client)

    token = await mint(either_client)

    assert TOKEN["token"] == token
    assert (2, 1 + 2) == (api.connections, len(api.requests))


@pytest.mark.parametrize("loss", [row(3, Act.CLOSE, id="FIN"), row(2, Act.RESET, id="RST")])
async def test_a_kept_connection_ends_while_the_loop_is_blocked(
    api: ScriptedApi, either_client: AsyncElevenLabsClient, loss: Step
) -> None:
    """The client cannot know it when it sends; the call succeeds with one more connection."""
    idle, ended = Event(), Event()
    api.replies += [[*reply(), idle, loss, ended.set]]
    await mint(either_client)

    idle.set()
    assert ended.wait(5)
    sleep(0.5)  # noqa: ASYNC251  # this blocks the loop
    token = await mint(either_client)

    assert TOKEN["token"] == token
    assert (1 + 1, 2) == (api.connections, len(api.requests))


@pytest.mark.promise(row=5)
@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    ("headers", "content"),
    [
        pytest.param({"Content-Length": 100}, BODY, id="fewer bytes than were announced"),
        pytest.param({"Transfer-Encoding": "chunked"}, chunked(BODY, 13)[:-1], id="without the last chunk"),
    ],
)
async def test_a_body_cut_at_every_point(
    api: ScriptedApi, client: AsyncElevenLabsClient, headers: dict[str, object], content: bytes
) -> None:
    """A part of a body is never taken for the whole, even where its JSON is complete."""
    outcomes = {}
    for cut in range(len(content)):
        api.replies += [[head(200, headers) + content[:cut], Act.CLOSE]]
        outcomes[cut], _ = await outcome_of(mint(client, max_retries=0))

    assert {} == {cut: outcome for cut, outcome in outcomes.items() if outcome is not ElevenLabsConnectionError}
    assert 100 <= len(outcomes) == len(api.requests)


@pytest.mark.parametrize(
    "greeting",
    [
        row(1, [Act.READ, Act.CLOSE], id="FIN"),
        row(2, [Act.READ, Act.RESET], id="RST"),
        row(9, [Act.STALL], id="nothing"),
    ],
)
async def test_a_tls_handshake_that_fails_once(
    tls_api: ScriptedApi, trusting: ssl.SSLContext, greeting: Script
) -> None:
    """A handshake that is cut off or stalls is no fault of the certificate, and the client tries again."""
    tls_api.greetings += [greeting]
    async with AsyncElevenLabsClient(
        api_key=KEY, base_url=tls_api.base_url, ssl=trusting, attempt_timeout_in_seconds=0.5
    ) as client:
        client._pipeline.clock = FrozenTime().clock()
        token = await mint(client)

    assert TOKEN["token"] == token
    assert (2, 1) == (tls_api.connections, len(tls_api.requests))


@pytest.mark.parametrize("script", [reply(401, {}), reply(503, {}), [Act.CLOSE]], ids=["401", "503", "FIN"])
async def test_an_error_is_gone_with_its_last_reference(
    api: ScriptedApi, client: AsyncElevenLabsClient, script: Script
) -> None:
    """No reference cycle keeps the error, and with it the request, until the garbage collector runs."""
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


# A server that redirects, or sets cookies


LOCATIONS = {
    "other host": "https://localhost:{secure}/stolen",
    "other port": "https://127.0.0.1:{secure}/stolen",
    "http": "http://127.0.0.1:{plain}/stolen",
    "no scheme": "//localhost:{secure}/stolen",
    "userinfo": "https://user:pass@127.0.0.1:{secure}/stolen",
    "same origin": "/stolen",
}


@pytest.mark.promise(row=12)
@pytest.mark.promise(row=40)
@pytest.mark.parametrize("location", LOCATIONS.values(), ids=LOCATIONS)
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
    """No redirect is followed, not even to the same server, so the key reaches nobody else."""
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


@pytest.mark.promise(row=13)
async def test_a_cookie(api: ScriptedApi) -> None:
    """No cookie is kept, even from a host with a name, whose cookies aiohttp would keep."""
    api.replies += [reply(503, {}, {"Set-Cookie": "a=1; Path=/"}), reply(headers={"Set-Cookie": "b=2"})]
    async with AsyncElevenLabsClient(api_key=KEY, base_url=f"http://localhost:{api.port}") as client:
        client._pipeline.clock = FrozenTime().clock()
        await mint(client)
        await mint(client)

    assert 3 == len(api.requests)
    assert b"cookie:" not in api.received.lower()


# An answer that nobody asked for


@pytest.mark.promise(row=14)
async def test_an_answer_on_an_idle_connection(
    api: ScriptedApi, either_client: AsyncElevenLabsClient, request: pytest.FixtureRequest
) -> None:
    """If the loop read it before the next request was sent, its connection is dropped, and another one is used.

    On a borrowed session, the connection counts as lost, and takes a retry. A front end may say 408 to an idle client.
    """
    retries = 1 if "borrowed" in request.node.name else 0
    idle = Event()
    for status_code in [200, 408] * 50:
        idle.clear()
        api.replies += [[*reply(), idle, *reply(status_code, PLANTED)]]
        await mint(either_client)
        [[(connection, _)]] = connector_of(either_client)._conns.values()
        idle.set()
        await until(lambda: connection.should_close)  # noqa: B023  # it is called before the loop goes on
        answer = await either_client.tokens.single_use.with_raw_response.create(
            "realtime_scribe", request_options={"max_retries": retries}
        )

        assert (TOKEN["token"], retries) == (answer.data.token, answer.raw_response.retries_taken)


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
    """A new connection on which the server spoke first is dropped too."""
    sent = Event()

    async def until_read(*_: object) -> None:
        await asyncio.to_thread(sent.wait, 5)
        for _turn in range(100):  # on loopback, what was sent has arrived by then
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
async def test_an_answer_in_one_segment_with_another(api: ScriptedApi, either_client: AsyncElevenLabsClient) -> None:
    """The second answer is dropped with its connection."""
    api.replies += [[reply()[0] + reply(body=PLANTED)[0]]] * 100
    tokens = [await mint(either_client) for _ in range(100)]

    assert {TOKEN["token"]} == set(tokens)
    assert 100 == api.connections


# A reply that is not HTTP

LENGTH = len(BODY)
CHUNKED = head(200, {"Transfer-Encoding": "chunked"})
MALFORMED: dict[str, Script] = {
    "Content-Length and Transfer-Encoding": [
        head(200, {"Content-Length": LENGTH, "Transfer-Encoding": "chunked"}) + chunked(BODY, 13)
    ],
    "Transfer-Encoding and Content-Length": [
        head(200, {"Transfer-Encoding": "chunked", "Content-Length": LENGTH}) + chunked(BODY, 13)
    ],
    "two lengths that differ": [head(200, {"Content-Length": 29, "content-length": LENGTH}) + BODY],
    "two lengths that are equal": [head(200, {"Content-Length": LENGTH, "content-length": LENGTH}) + BODY],
    "two lengths in one header": [head(200, {"Content-Length": f"{LENGTH}, {LENGTH}"}) + BODY],
    "a length with a sign": [head(200, {"Content-Length": "+100"}) + BODY],
    "a length below zero": [head(200, {"Content-Length": "-1"}) + BODY],
    "a status with letters": [b"HTTP/1.1 2OO OK\r\nContent-Length: 100\r\n\r\n" + BODY],
    "a status of two digits": [b"HTTP/1.1 20 OK\r\nContent-Length: 100\r\n\r\n" + BODY],
    "another protocol": [b"ICY 200 OK\r\nContent-Length: 100\r\n\r\n" + BODY],
    "no status line": [BODY + b"\r\n\r\n"],
    "a header without a name": [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n: x\r\n\r\n" + BODY],
    "a header without a colon": [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nbroken\r\n\r\n" + BODY],
    "a NUL in a header": [head(200, {"Content-Length": LENGTH, "X-Nul": "a\0b"}) + BODY],
    "101 with a token": [head(101, {"Content-Length": LENGTH}) + BODY],
    "101 with an upgrade": [head(101, {"Connection": "Upgrade", "Upgrade": "websocket"}) + BODY],
    "a bad chunk in one segment with the head": [CHUNKED + b"zz\r\n" + BODY],
    "a bad chunk in a segment of its own": [Pieces([CHUNKED, b"zz\r\n" + BODY], 0.05)],
    "a bad chunk after a token": [Pieces([CHUNKED, b"64\r\n" + BODY + b"\r\n", b"zz\r\n"], 0.05)],
    "a chunk longer than it says": [Pieces([CHUNKED, b"1d\r\n" + BODY + b"\r\n0\r\n\r\n"], 0.05)],
}


@pytest.mark.promise(row=15)
@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("script", MALFORMED.values(), ids=MALFORMED)
async def test_a_reply_that_is_not_http(api: ScriptedApi, client: AsyncElevenLabsClient, script: Script) -> None:
    """It is an error at once, never the token, and the client does not try again."""
    api.replies += [script]

    outcome, _ = await outcome_of(mint(client, attempt_timeout_in_seconds=1.0))

    assert InvalidResponseError is outcome, "its class tells that nothing waited for the timeout"
    assert 1 == len(api.requests)


@pytest.mark.timed
@pytest.mark.promise(row=15)
@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("status_code", [100, 103, 199])
async def test_1xx_for_ever(api: ScriptedApi, client: AsyncElevenLabsClient, status_code: int) -> None:
    """A reply that never begins is a reply that does not come in time."""
    api.replies += [[Pieces(repeat(head(status_code)), 0.005)]]

    outcome, seconds = await outcome_of(mint(client, attempt_timeout_in_seconds=0.3, max_retries=0))

    assert ElevenLabsTimeoutError is outcome
    assert 0.3 == pytest.approx(seconds, abs=0.1)
