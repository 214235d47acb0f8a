"""What an error of aiohttp's means: a kind of failure, and what of it is safe to show."""

import os
import socket
import ssl

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from elevenlabs_tokens._http.wire import Failure, FailureKind


def failure_of(error: aiohttp.ClientError | HttpProcessingError | OSError) -> Failure:
    """Give the kind of an error of aiohttp's, and of its cause what is safe to show."""
    cause = error.__cause__ or error
    detail = _detail_of(cause)
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        detail = f"the proxy: {detail}"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        detail = f"{error.host}: {detail}".rstrip(": ")  # which may be the proxy's name
    return Failure(_kind_of(error, cause), detail)


def _kind_of(error: Exception, cause: BaseException) -> FailureKind:
    # An end of file is a connection lost, though `ssl` calls it an error of its own.
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
    # Only what the system says: an error's own text may hold a proxy's password.
    match cause:
        case aiohttp.ClientHttpProxyError():
            return str(cause.status)
        case ssl.SSLCertVerificationError():
            return str(getattr(cause, "verify_message", "")).rstrip(".")  # only OpenSSL's own have one
        case ssl.SSLError():
            return str(getattr(cause, "reason", "") or "").lower().replace("_", " ")
        case socket.gaierror():
            return cause.strerror or ""
        case OSError() if cause.errno:
            return os.strerror(cause.errno).lower()
        case _:
            return ""
