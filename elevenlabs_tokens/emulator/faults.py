"""Faults on demand: what the next mints answer instead of a token."""

import json
import math
import re
from collections import deque
from collections.abc import Mapping
from threading import Lock

from attrs import frozen

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[^\r\n\0]*")
_STATUS_CODES = range(200, 600)
_USUAL_STATUS = 503


@frozen(kw_only=True)
class FaultyReply:
    """The reply that stands in for a token.

    Attributes:
        status: Its status code, from 200 to 599.
        headers: Its headers, over the usual ones.
        body: Its body; None for the one that the API usually sends with this status.
        content_type: What `body` is, unless the headers say otherwise.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes | None
    content_type: str


@frozen(kw_only=True)
class Fault:
    """What happens to one mint.

    Attributes:
        reply: The reply that stands in for a token; None for the good one, or for none at all.
        delay_in_seconds: How long the reply, or the disconnect, waits.
        disconnect: The connection is cut instead of a reply.
    """

    reply: FaultyReply | None
    delay_in_seconds: float
    disconnect: bool


def plan_fault(
    *,
    status: int | None,
    headers: Mapping[str, str] | None,
    body: Mapping[str, object] | list[object] | str | bytes | None,
    delay_in_seconds: float | None,
    disconnect: bool,
) -> Fault:
    """Make a fault of what `Emulator.fail_next` was told.

    Raises:
        ValueError: An argument is not what it should be, or two contradict each other.
    """
    if status is not None and (type(status) is not int or status not in _STATUS_CODES):
        raise ValueError(f"status must be a whole number from 200 to 599, not {status!r}")
    if delay_in_seconds is not None and not _is_duration(delay_in_seconds):
        raise ValueError(f"delay_in_seconds must be a finite number, 0 or more, not {delay_in_seconds!r}")
    if type(disconnect) is not bool:
        raise ValueError(f"disconnect must be True or False, not {disconnect!r}")
    has_reply = any(part is not None for part in (status, headers, body))
    if disconnect and has_reply:
        raise ValueError("disconnect cuts the connection before a reply: give no status, headers or body with it")
    reply = None
    if has_reply or not (disconnect or delay_in_seconds is not None):
        content, content_type = _encode(body)
        reply = FaultyReply(
            status=_USUAL_STATUS if status is None else status,
            headers=_checked_headers(headers or {}),
            body=content,
            content_type=content_type,
        )
    return Fault(reply=reply, delay_in_seconds=delay_in_seconds or 0.0, disconnect=disconnect)


def _is_duration(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    if not isinstance(headers, Mapping):
        # A wrong argument is one kind of error, whether its type is wrong or its value.
        raise ValueError(f"headers must map names to values, not {headers!r}")  # noqa: TRY004 - see above
    for name, value in headers.items():
        _check_header(name, value)
    return dict(headers)


def _check_header(name: object, value: object) -> None:
    if not (isinstance(name, str) and _HEADER_NAME.fullmatch(name)):
        raise ValueError(f"{name!r} cannot be the name of a header")
    if not (isinstance(value, str) and _HEADER_VALUE.fullmatch(value)):
        raise ValueError(f"the value of header {name} must be a text of one line, not {value!r}")


def _encode(body: object) -> tuple[bytes | None, str]:
    if body is None:
        return None, "application/json"
    if isinstance(body, bytes):
        return body, "application/octet-stream"
    if isinstance(body, str):
        return body.encode(), "text/plain; charset=utf-8"
    if isinstance(body, Mapping | list):
        try:
            return json.dumps(dict(body) if isinstance(body, Mapping) else body).encode(), "application/json"
        except TypeError as error:
            raise ValueError(f"body does not go into JSON: {error}") from error
    raise ValueError(f"body must be a mapping or a list (sent as JSON), text or bytes, not {type(body).__name__}")


class FaultQueue:
    """The faults that wait for their mints, first come first served; may be used from any thread."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, Fault]] = deque()
        self._lock = Lock()

    def add(self, fault: Fault, *, times: int) -> None:
        """Let the fault befall this many mints, after the faults that wait already.

        Raises:
            ValueError: `times` is not a whole number, 1 or more.
        """
        if type(times) is not int or times < 1:
            raise ValueError(f"times must be a whole number, 1 or more, not {times!r}")
        with self._lock:
            self._waiting.append((times, fault))

    def take(self) -> Fault | None:
        """Give the fault that befalls the mint at hand; None if it is spared."""
        with self._lock:
            if not self._waiting:
                return None
            times, fault = self._waiting.popleft()
            if times > 1:
                self._waiting.appendleft((times - 1, fault))
            return fault
