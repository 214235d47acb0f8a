"""What the token route answers, as one table.

Every request is signed in, with a user id of its own, and without a body, unless its case says otherwise.
"""

import json
from collections.abc import Sequence
from gzip import compress

from attrs import frozen

from endpoint.raw import chunked

JSON = "Content-Type: application/json"
LIMIT = 16 * 1024

ASGI = frozenset({"uvicorn", "hypercorn"})
DJANGO = frozenset({"Django under WSGI", "Django under ASGI"})


CODES = {
    201: "minted",
    204: "preflight",
    400: "bad_request",
    401: "not_signed_in",
    403: "foreign_origin",
    405: "method_not_allowed",
    408: "body_timeout",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "unknown_token_type",
    429: "rate_limited",
    500: "internal_error",
    502: "upstream_refused",
    503: "upstream_unavailable",
    504: "upstream_timeout",
}
"""The code of an error by its status, and what the log calls the others."""


@frozen
class Case:
    """A request and what is expected of it.

    Attributes:
        name: What it shows.
        status: The status of the reply.
        lines: Its headers beside the usual ones; `{host}` stands for the server's host and port.
        body: Its body.
        method: Its method.
        target: Its target; `{kind}` stands for `async`, and then for `sync`: `endpoint.app.ENDPOINTS` has both.
        version: The version of HTTP; a request of HTTP/1.0 has no `Host`, and tells no length.
        does: What `authorize` does; one of `endpoint.app.ACTS`.
        user: The user id that is sent, None for none; the name of the case, unless it is given.
        user_id: The id that `on_minted` gets; `user`, unless it is given. `{request_class}` stands for the adapter's.
        token_type: The type of the token.
        mints: How many mints reach the API; 1 with a 201, and else 0, unless it is given.
        code: The error's code; that of `CODES`, unless it is given.
        says: A part of the error's message.
        origin: The origin that the reply allows.
        retry_after: The seconds that the reply asks to wait.
        server_says: What servers answer by themselves, in place of the endpoint; None for nothing at all.
        is_cut_short: Whether the connection is closed for writing after the request.
        not_under: The adapters that it is not for.
        only_under: The adapters that it is for; empty for all.
    """

    name: str
    status: int
    lines: Sequence[str] = ()
    body: bytes = b""
    method: str = "POST"
    target: str = "/{kind}/token"
    version: str = "HTTP/1.1"
    does: str | None = None
    user: str | None = ""
    user_id: str | int | None = None
    token_type: str = "realtime_scribe"
    mints: int | None = None
    code: str = ""
    says: str = ""
    origin: str | None = None
    retry_after: str | None = None
    server_says: Sequence[int | None] = ()
    is_cut_short: bool = False
    not_under: frozenset[str] = frozenset()
    only_under: frozenset[str] = frozenset()


def asks_for(token_type: str | None) -> bytes:
    return json.dumps({"token_type": token_type}).encode()


FOREIGN = "Origin: https://evil.example"
APP = "https://app.example"
FROM_APP = f"Origin: {APP}"
PREFLIGHT = ("Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization,content-type")

METHODS = (
    Case("GET", 405, method="GET", says="GET"),
    Case("GET explains why not", 405, method="GET", says="cache"),
    Case("HEAD", 405, method="HEAD"),
    Case("PUT", 405, method="PUT"),
    Case("PATCH", 405, method="PATCH"),
    Case("DELETE", 405, method="DELETE"),
    Case("TRACE", 405, method="TRACE"),
    Case("a method of nobody's", 405, method="BREW", server_says=[400]),
    Case("GET of an allowed origin", 405, [FROM_APP], method="GET", origin=APP),
    Case("HEAD of an allowed origin", 405, [FROM_APP], method="HEAD", origin=APP),
    Case("the method is asked before the origin", 405, [FOREIGN], method="GET"),
    Case("the method is asked before the user", 405, method="GET", user=None),
    Case("a preflight", 204, [FROM_APP, *PREFLIGHT], method="OPTIONS", user=None, origin=APP),
    Case("OPTIONS of an allowed origin", 204, [FROM_APP], method="OPTIONS", origin=APP),
    Case("a preflight across sites", 204, [FROM_APP, "Sec-Fetch-Site: cross-site"], method="OPTIONS", origin=APP),
    Case("a preflight of a foreign origin", 403, [FOREIGN, *PREFLIGHT], method="OPTIONS"),
    Case("a preflight of the same origin", 403, ["Origin: http://{host}", *PREFLIGHT], method="OPTIONS"),
    Case("OPTIONS of the same site", 403, ["Sec-Fetch-Site: same-origin"], method="OPTIONS"),
    Case("OPTIONS of nobody", 403, method="OPTIONS"),
)


