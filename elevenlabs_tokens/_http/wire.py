"""What goes over the wire and what comes back, as data; and the one place where headers meet."""

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import NamedTuple, Self

from attrs import define
from multidict import CIMultiDict

from elevenlabs_tokens._secrets import Secret
from elevenlabs_tokens._version import __version__
from elevenlabs_tokens.options import CallSettings

MAX_BODY_BYTES = 64 * 1024
"""As much of a reply as is read; a token's is under 1 KiB."""

_DEFAULT_HEADERS: Mapping[str, str] = MappingProxyType(
    {"User-Agent": f"elevenlabs-tokens/{__version__}", "Accept": "application/json"}
)


@define(eq=False, repr=False)  # so that nothing secret shows, and compiling stays cheap
class Request:
    """A POST without a body.

    Attributes:
        url: Where it goes, query included.
        headers: All that the package or its caller sets, the key among them.
        removed_headers: Names, in lower case, of headers that must not be sent at all.
        api_key: What must not show in anything that comes back.
    """

    url: str
    headers: Mapping[str, str]
    removed_headers: tuple[str, ...]
    api_key: Secret


@define(eq=False, repr=False)
class Reply:
    """A whole reply.

    Attributes:
        status_code: The HTTP status.
        headers: Found in any case; their items are as they came, repeated names apart.
        body: The bytes as they came, never decompressed; None where there were more than `MAX_BODY_BYTES`.
    """

    status_code: int
    headers: Mapping[str, str]
    body: bytes | None


class FailureKind(Enum):
    """Why no whole reply came."""

    NOT_CONNECTED = auto()
    LOST = auto()
    TIMED_OUT = auto()
    UNTRUSTED = auto()
    PROXY_REFUSED = auto()
    MALFORMED = auto()


class Failure(NamedTuple):
    """No whole reply came.

    Attributes:
        kind: Why.
        detail: What the system said of it, with nothing secret; empty where it said nothing.
    """

    kind: FailureKind
    detail: str = ""


Outcome = Reply | Failure


@define(eq=False, repr=False)
class RequestTemplate:
    """What the requests of some settings have in common: the one place where headers meet.

    Attributes:
        headers: All but the key: it goes into the request's own headers, for those of a session are shown to proxies.
        removed_headers: As in `Request`.
        query: Encoded.
    """

    headers: CIMultiDict[str]
    removed_headers: tuple[str, ...]
    query: str

    @classmethod
    def of(cls, settings: CallSettings) -> Self:
        """Merge the settings' headers over the package's own."""
        headers = CIMultiDict(item for item in _DEFAULT_HEADERS.items() if item[0].lower() not in settings.headers)
        headers.update((name, value) for name, value in settings.headers.items() if value is not None)
        headers["Accept-Encoding"] = "identity"
        removed = tuple(name for name, value in settings.headers.items() if value is None)
        return cls(headers=headers, removed_headers=removed, query=settings.query)

    def request(self, url: str, api_key: Secret) -> Request:
        """Build a request.

        Args:
            url: Without a query; its parts are checked.
            api_key: Checked.
        """
        headers = self.headers.copy()
        headers["xi-api-key"] = api_key
        return Request(f"{url}?{self.query}" if self.query else url, headers, self.removed_headers, api_key)
