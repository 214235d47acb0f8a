"""An API that fails in the way that the type of token names, and shows every secret that it knows."""

import threading
from collections.abc import Mapping

from faults import KEY
from scripted import Act, Script, ScriptedApi, reply

UPSTREAM_TEXT = "text of the upstream"
TOKEN_PREFIX = "sutkn_"

_ECHO = {"X-Echo": KEY, "Request-Id": "request-of-a-fault"}


def _refusal(status: int, **headers: str) -> Script:
    detail = {"code": UPSTREAM_TEXT, "status": UPSTREAM_TEXT, "message": f"{UPSTREAM_TEXT} {KEY}"}
    return reply(status, {"detail": detail, TOKEN_PREFIX: f"{TOKEN_PREFIX}fault"}, {**_ECHO, **headers})


def _again(status: int, retry_after: str) -> Script:
    return _refusal(status, **{"Retry-After": retry_after})


FAULTS: Mapping[str, Script] = {
    **{f"status_{status}": _refusal(status) for status in (400, 401, 402, 403, 404, 409, 422, 429, 500, 503)},
    "again_in_3": _again(429, "3"),
    "again_in_2_and_a_bit": _again(429, "2.2"),
    "again_at_once": _again(429, "0"),
    "again_in_a_while": _again(429, "0.001"),
    "again_in_an_hour": _again(429, "3601"),
    "again_in_30_years": _again(503, "1e9"),
    "again_never": _again(503, "inf"),
    "again_unreadable": _again(503, UPSTREAM_TEXT),
    "redirects": reply(307, b"", {**_ECHO, "Location": f"https://h.example/?key={KEY}"}),
    "html": reply(200, f"<html>{UPSTREAM_TEXT} {TOKEN_PREFIX}html {KEY}</html>".encode(), _ECHO),
    "no_token": reply(200, {"tokens": [f"{TOKEN_PREFIX}lost"], "text": UPSTREAM_TEXT}, _ECHO),
    "not_http": [f"{UPSTREAM_TEXT}\r\n\r\n".encode(), Act.CLOSE],
    "closes": [Act.CLOSE],
    "breaks_off": [reply(200, {"token": f"{TOKEN_PREFIX}half"})[0][:-5], Act.RESET],
    "stalls": [Act.STALL],
}
"""What is answered to a mint of this type."""


class Upstream(ScriptedApi):
    """It answers `FAULTS`, a different token to every other request, and its number as the request's name.

    Attributes:
        abandoned: Set when a client has gone away while a mint of the type `is_abandoned` waits.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waits, self.abandoned = threading.Event(), threading.Event()
        self._scripts: dict[str, Script] = {
            **FAULTS,
            "is_abandoned": [self.waits.set, Act.STALL, self.abandoned.set],
        }

    def script_for(self, request: bytes) -> Script:
        token_type = request.partition(b" HTTP/")[0].rpartition(b"/")[2].decode()
        number = len(self.requests)
        fresh = reply(200, {"token": f"{TOKEN_PREFIX}number_{number}"}, {"Request-Id": f"request-{number}"})
        return self._scripts.get(token_type, fresh)
