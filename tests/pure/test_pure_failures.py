import errno
import os
import socket
import ssl
from typing import Any

import aiohttp
import pytest
import trustme
from aiohttp.client_reqrep import ConnectionKey
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from elevenlabs_tokens._http.failures import failure_of
from elevenlabs_tokens._http.wire import Failure, FailureKind

KEY = ConnectionKey("h.example", 443, True, True, None, None, None)  # noqa: FBT003  # as aiohttp makes it
INFO = aiohttp.RequestInfo(
    URL("https://user:hunter2@h.example"), "POST", CIMultiDictProxy(CIMultiDict({"xi-api-key": "hunter2"}))
)
REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('hunter2', 1)")
RESET = ConnectionResetError(errno.ECONNRESET, "hunter2")
UNKNOWN_HOST = socket.gaierror(socket.EAI_NONAME, "Name or service not known")

AUTHORITY = trustme.CA()


def raised_from(error: Any, cause: BaseException | None) -> Any:
    error.__cause__ = cause
    return error


def server_context(host: str = "h.example") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(host).configure_cert(context)
    return context


def refusal(client: ssl.SSLContext, server: ssl.SSLContext) -> ssl.SSLError:
    """Shake hands in memory, and give the error by which the client refuses."""
    upstream, downstream = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(downstream, upstream, server_hostname="h.example"),
        server.wrap_bio(upstream, downstream, server_side=True),
    ]
    for _ in range(10):
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError as error:
                assert side is sides[0], "the server refused"
                return error
    pytest.fail("no side refused the other")


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


def not_tls() -> ssl.SSLError:
    """Give the error of a client that is answered without TLS."""
    incoming = ssl.MemoryBIO()
    incoming.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(ssl.SSLError) as caught:
        ssl.create_default_context().wrap_bio(incoming, ssl.MemoryBIO(), server_hostname="h.example").do_handshake()
    return caught.value


def cut_off() -> ssl.SSLError:
    """Give the error of a client whose handshake is cut off: which of two it is depends on OpenSSL."""
    incoming = ssl.MemoryBIO()
    incoming.write_eof()
    with pytest.raises((ssl.SSLEOFError, ssl.SSLZeroReturnError)) as caught:
        ssl.create_default_context().wrap_bio(incoming, ssl.MemoryBIO(), server_hostname="h.example").do_handshake()
    return caught.value


def without_reason(error: Any) -> ssl.SSLError:
    """Give the error as OpenSSL makes it where it has no word for what went wrong."""
    error.reason = None
    assert isinstance(error, ssl.SSLError)
    return error


CERTIFICATE = {
    "self-signed": refusal(ssl.create_default_context(), server_context()),
    "wrong host": refusal(trusting(), server_context("other.example")),
}
WORDLESS = without_reason(ssl.SSLError(1, "hunter2"))
CLOSED = without_reason(ssl.SSLZeroReturnError(6, "hunter2"))
NOT_TLS = not_tls()
CUT_OFF = cut_off()


