"""Where the API lives: its regions, and base URLs of one's own."""

import ipaddress
import re
from enum import Enum
from urllib.parse import urlsplit

from elevenlabs_tokens.exceptions import ElevenLabsConfigError

_LONGEST_LABEL = 63
_HIGHEST_IN_IPV4 = 255

# `urlsplit` drops tabs and line ends in silence, and a backslash is a slash to browsers.
_PLAIN_URL = re.compile(r"[!-\[\]-~]+")
# Some resolvers read a number with a zero in front as octal, and fewer than four as an address, too.
_FOUR_NUMBERS = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){3}")
_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^][@:]+)(:[0-9]*)?")
# One text for both: which of the two is at fault depends on the version of Python's `urlsplit`.
_NO_HOST = "names no host that can be looked up, or its port is not valid"


class ElevenLabsEnvironment(Enum):
    """A region of the API. Its value is the https base URL; the wss one is the same host.

    Source: the API reference's list of servers, read 2026-11-24.
    """

    PRODUCTION = "https://api.elevenlabs.io"
    PRODUCTION_US = "https://api.us.elevenlabs.io"
    PRODUCTION_EU = "https://api.eu.residency.elevenlabs.io"
    PRODUCTION_INDIA = "https://api.in.residency.elevenlabs.io"
    PRODUCTION_SINGAPORE = "https://api.sg.residency.elevenlabs.io"

    @property
    def base_url(self) -> str:
        """Where requests go, over https."""
        return self.value

    @property
    def websocket_base_url(self) -> str:
        """Where sockets open, over wss, on the same host."""
        return websocket_base_url(self.value)


def websocket_base_url(base_url: str) -> str:
    """Give the base URL for sockets: the same host and path, `http` become `ws` and `https` `wss`."""
    return f"ws{base_url.removeprefix('http')}"


def http_base_url(websocket_base_url: str) -> str:
    """Give the base URL for requests, from the one for sockets."""
    return f"http{websocket_base_url.removeprefix('ws')}"


def can_be_looked_up(host: str) -> bool:
    """Tell whether a host is one that the resolver takes, for it has errors of its own: labels, numbers of IPv4."""
    labels = host.removesuffix(".").split(".")
    if not all(0 < len(label) <= _LONGEST_LABEL for label in labels):
        return False
    return not _FOUR_NUMBERS.fullmatch(host) or max(map(int, labels)) <= _HIGHEST_IN_IPV4


def is_host_and_port(address: str) -> bool:
    """Tell whether that is all there is: `urlsplit` lets text stand after the bracket of an IPv6 address."""
    return _HOST_AND_PORT.fullmatch(address) is not None


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine: `localhost`, 127.0.0.0/8 or `::1`."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    # Python 3.13 calls the IPv4-mapped form loopback, too; what it reaches is the system's to say.
    return address.is_loopback and getattr(address, "ipv4_mapped", None) is None


def checked_base_url(base_url: str, *, allow_insecure_http: bool) -> str:
    """Give the base URL without its trailing slash, or say why it cannot be one.

    Raises:
        ElevenLabsConfigError: It is not an `https:` URL of a host, with a path at most, or it is an `http:` URL
            of another machine, which would send the API key in the clear.
    """
    fault = _fault_of(base_url, allow_insecure_http=allow_insecure_http)
    if fault:
        # The URL itself is not quoted: it may carry a password.
        raise ElevenLabsConfigError(f"base_url {fault}; give one like {ElevenLabsEnvironment.PRODUCTION.value!r}")
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _fault_of(base_url: object, *, allow_insecure_http: bool) -> str | None:
    if not isinstance(base_url, str) or not base_url:
        return "is not a URL"
    if not _PLAIN_URL.fullmatch(base_url):
        return "has white space, a control character, a backslash or a character that is not ASCII"
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return _NO_HOST
    if parts.scheme not in {"https", "http"}:
        return "does not begin with https:// (or http://, for this machine)"
    if "@" in parts.netloc:
        return "carries a user name or a password"
    if not can_be_looked_up(host or "") or not is_host_and_port(parts.netloc):
        return _NO_HOST
    if "?" in base_url or "#" in base_url:
        return "has a query or a fragment"
    if parts.scheme == "http" and allow_insecure_http is not True and not is_loopback(host or ""):
        return "is http:, which would send the API key in the clear (allow_insecure_http=True permits it)"
    return None


def checked_address(environment: object, base_url: str | None, *, allow_insecure_http: bool) -> str:
    """Give the base URL that a client uses: its own, else its environment's.

    Raises:
        ElevenLabsConfigError: It cannot be one.
    """
    if not isinstance(environment, ElevenLabsEnvironment):
        known = ", ".join(member.name for member in ElevenLabsEnvironment)
        raise ElevenLabsConfigError(f"environment must be a member of ElevenLabsEnvironment: {known}")
    if base_url is None:
        return environment.base_url
    return checked_base_url(base_url, allow_insecure_http=allow_insecure_http)
