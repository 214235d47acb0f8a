"""When to try again, and after how long. Time and chance come in as arguments."""

import math
import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from threading import Lock

from elevenlabs_tokens._forks import reset_after_fork
from elevenlabs_tokens._http.wire import Failure, FailureKind, Outcome

LONGEST_RETRY_AFTER_IN_SECONDS = 60.0
"""A server that names a longer wait is not waited for: the caller is told how long it is."""

_FIRST_WAIT_IN_SECONDS = 0.5
_LONGEST_WAIT_IN_SECONDS = 8.0

_RETRIED_FAILURES = frozenset({FailureKind.NOT_CONNECTED, FailureKind.LOST, FailureKind.TIMED_OUT})
_RETRIED_CLIENT_ERRORS = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_SERVER_ERRORS = range(500, 600)

_NUMBER = r"(?ai)[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?"


def is_retried(outcome: Outcome) -> bool:
    """Tell whether another attempt may fare better.

    Minting again is safe: at worst an attempt whose reply was lost leaves a token that lapses unused.
    """
    if isinstance(outcome, Failure):
        return outcome.kind in _RETRIED_FAILURES
    return outcome.status_code in _RETRIED_CLIENT_ERRORS or outcome.status_code in _SERVER_ERRORS


def backoff_in_seconds(attempt: int, draw: float) -> float:
    """Give the wait after an attempt: half to all of 0.5 s, 1 s, 2 s and so on, up to 8 s.

    Args:
        attempt: Which one failed, from 0.
        draw: Chance, from 0.0 to 1.0. Callers that failed together must not come back together.
    """
    longest: float = min(_FIRST_WAIT_IN_SECONDS * 2**attempt, _LONGEST_WAIT_IN_SECONDS)
    return longest * (0.5 + draw / 2)


def retry_after_in_seconds(outcome: Outcome, wall_clock: float) -> float | None:
    """Read the wait that a reply asks for.

    Args:
        outcome: Of the attempt.
        wall_clock: Seconds since the epoch, for a wait that is given as a date.

    Returns:
        Seconds over 0, perhaps infinite; None where it asks for none or cannot be read.
    """
    # The live API sends no Retry-After on 429, so the backoff is what usually rules.
    if isinstance(outcome, Failure) or (text := outcome.headers.get("Retry-After")) is None:
        return None
    seconds = _seconds_of(text.strip(), wall_clock)
    return seconds if seconds > 0 else None


def _seconds_of(text: str, wall_clock: float) -> float:
    if re.fullmatch(_NUMBER, text):
        return float(text)
    try:
        date = parsedate_to_datetime(text)
        # A date without a zone is in GMT, as all dates in HTTP are.
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - wall_clock
    except (ValueError, OverflowError):
        return -math.inf


def decide(
    outcome: Outcome, *, attempt: int, max_retries: int, seconds_left: float, wall_clock: float, draw: float
) -> float | None:
    """Decide what follows an attempt.

    Args:
        outcome: Of the attempt.
        attempt: Which one it was, from 0.
        max_retries: Attempts that may follow the first.
        seconds_left: Until the call's deadline.
        wall_clock: Seconds since the epoch.
        draw: Chance, from 0.0 to 1.0.

    Returns:
        The seconds to wait before the next attempt; None if the call ends with this outcome.
    """
    if attempt >= max_retries or not is_retried(outcome):
        return None
    wait = retry_after_in_seconds(outcome, wall_clock)
    if wait is None:
        wait = backoff_in_seconds(attempt, draw)
    elif wait > LONGEST_RETRY_AFTER_IN_SECONDS:
        return None
    return wait if wait < seconds_left else None


class RetryBudget:
    """What a client may spend on retries, so that a dead API is not stormed by all of its callers.

    A retry costs 14 of 500 units; a call that a retry saved pays its last one back, and one that needed none
    adds 1. Thus 35 retries in a row, then one for every 14 calls that succeed at once.
    """

    CAPACITY = 500
    COST = 14

    def __init__(self) -> None:
        self._units = self.CAPACITY
        self._lock = Lock()  # one client may serve many threads
        reset_after_fork(self)

    def after_fork_in_child(self) -> None:
        """Make a lock that no thread of the parent holds."""
        self._lock = Lock()

    def withdraw(self) -> bool:
        """Take the units of one retry; False if there are too few."""
        with self._lock:
            if self._units < self.COST:
                return False
            self._units -= self.COST
            return True

    def deposit(self, *, after_retry: bool) -> None:
        """Put back what a call that succeeded earns."""
        if self._units == self.CAPACITY:
            return
        with self._lock:
            self._units = min(self.CAPACITY, self._units + (self.COST if after_retry else 1))

    @property
    def units(self) -> int:
        """What is left, from 0 to `CAPACITY`."""
        return self._units
