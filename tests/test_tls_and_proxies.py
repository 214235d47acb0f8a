"""TLS and proxies, with certificates and a proxy of the tests' own."""

import base64
import ssl
from collections.abc import Iterator

import pytest
import trustme

from elevenlabs_tokens import (
    AsyncElevenLabsClient,
    ElevenLabsConfigError,
    ElevenLabsConnectionError,
)
from elevenlabs_tokens._http.sessions import default_ssl_context
from frozen import KEY
from proxies import ConnectProxy
from scripted import ScriptedApi

pytestmark = pytest.mark.anyio

HOST = "api.example.test"
"""A host that is not this machine, and that only the tests' proxy knows."""


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the machine trust the tests' authority, by the variable that says whom it trusts."""
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))


@pytest.fixture
def proxy(tls_api: ScriptedApi) -> Iterator[ConnectProxy]:
    with ConnectProxy(tls_api.port) as running:
        yield running


async def mint(client: AsyncElevenLabsClient) -> str:
    async with client:
        return (await client.tokens.single_use.create("realtime_scribe")).token


@pytest.mark.usefixtures("trusted")
async def test_a_certificate_that_the_machine_trusts(tls_api: ScriptedApi) -> None:
    """`SSL_CERT_FILE`, set before the client is made, says whom it trusts."""
    assert "sutkn_1234567890" == await mint(AsyncElevenLabsClient(api_key=KEY, base_url=tls_api.base_url))


@pytest.mark.usefixtures("trusted")
async def test_one_context_for_all_clients() -> None:
    """Making it takes its time, so it is made once."""
    assert default_ssl_context() is default_ssl_context()


async def test_a_context_of_the_caller_s(tls_api: ScriptedApi, authority: trustme.CA) -> None:
    """`ssl=` replaces the machine's."""
    context = ssl.create_default_context()
    authority.configure_trust(context)

    assert "sutkn_1234567890" == await mint(AsyncElevenLabsClient(api_key=KEY, base_url=tls_api.base_url, ssl=context))


@pytest.mark.promise(row=40)
@pytest.mark.usefixtures("trusted")
async def test_the_environment_s_proxy(
    tls_api: ScriptedApi, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read when the client is made; it learns where to, its own password, and nothing of the key."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:p%40ss@{proxy.address}")
    client = AsyncElevenLabsClient(api_key=KEY, base_url=f"https://{HOST}:8443", headers={"X-Secret": "s3cret"})
    monkeypatch.delenv("HTTPS_PROXY")

    token = await mint(client)

    assert "sutkn_1234567890" == token
    [head] = proxy.heads
    assert head.startswith(f"CONNECT {HOST}:8443 HTTP/1.1\r\n".encode())
    assert b"\r\nProxy-Authorization: Basic " + base64.b64encode(b"user:p@ss") + b"\r\n" in head
    for secret in (KEY.encode(), b"xi-api-key", b"s3cret"):
        assert secret not in head
        assert secret not in proxy.passed
    assert b"Proxy-Authorization" not in tls_api.requests[0]


@pytest.mark.promise(row=40)
@pytest.mark.usefixtures("trusted")
async def test_an_argument_wins_over_the_environment(
    tls_api: ScriptedApi, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And leads to loopback, too, for it was asked for by name."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")

    await mint(AsyncElevenLabsClient(api_key=KEY, base_url=tls_api.base_url, proxy=proxy.address))

    assert proxy.heads[0].startswith(f"CONNECT 127.0.0.1:{tls_api.port} HTTP/1.1\r\n".encode())


@pytest.mark.promise(row=40)
async def test_a_proxy_that_refuses(proxy: ConnectProxy) -> None:
    """It is not asked again, and its password is not in the error."""
    proxy.refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    client = AsyncElevenLabsClient(
        api_key=KEY, base_url=f"https://{HOST}", proxy=f"http://user:swordfish@{proxy.address}"
    )

    with pytest.raises(ElevenLabsConnectionError) as caught:
        await mint(client)

    assert str(caught.value).startswith(f"the proxy refused to connect to {HOST}:443 (407); check proxy=")
    assert "swordfish" not in f"{caught.value!r}{vars(caught.value)}{client._sessions._proxy!r}"
    assert 1 == len(proxy.heads)


async def test_a_proxy_that_is_not_there() -> None:
    """The error says that it was the proxy."""
    with ScriptedApi() as gone:
        port = gone.port
    client = AsyncElevenLabsClient(
        api_key=KEY, base_url=f"https://{HOST}", proxy=f"http://127.0.0.1:{port}", max_retries=0
    )

    with pytest.raises(ElevenLabsConnectionError, match=r"\(the proxy: connection refused\)"):
        await mint(client)


async def test_plain_http_through_a_proxy(proxy: ConnectProxy) -> None:
    """Asked for by name twice over, the request itself goes there, with the proxy's password."""
    proxy.refusal = b'HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{"token":"sutkn"}'
    client = AsyncElevenLabsClient(
        api_key=KEY,
        base_url=f"http://{HOST}",
        allow_insecure_http=True,
        proxy=f"http://user:pass@{proxy.address}",
    )

    assert "sutkn" == await mint(client)
    assert f"POST http://{HOST}/v1/single-use-token/realtime_scribe HTTP/1.1\r\n".encode() in proxy.heads[0]
    assert b"\r\nProxy-Authorization: Basic " + base64.b64encode(b"user:pass") + b"\r\n" in proxy.heads[0]


@pytest.mark.promise(row=40)
@pytest.mark.parametrize("proxy_url", ["socks5://127.0.0.1:1080", "ftp://a", "http://", "http://[::1", "http://a:b"])
async def test_what_is_no_proxy(proxy_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused when the client is made, as an argument and from the environment."""
    with pytest.raises(ElevenLabsConfigError, match=r"^proxy is"):
        AsyncElevenLabsClient(api_key=KEY, proxy=proxy_url)

    monkeypatch.setenv("https_proxy", proxy_url)
    with pytest.raises(ElevenLabsConfigError, match=r"^HTTPS_PROXY is"):
        AsyncElevenLabsClient(api_key=KEY)
