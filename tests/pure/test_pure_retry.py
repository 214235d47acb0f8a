"""Whether an attempt is retried, after how long, and how a client's budget limits retries."""

import math
import random
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import fmean
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from elevenlabs_tokens._http.clock import Clock
from elevenlabs_tokens._http.retry import RetryBudget, backoff_in_seconds, decide, is_retried, retry_after_in_seconds
from elevenlabs_tokens._http.wire import Failure, FailureKind, Outcome, Reply
from pure.samples import FROZEN_CLOCK, reply

BACKOFF = 0.5
ENDS = None


def after(text: str, status_code: int = 429) -> Reply:
    return reply(status_code, headers=[("retry-after", text)])


def decided(
    outcome: Outcome,
    *,
    attempt: int = 0,
    max_retries: int = 2,
    seconds_left: float = 1e6,
    has_retried_at_once: bool = False,
) -> float | None:
    """Decide at noon, with the longest backoff."""
    return decide(
        outcome,
        attempt=attempt,
        max_retries=max_retries,
        seconds_left=seconds_left,
        wall_clock=FROZEN_CLOCK,
        draw=1.0,
        has_retried_at_once=has_retried_at_once,
    )


@pytest.mark.parametrize(
    ("is_stale", "others", "wait"),
    [
        pytest.param(True, {}, 0.0, id="the first stale connection"),
        pytest.param(True, {"attempt": 1}, 0.0, id="after another fault"),
        pytest.param(True, {"has_retried_at_once": True}, BACKOFF, id="the second stale connection"),
        pytest.param(False, {}, BACKOFF, id="a loss of a fresh connection"),
        pytest.param(True, {"max_retries": 0}, ENDS, id="without retries"),
        pytest.param(True, {"attempt": 2}, ENDS, id="after the last retry"),
        pytest.param(True, {"seconds_left": 0.001}, 0.0, id="just before the deadline"),
        pytest.param(True, {"seconds_left": 0.0}, ENDS, id="at the deadline"),
    ],
)
def test_a_stale_connection(is_stale: bool, others: dict[str, Any], wait: float | None) -> None:  # noqa: FBT001  # a column of the table
    """It is retried without a wait, once a call."""
    assert wait == decided(Failure(FailureKind.LOST, is_stale=is_stale), **others)