def _origin(name: str, status: int, *lines: str, allowed: str | None = None, server_says: Sequence[int] = ()) -> Case:
    return Case(name, status, lines, origin=allowed, server_says=server_says)


ORIGINS = (
    _origin("no browser", 201),
    _origin("an allowed origin", 201, FROM_APP, allowed=APP),
    _origin("an allowed origin across sites", 201, FROM_APP, "Sec-Fetch-Site: cross-site", allowed=APP),
    _origin("an allowed origin on the same site", 201, FROM_APP, "Sec-Fetch-Site: same-site", allowed=APP),
    _origin("an allowed origin with a port", 201, "Origin: http://localhost:5173", allowed="http://localhost:5173"),
    _origin("an allowed app on a phone", 201, "Origin: capacitor://localhost", allowed="capacitor://localhost"),
    _origin("the allowed host over HTTP", 403, "Origin: http://app.example"),
    _origin("the allowed host with another port", 403, f"{FROM_APP}:8443"),
    _origin("a host that begins like the allowed one", 403, f"{FROM_APP}.evil.example"),
    _origin("a host that ends like the allowed one", 403, "Origin: https://evil-app.example"),
    _origin("a path after the allowed origin", 403, f"{FROM_APP}/path"),
    _origin("the allowed origin as a user name", 403, f"{FROM_APP}@evil.example"),
    _origin("two origins in one header", 403, f"{FROM_APP} {FOREIGN}"),
    _origin("a foreign origin", 403, FOREIGN),
    _origin("a sandboxed page", 403, "Origin: null"),
    _origin("an empty origin", 403, "Origin:"),
    _origin("an empty origin on the same site", 403, "Origin:", "Sec-Fetch-Site: same-origin"),
    _origin("an origin that is no origin", 403, "Origin: https://[::1"),
    _origin("a port that is no port", 403, "Origin: https://{host}0000000"),
    _origin("a foreign origin whose host a proxy names", 403, FOREIGN, "X-Forwarded-Host: evil.example"),
    _origin("a foreign origin that Forwarded names", 403, FOREIGN, "Forwarded: host=evil.example;proto=https"),
    _origin("the same site says the browser", 201, "Sec-Fetch-Site: same-origin"),
    _origin("another site says the browser", 403, "Sec-Fetch-Site: cross-site"),
    _origin("a sister site says the browser", 403, "Sec-Fetch-Site: same-site"),
    _origin("no site says the browser", 403, "Sec-Fetch-Site: none"),
    _origin("nothing says the browser", 403, "Sec-Fetch-Site:"),
    _origin(
        "what the browser says decides, not the origin", 403, "Sec-Fetch-Site: cross-site", "Origin: http://{host}"
    ),
    _origin(
        "what the browser says decides, not the host", 201, "Sec-Fetch-Site: same-origin", "Origin: https://a.test"
    ),
    _origin("the same host", 201, "Origin: http://{host}"),
    _origin("the same host behind a proxy with TLS", 201, "Origin: https://{host}"),
    _origin("the same host in capitals", 201, "Origin: HTTPS://SHOP.EXAMPLE", "Host: Shop.example"),
    _origin("the default port of HTTPS", 201, "Origin: https://shop.example", "Host: shop.example:443"),
    _origin("the default port of HTTP", 201, "Origin: http://shop.example:80", "Host: shop.example"),
    _origin("the default port of the other scheme", 403, "Origin: https://shop.example", "Host: shop.example:80"),
    _origin("another port of the same host", 403, "Origin: http://shop.example:81", "Host: shop.example:80"),
    _origin("an IPv6 address", 201, "Origin: http://[::1]:8000", "Host: [::1]:8000"),
    _origin("two origins", 403, FROM_APP, FOREIGN, server_says=[400]),
    _origin("the same origin twice", 403, "Origin: http://{host}", "Origin: http://{host}", server_says=[400]),
    _origin("two origins on the same site", 403, FROM_APP, FOREIGN, "Sec-Fetch-Site: same-origin", server_says=[400]),
    _origin("two sites", 403, "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: same-origin", server_says=[400]),
    _origin("two hosts", 403, "Origin: http://{host}", "Host: {host}", "Host: {host}", server_says=[400]),
    Case("no host", 403, ["Origin: http://{host}"], version="HTTP/1.0"),
    Case("the origin is asked before the size", 403, [FOREIGN, f"Content-Length: {LIMIT + 1}"], not_under=DJANGO),
    Case("the origin is asked before the user", 403, [FOREIGN], user=None),
    Case("the origin is asked before the body", 403, [FOREIGN, "Content-Type: text/plain"], b"no"),
)

