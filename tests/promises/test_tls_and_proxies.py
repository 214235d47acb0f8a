"""Promises 34, 35 and 40: whom a client trusts, and through what it goes."""

import base64
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from elevenlabs_tokens import (
    AsyncElevenLabsClient,
    ElevenLabsClient,
    ElevenLabsConfigError,
    ElevenLabsConnectionError,
    ElevenLabsError,
    ElevenLabsTLSError,
)
from frozen import KEY
from minting import mint_once
from programs import run_python
from proxies import HOST, ConnectProxy, server_context
from scripted import TOKEN, Act, Script, ScriptedApi

pytestmark = pytest.mark.anyio

LOCAL = "127.0.0.1"

# Promise 34: TLS that cannot be trusted


def self_signed() -> ssl.SSLContext:
    context, issuer = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), trustme.CA()
    with issuer.cert_pem.tempfile() as certificate, issuer.private_key_pem.tempfile() as key:
        context.load_cert_chain(certificate, key)
    return context


def old_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = server_context(authority, LOCAL)
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def asking(authority: trustme.CA, version: ssl.TLSVersion) -> ssl.SSLContext:
    context = server_context(authority, LOCAL)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = version
    return context


MakeContext = Callable[[trustme.CA], ssl.SSLContext]
NOW, A_DAY = datetime.now(UTC), timedelta(1)
UNTRUSTED: Mapping[str, tuple[MakeContext, str]] = {
    "self-signed": (lambda _: self_signed(), "self-signed certificate"),
    "an unknown authority": (lambda _: server_context(trustme.CA(), LOCAL), "unable to get local issuer certificate"),
    "another host": (lambda ca: server_context(ca, HOST), "certificate is not valid for '127.0.0.1'"),
    "expired": (lambda ca: server_context(ca, LOCAL, not_after=NOW - A_DAY), "certificate has expired"),
    "not yet valid": (lambda ca: server_context(ca, LOCAL, not_before=NOW + A_DAY), "certificate is not yet valid"),
    "TLS 1.1": (old_tls, "protocol version"),
    "TLS 1.2 that asks for a certificate": (lambda ca: asking(ca, ssl.TLSVersion.TLSv1_2), "handshake failure"),
    # This refusal comes after the handshake; it must not be taken for a lost connection, and tried again.
    "TLS 1.3 that asks for a certificate": (lambda ca: asking(ca, ssl.TLSVersion.TLSv1_3), "certificate required"),
}


@pytest.mark.promise(row=34)
@pytest.mark.parametrize(("make_context", "reason"), UNTRUSTED.values(), ids=UNTRUSTED)
async def test_tls_that_cannot_be_trusted(
    authority: trustme.CA, trusting: ssl.SSLContext, make_context: MakeContext, reason: str
) -> None:
    """Its fault is named, the client does not try again, and no request is read."""
    with ScriptedApi(make_context(authority)) as api:
        with pytest.raises(ElevenLabsTLSError, match=rf"^TLS with 127.0.0.1:{api.port} failed \(.*{reason}.*\); "):
            await mint_once(AsyncElevenLabsClient(api_key=KEY, base_url=api.base_url, ssl=trusting))

        assert (1, []) == (api.connections, api.requests)


