"""Requests, replies and failures as data. The headers of a request are merged here and nowhere else."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import NamedTuple, Self

from attrs import define
from multidict import CIMultiDict

from elevenlabs_tokens._secrets import Secret
from elevenlabs_tokens._version import __version__
from elevenlabs_tokens.options import CallSettings

MAX_BODY_BYTES = 64 * 1024
"""No more of a reply is read than this; a reply with a token is under 1 KiB."""

_DEFAULT_HEADERS: Mapping[str, str] = {
    "User-Agent": f"elevenlabs-tokens/{__version__}",
    "Accept": "application/json",
}


@define(eq=False, repr=False)  # without a `repr` no secret shows, and attrs has less code to compile at import
class Request:
    """A POST without a body.

    Attributes:
        url: The full URL, query included.
        headers: All headers that the package or its caller sets, including the key.
        removed_headers: The names, in lower case, of headers that must not be sent.
        api_key: The key, for masking it in what comes back.
    """

    url: str
    headers: Mapping[str, str]
    removed_headers: tuple[str, ...]
    api_key: Secret


@define(eq=False, repr=False)
class Reply:
    """A complete reply.

    Attributes:
        status_code: The HTTP status.
        headers: Looked up in any case; `items()` gives a repeated name once for each time that it came.
        body: The bytes as they came, never decompressed; None if there were more than `MAX_BODY_BYTES`.
    """

    status_code: int
    headers: Mapping[str, str]
    body: bytes | None


class FailureKind(Enum):
    """Why there is no complete reply."""

    NOT_CONNECTED = auto()
    LOST = auto()
    TIMED_OUT = auto()
    UNTRUSTED = auto()
    PROXY_REFUSED = auto()
    MALFORMED = auto()


class Failure(NamedTuple):
    """The outcome of an attempt that ended without a complete reply.

    Attributes:
        kind: Why there is no complete reply.
        detail: The operating system's or TLS's own words for it, without secrets; empty if there are none.
        is_stale: Whether the connection had been used before, and ended before a byte of the reply came: the server
            most likely closed it while it was idle.
    """

    kind: FailureKind
    detail: str = ""
    is_stale: bool = False


Outcome = Reply | Failure

CONNECTED = Reply(status_code=200, headers={}, body=b"{}")
"""The outcome of an attempt that only opened a connection."""


@define(eq=False, repr=False)
class RequestTemplate:
    """What all requests with the same settings have in common.

    Attributes:
        headers: All headers except the key, which is added to each request.
        removed_headers: As in `Request`.
        query: The encoded query, or an empty string.
    """

    headers: CIMultiDict[str]
    removed_headers: tuple[str, ...]
    query: str

    @classmethod
    def of(cls, settings: CallSettings) -> Self:
        """Start with the package's own headers, then apply the settings' headers."""
        headers = CIMultiDict(item for item in _DEFAULT_HEADERS.items() if item[0].lower() not in settings.headers)
        headers.update((name, value) for name, value in settings.headers.items() if value is not None)
        headers["Accept-Encoding"] = "identity"
        removed = tuple(name for name, value in settings.headers.items() if value is None)
        return cls(headers=headers, removed_headers=removed, query=settings.query)

    def request(self, url: str, api_key: Secret) -> Request:
        """Build a request.

        Args:
            url: The URL without a query; the caller has checked its parts.
            api_key: The key; the caller has checked it.
        """
        headers = self.headers.copy()
        # Never among the session's headers: aiohttp sends those to proxies, too.
        headers["xi-api-key"] = api_key
        return Request(f"{url}?{self.query}" if self.query else url, headers, self.removed_headers, api_key)
