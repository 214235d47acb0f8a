"""What can go wrong with a call, as one table. Each fault has the secrets in it that the client could show."""

import asyncio
from base64 import b64encode
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache, partial
from gzip import compress
from threading import Event
from typing import Any
from urllib.parse import quote

import trustme
from attrs import field, frozen

from elevenlabs_tokens import (
    AuthenticationError,
    ElevenLabsConnectionError,
    ElevenLabsTimeoutError,
    ElevenLabsTLSError,
    InvalidResponseError,
    RateLimitError,
    ServerError,
    UnprocessableEntityError,
)
from proxies import ConnectProxy, server_context
from scripted import HEAD_END, Act, Script, ScriptedApi, reply

# They have characters that percent-encoding changes.
KEY = "sk_k3y/+of=the&tests0123456789"
TOKEN = "sutkn_hush/+hush=0123456789abcdef"
HALF_TOKEN = TOKEN[:12]
PASSWORD = "sword/+fish="
BASIC = b64encode(f"user:{PASSWORD}".encode()).decode()

ENCODED_KEY = quote(KEY, safe="")
ENCODED_PASSWORD = quote(PASSWORD, safe="")

HALF_A_REPLY: Script = [f'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{{"token": "{HALF_TOKEN}'.encode()]


def forms_of(secret: str) -> set[str]:
    """Give a secret as it is, and in each way of encoding it."""
    encoded = {quote(secret), quote(secret, safe="")}
    return {secret, *encoded, *(text.lower() for text in encoded), b64encode(secret.encode()).decode()}


SECRETS = frozenset().union(*map(forms_of, (KEY, HALF_TOKEN, TOKEN, PASSWORD, BASIC)))
"""Every secret, in every form: none of them may show anywhere."""


@frozen
class Place:
    """What a client is made with so that its calls meet a fault.

    Attributes:
        base_url: The base URL.
        arguments: The other arguments.
        interrupt: Set when a call has sent its request, and the test is to cancel it; None if it fails by itself.
        answers_half: Whether the test waits for half a reply before it cancels the call.
    """

    base_url: str
    arguments: Mapping[str, Any] = field(factory=dict)
    interrupt: Event | None = None
    answers_half: bool = False


@frozen
class Fault:
    """One thing that goes wrong.

    Attributes:
        name: What it is.
        error: The class of the error that the caller gets.
        place: Gives a place where it happens to every attempt.
        script: What the server answers; None if the fault takes more than that.
    """

    name: str
    error: type[BaseException]
    place: Callable[[], AbstractContextManager[Place]]
    script: Script | None = None


@contextmanager
def _answering(script: Script, **arguments: Any) -> Generator[Place]:
    with ScriptedApi() as api:
        api.replies += [script] * 3
        yield Place(api.base_url, arguments)


@contextmanager
def _half_way(script: Script) -> Generator[Place]:
    with ScriptedApi() as api:
        api.replies += [[*script, Act.STALL]]
        yield Place(api.base_url, interrupt=api.request_came, answers_half=bool(script))


@contextmanager
def _nobody() -> Generator[Place]:
    with ScriptedApi() as gone:
        base_url = gone.base_url
    yield Place(base_url)


@cache
def _tls() -> Any:
    return server_context(trustme.CA(), "127.0.0.1")


@contextmanager
def _untrusted() -> Generator[Place]:
    with ScriptedApi(_tls()) as api:
        yield Place(api.base_url, {"headers": {"Authorization": f"Bearer {KEY}"}})


@contextmanager
def _refusing_proxy() -> Generator[Place]:
    with ConnectProxy(0) as proxy:
        proxy.refusal = f"HTTP/1.1 407 Not {PASSWORD}\r\nX-Echo: Basic {BASIC}\r\nContent-Length: 0\r\n\r\n".encode()
        yield Place("https://api.example.test", {"proxy": f"http://user:{ENCODED_PASSWORD}@{proxy.address}"})


def _scripted(name: str, error: type[BaseException], script: Script, **arguments: Any) -> Fault:
    """Make a fault from the script of a server."""
    return Fault(name, error, partial(_answering, script, **arguments), script)


_ECHO = {"X-Echo": KEY, "X-Query": f"?key={ENCODED_KEY}", "Request-Id": KEY}
_DETAIL = {"status": "invalid_api_key", "code": KEY, "message": f"No such key: {KEY}", "request_id": KEY, KEY: [KEY]}
_ITEM = {"type": "enum", "loc": ["header", KEY], "msg": f"not {KEY}", "input": KEY, "ctx": {KEY: f"?{ENCODED_KEY}"}}

FAULTS = (
    _scripted("401 that echoes the key", AuthenticationError, reply(401, {"detail": _DETAIL}, _ECHO)),
    _scripted("422 that echoes the key", UnprocessableEntityError, reply(422, {"detail": [_ITEM]}, _ECHO)),
    _scripted("500 that echoes the key", ServerError, reply(500, {"detail": f"{KEY} {ENCODED_KEY}"}, _ECHO)),
    _scripted("429 that names a wait", RateLimitError, reply(429, KEY, {**_ECHO, "Retry-After": "3600"})),
    _scripted("a redirect", InvalidResponseError, reply(307, b"", {"Location": f"https://h.example/?k={ENCODED_KEY}"})),
    _scripted(
        "a redirect that encodes in its own way",
        InvalidResponseError,
        reply(302, b"", {"Location": f"/?k={quote(KEY)}", "Link": f"</?k={ENCODED_KEY.lower()}>"}),
    ),
    _scripted("HTML", InvalidResponseError, reply(200, f"<html>{TOKEN} {KEY}</html>".encode(), _ECHO)),
    _scripted("JSON that breaks off", InvalidResponseError, reply(200, f'{{"token": "{TOKEN}", {KEY}'.encode())),
    _scripted("a token of the wrong shape", InvalidResponseError, reply(200, {"token": [TOKEN, KEY], TOKEN: TOKEN})),
    _scripted("a token that cannot be sent", InvalidResponseError, reply(200, {"token": f"{TOKEN}\r\n"})),
    _scripted("too large", InvalidResponseError, reply(200, {"token": TOKEN, "rest": KEY * 4000}, _ECHO)),
    _scripted(
        "gzip",
        InvalidResponseError,
        reply(200, compress(f'{{"token": "{TOKEN}"}}'.encode()), {"Content-Encoding": "gzip"}),
    ),
    _scripted("a connection lost in mid-token", ElevenLabsConnectionError, [*HALF_A_REPLY, Act.CLOSE]),
    _scripted(
        "a reply that is not HTTP",
        InvalidResponseError,
        [f"HTTP/1.1 200 OK\r\nX-Echo: {KEY}\r\nContent-Length: {TOKEN}".encode() + HEAD_END, Act.CLOSE],
    ),
    _scripted(
        "a reply that stalls", ElevenLabsTimeoutError, [*HALF_A_REPLY, Act.STALL], attempt_timeout_in_seconds=0.1
    ),
    Fault("nobody listens", ElevenLabsConnectionError, _nobody),
    Fault("a certificate that is not trusted", ElevenLabsTLSError, _untrusted),
    Fault("a proxy that refuses", ElevenLabsConnectionError, _refusing_proxy),
    Fault("a cancellation", asyncio.CancelledError, partial(_half_way, [])),
    Fault("a cancellation in mid-token", asyncio.CancelledError, partial(_half_way, HALF_A_REPLY)),
)
