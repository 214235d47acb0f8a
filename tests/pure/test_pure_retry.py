import math
import random
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import fmean

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from elevenlabs_tokens._http.retry import RetryBudget, backoff_in_seconds, decide, is_retried, retry_after_in_seconds
from elevenlabs_tokens._http.wire import Failure, FailureKind, Outcome, Reply
from pure.samples import FROZEN_CLOCK, reply

BACKOFF = 0.5
ENDS = None


def after(text: str, status_code: int = 429) -> Reply:
    return reply(status_code, headers=[("retry-after", text)])


def decided(outcome: Outcome, *, attempt: int = 0, max_retries: int = 2, seconds_left: float = 1e6) -> float | None:
    """Decide at noon, with the longest backoff that chance gives."""
    return decide(
        outcome,
        attempt=attempt,
        max_retries=max_retries,
        seconds_left=seconds_left,
        wall_clock=FROZEN_CLOCK,
        draw=1.0,
    )


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
    """Obeyed from 0 to 60 s, the end of the call over 60, as if absent when it says nothing."""
    assert retry_after == retry_after_in_seconds(after(text), FROZEN_CLOCK)
    assert wait == decided(after(text))


@pytest.fixture
def _far_from_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have local time be five hours behind."""
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
    """The machine's own zone plays no part, even if the date names none."""
    assert 30.0 == retry_after_in_seconds(after(text), FROZEN_CLOCK)


@pytest.mark.parametrize("status_code", [408, 429, 500, 503, 529])
def test_retry_after_rules_on_every_status_that_is_retried(status_code: int) -> None:
    """Not on 429 alone."""
    assert 3.0 == decided(after("3", status_code))
    assert decided(after("3600", status_code)) is None


@pytest.mark.parametrize("status_code", [200, 301, 400, 401, 403, 422])
def test_retry_after_does_not_make_a_retry(status_code: int) -> None:
    """A status that is not retried stays so."""
    assert decided(after("3", status_code)) is None


def test_two_retry_after_headers_cannot_be_read() -> None:
    """Which of them is meant cannot be told, so the backoff rules."""
    assert decided(reply(429, headers=[("Retry-After", "5"), ("retry-after", "10")])) == BACKOFF


def test_a_reply_without_retry_after() -> None:
    """What the live API sends on 429."""
    assert retry_after_in_seconds(reply(429), FROZEN_CLOCK) is None
    assert decided(reply(429)) == BACKOFF


def test_a_failure_asks_for_no_wait() -> None:
    """There are no headers to read."""
    assert retry_after_in_seconds(Failure(FailureKind.LOST), FROZEN_CLOCK) is None
    assert decided(Failure(FailureKind.LOST)) == BACKOFF


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
def test_no_text_makes_it_fail(text: str) -> None:
    """Whatever a server sends, it is a wait that can be waited, or none."""
    seconds = retry_after_in_seconds(after(text), FROZEN_CLOCK)
    wait = decided(after(text))

    assert seconds is None or seconds > 0
    assert wait is None or 0 < wait <= 60
    assert wait == (BACKOFF if seconds is None else seconds if seconds <= 60 else None)


@pytest.mark.promise(row=28)
@pytest.mark.parametrize("status_code", [408, 429, 500, 501, 502, 503, 504, 529, 599])
def test_a_status_that_is_retried(status_code: int) -> None:
    """Another attempt may fare better."""
    assert is_retried(reply(status_code))


@pytest.mark.promise(row=28)
@pytest.mark.parametrize(
    "status_code",
    [100, 101, 200, 204, 300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 409, 413, 422, 499, 600],
)
def test_a_status_that_is_not_retried(status_code: int) -> None:
    """It would come back the same."""
    assert not is_retried(reply(status_code))
    assert decided(reply(status_code)) is None


@pytest.mark.parametrize(
    ("kind", "retried"),
    [
        (FailureKind.NOT_CONNECTED, True),
        (FailureKind.LOST, True),
        (FailureKind.TIMED_OUT, True),
        (FailureKind.UNTRUSTED, False),
        (FailureKind.PROXY_REFUSED, False),
        (FailureKind.MALFORMED, False),
    ],
)
def test_failures(kind: FailureKind, retried: bool) -> None:  # noqa: FBT001  # a case
    """A network may heal; trust, a proxy's word and a broken server do not."""
    assert retried is is_retried(Failure(kind))
    assert (BACKOFF if retried else ENDS) == decided(Failure(kind))


def test_every_kind_of_failure_is_in_the_table() -> None:
    """A new kind must be decided on."""
    assert 6 == len(FailureKind)


@pytest.mark.parametrize(
    ("attempt", "max_retries", "wait"),
    [(0, 0, ENDS), (0, 1, 0.5), (1, 1, ENDS), (1, 2, 1.0), (2, 2, ENDS), (9, 10, 8.0), (10, 10, ENDS)],
)
def test_the_last_attempt(attempt: int, max_retries: int, wait: float | None) -> None:
    """The call ends with it, whatever it brought."""
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
    """A call never waits for a deadline that will cut it off."""
    assert wait == decided(outcome, seconds_left=seconds_left)


