"""Which pages may ask for a token: the rule about origins."""

import re
from collections.abc import Iterable

from attrs import frozen

from elevenlabs_tokens.endpoint.request import EndpointRequest
from elevenlabs_tokens.exceptions import ElevenLabsConfigError

_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://([^\s/?#@\\,]+)")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


@frozen
class Verdict:
    """What the rule says of a request.

    Attributes:
        passes: Whether the request may go on.
        allowed_origin: The request's origin, if it is one of `allowed_origins`.
    """

    passes: bool
    allowed_origin: str | None = None


def checked_origins(origins: Iterable[str]) -> frozenset[str]:
    """Give the origins in the form in which they are compared.

    Raises:
        ElevenLabsConfigError: One of them is not the origin of a page.
    """
    if isinstance(origins, str | bytes) or not isinstance(origins, Iterable):
        raise ElevenLabsConfigError('allowed_origins must be a list of origins, such as ["https://app.example"]')
    return frozenset(_checked_origin(origin) for origin in origins)


def _checked_origin(origin: object) -> str:
    normal = _normal(origin.removesuffix("/")) if isinstance(origin, str) else None
    if normal is None or "*" in normal:
        shown = "an address with a user" if "@" in str(origin) else repr(origin)
        raise ElevenLabsConfigError(
            f"allowed_origins cannot hold {shown}: give scheme, host and port, such as https://app.example, and each "
            "origin by itself"
        )
    return normal


def judge(request: EndpointRequest, allowed_origins: frozenset[str]) -> Verdict:
    """Decide by `Origin`, `Sec-Fetch-Site` and `Host`, which no page can set.

    Source: Fetch Metadata Request Headers (W3C), and the Fetch standard's `Origin` header.
    """
    headers = request.headers
    origin, site, host = headers.get("origin"), headers.get("sec-fetch-site"), headers.get("host")
    # A repeated header is joined by a comma: another reader may have read the other value.
    if origin == "" or "," in f"{origin}{site}{host}":
        return Verdict(passes=False)
    if origin is not None and _normal(origin) in allowed_origins:
        return Verdict(passes=True, allowed_origin=origin)
    if site is not None:
        return Verdict(passes=site.lower() == "same-origin")
    return Verdict(passes=origin is None or _is_same_host(origin, host))


def _normal(origin: str) -> str | None:
    """Give an origin in lower case, without its scheme's default port; None if it is none, such as `null`."""
    match = _ORIGIN.fullmatch(origin.lower())
    if match is None:
        return None
    scheme, host = match.groups()
    return f"{scheme}://{_without_default_port(host, scheme)}"


def _without_default_port(host: str, scheme: str) -> str:
    return host.removesuffix(_DEFAULT_PORTS.get(scheme, "/"))


def _is_same_host(origin: str, host: str | None) -> bool:
    """Compare hosts and ports. The schemes may differ, because a proxy may end TLS."""
    normal = _normal(origin)
    if normal is None or not host:
        return False
    scheme, _, origin_host = normal.partition("://")
    return origin_host == _without_default_port(host.lower(), scheme)
