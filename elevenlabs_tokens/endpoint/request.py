"""A request to the token route, the same from every framework."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Self

from attrs import frozen

from elevenlabs_tokens.responses import Headers


@frozen(eq=False, repr=False)
class EndpointRequest:
    """What `authorize` decides by. It has no body.

    Attributes:
        method: `"POST"`.
        path: The path, with its escapes decoded and the mount of the app included.
        headers: The headers; a name is found in upper or lower case.
        cookies: The cookies by their names. Nothing has checked them.
        client_address: The address at the other end of the connection, which may be a proxy's; None if the server does
            not tell.
        framework_request: What the framework gave: an ASGI scope, a WSGI environ, an `aiohttp.web.Request`, or a
            Django `HttpRequest`.
    """

    method: str
    path: str
    headers: Headers
    cookies: Mapping[str, str]
    client_address: str | None
    framework_request: Any

    @classmethod
    def of(
        cls,
        method: str,
        path: str,
        headers: Iterable[tuple[str, str]],
        client_address: str | None,
        framework_request: object,
    ) -> Self:
        """Make the request from its headers as they came, repeated ones included."""
        pairs = tuple(headers)
        cookies = "; ".join(value for name, value in pairs if name.lower() == "cookie")
        return cls(
            method, path, Headers(pairs), MappingProxyType(parse_cookies(cookies)), client_address, framework_request
        )

    def __repr__(self) -> str:
        """Show no header and no cookie: they identify the user."""
        return f"EndpointRequest(method={self.method!r}, path={self.path!r}, client_address={self.client_address!r})"


def parse_cookies(header: str) -> dict[str, str]:
    """Read a `Cookie` header, and skip what is no cookie. `http.cookies` would drop all that follows one odd cookie."""
    cookies: dict[str, str] = {}
    for part in header.split(";"):
        name, separator, value = part.strip().partition("=")
        if separator and (name := name.strip()):
            value = value.strip()
            is_quoted = len(value) > 1 and value[0] == value[-1] == '"'
            cookies[name] = value[1:-1] if is_quoted else value
    return cookies
