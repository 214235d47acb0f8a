import tracemalloc
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest

from elevenlabs_tokens.emulator.ledger import TokenLedger, TokenRecord, TokenRefusedError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Watch:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def ledger(watch: Watch) -> TokenLedger:
    return TokenLedger(lifetime_in_seconds=900, clock=watch)


def refusal(ledger: TokenLedger, token: str, kind: str = "realtime_scribe") -> TokenRefusedError:
    with pytest.raises(TokenRefusedError) as caught:
        ledger.spend(token, kind)
    return caught.value


def test_tokens_look_fake_and_differ(ledger: TokenLedger) -> None:
    """A token cannot be taken for a real one, nor for another."""
    tokens = {ledger.mint("realtime_scribe") for _ in range(100)}

    assert 100 == len(tokens)
    assert all(token.startswith("sutkn_emulator_") for token in tokens)


def test_records_tell_each_life_in_minting_order(ledger: TokenLedger, watch: Watch) -> None:
    """Fresh, spent and expired tokens stand in the order in which they were minted."""
    ledger.mint("batch_scribe")
    watch.now = 600.0
    spent = ledger.mint("tts_websocket")
    ledger.mint("ttd_websocket")
    watch.now = 900.0
    ledger.spend(spent, "tts_websocket")

    minutes = timedelta(minutes=1)
    assert (
        TokenRecord(
            token_type="batch_scribe",
            state="expired",
            minted_at=EPOCH,
            expires_at=EPOCH + 15 * minutes,
            spent_at=None,
        ),
        TokenRecord(
            token_type="tts_websocket",
            state="spent",
            minted_at=EPOCH + 10 * minutes,
            expires_at=EPOCH + 25 * minutes,
            spent_at=EPOCH + 15 * minutes,
        ),
        TokenRecord(
            token_type="ttd_websocket",
            state="fresh",
            minted_at=EPOCH + 10 * minutes,
            expires_at=EPOCH + 25 * minutes,
            spent_at=None,
        ),
    ) == ledger.records()


def test_records_are_frozen_and_hold_no_token(ledger: TokenLedger) -> None:
    """What is told of a token can be neither changed nor used."""
    token = ledger.mint("realtime_scribe")
    (record,) = ledger.records()

    assert token not in repr(record)
    with pytest.raises(AttributeError):
        record.state = "spent"  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue] # the point


def test_a_token_opens_one_connection(ledger: TokenLedger) -> None:
    """The second use is refused as spent."""
    token = ledger.mint("realtime_scribe")
    ledger.spend(token, "realtime_scribe")

    assert "spent" == refusal(ledger, token).reason


def test_a_token_works_until_the_instant_it_expires(ledger: TokenLedger, watch: Watch) -> None:
    """At exactly `expires_at` it has expired, a microsecond before it has not."""
    early, late = ledger.mint("realtime_scribe"), ledger.mint("realtime_scribe")
    watch.now = 899.999999
    ledger.spend(early, "realtime_scribe")
    watch.now = 900.0

    assert "expired" == refusal(ledger, late).reason
    assert ["spent", "expired"] == [record.state for record in ledger.records()]


def test_a_spent_token_stays_spent(ledger: TokenLedger, watch: Watch) -> None:
    """Its state does not turn into `expired`, however long it is ago."""
    token = ledger.mint("realtime_scribe")
    ledger.spend(token, "realtime_scribe")
    watch.now = 10_000.0

    assert "spent" == ledger.records()[0].state
    assert "spent" == refusal(ledger, token).reason


def test_the_wrong_type_does_not_spend(ledger: TokenLedger) -> None:
    """A token that was tried on another service still opens its own."""
    token = ledger.mint("tts_websocket")

    error = refusal(ledger, token, "ttd_websocket")

    assert ("wrong_type", "ttd_websocket", "tts_websocket") == (error.reason, error.expected, error.actual)
    ledger.spend(token, "tts_websocket")
    assert "spent" == ledger.records()[0].state


def test_a_token_from_elsewhere_is_unknown(ledger: TokenLedger) -> None:
    """What was not minted here opens nothing."""
    error = refusal(ledger, "sutkn_1234567890")

    assert ("unknown", None) == (error.reason, error.actual)


def test_one_of_many_racing_threads_gets_the_token(ledger: TokenLedger) -> None:
    """Of 16 threads that spend a token at once, exactly one succeeds, every time."""
    winners: list[int] = []
    threads_at_once = 16

    def spend(token: str, barrier: Barrier, number: int) -> None:
        barrier.wait()
        try:
            ledger.spend(token, "realtime_scribe")
        except TokenRefusedError:
            return
        winners.append(number)

    for number in range(20):
        arguments = (ledger.mint("realtime_scribe"), Barrier(threads_at_once), number)
        threads = [Thread(target=spend, args=arguments) for _ in range(threads_at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert list(range(20)) == winners


def test_many_mints_cost_little_memory(ledger: TokenLedger) -> None:
    """5,000 tokens, and a look at all of them, take less than 4 MiB."""
    tracemalloc.start()
    try:
        for _ in range(5_000):
            ledger.mint("realtime_scribe")
        ledger.records()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 4 * 2**20
