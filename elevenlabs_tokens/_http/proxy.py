"""The proxy of a client, from its argument or from the environment."""

from base64 import b64encode
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from attrs import field, frozen

from elevenlabs_tokens._secrets import Secret, masked
from elevenlabs_tokens.environments import can_be_looked_up, is_host_and_port, is_loopback
from elevenlabs_tokens.exceptions import ElevenLabsConfigError


@frozen
class Proxy:
    """A proxy: its address, and separate from it, its secret.

    Attributes:
        url: Without user and password.
        headers: Its credentials, which no other server may see.
    """

    url: str
    headers: Mapping[str, str] = field(repr=masked)


def find_proxy(base_url: str, proxy: str | None, *, allow_insecure_http: bool) -> Proxy | None:
    """Give the proxy of a client; None if it connects directly.

    Args:
        base_url: Where the client's requests go.
        allow_insecure_http: Whether a proxy on another machine may see the API key.
        proxy: The caller's choice. If None, `HTTPS_PROXY` and `NO_PROXY` decide; but never for an `http:` URL,
            whose requests the proxy could read, nor for this machine itself.

    Raises:
        ElevenLabsConfigError: It is not an `http:` or `https:` proxy, or it would see the API key.
    """
    parts = urlsplit(base_url)
    if proxy is not None:
        given = _parsed(proxy, "proxy")
        is_shown = parts.scheme == "http" and not is_loopback(urlsplit(given.url).hostname or "")
        if is_shown and allow_insecure_http is not True:
            raise ElevenLabsConfigError(
                "proxy would see the API key, for base_url is http:; give an https: one (allow_insecure_http=True "
                "permits it)"
            )
        return given
    if parts.scheme != "https" or is_loopback(parts.hostname or "") or proxy_bypass(parts.netloc):
        return None
    named = getproxies_environment().get("https")
    return _parsed(named, "HTTPS_PROXY") if named else None


def _parsed(proxy: object, source: str) -> Proxy:
    parts = _split(proxy) if isinstance(proxy, str) else None
    # The proxy is not quoted: it may carry a password.
    if parts is None:
        raise ElevenLabsConfigError(f"{source} is not a proxy; give one like http://proxy.example:8080")
    if parts.scheme not in {"http", "https"}:
        # aiohttp would speak HTTP to a SOCKS proxy, and say nothing of it.
        raise ElevenLabsConfigError(f"{source} is neither an http: nor an https: proxy, and no other kind is supported")
    address = parts.netloc.rpartition("@")[2]
    return Proxy(url=f"{parts.scheme}://{address}", headers=_headers(parts))


def _split(proxy: str) -> SplitResult | None:
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        host, _ = parts.hostname or "", parts.port
        proxy.encode()  # fails for bytes of the environment that are not UTF-8
    except ValueError:
        return None
    address = parts.netloc.rpartition("@")[2]
    return parts if can_be_looked_up(host) and is_host_and_port(address) else None


def _headers(parts: SplitResult) -> Mapping[str, str]:
    if parts.username is None:
        return MappingProxyType({})
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return MappingProxyType({"Proxy-Authorization": Secret(f"Basic {b64encode(credentials.encode()).decode('ascii')}")})