@pytest.mark.promise(row=26)
@pytest.mark.parametrize(
    ("text", "retry_after", "wait"),
    [
        pytest.param("5", 5.0, 5.0, id="seconds"),
        pytest.param("1.5", 1.5, 1.5, id="a fraction"),
        pytest.param(".5", 0.5, 0.5, id="a fraction without a whole"),
        pytest.param("5.", 5.0, 5.0, id="a whole with a point"),
        pytest.param("0.001", 0.001, 0.001, id="a millisecond"),
        pytest.param("+7", 7.0, 7.0, id="a plus sign"),
        pytest.param("1e1", 10.0, 10.0, id="an exponent"),
        pytest.param(" 7\t", 7.0, 7.0, id="white space around"),
        pytest.param("60", 60.0, 60.0, id="60"),
        pytest.param("60.0001", 60.0001, ENDS, id="just over 60"),
        pytest.param("61", 61.0, ENDS, id="61"),
        pytest.param("3600", 3600.0, ENDS, id="3600"),
        pytest.param("inf", math.inf, ENDS, id="inf"),
        pytest.param("Infinity", math.inf, ENDS, id="infinity"),
        pytest.param("1e400", math.inf, ENDS, id="1e400"),
        pytest.param("9" * 400, math.inf, ENDS, id="400 digits"),
        pytest.param("0", None, BACKOFF, id="0"),
        pytest.param("0.0", None, BACKOFF, id="0.0"),
        pytest.param("-0", None, BACKOFF, id="-0"),
        pytest.param("-5", None, BACKOFF, id="-5"),
        pytest.param("-inf", None, BACKOFF, id="-inf"),
        pytest.param("1e-400", None, BACKOFF, id="1e-400"),
        pytest.param("nan", None, BACKOFF, id="nan"),
        pytest.param("", None, BACKOFF, id="empty"),
        pytest.param(" ", None, BACKOFF, id="a space"),
        pytest.param("soon", None, BACKOFF, id="garbage"),
        pytest.param("5s", None, BACKOFF, id="a unit"),
        pytest.param("5, 10", None, BACKOFF, id="two numbers"),
        pytest.param("5 10", None, BACKOFF, id="two numbers without a comma"),
        pytest.param("0x10", None, BACKOFF, id="hexadecimal"),
        pytest.param("1_0", None, BACKOFF, id="an underscore"),
        pytest.param("\u0665", None, BACKOFF, id="an Arabic-Indic digit"),
        pytest.param("\uff15", None, BACKOFF, id="a full-width digit"),
        pytest.param("\u0131nf", None, BACKOFF, id="inf with a dotless i"),
        pytest.param("9" * 5000 + "x", None, BACKOFF, id="5,000 digits and a letter"),
        pytest.param("Tue, 24 Nov 2026 12:00:30 GMT", 30.0, 30.0, id="RFC 1123"),
        pytest.param("Tuesday, 24-Nov-26 12:00:30 GMT", 30.0, 30.0, id="RFC 850"),
        pytest.param("Tue Nov 24 12:00:30 2026", 30.0, 30.0, id="asctime"),
        pytest.param("Tue, 24 Nov 2026 12:00:30", 30.0, 30.0, id="no zone"),
        pytest.param("Tue, 24 Nov 2026 13:00:30 +0100", 30.0, 30.0, id="another zone"),
        pytest.param("Tue, 24 Nov 2026 07:00:30 EST", 30.0, 30.0, id="a zone's name"),
        pytest.param("Tue, 24 Nov 2026 12:01:00 GMT", 60.0, 60.0, id="in 60 s"),
        pytest.param("Tue, 24 Nov 2026 12:01:01 GMT", 61.0, ENDS, id="in 61 s"),
        pytest.param("Tue, 24 Nov 2026 12:00:00 GMT", None, BACKOFF, id="now"),
        pytest.param("Tue, 24 Nov 2026 11:59:59 GMT", None, BACKOFF, id="a second ago"),
        pytest.param("Sun, 06 Nov 1994 08:49:37 GMT", None, BACKOFF, id="long past"),
        pytest.param("Thu, 01 Jan 1970 00:00:00 GMT", None, BACKOFF, id="the epoch"),
        pytest.param("Mon, 01 Jan 0001 00:00:00 GMT", None, BACKOFF, id="year 1"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", 251_606_779_199.0, ENDS, id="year 9999"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 -2359", 251_606_865_539.0, ENDS, id="year 9999, far west"),
        pytest.param("Sat, 01 Jan 10000 00:00:00 GMT", None, BACKOFF, id="year 10000"),
        pytest.param("Tue, 24 Nov 2026 25:00:00 GMT", None, BACKOFF, id="hour 25"),
        pytest.param("Tue, 31 Nov 2026 12:00:30 GMT", None, BACKOFF, id="no such day"),
        pytest.param("Tue, 24 Nov 2026 12:00:30 +99999999999999999999", None, BACKOFF, id="no such zone"),
    ],
)
def test_retry_after(text: str, retry_after: float | None, wait: float | None) -> None:
    """A wait of up to 60 s is obeyed, a longer one ends the call, and an unreadable one counts as absent."""
    assert retry_after == retry_after_in_seconds(after(text), FROZEN_CLOCK)
    assert wait == decided(after(text))


@pytest.fixture
def _far_from_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the local time five hours behind GMT."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "XXX5")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.promise(row=26)
@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the system's zone cannot be set here")
@pytest.mark.usefixtures("_far_from_greenwich")
@pytest.mark.parametrize(
    "text", ["Tue, 24 Nov 2026 12:00:30", "Tue Nov 24 12:00:30 2026", "Tue, 24 Nov 2026 12:00:30 GMT"]
)
def test_a_date_is_in_gmt_wherever_it_is_read(text: str) -> None:
    """The machine's own zone does not matter, even if the date names none."""
    assert 30.0 == retry_after_in_seconds(after(text), FROZEN_CLOCK)


@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param(reply(429, headers=[("Retry-After", "5"), ("retry-after", "10")]), id="two headers"),
        pytest.param(reply(429), id="no header, as on the live API"),
        pytest.param(Failure(FailureKind.LOST), id="no reply"),
    ],
)
def test_no_wait_that_can_be_read(outcome: Outcome) -> None:
    """The backoff applies."""
    assert retry_after_in_seconds(outcome, FROZEN_CLOCK) is None
    assert BACKOFF == decided(outcome)


