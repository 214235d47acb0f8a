"""From an error of aiohttp's to the kind of failure, and to the part of its text that is safe to show."""

import os
import socket
import ssl

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from elevenlabs_tokens._http.wire import Failure, FailureKind
from elevenlabs_tokens._internals import StaleConnectionError


def failure_of(error: aiohttp.ClientError | HttpProcessingError | OSError) -> Failure:
    """Give the kind of failure that an error means, and what its cause says, as far as that is safe to show."""
    cause = error.__cause__ or error
    detail = _detail_of(cause)
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        detail = f"the proxy: {detail}"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        detail = f"{error.host}: {detail}".rstrip(": ")  # the host may be the proxy
    return Failure(_kind_of(error, cause), detail, is_stale=isinstance(error, StaleConnectionError))


def _kind_of(error: Exception, cause: BaseException) -> FailureKind:
    # An end of file is a lost connection, though `ssl` makes it an error of TLS.
    if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return FailureKind.UNTRUSTED
    match error:
        case aiohttp.ServerFingerprintMismatch():
            return FailureKind.UNTRUSTED
        case TimeoutError():
            return FailureKind.TIMED_OUT
        case aiohttp.ClientHttpProxyError():
            return FailureKind.PROXY_REFUSED
        case aiohttp.ClientConnectorError() | aiohttp.InvalidURL():
            return FailureKind.NOT_CONNECTED
        case aiohttp.ClientResponseError() | HttpProcessingError():
            return FailureKind.MALFORMED
        case _:
            return FailureKind.LOST


def _detail_of(cause: BaseException) -> str:
    # Only the system's own texts: that of an aiohttp error may hold a proxy's password.
    match cause:
        case aiohttp.ClientHttpProxyError():
            return str(cause.status)
        case ssl.SSLCertVerificationError():
            return str(getattr(cause, "verify_message", "")).rstrip(".")  # only errors that OpenSSL raised have one
        case ssl.SSLError():
            return str(getattr(cause, "reason", "") or "").lower().replace("_", " ")
        case socket.gaierror():
            return cause.strerror or ""
        case OSError() if cause.errno:
            return os.strerror(cause.errno).lower()
        case _:
            return ""
