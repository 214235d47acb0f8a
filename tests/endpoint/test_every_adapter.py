"""One table of requests, through every adapter under its real server."""

import re
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

import pytest

from endpoint.cases import CASES, CODES, SECONDS, Case
from endpoint.raw import Reply
from endpoint.recording import ADAPTERS, COOKIE, CREDENTIAL, KINDS, Adapter, Recording, applies, record, user_id_of
from endpoint.upstream import TOKEN_PREFIX, UPSTREAM_TEXT
from faults import ENCODED_KEY, ENCODED_PASSWORD, KEY, PASSWORD


@cache
def _recording(adapter: Adapter) -> Future[Recording]:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(record, adapter)


def recorded(adapter: Adapter) -> Recording:
    """Record an adapter once. If its server does not start, only the first test waits for it."""
    return _recording(adapter).result()


PAIRS = [(adapter, case) for adapter in ADAPTERS for case in CASES if applies(case, adapter)]

every_case = pytest.mark.parametrize(
    ("adapter", "case"), PAIRS, ids=[f"{adapter.name}: {case.name}" for adapter, case in PAIRS]
)
every_adapter = pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.name)


def test_names() -> None:
    """Each case has a name of its own, by which its reply is found."""
    assert len(CASES) == len({case.name for case in CASES})


def is_the_servers(reply: Reply | None, case: Case) -> bool:
    """Tell whether the server replied instead of the endpoint, as this case allows."""
    if reply is None:
        return None in case.server_says
    return reply.status in case.server_says and not reply.all("cache-control")


def check_headers(reply: Reply, case: Case) -> None:
    cross_origin = {
        "access-control-allow-origin": case.origin,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "Retry-After",
        "vary": "Origin",
    }
    preflight = {
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "Authorization, Content-Type",
        "access-control-max-age": "600",
    }
    expected = {
        "allow": "POST, OPTIONS" if case.status == 405 else None,
        "cache-control": "no-store",
        "content-type": None if case.status == 204 else "application/json",
        "x-content-type-options": "nosniff",
        **{name: value if case.origin else None for name, value in cross_origin.items()},
        **{name: value if case.status == 204 else None for name, value in preflight.items()},
    }
    sent = {name: ", ".join(reply.all(name)) or None for name in expected}

    assert expected == sent
    check_retry_after(reply, case.retry_after)


def check_retry_after(reply: Reply, expected: str | None) -> None:
    sent = reply.all("retry-after")
    if expected == SECONDS:
        assert re.fullmatch(r"\d+", sent[0])
        assert 1 <= int(sent[0]) <= 3600
        assert 1 == len(sent)
    else:
        assert [expected] * (expected is not None) == sent


def outcome_of(reply: Reply) -> str:
    """Give the code of a refusal, or what the log calls the reply."""
    return str(reply.json["error"]["code"]) if reply.status >= 400 and reply.body else CODES[reply.status]


def check(reply: Reply | None, case: Case) -> None:
    if is_the_servers(reply, case):
        return

    assert reply
    assert case.status == reply.status, str(reply)
    check_headers(reply, case)
    if case.status == 201:
        assert ["token", "token_type", "expires_at", "websocket_base_url"] == list(reply.json)
        assert case.token_type == reply.json["token_type"]
    elif case.method == "HEAD" or case.status == 204:
        assert b"" == reply.body
    else:
        message = reply.json["error"]["message"]
        assert {"error": {"code": case.code or CODES[case.status], "message": message}} == reply.json
        assert message
        assert case.says in message


@every_case
def test_reply(adapter: Adapter, case: Case) -> None:
    """The reply has the status, the headers and the body that the case names, with each kind of client."""
    for kind in KINDS:
        check(recorded(adapter).replies[kind, case.name], case)


@every_adapter
def test_tokens(adapter: Adapter) -> None:
    """Each 201 has a token of its own, which on_minted was told of; nothing more was minted than the cases name."""
    recording = recorded(adapter)
    cases = [case for case in CASES if applies(case, adapter)]
    audits: list[list[object]] = []
    for kind in KINDS:
        for case in cases:
            if case.status == 201 and (reply := recording.replies[kind, case.name]):
                number = reply.json["token"].removeprefix(TOKEN_PREFIX + "number_")
                audits.append([kind, user_id_of(case, kind, adapter), case.token_type, f"request-{number}"])

    assert sorted(audits, key=str) == sorted(recording.audits, key=str)
    assert len(audits) == len({str(request_id) for *_, request_id in audits})
    assert 2 * sum(case.status == 201 if case.mints is None else case.mints for case in cases) == recording.mints


