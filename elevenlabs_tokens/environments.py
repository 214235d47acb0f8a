"""Where the API is: its regions, and any other base URL that a caller gives."""

import ipaddress
import os
import re
from enum import Enum
from urllib.parse import urlsplit

from elevenlabs_tokens.exceptions import ElevenLabsConfigError

BASE_URL_VARIABLE = "ELEVENLABS_BASE_URL"
_LONGEST_LABEL = 63
_HIGHEST_IN_IPV4 = 255

# `urlsplit` removes tabs and line ends without an error, and browsers read a backslash as a slash.
_PLAIN_URL = re.compile(r"[!-\[\]-~]+")
# Only the usual form of an IPv4 address. Some resolvers read a number that begins with 0 as octal, and accept fewer
# than four numbers; such hosts are left to the resolver.
_FOUR_NUMBERS = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){3}")
_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^][@:]+)(:[0-9]*)?")
# One text for both faults: which of the two `urlsplit` finds depends on the version of Python.
_NO_HOST = "names no host that can be looked up, or its port is not valid"


class ElevenLabsEnvironment(Enum):
    """A region of the API. Its value is the base URL for requests.

    Source: the list of servers in the API reference, read 2026-11-24.
    """

    PRODUCTION = "https://api.elevenlabs.io"
    PRODUCTION_US = "https://api.us.elevenlabs.io"
    PRODUCTION_EU = "https://api.eu.residency.elevenlabs.io"
    PRODUCTION_INDIA = "https://api.in.residency.elevenlabs.io"
    PRODUCTION_SINGAPORE = "https://api.sg.residency.elevenlabs.io"

    @property
    def base_url(self) -> str:
        """The base URL for requests, over https."""
        return self.value

    @property
    def websocket_base_url(self) -> str:
        """The base URL for sockets, over wss, on the same host."""
        return websocket_base_url(self.value)


def websocket_base_url(base_url: str) -> str:
    """Give the base URL for sockets: `https` becomes `wss` and `http` becomes `ws`; the rest stays."""
    return f"ws{base_url.removeprefix('http')}"


def http_base_url(websocket_base_url: str) -> str:
    """Give the base URL for requests: `wss` becomes `https` and `ws` becomes `http`; the rest stays."""
    return f"http{websocket_base_url.removeprefix('ws')}"


def can_be_looked_up(host: str) -> bool:
    """Tell whether the resolver accepts a host. What it does not accept would raise errors that are not the package's.

    Refused are an empty part between two dots, a part over 63 characters, and an IPv4 address with a number over 255.
    """
    labels = host.removesuffix(".").split(".")
    if not all(0 < len(label) <= _LONGEST_LABEL for label in labels):
        return False
    return not _FOUR_NUMBERS.fullmatch(host) or max(map(int, labels)) <= _HIGHEST_IN_IPV4


def is_host_and_port(address: str) -> bool:
    """Tell whether an address is a host, with a port or without one, and nothing else.

    Older versions of `urlsplit` accept text after an IPv6 address: they read `[::1]evil.example` as `::1`.
    """
    return _HOST_AND_PORT.fullmatch(address) is not None


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine: `localhost`, 127.0.0.0/8 or `::1`."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    # From 3.13 on, Python calls `::ffff:127.0.0.1` loopback too. The operating system decides where it leads, so
    # this does not count as loopback on any version.
    return address.is_loopback and getattr(address, "ipv4_mapped", None) is None


def checked_base_url(base_url: str, *, allow_insecure_http: bool, source: str = "base_url") -> str:
    """Give the base URL without the slash at its end, or say why it cannot be used.

    Args:
        base_url: What is checked.
        allow_insecure_http: Whether `http:` may lead to another machine.
        source: Where the URL comes from; the error names it.

    Raises:
        ElevenLabsConfigError: It is not an `https:` URL of a host, with a port and a path at most; or it is an
            `http:` URL of another machine: whoever is between here and there could read the API key.
    """
    fault = _fault_of(base_url, allow_insecure_http=allow_insecure_http)
    if fault:
        # The error does not quote the URL: it may hold a password.
        raise ElevenLabsConfigError(f"{source} {fault}; give one like {ElevenLabsEnvironment.PRODUCTION.value!r}")
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _fault_of(base_url: object, *, allow_insecure_http: bool) -> str | None:
    if not isinstance(base_url, str) or not base_url:
        return "is not a URL"
    if not _PLAIN_URL.fullmatch(base_url):
        return "has white space, a control character, a backslash or a character that is not ASCII"
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return _NO_HOST
    if parts.scheme not in {"https", "http"}:
        return "does not begin with https:// (or http://, for this machine)"
    if "@" in parts.netloc:
        return "has a user name or a password in it"
    if not can_be_looked_up(host) or not is_host_and_port(parts.netloc):
        return _NO_HOST
    if "?" in base_url or "#" in base_url:
        return "has a query or a fragment"
    if parts.scheme == "http" and allow_insecure_http is not True and not is_loopback(host):
        return "is http:, which would send the API key unencrypted (allow_insecure_http=True permits it)"
    return None


def checked_address(environment: object, base_url: str | None, *, allow_insecure_http: bool) -> str:
    """Give the base URL of a client: the argument, else `ELEVENLABS_BASE_URL`, else the environment's.

    A variable that is empty counts as unset.

    Raises:
        ElevenLabsConfigError: The first of them that is there cannot be used, or `environment` is of another type.
    """
    if not isinstance(environment, ElevenLabsEnvironment):
        known = ", ".join(member.name for member in ElevenLabsEnvironment)
        raise ElevenLabsConfigError(f"environment must be a member of ElevenLabsEnvironment: {known}")
    if base_url is not None:
        return checked_base_url(base_url, allow_insecure_http=allow_insecure_http)
    if from_variable := os.environ.get(BASE_URL_VARIABLE):
        return checked_base_url(from_variable, allow_insecure_http=allow_insecure_http, source=BASE_URL_VARIABLE)
    return environment.base_url
