"""How many tokens a user gets, wherever they are counted."""

import logging
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsClient, ElevenLabsConfigError
from elevenlabs_tokens.emulator import Emulator
from elevenlabs_tokens.endpoint import TokenEndpoint
from endpoint.asking import ask, running, seen, statuses, wait_until
from frozen import KEY
from programs import run_python
from redis_server import PASSWORD, RedisServer, redis_server

# The password's beginning, which stands in the URL as it is: what follows it is percent-encoded there.
SECRET = PASSWORD.partition("/")[0]


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture(params=["memory", "redis"])
def storage(request: pytest.FixtureRequest) -> str:
    return "memory://" if request.param == "memory" else str(request.getfixturevalue("redis").url)


def check_ten_of_twenty(base_url: str, emulator: Emulator) -> None:
    """Each client mints ten tokens for twenty requests at once, all different, and each refusal says when to return."""
    for client in ("async", "sync"):
        minted = len(emulator.tokens)
        answers = ask(f"{base_url}/{client}/limited", *[client] * 20)
        tokens = {answer.token for answer in answers if answer.status == 201}

        assert {201: 10, 429: 10} == Counter(answer.status for answer in answers)
        assert 10 == len(tokens) == len(emulator.tokens) - minted
        assert all(1 <= int(answer.retry_after) <= 60 for answer in answers if answer.status == 429)


@pytest.mark.parametrize("server", ["uvicorn", "aiohttp", "gunicorn"])
def test_ten_of_twenty_in_one_process(server: str, elevenlabs_emulator: Emulator) -> None:
    """Of 20 requests at once, 10 get a token, counted in the process's memory."""
    with running(server, elevenlabs_emulator.base_url) as process:
        check_ten_of_twenty(process.base_url, elevenlabs_emulator)


def test_ten_of_twenty_in_two_processes(redis: RedisServer, elevenlabs_emulator: Emulator) -> None:
    """Of 20 requests at once to two workers, 10 get a token, counted in a Redis."""
    with running("gunicorn, 2 workers", elevenlabs_emulator.base_url, storage=redis.url) as process:

        def workers() -> set[int]:
            ask(f"{process.base_url}/async/function", *range(8))
            return {process_id for _, _, process_id, _ in seen(process)}

        wait_until(lambda: len(workers()) == 2)
        check_ten_of_twenty(process.base_url, elevenlabs_emulator)
        last = {process_id for _, _, process_id, _ in seen(process)[-40:]}

        assert 2 == len(last)
        assert SECRET not in process.log


@pytest.mark.parametrize("server", ["uvicorn", "aiohttp", "gunicorn"])
@pytest.mark.parametrize("failure", ["stops", "hangs"])
@pytest.mark.timed
def test_without_its_storage(server: str, failure: str, redis: RedisServer, elevenlabs_emulator: Emulator) -> None:
    """While Redis is away, 16 calls at once are refused within 2 s and mint nothing; they are not counted later."""
    fail, mend = {"stops": (redis.stop, redis.start), "hangs": (redis.hang, redis.go_on)}[failure]
    with running(server, elevenlabs_emulator.base_url, storage=redis.url, rate="1/minute") as process:
        url = f"{process.base_url}/async/limited"
        assert {201} == {answer.status for answer in ask(url, *range(16))}
        time.sleep(1.1)  # only connections that have rested are tried before they are used
        fail()
        refused = [answer for _ in range(2) for answer in ask(url, *["ada"] * 16)]
        minted = len(elevenlabs_emulator.tokens)
        mend()
        wait_until(lambda: statuses(url, "grace") == [201])
        after = statuses(url, "ada")
        log = process.log

    assert {503} == {answer.status for answer in refused}
    assert all(int(answer.retry_after) >= 1 for answer in refused)
    assert max(answer.seconds for answer in refused) < 2
    assert (16, [201]) == (minted, after)
    assert SECRET not in log


def test_a_wrong_password(redis: RedisServer, elevenlabs_emulator: Emulator) -> None:
    """A Redis that refuses the password is a storage that is away; no log shows the password."""
    with running("uvicorn", elevenlabs_emulator.base_url, storage=redis.url.replace("%", "x%")) as process:
        assert [503] == statuses(f"{process.base_url}/async/limited", "ada")
        log = process.log

    assert () == elevenlabs_emulator.tokens
    assert "ERROR" in log
    assert SECRET not in log


