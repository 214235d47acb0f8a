"""Decides whether and when to try again. The time and the random number are arguments."""

import math
import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from threading import Lock

from elevenlabs_tokens._forks import reset_after_fork
from elevenlabs_tokens._http.wire import Failure, FailureKind, Outcome

LONGEST_RETRY_AFTER_IN_SECONDS = 60.0
"""If a server asks for a longer wait, the call ends, and its error names that wait."""

_FIRST_WAIT_IN_SECONDS = 0.5
_LONGEST_WAIT_IN_SECONDS = 8.0

_RETRIED_FAILURES = (FailureKind.NOT_CONNECTED, FailureKind.LOST, FailureKind.TIMED_OUT)
_RETRIED_CLIENT_ERRORS = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
_SERVER_ERRORS = range(500, 600)

_NUMBER = r"(?ai)[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?"


def is_retried(outcome: Outcome) -> bool:
    """Tell whether another attempt may succeed.

    Minting again is safe: at worst, a lost reply leaves a token that expires unused.
    """
    if isinstance(outcome, Failure):
        return outcome.kind in _RETRIED_FAILURES
    return outcome.status_code in _RETRIED_CLIENT_ERRORS or outcome.status_code in _SERVER_ERRORS


def backoff_in_seconds(attempt: int, draw: float) -> float:
    """Return how long to wait after an attempt: 50 to 100 % of 0.5 s, 1 s, 2 s and so on, up to 8 s.

    Args:
        attempt: The number of the attempt that failed, from 0.
        draw: A random number from 0.0 to 1.0, so that callers that failed at the same time do not all retry at the
            same time.
    """
    longest: float = min(_FIRST_WAIT_IN_SECONDS * 2**attempt, _LONGEST_WAIT_IN_SECONDS)
    return longest * (0.5 + draw / 2)


def retry_after_in_seconds(outcome: Outcome, wall_clock: float) -> float | None:
    """Read how long a reply asks to wait.

    Args:
        outcome: The outcome of the attempt.
        wall_clock: The time now, in seconds since the epoch; it is needed if the reply names a date.

    Returns:
        Seconds, more than 0 and perhaps infinite; None if the reply asks for no wait, or its header cannot be read.
    """
    # The live API sends no Retry-After on 429, so the backoff is what usually applies.
    if isinstance(outcome, Failure) or (text := outcome.headers.get("Retry-After")) is None:
        return None
    seconds = _seconds_of(text.strip(), wall_clock)
    return seconds if seconds > 0 else None


def _seconds_of(text: str, wall_clock: float) -> float:
    if re.fullmatch(_NUMBER, text):
        return float(text)
    try:
        date = parsedate_to_datetime(text)
        # All dates in HTTP are in GMT, so a date without a zone is, too.
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - wall_clock
    except (ValueError, OverflowError):
        return -math.inf


def decide(
    outcome: Outcome,
    *,
    attempt: int,
    max_retries: int,
    seconds_left: float,
    wall_clock: float,
    draw: float,
    has_retried_at_once: bool = False,
) -> float | None:
    """Decide whether another attempt follows, and when.

    A stale connection is no sign of a fault at the API, so the first one of a call is retried without a wait.

    Args:
        outcome: The outcome of the attempt.
        attempt: The number of the attempt, from 0.
        max_retries: How many attempts may follow the first.
        seconds_left: The time until the call's deadline.
        wall_clock: The time now, in seconds since the epoch.
        draw: A random number from 0.0 to 1.0.
        has_retried_at_once: Whether an attempt of this call met a stale connection before.

    Returns:
        The seconds to wait before the next attempt; None if the call ends with this outcome.
    """
    if attempt >= max_retries or not is_retried(outcome):
        return None
    wait = retry_after_in_seconds(outcome, wall_clock)
    if isinstance(outcome, Failure) and outcome.is_stale and not has_retried_at_once:
        wait = 0.0
    elif wait is None:
        wait = backoff_in_seconds(attempt, draw)
    elif wait > LONGEST_RETRY_AFTER_IN_SECONDS:
        return None
    return wait if wait < seconds_left else None


class RetryBudget:
    """Limits the retries of a client, so that its callers do not flood an API that is down.

    The budget starts at 500 units. A retry costs 14. A call that succeeds after a retry returns 14, and a call that
    succeeds without a retry adds 1. So while the API is down there are at most 35 retries; after that, 14 clean
    successes pay for one retry.
    """

    CAPACITY = 500
    COST = 14

    def __init__(self) -> None:
        self._units = self.CAPACITY
        self._lock = Lock()  # many threads may use one client
        reset_after_fork(self)

    def after_fork_in_child(self) -> None:
        """Replace the lock: a thread of the parent process may have held it during the fork."""
        self._lock = Lock()

    def withdraw(self) -> bool:
        """Pay for one retry, or return False if there are too few units."""
        with self._lock:
            if self._units < self.COST:
                return False
            self._units -= self.COST
            return True

    def deposit(self, *, after_retry: bool) -> None:
        """Add what a successful call earns."""
        if self._units == self.CAPACITY:
            return
        with self._lock:
            self._units = min(self.CAPACITY, self._units + (self.COST if after_retry else 1))

    @property
    def units(self) -> int:
        """How many units are left, from 0 to `CAPACITY`."""
        return self._units
