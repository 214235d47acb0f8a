"""Each failure has a cause with a name, and advice; told from the error alone, without a network."""

from email.utils import formatdate
from typing import Any

import pytest

from cli.test_cli_wording import OUTCOMES, PYTHON, outcome_error
from elevenlabs_tokens import ElevenLabsConfigError, ElevenLabsError
from elevenlabs_tokens._http.proxy import find_proxy
from elevenlabs_tokens._http.wire import Failure, FailureKind, Reply
from elevenlabs_tokens.cli.findings import clock_finding, finding_of
from elevenlabs_tokens.options import checked_api_key
from frozen import EPOCH_IN_SECONDS

HOST = "api.example.test"
STACK = "Invalid API key: The API key used is for a data residency stack, however this server is a global server."

REPLIES = {
    "key-id": (400, "invalid_api_key", "API key ID used as API key - only valid API keys can be used."),
    "wrong-region": (401, "invalid_api_key", STACK),
    "key-refused": (401, "invalid_api_key", "Invalid API key"),
    "missing-permission": (401, "missing_permissions", "The API key you used is missing the permission user_read."),
    "missing-permission (403)": (403, "insufficient_permissions", "No."),
    "forbidden": (403, "forbidden", "This address may not do that."),
    "no-credit": (402, "insufficient_credits", ""),
    "no-credit (401)": (401, "quota_exceeded", ""),
    "wrong-address": (404, "not_found", ""),
    "unknown-type": (422, "", ""),
    "rate-limit": (429, "system_busy", ""),
    "api-down": (503, "maintenance", ""),
    "refused": (400, "invalid_parameters", ""),
    "refused (409)": (409, "already_running", ""),
}
FAILURES = {
    "certificate-dates": (FailureKind.UNTRUSTED, "certificate has expired"),
    "certificate-dates (not yet)": (FailureKind.UNTRUSTED, "certificate is not yet valid"),
    "unknown-authority": (FailureKind.UNTRUSTED, "unable to get local issuer certificate"),
    "unknown-authority (self-signed)": (FailureKind.UNTRUSTED, "self-signed certificate"),
    "wrong-host": (FailureKind.UNTRUSTED, f"Hostname mismatch, certificate is not valid for '{HOST}'"),
    "tls": (FailureKind.UNTRUSTED, "wrong version number"),
    "timeout": (FailureKind.TIMED_OUT, ""),
    "proxy-password": (FailureKind.PROXY_REFUSED, "407"),
    "proxy-refuses": (FailureKind.PROXY_REFUSED, "403"),
    "proxy-unreachable": (FailureKind.NOT_CONNECTED, "the proxy: connection refused"),
    "proxy-unreachable (unknown host)": (FailureKind.NOT_CONNECTED, "proxy.example: Name or service not known"),
    "dns": (FailureKind.NOT_CONNECTED, f"{HOST}: Name or service not known"),
    "no-route": (FailureKind.NOT_CONNECTED, "no route to host"),
    "no-route (no network)": (FailureKind.NOT_CONNECTED, "network is unreachable"),
    "nothing-listens": (FailureKind.NOT_CONNECTED, "connection refused"),
    "connection-lost": (FailureKind.LOST, "connection reset by peer"),
    "no-connection": (FailureKind.NOT_CONNECTED, ""),
    "not-the-api": (FailureKind.MALFORMED, ""),
}


def refusal(call: Any, *arguments: Any, **named: Any) -> ElevenLabsError:
    with pytest.raises(ElevenLabsConfigError) as refused:
        call(*arguments, **named)
    return refused.value


def told(status: int, word: str, message: str) -> ElevenLabsError:
    return outcome_error(
        Reply(status, {}, b'{"detail": {"status": "%s", "message": "%s"}}' % (word.encode(), message.encode()))
    )


ERRORS = {
    **{name: told(*reply) for name, reply in REPLIES.items()},
    **{name: outcome_error(Failure(kind, detail)) for name, (kind, detail) in FAILURES.items()},
    "malformed-key": refusal(checked_api_key, "sk_1 2"),
    "bad-setting": refusal(find_proxy, "https://host", "socks5://host", allow_insecure_http=False),
    "not-the-api (a redirect)": outcome_error(OUTCOMES["a redirect"]),
    "other": ElevenLabsError("who knows"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_causes(name: str) -> None:
    """The finding names the cause, and says in a shell's words what happened and what to do."""
    finding = finding_of(ERRORS[name])

    assert name.partition(" ")[0] == finding.cause
    assert not PYTHON.search(finding.to_do)
    assert finding.concerns_one_type == (finding.cause in {"missing-permission", "unknown-type"})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, None),
        (60, None),
        (-60, None),
        (61, "is 61 s ahead of"),
        (-61, "is 61 s behind"),
        (86400, "is 86400 s ahead of"),
    ],
)
def test_the_clock(seconds: int, words: str | None) -> None:
    """A clock that is more than a minute off is named, with the direction."""
    date = formatdate(EPOCH_IN_SECONDS - seconds, usegmt=True)

    finding = clock_finding(date, EPOCH_IN_SECONDS)

    assert (words is None) == (finding is None)
    assert finding is None or (words or "") in finding.text


@pytest.mark.parametrize("date", ["", "today", "0", "Fri, 99 Jan 2027 08:00:00 GMT"])
def test_a_date_that_cannot_be_read(date: str) -> None:
    """It says nothing about the clock."""
    assert clock_finding(date, EPOCH_IN_SECONDS) is None
