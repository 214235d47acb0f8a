"""What a failure means: from an error to the name of its cause, and to what to do about it."""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

from attrs import frozen

from elevenlabs_tokens.cli.wording import in_words_of_a_shell, what_happened
from elevenlabs_tokens.exceptions import (
    AuthenticationError,
    ElevenLabsConfigError,
    ElevenLabsConnectionError,
    ElevenLabsError,
    ElevenLabsStatusError,
    ElevenLabsTimeoutError,
    ElevenLabsTLSError,
    InvalidResponseError,
    NotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnprocessableEntityError,
)
from elevenlabs_tokens.models import SingleUseTokenType
from elevenlabs_tokens.options import API_KEY_VARIABLE

_LARGEST_CLOCK_ERROR_IN_SECONDS = 60


@frozen
class Finding:
    """Why a check failed.

    Attributes:
        cause: The name of the cause, such as `no-credit`.
        text: What happened.
        to_do: What to do about it.
        concerns_one_type: Whether tokens of another type may still be minted.
    """

    cause: str
    text: str
    to_do: str
    concerns_one_type: bool = False


_ADDRESS = "--base-url or ELEVENLABS_BASE_URL"
_PROXY_USER = "put its user and password into HTTPS_PROXY: http://user:password@proxy.example:8080"

# The first rule that fits decides: the class of the error, what its text must hold, the cause, and what to do. The
# texts of connection errors are those of `_http/explain.py`, with the system's words in brackets; those of refusals
# end with the API's message.
_RULES: tuple[tuple[type[ElevenLabsError], str, str, str], ...] = (
    (ElevenLabsConfigError, "^there is no API key", "no-key", f"set {API_KEY_VARIABLE}"),
    (ElevenLabsConfigError, "^the API key", "malformed-key", f"copy the key again into {API_KEY_VARIABLE}"),
    (ElevenLabsConfigError, "", "bad-setting", "change the variable or the option that is named"),
    # A key of a residency region, sent elsewhere, is refused with: "The API key used is for a data residency stack,
    # however this server is a global server."
    (
        ElevenLabsStatusError,
        "residency",
        "wrong-region",
        "give the key's own region, such as --environment production-eu",
    ),
    (ElevenLabsStatusError, r"\bkey ID\b", "key-id", f"put the key itself into {API_KEY_VARIABLE}: it begins with sk_"),
    (
        AuthenticationError,
        "",
        "key-refused",
        f"copy a key from the ElevenLabs dashboard into {API_KEY_VARIABLE}, and check --environment",
    ),
    (
        PermissionDeniedError,
        r"permission",
        "missing-permission",
        "give this API key the permission in the ElevenLabs dashboard",
    ),
    (
        PermissionDeniedError,
        "",
        "forbidden",
        "ask an administrator of the ElevenLabs workspace, and check its IP allowlist",
    ),
    (PaymentRequiredError, "", "no-credit", "add credit to the account, or change its plan"),
    (NotFoundError, "", "wrong-address", f"check {_ADDRESS}: the API is not there"),
    (UnprocessableEntityError, "", "unknown-type", f"known token types: {', '.join(SingleUseTokenType)}"),
    (RateLimitError, "", "rate-limit", "wait, then call less often"),
    (ServerError, "", "api-down", "try again later, and look at https://status.elevenlabs.io"),
    (ElevenLabsStatusError, "", "refused", f"check the arguments and {API_KEY_VARIABLE}, or ask the API's support"),
    (InvalidResponseError, "", "not-the-api", f"check {_ADDRESS}, and whether a proxy or a login page answers instead"),
    (
        ElevenLabsTLSError,
        r"has expired|not yet valid",
        "certificate-dates",
        "check this machine's clock first; if it is right, the server needs a new certificate",
    ),
    (
        ElevenLabsTLSError,
        r"issuer|self.signed",
        "unknown-authority",
        "set SSL_CERT_FILE to the certificate of your authority; many companies' proxies have one of their own",
    ),
    (
        ElevenLabsTLSError,
        r"not valid for|mismatch",
        "wrong-host",
        f"check {_ADDRESS}: the certificate is another host's",
    ),
    (ElevenLabsTLSError, "", "tls", f"check {_ADDRESS}: its port may not speak TLS, or only an old version"),
    (ElevenLabsTimeoutError, "", "timeout", "check the network and its firewall, or try again later"),
    (ElevenLabsConnectionError, r"^the proxy refused .*\(407\)", "proxy-password", _PROXY_USER),
    (
        ElevenLabsConnectionError,
        "^the proxy refused",
        "proxy-refuses",
        "ask who runs the proxy to allow this host, or add the host to NO_PROXY",
    ),
    (
        ElevenLabsConnectionError,
        r"^could not connect to (\S+):\d+ \(\1: ",
        "dns",
        f"check this machine's name servers, and {_ADDRESS}",
    ),
    (
        ElevenLabsConnectionError,
        r"^could not connect to \S+ \((the proxy|\S+): ",
        "proxy-unreachable",
        "check HTTPS_PROXY, and that the proxy runs",
    ),
    (
        ElevenLabsConnectionError,
        r"no route to host|unreachable",
        "no-route",
        "connect this machine to the network, or set HTTPS_PROXY if only a proxy leads out",
    ),
    (ElevenLabsConnectionError, r"connection refused", "nothing-listens", f"check {_ADDRESS}: no server listens there"),
    (ElevenLabsConnectionError, "^lost", "connection-lost", "try again; a firewall or a proxy may cut connections"),
    (ElevenLabsConnectionError, "", "no-connection", f"check the network, {_ADDRESS}, and HTTPS_PROXY"),
    (ElevenLabsError, "", "other", "tell the maintainers of this package"),
)
_OF_ONE_TYPE = {"missing-permission", "unknown-type"}


def finding_of(error: ElevenLabsError) -> Finding:
    """Name the cause of an error."""
    text = what_happened(error)
    cause, to_do = next(
        (cause, to_do)
        for kind, words, cause, to_do in _RULES
        if isinstance(error, kind) and re.search(words, text, re.IGNORECASE)
    )
    return Finding(cause, text, to_do, concerns_one_type=cause in _OF_ONE_TYPE)


def explanation(error: ElevenLabsError) -> str:
    """Say in one line what happened and what to do. What was refused here, and not by the API, says it by itself."""
    if not isinstance(error, ElevenLabsStatusError | ElevenLabsConnectionError | InvalidResponseError):
        return in_words_of_a_shell(str(error))
    finding = finding_of(error)
    return f"{finding.text}; {finding.to_do}"


def clock_finding(date: str, now: float) -> Finding | None:
    """Compare a reply's `Date` with this machine's clock; None if they agree, or if the date cannot be read.

    Args:
        date: The header.
        now: What this machine's clock showed when the reply came, in seconds since the epoch.
    """
    try:
        sent_at = parsedate_to_datetime(date).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    ahead = now - sent_at
    if abs(ahead) <= _LARGEST_CLOCK_ERROR_IN_SECONDS:
        return None
    text = f"this machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the server's"
    return Finding("wrong-clock", text, "set this machine's clock, best by NTP: the times of tokens depend on it")
