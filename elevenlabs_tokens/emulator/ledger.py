"""All tokens that were minted, and what became of them: each is fresh at first, then spent or expired."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Literal

from attrs import define, frozen

TOKEN_TYPES = ("realtime_scribe", "batch_scribe", "tts_websocket", "ttd_websocket")

TokenState = Literal["fresh", "spent", "expired"]
Refusal = Literal["unknown", "wrong_type", "spent", "expired"]


@frozen(kw_only=True)
class TokenRecord:
    """What became of one token; the token itself is not in it.

    Attributes:
        token_type: The service that the token opens, such as `realtime_scribe`.
        state: `fresh`, `spent` or `expired`, as of when the record was read; a spent token stays spent.
        minted_at: When it was minted, in UTC.
        expires_at: When it expires, in UTC; at this moment it opens nothing any more.
        spent_at: When it opened its one connection, in UTC; None if it has not.
    """

    token_type: str
    state: TokenState
    minted_at: datetime
    expires_at: datetime
    spent_at: datetime | None


class TokenRefusedError(Exception):
    """A token cannot open this connection; it was not spent by the attempt.

    Attributes:
        reason: `unknown`, `wrong_type`, `spent` or `expired`.
        expected: The type of token that the connection takes.
        actual: The type of the token; None if it was never minted here.
    """

    def __init__(self, reason: Refusal, *, expected: str, actual: str | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.expected = expected
        self.actual = actual


@define
class _Entry:
    token_type: str
    minted_at: datetime
    spent_at: datetime | None = None


class TokenLedger:
    """Mints tokens, spends each of them once, and keeps records of them. Any thread may use it.

    Args:
        lifetime_in_seconds: How long an unused token is valid.
        clock: Gives the time in seconds since the epoch, like `time.time`.
    """

    def __init__(self, *, lifetime_in_seconds: float, clock: Callable[[], float]) -> None:
        self._lifetime = timedelta(seconds=lifetime_in_seconds)
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._lock = Lock()

    def mint(self, token_type: str) -> str:
        """Make a new token of this type; nobody can take it for a real one."""
        token = f"sutkn_emulator_{secrets.token_hex(16)}"
        with self._lock:
            self._entries[token] = _Entry(token_type, self._now())
        return token

    def spend(self, token: str, token_type: str) -> None:
        """Spend a token on a connection that takes this type. If two connections race for it, one gets it.

        Raises:
            TokenRefusedError: The token is unknown, of another type, spent already or expired, checked in this order.
        """
        with self._lock:
            now = self._now()
            entry = self._entries.get(token)
            if entry is None:
                raise TokenRefusedError("unknown", expected=token_type, actual=None)
            if entry.token_type != token_type:
                raise TokenRefusedError("wrong_type", expected=token_type, actual=entry.token_type)
            state = self._state(entry, now)
            if state != "fresh":
                raise TokenRefusedError(state, expected=token_type, actual=entry.token_type)
            entry.spent_at = now

    def record_of(self, token: str) -> TokenRecord:
        """Give the record of a token, with its state as of now.

        Raises:
            KeyError: It was not minted here. The error does not show the token, which can be a real one.
        """
        with self._lock:
            entry = self._entries.get(token)
            if entry is None:
                raise KeyError("this token was not minted here, or before the last reset")
            return self._record(entry, self._now())

    def records(self) -> tuple[TokenRecord, ...]:
        """Give the records of all tokens in minting order, with their states as of now."""
        with self._lock:
            now = self._now()
            return tuple(self._record(entry, now) for entry in self._entries.values())

    def reset(self) -> None:
        """Forget all tokens: to every connection, they are unknown from now on."""
        with self._lock:
            self._entries.clear()

    def _record(self, entry: _Entry, now: datetime) -> TokenRecord:
        return TokenRecord(
            token_type=entry.token_type,
            state=self._state(entry, now),
            minted_at=entry.minted_at,
            expires_at=entry.minted_at + self._lifetime,
            spent_at=entry.spent_at,
        )

    def _state(self, entry: _Entry, now: datetime) -> TokenState:
        if entry.spent_at is not None:
            return "spent"
        return "fresh" if now < entry.minted_at + self._lifetime else "expired"

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)