@pytest.mark.parametrize(
    "url",
    [
        "redis://:{}@127.0.0.1:port",
        "redis://:{}@127.0.0.1:99999",
        "redis://:{}@[::1",
        "redis://:{}@127.0.0.1/x?db=y",
        "redis://:{}@127.0.0.1?socket_timeout={}",
        "redis+sentinel://:{}@127.0.0.1",
        "memcached://:{}@127.0.0.1",
        "no-such://:{}@127.0.0.1",
        "://:{}@127.0.0.1",
        ":{}",
        "",
    ],
)
def test_an_unreadable_storage(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """A storage that cannot be read is an error when the endpoint is made; it does not show the password."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        TokenEndpoint(AsyncElevenLabsClient(api_key=KEY), authorize=str, rate_limit_storage=url.format(SECRET, SECRET))
    shown = "".join(traceback.format_exception(caught.value))

    assert "rate_limit_storage" in str(caught.value)
    assert SECRET not in shown + repr(caught.value) + caplog.text


def test_the_repr_of_an_endpoint(redis: RedisServer) -> None:
    """Neither an endpoint nor its adapters show the password of the storage."""
    endpoint = TokenEndpoint(AsyncElevenLabsClient(api_key=KEY), authorize=str, rate_limit_storage=redis.url)
    shown = repr([endpoint, endpoint.asgi, endpoint.wsgi, endpoint.aiohttp_handler, endpoint.django_view])

    assert SECRET not in shown
    assert quote(PASSWORD, safe="") not in shown
    assert KEY not in shown


def test_endpoints_share_the_count(storage: str, elevenlabs_emulator: Emulator) -> None:
    """Two endpoints with one storage and one rate count together: users are limited, not routes."""
    with running("uvicorn", elevenlabs_emulator.base_url, storage=storage, rate="2/minute") as process:
        paths = ["async/limited", "async/limited-too", "async/limited", "sync/limited-too"]
        seen = [statuses(f"{process.base_url}/{path}", "ada") for path in paths]

    assert [[201], [201], [429], [429]] == seen


ODD_TEXTS = ["a ", " a", "a/b", "a:b", "a\n", "a\0", "%61", "{a}", "[a]", "e\u0301", "\u200b", "\U0001f600", "LIMITS"]
DIFFERENT_IDS = [0, 1, -1, 2**70, *"aA*é", *ODD_TEXTS, "x" * 5000, "x" * 5001]


def test_every_id_counts_for_itself(storage: str, elevenlabs_emulator: Emulator) -> None:
    """Ids are compared as exact text, in which 1 and "1" are the same."""
    with running("uvicorn", elevenlabs_emulator.base_url, storage=storage, rate="1/minute") as process:
        url = f"{process.base_url}/async/limited"
        first = [answer.status for answer in ask(url, *DIFFERENT_IDS)]
        second = [answer.status for answer in ask(url, *DIFFERENT_IDS, "1")]

    assert [201] * len(DIFFERENT_IDS) == first
    assert [429] * (len(DIFFERENT_IDS) + 1) == second
    assert len(DIFFERENT_IDS) == len(elevenlabs_emulator.tokens)


@pytest.mark.parametrize("rate_limit", [None, "10/minute"])
@pytest.mark.parametrize("user", ["\ud800", 10**5000], ids=["half a surrogate pair", "more digits than Python writes"])
def test_an_id_that_cannot_be_encoded(user: str | int, rate_limit: str | None) -> None:
    """An id that cannot be written into a storage or a log is a 500, with a rate limit and without one."""
    lines: list[str] = []

    def start_response(line: str, _: object) -> None:
        lines.append(line)

    endpoint = TokenEndpoint(ElevenLabsClient(api_key=KEY), authorize=lambda _: user, rate_limit=rate_limit)
    endpoint.wsgi({"REQUEST_METHOD": "POST"}, start_response)

    assert ["500 Internal Server Error"] == lines


@pytest.mark.timed
def test_the_window_moves(storage: str, elevenlabs_emulator: Emulator) -> None:
    """Two tokens at the end of one second count in the next second too, until they are a second old."""
    with running("uvicorn", elevenlabs_emulator.base_url, storage=storage, rate="2/second") as process:
        url = f"{process.base_url}/async/limited"
        statuses(url, "warm-up")
        time.sleep((0.6 - time.time()) % 1)  # a test of time has to wait for it
        late = [answer.status for answer in ask(url, "ada", "ada")]
        time.sleep((0.05 - time.time()) % 1)
        [early] = ask(url, "ada")
        time.sleep(0.85)
        later = statuses(url, "ada")

    assert [201, 201] == late
    assert (429, "1") == (early.status, early.retry_after)
    assert [201] == later


def test_memory_warns_once(caplog: pytest.LogCaptureFixture) -> None:
    """An endpoint that counts in memory says when it is made that each process counts for itself."""
    client = AsyncElevenLabsClient(api_key=KEY)
    TokenEndpoint(client, authorize=str)
    [warning] = caplog.records

    assert logging.WARNING == warning.levelno
    assert "in the memory of this process alone" in warning.getMessage().lower()

    TokenEndpoint(client, authorize=str, rate_limit=None)

    assert [warning] == caplog.records


def test_without_the_library() -> None:
    """Only a rate limit needs the library `limits`; without it, the error names the extra."""
    program = """
import sys
sys.modules["limits"] = None
from elevenlabs_tokens import ElevenLabsClient
from elevenlabs_tokens.endpoint import TokenEndpoint
client = ElevenLabsClient(api_key="sk_0123456789abcdef")
TokenEndpoint(client, authorize=str, rate_limit=None)
TokenEndpoint(client, authorize=str)
"""
    run = run_python(program)

    assert 1 == run.returncode
    assert "line 8" in run.stderr
    assert "elevenlabs-tokens[limits]" in run.stderr