PADDED = asks_for("batch_scribe").ljust(LIMIT)
CHUNKED = "Transfer-Encoding: chunked"

SIZES = (
    Case("as large as allowed", 201, [JSON], PADDED, token_type="batch_scribe"),
    # Django reads the body before it calls a view.
    Case("too large by its announcement", 413, [JSON, f"Content-Length: {LIMIT + 1}"], not_under=DJANGO),
    Case("too large", 413, [JSON], PADDED + b" ", only_under=DJANGO),
    Case("chunks that are too large", 413, [JSON, CHUNKED], chunked(PADDED + b" ")),
    Case(
        "chunks without an end",
        413,
        [JSON, CHUNKED],
        chunked(PADDED + b" ").removesuffix(b"0\r\n\r\n"),
        not_under=frozenset({"Django under ASGI"}),
    ),
    Case("chunks as large as allowed", 201, [JSON, CHUNKED], chunked(PADDED), token_type="batch_scribe"),
    Case("no chunks", 201, [CHUNKED], b"0\r\n\r\n"),
    Case("the size is asked before the user", 413, [f"Content-Length: {LIMIT + 1}"], user=None, not_under=DJANGO),
    Case(
        "the size is asked before the body's type",
        413,
        ["Content-Type: text/plain", f"Content-Length: {LIMIT + 1}"],
        not_under=DJANGO,
    ),
    Case("too large from an allowed origin", 413, [FROM_APP, JSON, CHUNKED], chunked(PADDED + b" "), origin=APP),
    Case("a length that is no number", 400, [JSON, "Content-Length: many"], b"{}", server_says=[400, None]),
    Case("a negative length", 400, [JSON, "Content-Length: -1"], b"{}", server_says=[400, None]),
    Case("shorter than announced", 400, [JSON, "Content-Length: 9"], b"{}", is_cut_short=True, server_says=[400, None]),
    Case("a body that does not come", 408, [JSON, "Content-Length: 9"], only_under=ASGI | {"aiohttp"}),
)


def _refused(name: str, does: str) -> Case:
    return Case(name, 500, does=does)


