"""What goes over the wire and what comes back, as data; and the one place where headers meet."""

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType

from attrs import field, frozen

from elevenlabs_tokens._secrets import Secret, masked
from elevenlabs_tokens._version import __version__
from elevenlabs_tokens.options import CallSettings
from elevenlabs_tokens.responses import Headers

MAX_BODY_BYTES = 64 * 1024
"""As much of a reply as is read; a token's is under 1 KiB."""

_DEFAULT_HEADERS: Mapping[str, str] = MappingProxyType(
    {"User-Agent": f"elevenlabs-tokens/{__version__}", "Accept": "application/json"}
)


@frozen
class Request:
    """A POST without a body.

    Attributes:
        url: Where it goes, query included.
        headers: All that the package or its caller sets, the key among them.
        removed_headers: Names, in lower case, of headers that must not be sent at all.
        api_key: What must not show in anything that comes back.
    """

    url: str
    headers: Mapping[str, str] = field(repr=masked)
    removed_headers: tuple[str, ...]
    api_key: Secret


@frozen
class Reply:
    """A whole reply.

    Attributes:
        status_code: The HTTP status.
        headers: As they came.
        body: The bytes as they came, never decompressed; None where there were more than `MAX_BODY_BYTES`.
    """

    status_code: int
    headers: Headers = field(repr=masked)
    body: bytes | None = field(repr=masked)


class FailureKind(Enum):
    """Why no whole reply came."""

    NOT_CONNECTED = auto()
    LOST = auto()
    TIMED_OUT = auto()
    UNTRUSTED = auto()
    PROXY_REFUSED = auto()
    MALFORMED = auto()


@frozen
class Failure:
    """No whole reply came.

    Attributes:
        kind: Why.
        detail: What the system said of it, with nothing secret; empty where it said nothing.
    """

    kind: FailureKind
    detail: str = ""


Outcome = Reply | Failure


def build_request(base_url: str, path: str, settings: CallSettings, api_key: Secret) -> Request:
    """Build the request of a call.

    Args:
        base_url: Checked, without a trailing slash.
        path: Begins with a slash; its parts are checked.
        settings: The headers and the query of the call.
        api_key: Checked. It goes into the request's own headers: those of a session are shown to proxies.
    """
    headers = {name: value for name, value in _DEFAULT_HEADERS.items() if name.lower() not in settings.headers}
    headers.update((name, value) for name, value in settings.headers.items() if value is not None)
    headers["Accept-Encoding"] = "identity"
    headers["xi-api-key"] = api_key
    removed = tuple(name for name, value in settings.headers.items() if value is None)
    url = f"{base_url}{path}?{settings.query}" if settings.query else f"{base_url}{path}"
    return Request(url=url, headers=headers, removed_headers=removed, api_key=api_key)