@every_adapter
def test_limit(adapter: Adapter) -> None:
    """Refused bodies are not counted; mints that fail are; a body is read before the limit is asked."""
    for first, *counted, limit, last in (statuses for statuses, _ in recorded(adapter).limited.values()):
        assert [400, 429, 400] == [first, limit, last]
        assert {503} == set(counted)
        assert 2 <= len(counted) <= 2 * adapter.workers


@every_adapter
def test_reply_at_the_limit(adapter: Adapter) -> None:
    """It says when to ask again: within the minute."""
    for _, reply in recorded(adapter).limited.values():
        check(reply, Case("limited", 429, retry_after=SECONDS))
        assert 60 >= int(reply.all("retry-after")[0])


@every_adapter
def test_leaving(adapter: Adapter) -> None:
    """A mint ends when its client goes away, if the adapter is told."""
    expected = {"async": True, "sync": True} if adapter.notices_leaving else {}

    assert expected == recorded(adapter).abandoned


@every_adapter
def test_journal(adapter: Adapter) -> None:
    """Each request has one line in the log, with its outcome."""
    recording = recorded(adapter)
    replies = [
        recording.replies[kind, case.name]
        for kind in KINDS
        for case in CASES
        # Who closes the connection may or may not get a reply.
        if applies(case, adapter) and not case.is_cut_short
    ]
    lines = [line for line in recording.journal if "user=shorter than announced@" not in line]
    outcomes = re.findall(r" outcome=(?!left)(\w+) ", "\n".join(lines))

    assert Counter(outcome_of(reply) for reply in replies if reply and reply.all("cache-control")) == Counter(outcomes)


LINES = (
    r"INFO\|token route: user=no browser@{kind} type=realtime_scribe outcome=minted request_id=request-\d+ ms=\d+$",
    r"INFO\|token route: user=broken JSON@{kind} type=- outcome=bad_request request_id=- ms=\d+$",
    r"ERROR\|.* user=the API answers 401@{kind} type=status_401 outcome=upstream_refused request_id=request-of-a-fault",
    r"ERROR\|.* user=no key@{kind} type=realtime_scribe outcome=internal_error .*: \S",
    r"ERROR\|.* user=hook raises@{kind} type=realtime_scribe outcome=internal_error request_id=request-\d+ ms=\d+: \S",
)
ADVICE = r"ERROR\|.* user=- type=- outcome=internal_error .* raised {error} .*return None"
REFUSALS = ("HTTPUnauthorized", "PermissionDenied", "HTTPException", "Unauthorized")
"""What `authorize` raises of aiohttp, Django, Starlette and Flask."""


@every_adapter
def test_lines(adapter: Adapter) -> None:
    """A line has the user, the type, the outcome, the API's request id, the milliseconds, and what is to be done."""
    text = "\n".join(recorded(adapter).journal)
    lines = [line.replace("{kind}", kind) for line in LINES for kind in KINDS]

    assert [] == [line for line in lines if not re.search(line, text, re.MULTILINE)]
    assert [2] * 4 == [len(re.findall(ADVICE.format(error=error), text)) for error in REFUSALS]


@every_adapter
def test_warning(adapter: Adapter) -> None:
    """A warning at the start says that the memory counts for one process only."""
    assert re.search(r"(?i)endpoint\|WARNING\|.*10/minute.*memory of this process", recorded(adapter).log)


SECRETS = (KEY, ENCODED_KEY, PASSWORD, ENCODED_PASSWORD, UPSTREAM_TEXT, COOKIE, CREDENTIAL)


@every_adapter
def test_secrets(adapter: Adapter) -> None:
    """No reply, no line of the log and no audit record holds a secret; a token is in its own 201 only."""
    recording = recorded(adapter)
    lines = recording.log.splitlines()
    replies = [str(reply) for reply in recording.replies.values()]
    handed_over = [reply for reply in replies if reply.startswith("201 ")]

    assert [] == [text for text in (*replies, *lines) if any(secret in text for secret in SECRETS)]
    assert [] == [text for text in {*replies, *lines} - {*handed_over} if TOKEN_PREFIX in text]
    assert {1} == {reply.count(TOKEN_PREFIX) for reply in handed_over}


@every_adapter
def test_log(adapter: Adapter) -> None:
    """Nothing that a browser sent is in the log; nothing is forged, forgotten or raised; no event loop was blocked."""
    unwanted = (
        r"evil\.example|\.\./voices|REALTIME_SCRIBE|^forged|"
        r'elevenlabs_tokens/.*", line |endpoint/.*", line |never (?:awaited|retrieved)|'
        r"Unclosed|BlockingCallWarning|ignored in|No response returned"
    )

    assert [] == re.findall(unwanted, recorded(adapter).log, re.MULTILINE)
