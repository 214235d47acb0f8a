import errno
import os
import socket
import ssl
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.http_exceptions import BadStatusLine
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


def tls_error(kind: type[ssl.SSLError] = ssl.SSLError, **attributes: str | None) -> ssl.SSLError:
    """Give an error of `ssl` with OpenSSL's attributes, which its constructor does not set."""
    error = kind(1, "hunter2")
    for name, value in attributes.items():
        setattr(error, name, value)
    return error


INVALID = tls_error(ssl.SSLCertVerificationError, verify_message="certificate is not valid for 'h.example'.")
INVALID_TO_PYTHON = tls_error(ssl.SSLCertVerificationError)
NOT_TLS = tls_error(reason="WRONG_VERSION_NUMBER")
WORDLESS = tls_error(reason=None)
CUT_OFF = tls_error(ssl.SSLEOFError, reason="UNEXPECTED_EOF_WHILE_READING")
CLOSED = tls_error(ssl.SSLZeroReturnError, reason=None)


def raised_from(cause: BaseException, error: Any) -> Any:
    error.__cause__ = cause
    return error


def connecting(cause: OSError, kind: type[aiohttp.ClientConnectorError]) -> Any:
    return raised_from(cause, kind(KEY, cause))


def word(number: int) -> str:
    """Give the system's own word for an error."""
    return os.strerror(number).lower()


FAILURES: dict[FailureKind, dict[str, tuple[Any, str]]] = {
    FailureKind.UNTRUSTED: {
        "an invalid certificate": (
            raised_from(INVALID, aiohttp.ClientConnectorCertificateError(KEY, INVALID)),
            "certificate is not valid for 'h.example'",
        ),
        "a certificate that Python itself refuses": (
            raised_from(INVALID_TO_PYTHON, aiohttp.ClientConnectorCertificateError(KEY, INVALID_TO_PYTHON)),
            "",
        ),
        "a port without TLS": (connecting(NOT_TLS, aiohttp.ClientConnectorSSLError), "wrong version number"),
        "a TLS fault without a reason": (connecting(WORDLESS, aiohttp.ClientConnectorSSLError), ""),
        "a TLS fault later on": (raised_from(NOT_TLS, aiohttp.ClientOSError(1, "hunter2")), "wrong version number"),
        "another fingerprint": (aiohttp.ServerFingerprintMismatch(b"a", b"b", "h.example", 443), ""),
    },
    FailureKind.NOT_CONNECTED: {
        "a handshake cut off": (connecting(CUT_OFF, aiohttp.ClientConnectorSSLError), "unexpected eof while reading"),
        "refused": (connecting(REFUSED, aiohttp.ClientConnectorError), word(errno.ECONNREFUSED)),
        "an unknown host": (
            connecting(UNKNOWN_HOST, aiohttp.ClientConnectorDNSError),
            "h.example: Name or service not known",
        ),
        "an unknown host, without a word": (
            connecting(socket.gaierror(), aiohttp.ClientConnectorDNSError),
            "h.example",
        ),
        "a proxy that refuses connections": (
            connecting(REFUSED, aiohttp.ClientProxyConnectionError),
            f"the proxy: {word(errno.ECONNREFUSED)}",
        ),
        "a host that aiohttp does not look up": (aiohttp.InvalidURL("https://user:hunter2@127.1", "not canonical"), ""),
    },
    FailureKind.PROXY_REFUSED: {
        "a proxy that refuses to connect": (
            aiohttp.ClientHttpProxyError(INFO, (), status=407, message="hunter2"),
            "407",
        ),
    },
    FailureKind.MALFORMED: {
        "a reply that is not HTTP": (aiohttp.ClientResponseError(INFO, (), status=400, message="hunter2"), ""),
        "an error of the parser": (BadStatusLine("hunter2"), ""),
    },
    FailureKind.TIMED_OUT: {
        "a slow connect": (aiohttp.ConnectionTimeoutError("hunter2"), ""),
        "a slow read": (aiohttp.SocketTimeoutError("hunter2"), ""),
        "a bare timeout": (TimeoutError(), ""),
        "the system's timeout": (TimeoutError(errno.ETIMEDOUT, "hunter2"), word(errno.ETIMEDOUT)),
    },
    FailureKind.LOST: {
        "TLS closed": (raised_from(CLOSED, aiohttp.ClientOSError(8, "x")), ""),
        "a disconnect": (aiohttp.ServerDisconnectedError("hunter2"), ""),
        "half a body": (aiohttp.ClientPayloadError("hunter2"), ""),
        "a reset": (raised_from(RESET, aiohttp.ClientOSError(errno.ECONNRESET, "x")), word(errno.ECONNRESET)),
        "a bare reset": (RESET, word(errno.ECONNRESET)),
        "an error without a number": (OSError("hunter2"), ""),
        "a cause that is not of the system": (
            raised_from(RuntimeError("hunter2"), aiohttp.ClientConnectionError("hunter2")),
            "",
        ),
    },
}


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        pytest.param(error, Failure(kind, detail), id=name)
        for kind, errors in FAILURES.items()
        for name, (error, detail) in errors.items()
    ],
)
def test_failures(error: Any, failure: Failure) -> None:
    """Each error has its kind, and of its text only the system's own words are kept."""
    assert failure == failure_of(error)