@pytest.mark.promise(row=34)
@pytest.mark.parametrize(
    "greeting",
    [
        pytest.param([Act.READ, b"\x15\x03\x02\x00\x02\x02\x46", Act.STALL], id="the alert for a TLS that is too new"),
        pytest.param([Act.READ, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", Act.STALL], id="HTTP"),
        pytest.param([b"220 mail.example ESMTP\r\n", Act.STALL], id="mail"),
    ],
)
async def test_a_port_that_does_not_speak_tls(api: ScriptedApi, greeting: Script) -> None:
    """The client does not try again."""
    api.greetings += [greeting]
    client = AsyncElevenLabsClient(api_key=KEY, base_url=f"https://127.0.0.1:{api.port}")

    with pytest.raises(ElevenLabsTLSError, match=f"TLS with 127.0.0.1:{api.port} failed"):
        await mint_once(client)

    assert 1 == api.connections


@pytest.mark.promise(row=34)
async def test_http_1_1_is_what_is_asked_for(api: ScriptedApi) -> None:
    """The TLS handshake offers HTTP/1.1 alone, so a server that could speak HTTP/2 does not."""
    api.greetings += [[Act.READ, Act.CLOSE]]

    with pytest.raises(ElevenLabsError):
        await mint_once(AsyncElevenLabsClient(api_key=KEY, base_url=f"https://127.0.0.1:{api.port}", max_retries=0))

    assert b"\x00\x09\x08http/1.1" in api.received  # a list of 9 bytes: one name, of 8 bytes


# Promise 35: the certificates that the machine trusts


@pytest.mark.promise(row=35)
def test_the_machine_s_certificates_are_read_when_a_client_is_made(
    authority: trustme.CA, tls_api: ScriptedApi, tmp_path: Path
) -> None:
    """They are not read when the package is imported, and each client reads them anew."""
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    program = f"""
import asyncio, os
from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsClient, ElevenLabsTLSError
def outcome():
    try:
        with ElevenLabsClient(api_key="{KEY}", base_url=base_url) as client:
            return client.tokens.single_use.create("realtime_scribe").token
    except ElevenLabsTLSError:
        return "no trust"
print(outcome())
os.environ["SSL_CERT_FILE"] = file
print(outcome())
async def main():
    async with AsyncElevenLabsClient(api_key="{KEY}", base_url=base_url) as client:
        del os.environ["SSL_CERT_FILE"]
        return (await client.tokens.single_use.create("realtime_scribe")).token
print(asyncio.run(main()))
print(outcome())
"""
    run = run_python(program, base_url=tls_api.base_url, file=str(file))

    assert ["no trust", TOKEN["token"], TOKEN["token"], "no trust"] == run.stdout.splitlines(), run.stderr


@pytest.mark.promise(row=35)
@pytest.mark.parametrize(
    ("clients", "contexts"),
    [
        pytest.param([{"base_url": "http://127.0.0.1"}], 0, id="no TLS"),
        pytest.param([{"base_url": "https://127.0.0.1"}] * 2, 1, id="TLS, twice"),
        pytest.param([{"base_url": "http://127.0.0.1", "proxy": "https://127.0.0.1:8080"}], 1, id="TLS to a proxy"),
    ],
)
def test_the_certificates_are_read_if_they_are_needed(
    clients: list[dict[str, Any]], contexts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading them takes its time, so they are read once, and only for a client that speaks TLS."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "in-no-other-test.pem"))
    made: list[ssl.SSLContext] = []
    create_default_context = ssl.create_default_context

    def counted() -> ssl.SSLContext:
        made.append(create_default_context())
        return made[-1]

    monkeypatch.setattr(ssl, "create_default_context", counted)
    for arguments in clients:
        AsyncElevenLabsClient(api_key=KEY, **arguments)

    assert contexts == len(made)


# Promise 40: proxies


@pytest.fixture
def proxy(tls_api: ScriptedApi) -> Iterator[ConnectProxy]:
    with ConnectProxy(tls_api.port) as running:
        yield running


@pytest.mark.promise(row=40)
@pytest.mark.parametrize("is_argument", [False, True], ids=["the environment's", "an argument"])
async def test_a_proxy(
    *,
    tls_api: ScriptedApi,
    proxy: ConnectProxy,
    trusting: ssl.SSLContext,
    is_argument: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is read when the client is made, and learns the host and its own password, but nothing of the key."""
    url = f"http://user:p%40ss@{proxy.address}"
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1" if is_argument else url)
    monkeypatch.setenv("NO_PROXY", "other.test")
    client = AsyncElevenLabsClient(
        api_key=KEY,
        base_url=f"https://{HOST}:8443",
        headers={"X-Secret": "s3cret"},
        ssl=trusting,
        proxy=url if is_argument else None,
    )
    monkeypatch.delenv("HTTPS_PROXY")

    token = await mint_once(client)

    assert TOKEN["token"] == token
    [head] = proxy.heads
    assert head.startswith(f"CONNECT {HOST}:8443 HTTP/1.1\r\n".encode())
    assert b"\r\nProxy-Authorization: Basic " + base64.b64encode(b"user:p@ss") + b"\r\n" in head
    for secret in (KEY.encode(), b"xi-api-key", b"s3cret"):
        assert secret not in head
        assert secret not in proxy.passed
    assert b"Proxy-Authorization" not in tls_api.requests[0]


@pytest.mark.promise(row=40)
@pytest.mark.parametrize("address", [f"https://{HOST}:{{tls}}", "https://127.0.0.1:{tls}", "http://localhost:{plain}"])
async def test_an_address_without_a_proxy(
    *,
    api: ScriptedApi,
    tls_api: ScriptedApi,
    proxy: ConnectProxy,
    trusting: ssl.SSLContext,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A host that `NO_PROXY` named when the client was made is reached directly, and so is loopback in any case."""
    look_up: Any = socket.getaddrinfo

    def getaddrinfo(_host: object, *arguments: Any, **options: Any) -> Any:
        return look_up(LOCAL, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    for variable in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, f"http://{proxy.address}")
    monkeypatch.setenv("NO_PROXY", HOST)
    base_url = address.format(tls=tls_api.port, plain=api.port)
    client = AsyncElevenLabsClient(api_key=KEY, base_url=base_url, ssl=trusting)
    monkeypatch.delenv("NO_PROXY")

    assert TOKEN["token"] == await mint_once(client)
    assert [] == proxy.heads


@pytest.mark.promise(row=40)
@pytest.mark.parametrize("is_through_a_proxy", [False, True], ids=["directly", "through a proxy"])
async def test_netrc_is_never_read(
    *,
    tls_api: ScriptedApi,
    proxy: ConnectProxy,
    trusting: ssl.SSLContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_through_a_proxy: bool,
) -> None:
    """What it holds for the host of the API, or of the proxy, is sent to neither."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login them password hunter2\ndefault login them password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    proxy_url = f"http://{proxy.address}" if is_through_a_proxy else None

    await mint_once(AsyncElevenLabsClient(api_key=KEY, base_url=tls_api.base_url, ssl=trusting, proxy=proxy_url))

    assert is_through_a_proxy is bool(proxy.heads)
    assert b"authorization" not in b"".join([*tls_api.requests, *proxy.heads]).lower()


@pytest.mark.promise(row=40)
async def test_plain_http_through_a_proxy(proxy: ConnectProxy) -> None:
    """The proxy receives the request itself, beside its own password."""
    proxy.refusal = b'HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{"token":"sutkn"}'
    client = AsyncElevenLabsClient(
        api_key=KEY, base_url=f"http://{HOST}", allow_insecure_http=True, proxy=f"http://user:pass@{proxy.address}"
    )

    assert "sutkn" == await mint_once(client)
    assert f"POST http://{HOST}/v1/single-use-token/realtime_scribe HTTP/1.1\r\n".encode() in proxy.heads[0]
    assert b"\r\nProxy-Authorization: Basic " + base64.b64encode(b"user:pass") + b"\r\n" in proxy.heads[0]


@pytest.mark.promise(row=40)
async def test_a_proxy_that_refuses(proxy: ConnectProxy) -> None:
    """The client does not try again, and the proxy's password is not in the error."""
    proxy.refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    client = AsyncElevenLabsClient(
        api_key=KEY, base_url=f"https://{HOST}", proxy=f"http://user:swordfish@{proxy.address}"
    )

    with pytest.raises(ElevenLabsConnectionError) as caught:
        await mint_once(client)

    assert str(caught.value).startswith(f"the proxy refused to connect to {HOST}:443 (407); check proxy=")
    assert "swordfish" not in f"{caught.value!r}{vars(caught.value)}"
    assert 1 == len(proxy.heads)


async def test_a_proxy_that_is_not_there() -> None:
    """The error says that it was the proxy."""
    with ScriptedApi() as gone:
        proxy_url = gone.base_url
    client = AsyncElevenLabsClient(api_key=KEY, base_url=f"https://{HOST}", proxy=proxy_url, max_retries=0)

    with pytest.raises(ElevenLabsConnectionError, match=r"\(the proxy: connection refused\)"):
        await mint_once(client)


@pytest.mark.promise(row=40)
@pytest.mark.parametrize("kind", [AsyncElevenLabsClient, ElevenLabsClient])
def test_a_proxy_that_would_see_the_key(kind: type[AsyncElevenLabsClient] | type[ElevenLabsClient]) -> None:
    """It is refused when the client is made, unless it is meant; `pure/test_pure_proxy.py` lists all that is."""
    elsewhere = "http://proxy.example:8080"
    with pytest.raises(ElevenLabsConfigError, match="allow_insecure_http"):
        kind(api_key=KEY, base_url="http://127.0.0.1:8765", proxy=elsewhere)
    kind(api_key=KEY, base_url="http://127.0.0.1:8765", proxy=elsewhere, allow_insecure_http=True)