USERS = (
    Case("nobody", 401, user=None),
    Case("None", 401, does="none"),
    Case("False", 401, does="false"),
    Case("nobody from an allowed origin", 401, [FROM_APP], user=None, origin=APP),
    _refused("True", "true"),
    _refused("no text", "empty"),
    _refused("a float", "float"),
    _refused("bytes", "bytes"),
    _refused("a list", "list"),
    _refused("a text that cannot be encoded", "surrogate"),
    _refused("an exception", "raise"),
    _refused("a cancellation", "cancel"),
    _refused("a refusal of aiohttp's", "aiohttp"),
    _refused("a refusal of Django's", "django"),
    _refused("a refusal of Starlette's", "starlette"),
    _refused("a refusal of Flask's", "werkzeug"),
    Case("an exception with an allowed origin", 500, [FROM_APP], does="raise", origin=APP),
    Case("0", 201, does="zero", user_id=0),
    Case("7", 201, does="number", user_id=7),
    Case("an id of two lines", 201, does="two lines", user_id="eve\nforged|ERROR|a line of its own"),
    Case("an awaitable", 201, does="later", user_id="later"),
    Case("a variable of the app", 201, does="caller", user_id="the app"),
    Case("the method", 201, does="method", user_id="POST"),
    Case("a header in other capitals", 201, does="header", user="in capitals"),
    Case("a cookie after an odd one", 201, ["Cookie: odd{{}}=[1; user=ada; x"], does="cookie", user_id="ada"),
    Case("the peer's address", 201, does="address", user_id="127.0.0.1"),
    Case("the user is asked before the body", 401, ["Content-Type: text/plain"], b"no", user=None),
)


def _body(name: str, status: int, body: bytes, content_type: str | None = JSON, *, says: str = "") -> Case:
    return Case(name, status, [content_type] if content_type else [], body, says=says)


BODIES = (
    _body("an empty object", 201, b"{}"),
    _body("an empty object with blanks", 201, b" { \n} "),
    _body("no body, but JSON", 201, b""),
    _body("no body, but text", 201, b"", "Content-Type: text/plain"),
    _body("the first type", 201, asks_for("realtime_scribe")),
    Case("another type", 201, [JSON], asks_for("batch_scribe"), token_type="batch_scribe"),
    _body("JSON with a charset", 201, asks_for("realtime_scribe"), "Content-Type: Application/JSON; charset=utf-8"),
    _body("text", 415, asks_for("realtime_scribe"), "Content-Type: text/plain"),
    _body("a form", 415, b"token_type=realtime_scribe", "Content-Type: application/x-www-form-urlencoded"),
    _body("a form of parts", 415, b"--x--", "Content-Type: multipart/form-data; boundary=x"),
    _body("a type like JSON", 415, asks_for("realtime_scribe"), "Content-Type: application/jsonp"),
    _body("JSON as a parameter", 415, asks_for("realtime_scribe"), "Content-Type: text/plain; application/json"),
    _body("no content type", 415, asks_for("realtime_scribe"), None),
    _body("an unknown field", 400, b'{"type": "realtime_scribe"}', says="token_type"),
    _body("a field too many", 400, b'{"token_type": "realtime_scribe", "ttl": 9}', says="token_type"),
    _body("broken JSON", 400, b'{"token_type": '),
    _body("two documents", 400, b"{}{}"),
    _body("JSON that is too deep", 400, b"[" * 8000 + b"]" * 8000),
    _body("a number of too many digits", 400, b'{"token_type": ' + b"1" * 5000 + b"}"),
    _body("a list as the body", 400, b'["realtime_scribe"]'),
    _body("a string", 400, b'"realtime_scribe"'),
    _body("a number", 400, b"1"),
    _body("null", 400, b"null"),
    _body("bytes that are not UTF-8", 400, b'{"token_type": "\xff"}'),
    _body("a type that is not handed out", 422, asks_for("tts_websocket")),
    _body("a type that leads elsewhere", 422, asks_for("../voices")),
    _body("a type in capitals", 422, asks_for("REALTIME_SCRIBE")),
    _body("a type that cannot be encoded", 422, rb'{"token_type": "\ud800"}'),
    _body("no type", 422, asks_for("")),
    _body("null as the type", 422, asks_for(None)),
    Case("a body after 100 Continue", 201, [JSON, "Expect: 100-continue"], b"{}"),
    Case("a body in gzip", 400, [JSON, "Content-Encoding: gzip"], compress(asks_for("batch_scribe"))),
    Case("text from an allowed origin", 415, [FROM_APP], b"no", origin=APP),
    Case("the body is asked before the storage", 415, body=b"no", target="/{kind}/storage"),
)

SECONDS = "whole seconds"
"""Any number of whole seconds from 1 to 3600, in `Case.retry_after`."""


