"""How often a user may ask, counted by the `limits` library."""

import hashlib
import logging
import threading
import time
from collections import OrderedDict, deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any, Protocol

from elevenlabs_tokens._forks import reset_after_fork
from elevenlabs_tokens.exceptions import ElevenLabsConfigError

STORAGE_TIMEOUT_IN_SECONDS = 1.8
"""How long a storage may take: with the rest of the request, less than 2 s."""

_SOCKET_TIMEOUT_IN_SECONDS = 1.0
_MOST_THREADS = 32
"""How many threads call a storage at once."""

_MOST_IN_A_WINDOW = 1_000_000

logger = logging.getLogger("elevenlabs_tokens.endpoint")


class Counter(Protocol):
    """Counts the requests of each user, in a moving window."""

    def hit(self, user_id: str) -> float | Future[float]:
        """Count a request of a user, if the rate allows it.

        Args:
            user_id: The user; compared as exact text.

        Returns:
            The seconds until the user may ask again; 0 if the request was counted. Where this takes time, a future of
            them; an error is the storage's.
        """
        ...


def counter(rate: object, storage: object) -> Counter:
    """Give the counter of a rate in a storage; all who ask for the same ones share it.

    Args:
        rate: Such as `"10/minute"`.
        storage: `"memory://"`, or an address that `limits` knows, such as `"redis://…"`.

    Raises:
        ElevenLabsConfigError: The rate or the storage cannot be used, or the library is not installed.
    """
    try:
        limits = import_module("limits")
    except ImportError:
        raise ElevenLabsConfigError(
            "rate_limit needs a library: pip install 'elevenlabs-tokens[limits]'; or give rate_limit=None"
        ) from None
    item = None
    if isinstance(rate, str):
        with suppress(ValueError):
            (item,) = limits.parse_many(rate)
    if item is None or not 0 < item.amount <= _MOST_IN_A_WINDOW:
        raise ElevenLabsConfigError(
            'rate_limit must be one rate such as "10/minute" or "100 per 2 hours", up to a million requests, or None'
        )
    if not isinstance(storage, str):
        raise ElevenLabsConfigError('rate_limit_storage must be an address, such as "redis://localhost:6379"')
    storage = storage.strip()
    if _is_memory(storage):
        logger.warning(
            "the rate limit %s is counted in the memory of THIS PROCESS ALONE (memory://): with several workers, a "
            "user gets it once from each worker; to share the count, give rate_limit_storage='redis://...'",
            rate,
        )
    return _counter(item, storage)


@cache
def _counter(rate: Any, storage: str) -> Counter:
    return _MemoryCounter(rate) if _is_memory(storage) else _RemoteCounter(_limiter(storage), rate)


def _is_memory(storage: str) -> bool:
    return storage.lower().startswith("memory:")


def _limiter(storage: str) -> Any:
    """Make the library's limiter. No error shows the address: it may hold a password."""
    options: dict[str, Any] = {}
    if storage.startswith(("redis", "valkey")):
        options = {
            "socket_timeout": _SOCKET_TIMEOUT_IN_SECONDS,
            "socket_connect_timeout": _SOCKET_TIMEOUT_IN_SECONDS,
            # A connection that was idle for a second is tried first. If a Redis hangs, it executes later what it has
            # received, and would count users who were refused meanwhile.
            "health_check_interval": 1,
        }
    try:
        made = import_module("limits.storage").storage_from_string(storage, **options)
        return import_module("limits.strategies").MovingWindowRateLimiter(made)
    except Exception as error:  # noqa: BLE001  # each storage has errors of its own
        kind = type(error).__name__
    raise ElevenLabsConfigError(
        f"rate_limit_storage cannot be used ({kind}): give an address such as redis://localhost:6379, of a storage "
        "that `limits` has a moving window for and whose client is installed"
    )


def _key(user_id: str) -> str:
    """Make the storage's key: of one length for any id, and the storage does not learn who the users are."""
    return hashlib.sha256(user_id.encode()).hexdigest()


def _hit(limiter: Any, rate: Any, key: str) -> float:
    if limiter.hit(rate, key):
        return 0.0
    return max(1.0, float(limiter.get_window_stats(rate, key).reset_time) - time.time())


class _RemoteCounter:
    """Counts in a storage over the network: in threads of its own, because it may hang."""

    def __init__(self, limiter: Any, rate: Any) -> None:
        self._limiter = limiter
        self._rate = rate
        self.after_fork_in_child()
        reset_after_fork(self)

    def after_fork_in_child(self) -> None:
        self._threads = ThreadPoolExecutor(
            _MOST_THREADS, "elevenlabs-tokens-limits"
        )  # it starts no thread before the first use

    def hit(self, user_id: str) -> Future[float]:
        return self._threads.submit(_hit, self._limiter, self._rate, _key(user_id))


class _MemoryCounter:
    """Counts in this process.

    The memory of `limits` is not used: while requests come, it looks through all its users every 10 ms, which takes
    0.3 s where there are 100,000 of them, and it never forgets one.
    """

    def __init__(self, rate: Any) -> None:
        self._amount: int = rate.amount
        self._seconds: int = rate.get_expiry()
        self._hits: OrderedDict[str, deque[float]] = (
            OrderedDict()
        )  # by user; the user who was counted last is at the end
        self.after_fork_in_child()
        reset_after_fork(self)

    def after_fork_in_child(self) -> None:
        self._lock = threading.Lock()

    def hit(self, user_id: str) -> float:
        with self._lock:
            return self._hit(user_id, time.monotonic())

    def _hit(self, user_id: str, now: float) -> float:
        window_starts = now - self._seconds
        while self._hits and next(iter(self._hits.values()))[-1] <= window_starts:
            self._hits.popitem(last=False)
        hits = self._hits.setdefault(user_id, deque(maxlen=self._amount))
        if len(hits) == self._amount and hits[0] > window_starts:
            return hits[0] - window_starts
        hits.append(now)
        self._hits.move_to_end(user_id)
        return 0.0
