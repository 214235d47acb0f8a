"""Whom a client talks to, through what, and what it takes from its caller: TLS, addresses, proxies, input."""

import gzip
import json
import socket
import ssl
import string
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import aiohttp
import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from elevenlabs_tokens import (
    AsyncElevenLabsClient,
    ElevenLabsClient,
    ElevenLabsConfigError,
    ElevenLabsError,
    ElevenLabsTimeoutError,
    ElevenLabsTLSError,
    InvalidResponseError,
    RequestOptions,
)
from elevenlabs_tokens._http import sessions, transport
from elevenlabs_tokens.environments import is_loopback
from frozen import KEY
from proxies import ConnectProxy, server_context
from scripted import ScriptedApi, reply

pytestmark = pytest.mark.anyio

TOKEN = "sutkn_1234567890"
HOST = "api.example.test"
"""A host that is not this machine, and that only the tests know."""


async def mint(client: AsyncElevenLabsClient, **options: Any) -> str:
    async with client:
        return (await client.tokens.single_use.create("realtime_scribe", request_options=options)).token


class RawServer:
    """A server that does one thing with every connection.

    Args:
        serve: What it does.

    Attributes:
        connections: How many were accepted.
        address: Where it listens.
    """

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve_one = serve
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                with suppress(OSError), connection:
                    self._serve_one(connection)


def drain(connection: socket.socket) -> None:
    """Say nothing until the other side goes, so that what was said before arrives."""
    while connection.recv(65536):
        pass


# Promises 34 and 35: TLS.


def dated(
    authority: trustme.CA, *, not_before: datetime | None = None, not_after: datetime | None = None
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", not_before=not_before, not_after=not_after).configure_cert(context)
    return context


def self_signed(_: trustme.CA) -> ssl.SSLContext:
    context, own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), trustme.CA()
    with own.cert_pem.tempfile() as certificate, own.private_key_pem.tempfile() as key:
        context.load_cert_chain(certificate, key)
    return context


UNTRUSTED: Mapping[str, tuple[Callable[[trustme.CA], ssl.SSLContext], str]] = {
    "self-signed": (self_signed, "self-signed certificate"),
    "an unknown authority": (lambda _: server_context(trustme.CA(), "127.0.0.1"), "unable to get local issuer"),
    "another host": (lambda ca: server_context(ca, HOST), "certificate is not valid for '127.0.0.1'"),
    "expired": (lambda ca: dated(ca, not_after=datetime.now(UTC) - timedelta(1)), "certificate has expired"),
    "not yet valid": (
        lambda ca: dated(ca, not_before=datetime.now(UTC) + timedelta(1)),
        "certificate is not yet valid",
    ),
}


@pytest.mark.promise(row=34)
@pytest.mark.parametrize(("make_context", "reason"), UNTRUSTED.values(), ids=UNTRUSTED)
async def test_a_certificate_that_cannot_be_trusted(
    authority: trustme.CA, trusting: ssl.SSLContext, make_context: Callable[[trustme.CA], ssl.SSLContext], reason: str
) -> None:
    """Its fault is named, nothing is tried again, and no request is sent."""
    with ScriptedApi(make_context(authority)) as api:
        with pytest.raises(ElevenLabsTLSError) as caught:
            await mint(AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, ssl=trusting))

        assert f"TLS with 127.0.0.1:{api.port} failed (" in str(caught.value)
        assert reason in str(caught.value)
        assert (1, []) == (api.connections, api.requests)


def old_tls(connection: socket.socket) -> None:
    """Answer as a server does that ends with TLS 1.1: one alert, `protocol_version`."""
    connection.recv(65536)
    connection.sendall(b"\x15\x03\x02\x00\x02\x02\x46")
    drain(connection)