@settings(deadline=None)
@given(
    st.text()
    | st.floats().map(repr)
    | st.datetimes().map("{:%a, %d %b %Y %H:%M:%S GMT}".format)
    | st.lists(st.sampled_from(["Tue,", "24", "Nov", "2026", "12:00:30", "GMT", "+0000", "-", ",", ":", "9"])).map(
        " ".join
    )
)
@example("Sun, 06 Nov 1994 08:49:37 " + "9" * 5000)
@example("\ud800")
def test_any_text_of_retry_after(text: str) -> None:
    """It gives a wait of up to 60 s, the end of the call or the backoff, and never another exception."""
    seconds = retry_after_in_seconds(after(text), FROZEN_CLOCK)

    assert seconds is None or seconds > 0
    assert decided(after(text)) == (BACKOFF if seconds is None else seconds if seconds <= 60 else ENDS)


@pytest.mark.promise(row=28)
@pytest.mark.parametrize("status_code", [408, 429, 500, 501, 502, 503, 504, 529, 599])
def test_a_status_that_is_retried(status_code: int) -> None:
    """The call waits as long as the reply asks, or ends if that is too long."""
    assert is_retried(reply(status_code))
    assert (BACKOFF, 3.0, ENDS) == (
        decided(reply(status_code)),
        decided(after("3", status_code)),
        decided(after("3600", status_code)),
    )


@pytest.mark.promise(row=28)
@pytest.mark.parametrize(
    "status_code",
    [100, 101, 200, 204, 300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 409, 413, 422, 499, 600],
)
def test_a_status_that_is_not_retried(status_code: int) -> None:
    """Another attempt would end the same way, even if the reply asks to wait."""
    assert not is_retried(reply(status_code))
    assert (ENDS, ENDS) == (decided(reply(status_code)), decided(after("3", status_code)))


RETRIED_KINDS = {FailureKind.NOT_CONNECTED, FailureKind.LOST, FailureKind.TIMED_OUT}
OTHER_KINDS = {FailureKind.UNTRUSTED, FailureKind.PROXY_REFUSED, FailureKind.MALFORMED}


@pytest.mark.parametrize("kind", FailureKind)
def test_failures(kind: FailureKind) -> None:
    """Networks recover; certificates, a proxy's refusal and a broken server stay as they are."""
    assert kind in RETRIED_KINDS | OTHER_KINDS
    assert (kind in RETRIED_KINDS) is is_retried(Failure(kind))
    assert (BACKOFF if kind in RETRIED_KINDS else ENDS) == decided(Failure(kind))


@pytest.mark.parametrize(
    ("attempt", "max_retries", "wait"),
    [(0, 0, ENDS), (0, 1, 0.5), (1, 1, ENDS), (1, 2, 1.0), (2, 2, ENDS), (9, 10, 8.0), (10, 10, ENDS)],
)
def test_the_last_attempt(attempt: int, max_retries: int, wait: float | None) -> None:
    """The call ends with it, whatever its outcome."""
    assert wait == decided(reply(503), attempt=attempt, max_retries=max_retries)


@pytest.mark.parametrize(
    ("outcome", "seconds_left", "wait"),
    [
        pytest.param(after("5"), 5.001, 5.0, id="the API's wait fits"),
        pytest.param(after("5"), 5.0, ENDS, id="the API's wait takes all"),
        pytest.param(after("5"), 1.0, ENDS, id="the API's wait is too long"),
        pytest.param(reply(503), 0.501, 0.5, id="the backoff fits"),
        pytest.param(reply(503), 0.5, ENDS, id="the backoff takes all"),
        pytest.param(Failure(FailureKind.TIMED_OUT), 0.0, ENDS, id="nothing is left"),
        pytest.param(Failure(FailureKind.TIMED_OUT), -1.0, ENDS, id="less than nothing is left"),
    ],
)
def test_a_wait_that_does_not_fit(outcome: Outcome, seconds_left: float, wait: float | None) -> None:
    """A call never starts a wait that its deadline would cut off."""
    assert wait == decided(outcome, seconds_left=seconds_left)


@pytest.mark.promise(row=31)
@pytest.mark.parametrize(("attempt", "longest"), [(0, 0.5), (1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 8.0), (9, 8.0)])
def test_ten_thousand_waits(attempt: int, longest: float) -> None:
    """The backoff doubles up to 8 s; a client's random numbers spread it evenly from half of that to all of it."""
    random.seed(31)
    draw = Clock().draw

    waits = [
        decide(reply(503), attempt=attempt, max_retries=10, seconds_left=9.0, wall_clock=FROZEN_CLOCK, draw=draw())
        for _ in range(10_000)
    ]

    drawn = sorted(wait for wait in waits if wait is not None)
    assert 10_000 == len(drawn)
    assert (longest / 2, longest) == (backoff_in_seconds(attempt, 0.0), backoff_in_seconds(attempt, 1.0))
    assert longest / 2 <= drawn[0] <= longest * 0.51
    assert longest * 0.99 <= drawn[-1] <= longest
    assert pytest.approx(longest * 0.75, rel=0.02) == fmean(drawn)


