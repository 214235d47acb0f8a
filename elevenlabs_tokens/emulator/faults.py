"""Faults on demand: what the next mints get instead of a token."""

import json
import re
from collections import deque
from collections.abc import Mapping
from threading import Lock
from typing import Generic, TypeVar

from attrs import frozen

from elevenlabs_tokens.emulator.arguments import check_boolean, check_seconds, check_whole_number
from elevenlabs_tokens.options import HEADER_NAME

_HEADER_VALUE = re.compile(r"[^\r\n\0]*")
_DEFAULT_STATUS = 503

AnyFault = TypeVar("AnyFault")


@frozen(kw_only=True)
class FaultyReply:
    """The reply to a mint that fails.

    Attributes:
        status: The status code, from 200 to 599.
        headers: The headers; they replace the usual ones of the same name.
        body: The body; None for the one that the API usually sends with this status.
        content_type: The type of `body`, unless `headers` has another.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes | None
    content_type: str


@frozen(kw_only=True)
class Fault:
    """What happens to one mint.

    Attributes:
        reply: The reply that is sent instead of a token; None if the mint succeeds late, or its connection is cut.
        delay_in_seconds: How long the mint takes before its reply, or before its connection is cut.
        disconnect: Whether the connection is cut instead of a reply.
    """

    reply: FaultyReply | None
    delay_in_seconds: float
    disconnect: bool


def plan_fault(
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    body: Mapping[str, object] | list[object] | str | bytes | None = None,
    delay_in_seconds: float | None = None,
    disconnect: bool = False,
) -> Fault:
    """Make a fault from the arguments of `Emulator.fail_next`.

    Raises:
        ValueError: An argument is wrong, or two contradict each other.
    """
    if delay_in_seconds is not None:
        check_seconds("delay_in_seconds", delay_in_seconds, can_be_zero=True)
    check_boolean("disconnect", disconnect)
    has_reply = any(part is not None for part in (status, headers, body))
    if disconnect and has_reply:
        raise ValueError("disconnect cuts the connection before a reply: give no status, headers or body with it")
    is_late_success = delay_in_seconds is not None and not has_reply
    return Fault(
        reply=None if disconnect or is_late_success else _plan_reply(status, headers, body),
        delay_in_seconds=delay_in_seconds or 0.0,
        disconnect=disconnect,
    )


def _plan_reply(status: int | None, headers: Mapping[str, str] | None, body: object) -> FaultyReply:
    if status is None:
        status = _DEFAULT_STATUS
    check_whole_number("status", status, at_least=200, at_most=599)
    content, content_type = _encode(body)
    return FaultyReply(status=status, headers=_checked_headers(headers), body=content, content_type=content_type)


def _checked_headers(headers: object) -> dict[str, str]:
    if headers is None:
        return {}
    if not isinstance(headers, Mapping):
        # A wrong argument is always a `ValueError`, whether its type is wrong or its value.
        raise ValueError(f"headers must map names to values, not {headers!r}")  # noqa: TRY004 - see above
    for name, value in headers.items():
        if not (isinstance(name, str) and HEADER_NAME.fullmatch(name)):
            raise ValueError(f"{name!r} cannot be the name of a header")
        if not (isinstance(value, str) and _HEADER_VALUE.fullmatch(value)):
            raise ValueError(f"the value of header {name} must be a string of one line, not {value!r}")
    return dict(headers)


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
            raise ValueError(f"body cannot be written as JSON: {error}") from error
    raise ValueError(f"body must be a mapping or a list (sent as JSON), text or bytes, not {type(body).__name__}")


class FaultQueue(Generic[AnyFault]):
    """The faults of the next mints, or of the next sockets, first in, first out. Any thread may use it."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int | None, AnyFault]] = deque()
        self._lock = Lock()

    def add(self, fault: AnyFault, *, times: int | None) -> None:
        """Plan a fault for this many of them, or for all (None), after those that are planned already.

        Raises:
            ValueError: `times` is neither None nor a whole number, 1 or more.
        """
        if times is not None:
            check_whole_number("times", times, at_least=1)
        with self._lock:
            self._waiting.append((times, fault))

    def take(self) -> AnyFault | None:
        """Give the fault of the current mint or socket; None if it has none."""
        with self._lock:
            if not self._waiting:
                return None
            times, fault = self._waiting[0]
            if times == 1:
                self._waiting.popleft()
            elif times is not None:
                self._waiting[0] = (times - 1, fault)
            return fault

    def clear(self) -> None:
        """Forget all faults that are planned."""
        with self._lock:
            self._waiting.clear()