BOUNDS = [(0, 0.25, 0.5), (1, 0.5, 1.0), (2, 1.0, 2.0), (3, 2.0, 4.0), (4, 4.0, 8.0), (5, 4.0, 8.0), (9, 4.0, 8.0)]


@pytest.mark.parametrize(("attempt", "shortest", "longest"), BOUNDS)
def test_the_bounds_of_the_backoff(attempt: int, shortest: float, longest: float) -> None:
    """It doubles up to 8 s, and chance takes half of it at most."""
    assert shortest == backoff_in_seconds(attempt, 0.0)
    assert longest == backoff_in_seconds(attempt, 1.0)


@pytest.mark.promise(row=31)
@pytest.mark.parametrize(("attempt", "shortest", "longest"), BOUNDS)
def test_ten_thousand_waits(attempt: int, shortest: float, longest: float) -> None:
    """All within bounds, spread evenly over them."""
    chance = random.Random(31)  # noqa: S311  # no secret hangs on it

    waits = [backoff_in_seconds(attempt, chance.random()) for _ in range(10_000)]

    assert shortest <= min(waits) <= shortest * 1.01
    assert longest * 0.99 <= max(waits) <= longest
    assert pytest.approx((shortest + longest) / 2, rel=0.02) == fmean(waits)


def test_decide_draws_the_backoff() -> None:
    """The chance that comes in is the chance that is used."""
    wait = decide(reply(503), attempt=1, max_retries=2, seconds_left=9.0, wall_clock=FROZEN_CLOCK, draw=0.5)

    assert 0.75 == wait


def withdrawn(budget: RetryBudget, times: int) -> int:
    """Tell how many of so many retries were paid for."""
    return sum(budget.withdraw() for _ in range(times))


@pytest.mark.promise(row=29)
def test_the_budget_of_a_dead_api() -> None:
    """200 calls that fail together get 35 retries between them."""
    budget = RetryBudget()

    assert 35 == withdrawn(budget, 400)
    assert 10 == budget.units


def test_a_refused_retry_costs_nothing() -> None:
    """What is left is left."""
    budget = RetryBudget()
    withdrawn(budget, 35)

    assert not budget.withdraw()
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
    """Its call gives back what the last retry cost."""
    budget = RetryBudget()
    withdrawn(budget, 2)

    budget.deposit(after_retry=True)

    assert 486 == budget.units


@pytest.mark.parametrize("after_retry", [False, True])
def test_the_budget_has_a_top(after_retry: bool) -> None:  # noqa: FBT001  # a case
    """A long quiet time does not make a storm affordable."""
    budget = RetryBudget()
    budget.withdraw()

    for _ in range(100):
        budget.deposit(after_retry=after_retry)

    assert 500 == budget.units


def test_the_budget_is_a_clients_own() -> None:
    """One client's storm does not starve another."""
    withdrawn(RetryBudget(), 400)

    assert 500 == RetryBudget().units


THREADS = 32


@pytest.fixture
def _hasty_threads() -> Iterator[None]:
    """Have threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.promise(row=30)
@pytest.mark.usefixtures("_hasty_threads")
def test_the_budget_under_threads() -> None:
    """Within its bounds at every moment."""
    budget = RetryBudget()
    begin = threading.Barrier(THREADS)

    def work(seed: int) -> set[int]:
        chance = random.Random(seed)  # noqa: S311  # no secret hangs on it
        seen: set[int] = set()
        begin.wait()
        for _ in range(2_000):
            if chance.random() < 0.3:
                budget.withdraw()
            else:
                budget.deposit(after_retry=chance.random() < 0.3)
            seen.add(budget.units)
        return seen

    with ThreadPoolExecutor(THREADS) as pool:
        seen = set[int]().union(*pool.map(work, range(THREADS)))

    assert 0 <= min(seen)
    assert max(seen) <= 500


@pytest.mark.usefixtures("_hasty_threads")
def test_no_unit_is_lost_between_threads() -> None:
    """Each that is taken and given back is there at the end."""
    budget = RetryBudget()
    withdrawn(budget, 20)
    begin = threading.Barrier(THREADS)

    def work(_: int) -> None:
        begin.wait()
        for _ in range(2_000):
            if budget.withdraw():
                budget.deposit(after_retry=True)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))

    assert 220 == budget.units


def test_a_budget_whose_lock_a_fork_left_held() -> None:
    """The child begins with a lock of its own, and with the units that there were."""
    budget = RetryBudget()
    budget.withdraw()
    budget._lock.acquire()

    budget.after_fork_in_child()

    assert budget.withdraw()
    assert RetryBudget.CAPACITY - 2 * RetryBudget.COST == budget.units
