"""The mints that came, so that a test can look at what its app sent."""

from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from threading import Lock
from typing import Literal

from attrs import frozen
from multidict import CIMultiDict, CIMultiDictProxy

Outcome = Literal["minted", "refused", "failed", "disconnected"]

MOST_REQUESTS = 1000
_SECRET_HEADERS = ("xi-api-key", "authorization")
_SHORTEST_SHOWN_KEY = 8  # characters: the last four of a shorter key are too much of it


@frozen(kw_only=True)
class MintRequest:
    """A request for a token.

    Attributes:
        token_type: The type that was asked for; it can be one that does not exist.
        received_at: When it came, in UTC, by the emulator's clock.
        headers: Its headers, found in upper and lower case; of a key, only the last four characters are shown.
        outcome: `minted`; `refused`, for its key or its type; `failed` or `disconnected`, as `fail_next` said.
    """

    token_type: str
    received_at: datetime
    headers: Mapping[str, str]
    outcome: Outcome


class RequestLog:
    """Keeps the last 1,000 requests. Any thread may use it.

    Args:
        clock: Gives the time in seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._requests: deque[MintRequest] = deque(maxlen=MOST_REQUESTS)
        self._lock = Lock()

    def note(self, token_type: str, headers: Mapping[str, str], outcome: Outcome) -> None:
        """Keep one more request."""
        shown = CIMultiDict(headers)
        for name in _SECRET_HEADERS:
            if name in shown:
                shown[name] = _masked(shown[name])
        request = MintRequest(
            token_type=token_type,
            received_at=datetime.fromtimestamp(self._clock(), UTC),
            headers=CIMultiDictProxy(shown),
            outcome=outcome,
        )
        with self._lock:
            self._requests.append(request)

    def all(self) -> tuple[MintRequest, ...]:
        """Give the requests that are kept, oldest first."""
        with self._lock:
            return tuple(self._requests)

    def reset(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._requests.clear()


def _masked(key: str) -> str:
    return f"…{key[-4:]}" if len(key) >= _SHORTEST_SHOWN_KEY else "…"