def _fault(name: str, status: int, token_type: str, retry_after: str | None = None, at: str = "token") -> Case:
    target = f"/{{kind}}/{at}"
    return Case(name, status, [JSON], asks_for(token_type), target=target, mints=1, retry_after=retry_after)


def _broken(name: str, status: int, at: str, retry_after: str | None = None) -> Case:
    return Case(name, status, target=f"/{{kind}}/{at}", retry_after=retry_after)


UPSTREAM = (
    *(_fault(f"the API answers {status}", 502, f"status_{status}") for status in (400, 401, 402, 403, 404, 409, 422)),
    _fault("the API answers 429", 503, "status_429", SECONDS),
    _fault("the API answers 500", 503, "status_500", SECONDS),
    _fault("the API answers 503", 503, "status_503", SECONDS),
    _fault("the API names 3 s", 503, "again_in_3", "3"),
    _fault("the API names 2.2 s", 503, "again_in_2_and_a_bit", "3"),
    _fault("the API names no wait", 503, "again_at_once", SECONDS),
    _fault("the API names a millisecond", 503, "again_in_a_while", "1"),
    _fault("the API names an hour", 503, "again_in_an_hour", "3600"),
    _fault("the API names 30 years", 503, "again_in_30_years", "3600"),
    _fault("the API names no end", 503, "again_never", "3600"),
    _fault("the API names nothing that can be read", 503, "again_unreadable", SECONDS),
    _fault("the API redirects", 502, "redirects"),
    _fault("the API answers HTML", 502, "html"),
    _fault("the API answers without a token", 502, "no_token"),
    _fault("the API does not speak HTTP", 502, "not_http"),
    _fault("the API closes the connection", 503, "closes", SECONDS),
    _fault("the API's reply breaks off", 503, "breaks_off", SECONDS),
    _fault("the API stalls", 504, "stalls", at="impatient"),
    _broken("the API is not there", 503, "nobody", SECONDS),
    _broken("the API is somebody else", 502, "tls"),
    _broken("no key", 500, "keyless"),
    _broken("a key that cannot be fetched", 500, "failing-key"),
    _broken("a closed client", 500, "closed"),
    Case(
        "the storage is not there",
        503,
        target="/{kind}/storage",
        code="limiter_unavailable",
        retry_after=SECONDS,
    ),
    Case(
        "the API refuses an allowed origin",
        502,
        [JSON, FROM_APP],
        asks_for("status_401"),
        mints=1,
        origin=APP,
    ),
)

HOOKS = (
    Case("on_minted raises", 500, user="hook raises", mints=1),
    Case("on_minted is cancelled", 500, user="hook is cancelled", mints=1),
    Case("on_minted refuses", 500, user="hook refuses", mints=1),
    Case("on_minted raises with an allowed origin", 500, [FROM_APP], user="hook raises", mints=1, origin=APP),
)

_UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
)

PLACES = (
    Case("a mount", 201, target="/mounted/{kind}/token/"),
    Case("a mount and a foreign origin", 403, [FOREIGN], target="/mounted/{kind}/token/"),
    Case("a query", 201, target="/{kind}/token?token_type=batch_scribe"),
    Case("the path", 201, does="path", user_id="/{kind}/token"),
    Case(
        "no header in the repr",
        201,
        does="repr",
        user_id="EndpointRequest(method='POST', path='/{kind}/token', client_address='127.0.0.1')",
    ),
    Case("what the framework gave", 201, does="framework", user_id="{request_class}"),
    Case("the path below a mount", 201, target="/mounted/{kind}/token/", does="path", user_id="/mounted/{kind}/token/"),
    Case("the path without its query", 201, target="/{kind}/token?at=once", does="path", user_id="/{kind}/token"),
    # A server without WebSockets answers as to any GET, and uvicorn 500 where Django does not know what to do.
    Case("a WebSocket", 405, _UPGRADE, method="GET", target="/mounted/{kind}/token/", server_says=[403, 500]),
    Case("HTTP/1.0", 201, version="HTTP/1.0"),
)

CASES = (*METHODS, *ORIGINS, *SIZES, *USERS, *BODIES, *UPSTREAM, *HOOKS, *PLACES)
