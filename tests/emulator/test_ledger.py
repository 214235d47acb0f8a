import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from elevenlabs_tokens.emulator.ledger import TokenLedger, TokenRecord, TokenRefusedError, TokenState
from frozen import EPOCH_IN_SECONDS, FrozenTime


@pytest.fixture
def ledger(frozen_time: FrozenTime) -> TokenLedger:
    return TokenLedger(lifetime_in_seconds=900, clock=frozen_time.clock().wall_clock)


def refusal(ledger: TokenLedger, token: str) -> str:
    with pytest.raises(TokenRefusedError) as caught:
        ledger.spend(token, "realtime_scribe")
    return caught.value.reason


def states(ledger: TokenLedger) -> list[str]:
    return [record.state for record in ledger.records()]


def record(token_type: str, state: TokenState, *, minted: float, spent: float | None = None) -> TokenRecord:
    """Make the record of a token by the seconds after which it was minted and spent."""
    start = datetime.fromtimestamp(EPOCH_IN_SECONDS, UTC)
    return TokenRecord(
        token_type=token_type,
        state=state,
        minted_at=start + timedelta(seconds=minted),
        expires_at=start + timedelta(seconds=minted + 900),
        spent_at=None if spent is None else start + timedelta(seconds=spent),
    )


def test_records_stand_in_minting_order(ledger: TokenLedger, frozen_time: FrozenTime) -> None:
    """Each says what became of its token, and cannot be changed; the token itself is not in it."""
    ledger.mint("batch_scribe")
    frozen_time.advance(600)
    spent = ledger.mint("tts_websocket")
    ledger.mint("ttd_websocket")
    frozen_time.advance(300)
    ledger.spend(spent, "tts_websocket")

    records = ledger.records()

    assert (
        record("batch_scribe", "expired", minted=0),
        record("tts_websocket", "spent", minted=600, spent=900),
        record("ttd_websocket", "fresh", minted=600),
    ) == records
    assert spent not in repr(records)
    with pytest.raises(AttributeError):
        records[0].state = "fresh"  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue] # the point


def test_a_token_works_until_the_instant_it_expires(ledger: TokenLedger, frozen_time: FrozenTime) -> None:
    """It still opens a connection a microsecond before `expires_at`, and none at `expires_at`."""
    early, late = ledger.mint("realtime_scribe"), ledger.mint("realtime_scribe")
    frozen_time.advance(899.999999)
    ledger.spend(early, "realtime_scribe")
    frozen_time.advance(0.000001)

    assert "expired" == refusal(ledger, late)
    assert ["spent", "expired"] == states(ledger)


def test_a_spent_token_stays_spent(ledger: TokenLedger, frozen_time: FrozenTime) -> None:
    """It is refused as spent, not as expired, however old it is."""
    token = ledger.mint("realtime_scribe")
    ledger.spend(token, "realtime_scribe")

    assert "spent" == refusal(ledger, token)
    frozen_time.advance(10_000)
    assert "spent" == refusal(ledger, token)
    assert ["spent"] == states(ledger)


def test_a_token_from_elsewhere_is_unknown(ledger: TokenLedger) -> None:
    """A token that was not minted here opens nothing."""
    assert "unknown" == refusal(ledger, "sutkn_1234567890")


def test_one_of_many_racing_threads_gets_the_token(ledger: TokenLedger) -> None:
    """If 16 threads spend a token at once, exactly one succeeds, every time."""
    barrier = Barrier(16)

    def spend(token: str) -> bool:
        barrier.wait()
        try:
            ledger.spend(token, "realtime_scribe")
        except TokenRefusedError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        for _ in range(20):
            assert 1 == sum(pool.map(spend, [ledger.mint("realtime_scribe")] * 16))


def test_many_mints_cost_little_memory(ledger: TokenLedger) -> None:
    """5,000 tokens and the records of all of them take less than 4 MiB."""
    tracemalloc.start()
    try:
        for _ in range(5_000):
            ledger.mint("realtime_scribe")
        ledger.records()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 4 * 2**20
