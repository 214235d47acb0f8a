"""The replies of the token route, as data."""

import json
import math
from collections.abc import Iterable
from typing import Any

from attrs import evolve, frozen

LONGEST_RETRY_AFTER_IN_SECONDS = 3600


@frozen
class Reply:
    """A reply.

    Attributes:
        status: The HTTP status.
        headers: The headers, `Content-Length` included.
        body: The body; empty for a preflight and for HEAD.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def with_headers(self, headers: Iterable[tuple[str, str]]) -> "Reply":
        """Give the same reply with more headers."""
        return evolve(self, headers=(*self.headers, *headers))

    def without_body(self) -> "Reply":
        """Give the reply to HEAD: the same headers, no body."""
        return evolve(self, body=b"")


class RefusedError(Exception):
    """Ends the handling of a request: the reply is a refusal.

    Args:
        status: The HTTP status.
        code: What programs read: `"not_signed_in"`.
        message: What people read. Nothing of what the API answered is in it.
        retry_after_in_seconds: When to try again; None: the reply does not say.
        reason: Why, for the log only.
        request_id: The API's name for its own request, for the log.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        retry_after_in_seconds: float | None = None,
        reason: str = "",
        request_id: str | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after_in_seconds = retry_after_in_seconds
        self.reason = reason
        self.request_id = request_id


def token_reply(token: dict[str, Any]) -> Reply:
    """Give the reply that hands a token over."""
    return _json_reply(201, token)


def refusal(error: RefusedError) -> Reply:
    """Give the reply of a refusal."""
    reply = _json_reply(error.status, {"error": {"code": error.code, "message": error.message}})
    if error.retry_after_in_seconds is not None:
        reply = reply.with_headers([("Retry-After", str(whole_seconds(error.retry_after_in_seconds)))])
    return reply


def preflight() -> Reply:
    """Give the reply to an allowed preflight, the only one that is not JSON."""
    allowed = (
        ("Access-Control-Allow-Methods", "POST"),
        ("Access-Control-Allow-Headers", "Authorization, Content-Type"),
        ("Access-Control-Max-Age", "600"),
    )
    return Reply(204, (*_ALWAYS, *allowed), b"")


def whole_seconds(seconds: float) -> int:
    """Round up to whole seconds, from 1 to 3600."""
    if math.isnan(seconds):
        return 1
    return math.ceil(max(1, min(seconds, LONGEST_RETRY_AFTER_IN_SECONDS)))


def internal_error(reason: str) -> RefusedError:
    """Make the refusal of a request that failed by the app's own fault; only the log says why."""
    return RefusedError(500, "internal_error", "The server could not handle the request.", reason=reason)


_ALWAYS = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))


def _json_reply(status: int, document: dict[str, Any]) -> Reply:
    body = json.dumps(document).encode()
    return Reply(status, (("Content-Type", "application/json"), ("Content-Length", str(len(body))), *_ALWAYS), body)