@pytest.mark.promise(row=34)
@pytest.mark.parametrize("cause", CERTIFICATE.values(), ids=list(CERTIFICATE))
def test_a_certificate_that_is_refused(cause: ssl.SSLError) -> None:
    """No trust, with the reason that OpenSSL gives."""
    assert isinstance(cause, ssl.SSLCertVerificationError)

    failure = failure_of(raised_from(aiohttp.ClientConnectorCertificateError(KEY, cause), cause))

    assert Failure(FailureKind.UNTRUSTED, cause.verify_message.rstrip(".")) == failure
    assert failure.detail


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        pytest.param(
            raised_from(aiohttp.ClientConnectorSSLError(KEY, NOT_TLS), NOT_TLS),
            Failure(FailureKind.UNTRUSTED, (NOT_TLS.reason or "").lower().replace("_", " ")),
            id="a port without TLS",
        ),
        pytest.param(
            raised_from(aiohttp.ClientConnectorSSLError(KEY, WORDLESS), WORDLESS),
            Failure(FailureKind.UNTRUSTED),
            id="a TLS fault without a reason",
        ),
        pytest.param(
            raised_from(aiohttp.ClientOSError(1, "hunter2"), NOT_TLS),
            Failure(FailureKind.UNTRUSTED, (NOT_TLS.reason or "").lower().replace("_", " ")),
            id="a TLS fault later on",
        ),
        pytest.param(
            aiohttp.ServerFingerprintMismatch(b"a", b"b", "h.example", 443),
            Failure(FailureKind.UNTRUSTED),
            id="another fingerprint",
        ),
        pytest.param(
            raised_from(aiohttp.ClientConnectorSSLError(KEY, CUT_OFF), CUT_OFF),
            Failure(FailureKind.NOT_CONNECTED, (CUT_OFF.reason or "").lower().replace("_", " ")),
            id="a handshake cut off",
        ),
        pytest.param(
            raised_from(aiohttp.ClientOSError(8, "x"), CLOSED),
            Failure(FailureKind.LOST),
            id="TLS closed",
        ),
        pytest.param(
            raised_from(aiohttp.ClientConnectorError(KEY, REFUSED), REFUSED),
            Failure(FailureKind.NOT_CONNECTED, os.strerror(errno.ECONNREFUSED).lower()),
            id="refused",
        ),
        pytest.param(
            raised_from(aiohttp.ClientConnectorDNSError(KEY, UNKNOWN_HOST), UNKNOWN_HOST),
            Failure(FailureKind.NOT_CONNECTED, "h.example: Name or service not known"),
            id="an unknown host",
        ),
        pytest.param(
            raised_from(aiohttp.ClientConnectorDNSError(KEY, UNKNOWN_HOST), socket.gaierror()),
            Failure(FailureKind.NOT_CONNECTED, "h.example"),
            id="an unknown host, without a word",
        ),
        pytest.param(
            raised_from(aiohttp.ClientProxyConnectionError(KEY, REFUSED), REFUSED),
            Failure(FailureKind.NOT_CONNECTED, f"the proxy: {os.strerror(errno.ECONNREFUSED).lower()}"),
            id="a proxy that refuses connections",
        ),
        pytest.param(
            aiohttp.ClientHttpProxyError(INFO, (), status=407, message="hunter2"),
            Failure(FailureKind.PROXY_REFUSED, "407"),
            id="a proxy that refuses to connect",
        ),
        pytest.param(
            aiohttp.ClientResponseError(INFO, (), status=400, message="hunter2"),
            Failure(FailureKind.MALFORMED),
            id="a reply that is not HTTP",
        ),
        pytest.param(
            aiohttp.InvalidURL("https://user:hunter2@127.1", "is not a canonical IPv4 address"),
            Failure(FailureKind.NOT_CONNECTED),
            id="a host that aiohttp does not look up",
        ),
        pytest.param(aiohttp.ConnectionTimeoutError("hunter2"), Failure(FailureKind.TIMED_OUT), id="a slow connect"),
        pytest.param(aiohttp.SocketTimeoutError("hunter2"), Failure(FailureKind.TIMED_OUT), id="a slow read"),
        pytest.param(TimeoutError(), Failure(FailureKind.TIMED_OUT), id="a bare time-out"),
        pytest.param(
            TimeoutError(errno.ETIMEDOUT, "hunter2"),
            Failure(FailureKind.TIMED_OUT, os.strerror(errno.ETIMEDOUT).lower()),
            id="the system's time-out",
        ),
        pytest.param(aiohttp.ServerDisconnectedError("hunter2"), Failure(FailureKind.LOST), id="a disconnect"),
        pytest.param(aiohttp.ClientPayloadError("hunter2"), Failure(FailureKind.LOST), id="half a body"),
        pytest.param(
            raised_from(aiohttp.ClientOSError(errno.ECONNRESET, "x"), RESET),
            Failure(FailureKind.LOST, os.strerror(errno.ECONNRESET).lower()),
            id="a reset",
        ),
        pytest.param(RESET, Failure(FailureKind.LOST, os.strerror(errno.ECONNRESET).lower()), id="a bare reset"),
        pytest.param(OSError("hunter2"), Failure(FailureKind.LOST), id="an error without a number"),
        pytest.param(
            raised_from(aiohttp.ClientConnectionError("hunter2"), RuntimeError("hunter2")),
            Failure(FailureKind.LOST),
            id="a cause that is none of the system's",
        ),
    ],
)
def test_failures(error: aiohttp.ClientError | OSError, failure: Failure) -> None:
    """Each error has its kind, and of what it says only the system's words are kept."""
    assert failure == failure_of(error)
    assert "hunter2" not in failure.detail


@pytest.mark.promise(row=34)
def test_a_port_without_tls_is_not_taken_for_a_lost_connection() -> None:
    """It would be tried again, and the key with it."""
    assert not isinstance(NOT_TLS, ssl.SSLEOFError)
    assert NOT_TLS.reason