def plain_http(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    drain(connection)


def plain_mail(connection: socket.socket) -> None:
    connection.sendall(b"220 mail.example ESMTP\r\n")
    drain(connection)


@pytest.mark.promise(row=34)
@pytest.mark.parametrize("serve", [old_tls, plain_http, plain_mail])
async def test_a_port_that_does_not_speak_tls_of_today(serve: Callable[[socket.socket], None]) -> None:
    """Be it TLS 1.1 or none: it is not tried again."""
    with RawServer(serve) as server:
        with pytest.raises(ElevenLabsTLSError, match=f"TLS with {server.address} failed "):
            await mint(AsyncElevenLabsClient(api_key=KEY, base_url=f"https://{server.address}"))

        assert 1 == server.connections


@pytest.mark.promise(row=34)
async def test_a_server_that_knows_nothing_newer_than_tls_1_1(authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    """A real one, too."""
    context = server_context(authority, "127.0.0.1")
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with ScriptedApi(context) as api:
        with pytest.raises(ElevenLabsTLSError, match="protocol version"):
            await mint(AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, ssl=trusting))

        assert (1, []) == (api.connections, api.requests)


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["TLS 1.2", "TLS 1.3"])
def asks_for_a_certificate(authority: trustme.CA, request: pytest.FixtureRequest) -> Iterator[RawServer]:
    """Give a server that wants to see a certificate, and says so in good order when there is none."""
    context = server_context(authority, "127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = request.param

    def serve(connection: socket.socket) -> None:
        secured = context.wrap_socket(connection.dup(), server_side=True, do_handshake_on_connect=False)
        with secured, suppress(ssl.SSLError):
            secured.do_handshake()
        drain(connection)

    with RawServer(serve) as running:
        yield running


@pytest.mark.promise(row=34)
async def test_a_server_that_wants_a_certificate(asks_for_a_certificate: RawServer, trusting: ssl.SSLContext) -> None:
    """Under TLS 1.3 the refusal comes after the handshake, which is no lost connection: it is not tried again."""
    client = AsyncElevenLabsClient(api_key=KEY, base_url=f"https://{asks_for_a_certificate.address}", ssl=trusting)
    with pytest.raises(ElevenLabsTLSError):
        await mint(client)

    assert 1 == asks_for_a_certificate.connections


@pytest.mark.promise(row=34)
async def test_http_1_1_is_what_is_asked_for() -> None:
    """A server that could speak HTTP/2 is told in the handshake not to."""
    hello = b""

    def listen(connection: socket.socket) -> None:
        nonlocal hello
        hello = connection.recv(65536)

    with RawServer(listen) as server, pytest.raises(ElevenLabsError):
        await mint(AsyncElevenLabsClient(api_key=KEY, base_url=f"https://{server.address}", max_retries=0))

    assert b"\x00\x09\x08http/1.1" in hello  # a list of 9 bytes: one name, of 8


@pytest.mark.promise(row=35)
def test_whom_the_machine_trusts_is_asked_when_a_client_is_made(
    authority: trustme.CA, tls_api: ScriptedApi, tmp_path: Path
) -> None:
    """Not when the package is imported, and anew for every client."""
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    program = f"""
import asyncio, os
from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsClient, ElevenLabsTLSError
def outcome():
    try:
        with ElevenLabsClient(api_key="{KEY}", base_url="{tls_api.base_url}") as client:
            return client.tokens.single_use.create("realtime_scribe").token
    except ElevenLabsTLSError:
        return "no trust"
print(outcome())
os.environ["SSL_CERT_FILE"] = "{file}"
print(outcome())
async def main():
    async with AsyncElevenLabsClient(api_key="{KEY}", base_url="{tls_api.base_url}") as client:
        del os.environ["SSL_CERT_FILE"]
        return (await client.tokens.single_use.create("realtime_scribe")).token
print(asyncio.run(main()))
print(outcome())
"""
    run = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert ["no trust", TOKEN, TOKEN, "no trust"] == run.stdout.splitlines()


@pytest.mark.promise(row=35)
def test_a_client_without_tls_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading whom the machine trusts takes its time, so it waits for the first client that needs to know."""
    monkeypatch.setenv("SSL_CERT_FILE", "/nobody/has/asked/for/this")
    before = sessions._ssl_context.cache_info().misses

    AsyncElevenLabsClient(api_key=KEY, base_url="http://127.0.0.1")
    without = sessions._ssl_context.cache_info().misses
    AsyncElevenLabsClient(api_key=KEY, base_url="https://127.0.0.1")

    assert (before, before + 1) == (without, sessions._ssl_context.cache_info().misses)


@pytest.mark.promise(row=35)
def test_tls_to_a_proxy_asks_whom_the_machine_trusts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that is spoken to over TLS is trusted as an API is, though the API behind it may do without."""
    monkeypatch.setenv("SSL_CERT_FILE", "/nobody/has/asked/for/this/proxy")
    before = sessions._ssl_context.cache_info().misses

    AsyncElevenLabsClient(api_key=KEY, base_url="http://127.0.0.1", proxy="https://127.0.0.1:8080")

    assert before + 1 == sessions._ssl_context.cache_info().misses


# Promise 36: base URLs.

Kind = type[AsyncElevenLabsClient] | type[ElevenLabsClient]
BOTH = pytest.mark.parametrize("kind", [AsyncElevenLabsClient, ElevenLabsClient])

INSECURE = [
    "http://api.elevenlabs.io",
    "http://10.0.0.1",
    "http://127.0.0.1.evil.com",
    "http://localhost.evil.com",
    "http://evil.com:127",
    "http://[::ffff:127.0.0.1]",
    "http://[::2]",
    "http://0.0.0.0",
    "http://2130706433",
    "http://127.1",
]
NO_BASE_URL = [
    *INSECURE,
    "",
    " ",
    "api.elevenlabs.io",
    "//api.elevenlabs.io",
    "https://",
    "https:///v1",
    "https:api.elevenlabs.io",
    "ftp://api.elevenlabs.io",
    "file:///etc/passwd",
    "wss://api.elevenlabs.io",
    "javascript:alert(1)",
    "https://user:hunter2@api.elevenlabs.io",
    "https://hunter2@api.elevenlabs.io",
    "https://@api.elevenlabs.io",
    "http://localhost@evil.com",
    "http://127.0.0.1:80@evil.com",
    "http://[::1",
    "http://::1]",
    "http://[::1]evil.com",
    "http://[::1].evil.com",
    "http://[::1]evil.com:80",
    "http://a[::1]",
    "https://[::1]]",
    "https://[[::1]",
    "https://[::1]evil.com",
    "https://[]",
    "https://h.example:0x50",
    "https://h.example:99999",
    "https://h.example\r\nX-Evil: 1",
    "https://h.example?x=y",
    "https://h.example#x",
    "https://h.example\\@evil.com",
]


@pytest.mark.promise(row=36)
@BOTH
@pytest.mark.parametrize("base_url", NO_BASE_URL)
def test_what_is_no_base_url(kind: Kind, base_url: str) -> None:
    """It is refused when the client is made, and a password in it is not shown."""
    with pytest.raises(ElevenLabsConfigError, match=r"^base_url ") as caught:
        kind(api_key=KEY, base_url=base_url)

    assert "hunter2" not in str(caught.value)


@pytest.mark.promise(row=36)
@BOTH
def test_http_where_it_may_be(kind: Kind) -> None:
    """On this machine, and wherever the caller says that it is meant."""
    for base_url in ("http://127.0.0.1", "http://127.8.9.10:1", "http://localhost:8765/x", "http://[::1]:8765"):
        kind(api_key=KEY, base_url=base_url)
    for base_url in INSECURE:
        kind(api_key=KEY, base_url=base_url, allow_insecure_http=True)


ANY_CONTEXT = ssl.create_default_context()
PIECES = [
    "[::1]",
    "[",
    "]",
    "::1",
    "127.0.0.1",
    "localhost",
    ".",
    ":",
    "@",
    "/",
    "\\",
    "%",
    "%2e",
    "#",
    "?",
    "v1",
    "80",
    "evil",
]


@pytest.mark.promise(row=36)
@settings(deadline=None, max_examples=500)
@given(st.sampled_from(["http://", "https://"]), st.lists(st.sampled_from(PIECES), min_size=1).map("".join))
def test_the_host_that_was_checked_is_the_one_that_is_asked(scheme: str, rest: str) -> None:
    """Whatever the address looks like, the transport reads it as the check did."""
    try:
        client = AsyncElevenLabsClient(api_key=KEY, base_url=f"{scheme}{rest}", ssl=ANY_CONTEXT)
    except ElevenLabsConfigError:
        return

    url = URL(f"{client._pipeline.base_url}/v1/single-use-token/realtime_scribe", encoded=True)
    assert url.host
    assert url.raw_user is None
    assert "https" == url.scheme or is_loopback(url.host)


@pytest.mark.promise(row=36)
@pytest.mark.parametrize("host", ["256.1.1.1", "999999999999", "1.2.3", "[v1.x]", "a'b", "name.invalid"])
async def test_a_host_that_is_nowhere(host: str) -> None:
    """When it is found out does not matter, as long as the error is the package's."""
    with pytest.raises(ElevenLabsError):
        await mint(AsyncElevenLabsClient(api_key=KEY, base_url=f"https://{host}", max_retries=0))


# Promise 37: API keys.

KEYS: Mapping[str, object] = {
    "a newline": f"{KEY}\n",
    "CR": f"{KEY}\r",
    "CRLF and a header": f"{KEY}\r\nX-Evil: 1",
    "NUL": f"{KEY}\x00",
    "a tab": f"{KEY}\t",
    "0x01": f"\x01{KEY}",
    "DEL": f"{KEY}\x7f",
    "é": f"{KEY}é",
    "U+200B": f"{KEY}\u200b",
    "a smart quote": f"\u201c{KEY}",
    "empty": "",
    "a space in front": f" {KEY}",
    "a space inside": f"{KEY} {KEY}",
    "a no-break space": f"{KEY}\u00a0",
    "half a surrogate pair": f"{KEY}\ud800",
    "bytes": KEY.encode(),
    "int": 1234567890123456,
    "too long": KEY * 300,
}


@pytest.mark.promise(row=37)
@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
async def test_what_is_no_key(api: ScriptedApi, client: AsyncElevenLabsClient, key: Any) -> None:
    """However it is given it is refused, not shown, and nothing is sent."""

    async def later() -> Any:
        return key

    errors: list[ElevenLabsConfigError] = []
    for kind in (AsyncElevenLabsClient, ElevenLabsClient):
        with pytest.raises(ElevenLabsConfigError) as caught:
            kind(api_key=key, base_url=api.base_url)
        errors.append(caught.value)
    for options in (lambda: RequestOptions(api_key=key), lambda: {"api_key": key}):
        with pytest.raises(ElevenLabsConfigError) as caught:
            client.tokens.single_use.create("realtime_scribe", request_options=options())
        errors.append(caught.value)
    for source in (lambda: key, later):
        with pytest.raises(ElevenLabsConfigError) as caught:
            await client.tokens.single_use.create("realtime_scribe", request_options={"api_key": source})
        errors.append(caught.value)

    assert 6 == len(errors)
    for error in errors:
        shown = f"{error} {error!r} {error.args} {vars(error)} {error.__cause__!r} {error.__context__!r}"
        assert not any(secret in shown for secret in (KEY, str(key)) if secret)
        assert "Nothing was sent" in str(error)
    assert 0 == api.connections


@pytest.mark.promise(row=37)
@BOTH
@pytest.mark.parametrize("key", [key for key in KEYS.values() if isinstance(key, str) and key and "\0" not in key])
def test_an_environment_that_holds_no_key(kind: Kind, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is checked as an argument is."""
    monkeypatch.setenv("ELEVENLABS_API_KEY", key.replace("\ud800", "\udcff"))  # a byte that is not UTF-8

    with pytest.raises(ElevenLabsConfigError) as caught:
        kind()

    assert KEY not in str(caught.value)


@pytest.mark.promise(row=37)
@pytest.mark.parametrize("variable", [None, ""], ids=["unset", "empty"])
async def test_no_key(api: ScriptedApi, variable: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call says how to set one, and sends nothing."""
    if variable is not None:
        monkeypatch.setenv("ELEVENLABS_API_KEY", variable)
    text = "there is no API key: set ELEVENLABS_API_KEY before the client is made, or give api_key="

    async with AsyncElevenLabsClient(base_url=api.base_url) as client:
        with pytest.raises(ElevenLabsConfigError, match=f"^{text}$"):
            client.tokens.single_use.create("realtime_scribe")
        with pytest.raises(ElevenLabsConfigError, match=f"^{text}$"):
            await client.tokens.single_use.with_raw_response.create("realtime_scribe")
    with (
        ElevenLabsClient(base_url=api.base_url) as sync_client,
        pytest.raises(ElevenLabsConfigError, match=f"^{text}$"),
    ):
        sync_client.tokens.single_use.create("realtime_scribe")

    assert 0 == api.connections


@pytest.fixture(scope="module")
def open_house() -> Iterator[ScriptedApi]:
    """Give a server that stays through all examples of a test."""
    with ScriptedApi() as running:
        yield running


@pytest.fixture(scope="module")
def guest(open_house: ScriptedApi) -> Iterator[ElevenLabsClient]:
    with ElevenLabsClient(api_key=KEY, base_url=open_house.base_url) as client:
        yield client


def sent(api: ScriptedApi, client: ElevenLabsClient, token_type: str, **options: Any) -> list[bytes] | None:
    """Give the lines of the request that a call sends, or None if it is refused and sends nothing."""
    api.requests.clear()
    try:
        client.tokens.single_use.create(token_type, request_options=options)
    except ElevenLabsConfigError:
        assert [] == api.requests
        return None
    [request] = api.requests
    return request.removesuffix(b"\r\n\r\n").split(b"\r\n")


VISIBLE = string.ascii_letters + string.digits + string.punctuation
DANGEROUS = st.sampled_from('\r\n\t\0 :,"é\u200b\u2028\ud800\x85\x1c')


@pytest.mark.promise(row=37)
@settings(deadline=None, max_examples=200)
@given(key=st.text(st.sampled_from(VISIBLE)) | st.text(st.sampled_from(VISIBLE) | DANGEROUS) | st.text())
def test_any_text_is_the_key_or_refused(open_house: ScriptedApi, guest: ElevenLabsClient, key: str) -> None:
    """The key on the wire is the one that was given, in one header."""
    lines = sent(open_house, guest, "realtime_scribe", api_key=key)

    is_key = 0 < len(key) <= 4096 and all(character in VISIBLE for character in key)
    assert is_key is (lines is not None)
    if lines:
        assert [b"xi-api-key: " + key.encode()] == [line for line in lines if line.lower().startswith(b"xi-api-key:")]
        assert 8 == len(lines)


# Promise 38: token types.

NO_TOKEN_TYPES: Mapping[str, Any] = {
    "another endpoint": "../voices",
    "dots": "..",
    "a dot": ".",
    "empty": "",
    "a slash": "a/b",
    "a slash in front": "/realtime_scribe",
    "a slash at the end": "realtime_scribe/",
    "a backslash": "a\\b",
    "a query": "x?y=1",
    "a fragment": "x#y",
    "encoded dots": "%2e%2e",
    "an encoded slash": "a%2fb",
    "a semicolon": "a;b",
    "CRLF": "x\r\ny",
    "CRLF and a header": "x HTTP/1.1\r\nX-Evil: 1",
    "a line end at the end": "realtime_scribe\n",
    "a space": "a b",
    "NUL": "a\0",
    "upper case": "Realtime_scribe",
    "a hyphen": "realtime-scribe",
    "a digit in front": "1a",
    "an underscore in front": "_a",
    "65 long": "a" * 65,
    "a digit of another script": "a\u0663",
    "a letter of another script": "r\u0435altime_scribe",
    "half a surrogate pair": "a\ud800",
    "bytes": b"realtime_scribe",
    "None": None,
    "a number": 5,
    "a list": ["realtime_scribe"],
}


@pytest.mark.promise(row=38)
@pytest.mark.parametrize("token_type", NO_TOKEN_TYPES.values(), ids=NO_TOKEN_TYPES)
async def test_a_token_type_that_could_lead_elsewhere(
    api: ScriptedApi, client: AsyncElevenLabsClient, token_type: Any
) -> None:
    """It is refused before a byte is sent, by `create` itself."""
    text = r"^token_type must be one of realtime_scribe, .* nothing was sent$"

    with pytest.raises(ElevenLabsConfigError, match=text):
        client.tokens.single_use.create(token_type)
    with pytest.raises(ElevenLabsConfigError, match=text):
        await client.tokens.single_use.with_raw_response.create(token_type)
    with (
        ElevenLabsClient(api_key=KEY, base_url=api.base_url) as sync_client,
        pytest.raises(ElevenLabsConfigError, match=text),
    ):
        sync_client.tokens.single_use.create(token_type)

    assert 0 == api.connections


@pytest.mark.promise(row=38)
@settings(deadline=None, max_examples=200)
@given(token_type=st.from_regex(r"[a-z][a-z0-9_]{0,63}", fullmatch=True) | st.text(st.sampled_from("a1_/.%A?#\n ")))
def test_any_text_is_the_last_part_of_the_path_or_refused(
    open_house: ScriptedApi, guest: ElevenLabsClient, token_type: str
) -> None:
    """Well-formed, it is sent as it is; or nothing is."""
    lines = sent(open_house, guest, token_type)

    is_well_formed = token_type[:1] in set(string.ascii_lowercase) and len(token_type) <= 64
    is_well_formed &= all(character in string.ascii_lowercase + string.digits + "_" for character in token_type)
    assert is_well_formed is (lines is not None)
    if lines:
        assert f"POST /v1/single-use-token/{token_type} HTTP/1.1".encode() == lines[0]


# Promise 39: extra headers.

RESERVED = [
    "xi-api-key",
    "Host",
    "Content-Length",
    "Content-Encoding",
    "Transfer-Encoding",
    "TE",
    "Trailer",
    "Connection",
    "Upgrade",
    "Expect",
    "Accept-Encoding",
    "Proxy-Authorization",
]
NO_HEADERS: Mapping[str, Mapping[Any, Any]] = {
    "CRLF in a value": {"X-A": "a\r\nX-Evil: 1"},
    "LF in a value": {"X-A": "a\nX-Evil: 1"},
    "CR in a value": {"X-A": "a\rb"},
    "NUL in a value": {"X-A": "a\0b"},
    "DEL in a value": {"X-A": "a\x7f"},
    "é in a value": {"X-A": "é"},
    "bytes": {"X-A": b"a"},
    "a number": {"X-A": 1},
    "CRLF in a name": {"X-A: a\r\nX-Evil": "1"},
    "a colon in a name": {"X-A:": "1"},
    "a space in a name": {"X A": "1"},
    "a line end after a name": {"Host\n": "1"},
    "an empty name": {"": "1"},
    "a name that folds to ASCII": {"ho\u017ft": "1"},
    "a name of another type": {None: "1"},
    "one name twice": {"X-A": "1", "x-a": "2"},
}


def refusals(api: ScriptedApi, client: AsyncElevenLabsClient, headers: Mapping[Any, Any]) -> list[str]:
    """Give the errors of every way to give headers."""
    unchecked: Any = headers
    ways: list[Callable[[], object]] = [
        lambda: AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, headers=unchecked),
        lambda: ElevenLabsClient(api_key=KEY, base_url=api.base_url, headers=unchecked),
        lambda: RequestOptions(headers=unchecked),
        lambda: client.tokens.single_use.create("realtime_scribe", request_options={"headers": unchecked}),
        lambda: client.tokens.single_use.create("realtime_scribe", request_options={"additional_headers": unchecked}),
    ]
    texts: list[str] = []
    for way in ways:
        with pytest.raises(ElevenLabsConfigError) as caught:
            way()
        texts.append(str(caught.value))
    return texts


@pytest.mark.promise(row=39)
@pytest.mark.parametrize("value", ["x", "", None, KEY, 5, "a\r\nb"], ids=repr)
@pytest.mark.parametrize("name", RESERVED)
async def test_headers_that_only_the_transport_sets(
    api: ScriptedApi, client: AsyncElevenLabsClient, name: str, value: Any
) -> None:
    """They are refused in any case and whatever the value, None too."""
    for spelled in (name, name.lower(), name.upper(), name.title(), name.swapcase()):
        for text in refusals(api, client, {spelled: value}):
            assert text.startswith(f"header {name.lower()!r} is set by the client and cannot be given")
            assert KEY not in text
    assert 0 == api.connections


@pytest.mark.promise(row=39)
@pytest.mark.parametrize("headers", NO_HEADERS.values(), ids=NO_HEADERS)
async def test_headers_that_could_end_their_line(
    api: ScriptedApi, client: AsyncElevenLabsClient, headers: Mapping[Any, Any]
) -> None:
    """Names and values are those of HTTP, or they are refused."""
    texts = refusals(api, client, headers)

    assert 1 == len(set(texts))
    assert "Evil" not in texts[0]
    assert 0 == api.connections


NAMES = st.sampled_from(["x-a", "X-B", "Cookie", "Accept", "USER-AGENT", "Content-Type", "HOST", "Te"])
VALUES = st.text(st.sampled_from(VISIBLE + " \t")) | st.text(st.sampled_from(VISIBLE) | DANGEROUS) | st.none()


@pytest.mark.promise(row=39)
@settings(deadline=None, max_examples=300)
@given(headers=st.dictionaries(NAMES | st.text(st.sampled_from(VISIBLE) | DANGEROUS), VALUES, max_size=3))
def test_any_texts_are_headers_or_refused(
    open_house: ScriptedApi, guest: ElevenLabsClient, headers: dict[str, str | None]
) -> None:
    """What is sent are the headers that were given and the package's own, and nothing that grew out of either."""
    lines = sent(open_house, guest, "realtime_scribe", headers=headers)

    if lines is None:
        return
    names = [line.partition(b": ")[0].decode().lower() for line in lines[1:]]
    own = {"host", "user-agent", "accept", "accept-encoding", "xi-api-key", "content-length", "content-type"}
    given_names = {name.lower() for name, value in headers.items() if value is not None}
    removed = {name.lower() for name, value in headers.items() if value is None}
    assert sorted((own | given_names) - removed) == sorted(names)
    assert f"xi-api-key: {KEY}".encode() in lines
    for name, value in headers.items():
        assert value is None or f"{name.lower()}: {value}".lower().encode() in [line.lower() for line in lines]


# Promise 40: proxies, and what stands beside a borrowed session.


@pytest.fixture
def proxy(tls_api: ScriptedApi) -> Iterator[ConnectProxy]:
    with ConnectProxy(tls_api.port) as running:
        yield running


@pytest.fixture
def known_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this machine know the host, as it would by a line in its list of hosts."""
    look_up = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        return look_up("127.0.0.1" if host == HOST else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.promise(row=40)
@pytest.mark.usefixtures("known_host")
@pytest.mark.parametrize(
    ("variable", "no_proxy", "is_proxied"),
    [
        ("NO_PROXY", HOST, False),
        ("no_proxy", HOST, False),
        ("NO_PROXY", "other.test, .example.test", False),
        ("NO_PROXY", "example.test", False),
        ("NO_PROXY", "*", False),
        ("NO_PROXY", f"{HOST}:{{port}}", False),
        ("NO_PROXY", f"{HOST}:1", True),
        ("NO_PROXY", "other.test", True),
        ("NO_PROXY", "ample.test", True),
        ("NO_PROXY", "", True),
    ],
)
async def test_hosts_without_a_proxy(
    *,
    tls_api: ScriptedApi,
    proxy: ConnectProxy,
    trusting: ssl.SSLContext,
    variable: str,
    no_proxy: str,
    monkeypatch: pytest.MonkeyPatch,
    is_proxied: bool,
) -> None:
    """What `NO_PROXY` names is reached directly, and all else through the proxy."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
    monkeypatch.setenv(variable, no_proxy.format(port=tls_api.port))

    token = await mint(AsyncElevenLabsClient(api_key=KEY, base_url=f"https://{HOST}:{tls_api.port}", ssl=trusting))

    assert TOKEN == token
    assert is_proxied is bool(proxy.heads)
    assert KEY.encode() not in b"".join(proxy.heads) + proxy.passed


@pytest.mark.promise(row=40)
@pytest.mark.usefixtures("known_host")
async def test_an_environment_that_changes_too_late(
    tls_api: ScriptedApi, proxy: ConnectProxy, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read once, when the client is made."""
    client = AsyncElevenLabsClient(api_key=KEY, base_url=f"https://{HOST}:{tls_api.port}", ssl=trusting)
    monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")

    assert TOKEN == await mint(client)
    assert [] == proxy.heads


@pytest.mark.promise(row=40)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_loopback_is_never_sent_through_the_environment_s_proxy(
    *,
    api: ScriptedApi,
    tls_api: ScriptedApi,
    proxy: ConnectProxy,
    trusting: ssl.SSLContext,
    host: str,
    scheme: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By whatever variable."""
    for variable in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, f"http://{proxy.address}")
    port = (tls_api if scheme == "https" else api).port

    token = await mint(AsyncElevenLabsClient(api_key=KEY, base_url=f"{scheme}://{host}:{port}", ssl=trusting))

    assert TOKEN == token
    assert [] == proxy.heads


@pytest.mark.promise(row=40)
@BOTH
def test_plain_http_through_a_proxy_shows_the_key(kind: Kind, proxy: ConnectProxy) -> None:
    """On another machine it takes `allow_insecure_http`: the client is not made without it."""
    for base_url in ("http://127.0.0.1:8765", "http://localhost:1", "http://[::1]"):
        with pytest.raises(ElevenLabsConfigError, match="allow_insecure_http"):
            kind(api_key=KEY, base_url=base_url, proxy="http://proxy.example:8080")
        kind(api_key=KEY, base_url=base_url, proxy="http://proxy.example:8080", allow_insecure_http=True)
        kind(api_key=KEY, base_url=base_url, proxy=f"http://{proxy.address}")


@pytest.mark.promise(row=40)
@pytest.mark.parametrize(
    "proxy_url", ["http://[::1]evil.com:80", "http://[::1]]", "http://[::1].evil.com", "http://a[::1]"]
)
def test_what_is_no_proxy(proxy_url: str) -> None:
    """It is refused when the client is made, not when it is used."""
    with pytest.raises(ElevenLabsConfigError, match=r"^proxy is not a proxy"):
        AsyncElevenLabsClient(api_key=KEY, proxy=proxy_url)


@pytest.mark.promise(row=40)
@pytest.mark.parametrize("is_through_a_proxy", [False, True], ids=["directly", "through a proxy"])
@pytest.mark.parametrize("variable", ["HOME", "NETRC"])
async def test_netrc_is_never_read(
    *,
    tls_api: ScriptedApi,
    proxy: ConnectProxy,
    trusting: ssl.SSLContext,
    tmp_path: Path,
    variable: str,
    monkeypatch: pytest.MonkeyPatch,
    is_through_a_proxy: bool,
) -> None:
    """Credentials that it holds for the API's host, or the proxy's, go to neither."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login them password hunter2\ndefault login them password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv(variable, str(tmp_path if variable == "HOME" else netrc))
    client = AsyncElevenLabsClient(
        api_key=KEY,
        base_url=tls_api.base_url,
        ssl=trusting,
        proxy=f"http://{proxy.address}" if is_through_a_proxy else None,
    )

    await mint(client)

    assert is_through_a_proxy is bool(proxy.heads)
    assert b"authorization" not in b"".join([*tls_api.requests, *proxy.heads]).lower()


@pytest.mark.promise(row=40)
async def test_a_borrowed_session_follows_no_redirect(api: ScriptedApi) -> None:
    """Whatever it does for its owner."""
    with ScriptedApi() as target:
        api.replies += [reply(307, {}, {"Location": f"{target.base_url}/elsewhere"})]
        async with aiohttp.ClientSession() as session:
            with pytest.raises(InvalidResponseError, match="a redirect in the 307 reply"):
                await mint(AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, session=session))

        assert (1, 0) == (len(api.requests), target.connections)


@pytest.mark.promise(row=40)
async def test_a_borrowed_session_decompresses_nothing(api: ScriptedApi) -> None:
    """Though its owner has it do so, and the token is in there."""
    packed = gzip.compress(json.dumps({"token": TOKEN}).encode())
    api.replies += [reply(200, packed, {"Content-Encoding": "gzip"})]
    async with aiohttp.ClientSession(auto_decompress=True) as session:
        with pytest.raises(InvalidResponseError, match="compressed data, which was not asked for"):
            await mint(AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, session=session))


@pytest.mark.promise(row=40)
@pytest.mark.promise(row=53)
@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning", "ignore:The 'auth':DeprecationWarning")
async def test_a_borrowed_session_that_has_credentials_of_its_own(api: ScriptedApi) -> None:
    """Next to an `Authorization` of the call they cannot be sent, and the package says so in its own words."""
    async with aiohttp.ClientSession(auth=aiohttp.BasicAuth("them", "hunter2")) as session:
        client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, session=session)
        with pytest.raises(ElevenLabsError) as caught:
            await mint(client, headers={"Authorization": "Bearer hunter3"})

    assert "hunter" not in str(caught.value)
    assert [] == api.requests


# Connecting: 5 s at most, here shortened.


@pytest.fixture
def short_connect(monkeypatch: pytest.MonkeyPatch) -> Iterator[float]:
    """Give less time than 5 s to connect, and how much."""
    monkeypatch.setattr(transport, "LONGEST_CONNECT_IN_SECONDS", 0.3)
    transport._timeout.cache_clear()
    yield 0.3
    transport._timeout.cache_clear()


async def seconds_to_fail(**arguments: Any) -> float:
    client = AsyncElevenLabsClient(api_key=KEY, attempt_timeout_in_seconds=1.0, max_retries=0, **arguments)
    began = time.monotonic()
    with pytest.raises(ElevenLabsTimeoutError):
        await mint(client)
    return time.monotonic() - began


def established(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    drain(connection)


@pytest.mark.promise(row=9)
@pytest.mark.promise(row=40)
@pytest.mark.parametrize("serve", [drain, established], ids=["before it answers", "before TLS begins"])
async def test_a_proxy_that_stalls(serve: Callable[[socket.socket], None], short_connect: float) -> None:
    """Its answer to CONNECT, and the TLS behind it, are part of connecting and bounded with it."""
    with RawServer(serve) as proxy:
        took = await seconds_to_fail(base_url=f"https://{HOST}", proxy=f"http://{proxy.address}")

    assert pytest.approx(short_connect, abs=0.1) == took


@pytest.mark.promise(row=9)
async def test_a_name_that_is_not_found_in_time(short_connect: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking it up is part of connecting, too."""
    done = threading.Event()

    def getaddrinfo(*_: object, **__: object) -> Any:
        done.wait(5)
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    try:
        took = await seconds_to_fail(base_url=f"https://{HOST}")
    finally:
        done.set()

    assert pytest.approx(short_connect, abs=0.1) == took


@pytest.mark.promise(row=9)
async def test_a_connection_that_took_its_time_has_the_rest_of_the_attempt(
    short_connect: float, api: ScriptedApi
) -> None:
    """The bound is for connecting alone: a slow answer is waited for."""
    api.delay_in_seconds = short_connect * 2
    client = AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, attempt_timeout_in_seconds=5, max_retries=0)

    assert TOKEN == await mint(client)
