import threading
import tracemalloc

import aiohttp
import pytest

from elevenlabs_tokens.emulator import Emulator
from elevenlabs_tokens.emulator.requests import RequestLog
from frontend import KEY_HEADER, TEXT_TO_SPEECH, Frontend
from frozen import KEY

pytestmark = pytest.mark.anyio


async def statuses(http: aiohttp.ClientSession, emulator: Emulator, times: int) -> list[int]:
    """Mint, and give the status codes."""
    url = f"{emulator.base_url}/v1/single-use-token/tts_websocket"
    codes = []
    for _ in range(times):
        async with http.post(url, headers=KEY_HEADER) as response:
            codes.append(response.status)
    return codes


async def test_an_outage_lasts_until_it_recovers(http: aiohttp.ClientSession, emulator: Emulator) -> None:
    """`times=None` fails every mint; `recover` also forgets the faults that wait behind it."""
    emulator.fail_next(status=429)
    emulator.fail_next(times=None, status=503)
    emulator.fail_next(status=500)

    down = await statuses(http, emulator, 4)
    emulator.recover()

    assert [429, 503, 503, 503] == down
    assert [200] == await statuses(http, emulator, 1)


async def test_tokens_lapse_without_waiting(emulator: Emulator, frontend: Frontend) -> None:
    """`advance` adds up, and the record of a token tells what became of it."""
    token = await frontend.mint("tts_websocket")
    emulator.advance(899)
    fresh = emulator.record_of(token)
    emulator.advance(1)

    assert ["fresh", "expired"] == [fresh.state, emulator.record_of(token).state]
    *_, code, reason = await frontend.converse(f"{TEXT_TO_SPEECH}?single_use_token={token}")
    assert (1008, "authentication_required") == (code, reason)


@pytest.mark.parametrize("seconds", [-1, float("nan"), True, "1", 1e9])
async def test_a_clock_goes_only_forward_and_stays_within_the_calendar(emulator: Emulator, seconds: float) -> None:
    """The error names the argument."""
    emulator.advance(1)

    with pytest.raises(ValueError, match="seconds must be a number from 0"):
        emulator.advance(seconds)


async def test_a_foreign_token_has_no_record(emulator: Emulator) -> None:
    """The error does not repeat the token, for it can be a real one."""
    with pytest.raises(KeyError) as caught:
        emulator.record_of("sutkn_real")

    assert "sutkn_real" not in str(caught.value)


async def test_a_reset_makes_it_like_new(emulator: Emulator, frontend: Frontend) -> None:
    """Tokens, requests and faults are gone, its tokens are unknown, and the clock is back."""
    token = await frontend.mint("tts_websocket")
    minted_at = emulator.tokens[0].minted_at
    emulator.advance(60)
    emulator.fail_next(times=None)
    emulator.reset()

    assert ((), ()) == (emulator.tokens, emulator.requests)
    with pytest.raises(KeyError):
        emulator.record_of(token)
    await frontend.mint("tts_websocket")
    assert [minted_at] == [record.minted_at for record in emulator.tokens]


async def test_it_tells_what_the_app_sent(http: aiohttp.ClientSession, emulator: Emulator) -> None:
    """Each mint is there with its outcome; of its key, only the last four characters."""
    emulator.fail_next(status=500)
    emulator.fail_next(disconnect=True)
    url = f"{emulator.base_url}/v1/single-use-token"
    for path, key in [("tts_websocket", KEY)] * 3 + [("nope", KEY), ("tts_websocket", "short")]:
        try:
            async with http.post(f"{url}/{path}", headers={"xi-api-key": key, "Authorization": "Bearer secret"}):
                pass
        except aiohttp.ServerDisconnectedError:
            continue

    requests = emulator.requests
    assert [
        ("tts_websocket", "failed", "…cdef"),
        ("tts_websocket", "disconnected", "…cdef"),
        ("tts_websocket", "minted", "…cdef"),
        ("nope", "refused", "…cdef"),
        ("tts_websocket", "refused", "…"),
    ] == [(request.token_type, request.outcome, request.headers["XI-API-Key"]) for request in requests]
    assert requests[2].received_at == emulator.tokens[0].minted_at
    assert KEY not in repr(requests)
    assert "secret" not in repr(requests).replace("…cret", "")


def test_many_requests_cost_little_memory() -> None:
    """The newest 1,000 of 5,000 are kept, in under 4 MiB."""
    log = RequestLog(lambda: 0.0)
    tracemalloc.start()
    try:
        for number in range(5_000):
            log.note("tts_websocket", {f"X-Header-{index}": f"{number} {index}" for index in range(10)}, "minted")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert 1000 == len(log.all())
    assert "4999 0" == log.all()[-1].headers["x-header-0"]
    assert peak < 4 * 2**20


def test_any_thread_may_steer_it() -> None:
    """Advances of eight threads at once all count, and each of 400 planned faults comes exactly once."""
    emulator = Emulator(clock=lambda: 0.0)

    def steer() -> None:
        for _ in range(50):
            emulator.advance(10)
            emulator.fail_next()

    threads = [threading.Thread(target=steer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 4000 == emulator._clock()
    assert 400 == sum(emulator._faults.take() is not None for _ in range(500))