# The budget


def withdrawn(budget: RetryBudget, times: int) -> int:
    """Try to pay for so many retries, and count those that were granted."""
    return sum(budget.withdraw() for _ in range(times))


@pytest.mark.promise(row=29)
def test_the_budget_of_a_dead_api() -> None:
    """However many calls fail, they get 35 retries in all, and a refused retry costs nothing."""
    budget = RetryBudget()

    assert 35 == withdrawn(budget, 400)
    assert 10 == budget.units


@pytest.mark.promise(row=29)
@pytest.mark.parametrize(("successes", "retries"), [(0, 0), (3, 0), (4, 1), (17, 1), (18, 2)])
def test_clean_successes_refill_the_budget(successes: int, retries: int) -> None:
    """Each adds one unit, and a retry costs fourteen."""
    budget = RetryBudget()
    withdrawn(budget, 35)

    for _ in range(successes):
        budget.deposit(after_retry=False)

    assert retries == withdrawn(budget, 5)


def test_a_retry_that_helped_is_paid_back() -> None:
    """A call that succeeds after retries returns what the last of them cost."""
    budget = RetryBudget()
    withdrawn(budget, 2)

    budget.deposit(after_retry=True)

    assert 486 == budget.units


@pytest.mark.parametrize("after_retry", [False, True])
def test_the_budget_has_a_limit(after_retry: bool) -> None:  # noqa: FBT001  # a case
    """Successes never add up to more than 500 units, and another client's retries cost this one nothing."""
    budget, other = RetryBudget(), RetryBudget()
    budget.withdraw()

    for _ in range(100):
        budget.deposit(after_retry=after_retry)

    assert (500, 500) == (budget.units, other.units)


class SlowNumber(int):
    """A number that lets other threads run in the middle of a comparison or an addition."""

    def __gt__(self, other: int) -> bool:
        time.sleep(0)
        return int(self) > other

    def __radd__(self, other: int) -> int:
        time.sleep(0)
        return other + int(self)


@pytest.fixture
def _threads_that_interrupt(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Switch threads as often as possible, above all while the budget is being changed."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    monkeypatch.setattr(RetryBudget, "COST", SlowNumber(RetryBudget.COST))
    yield
    sys.setswitchinterval(interval)


@pytest.mark.promise(row=30)
@pytest.mark.usefixtures("_threads_that_interrupt")
def test_the_budget_under_32_threads_for_a_second() -> None:
    """Whatever the threads take and give, it stays between 0 and 500."""
    budget, done = RetryBudget(), threading.Event()

    def work(seed: int) -> tuple[set[int], int]:
        chance = random.Random(seed)  # noqa: S311  # no secret depends on it
        seen, granted = {budget.units}, 0
        while not done.is_set():
            if chance.random() < 0.5:
                granted += budget.withdraw()
            else:
                budget.deposit(after_retry=chance.random() < 0.3)
            seen.add(budget.units)
        return seen, granted

    with ThreadPoolExecutor(32) as pool:
        running = [pool.submit(work, seed) for seed in range(32)]
        done.wait(1)
        done.set()
    seen, granted = zip(*(future.result() for future in running), strict=True)

    assert 0 <= min(map(min, seen))
    assert max(map(max, seen)) <= 500
    assert sum(granted) > 35


@pytest.mark.usefixtures("_threads_that_interrupt")
def test_no_unit_is_lost_between_threads() -> None:
    """What 32 threads took and gave back is there at the end."""
    budget = RetryBudget()
    withdrawn(budget, 20)

    def work(_: int) -> None:
        for _ in range(100):
            if budget.withdraw():
                budget.deposit(after_retry=True)

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(work, range(32)))

    assert 220 == budget.units


def test_a_lock_that_another_thread_held_during_a_fork() -> None:
    """The child process gets a lock of its own, and keeps the units."""
    budget = RetryBudget()
    budget.withdraw()
    budget._lock.acquire()

    budget.after_fork_in_child()

    assert budget.withdraw()
    assert RetryBudget.CAPACITY - 2 * RetryBudget.COST == budget.units
