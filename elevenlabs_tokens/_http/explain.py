"""The texts of errors: what happened, why, what to do next. They never quote a reply."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from urllib.parse import urlsplit

from attrs import define

from elevenlabs_tokens._http.wire import Failure, FailureKind, Outcome, Request
from elevenlabs_tokens.exceptions import (
    AuthenticationError,
    BadRequestError,
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
from elevenlabs_tokens.responses import RawResponse

REDIRECTS = range(300, 400)
_TEXT_LIMIT = 299

# Shown only if it is a word, never if it could be a piece of a reply.
_PLAIN_WORD = r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}"


@define(eq=False, repr=False)
class Exchange:
    """A request and how it went: all that an error's text may be made of.

    Attributes:
        request: What was sent.
        outcome: What came back of the last attempt.
        retries_taken: Attempts before the last one.
        sent_at: When the last attempt began, in seconds since the epoch.
        known_at: When its outcome was known, in seconds since the epoch.
        elapsed_in_seconds: Since the call began.
    """

    request: Request
    outcome: Outcome
    retries_taken: int
    sent_at: float
    known_at: float
    elapsed_in_seconds: float

    @property
    def attempts(self) -> str:
        """How often it was tried, if more than once, for an error's text."""
        return f" after {self.retries_taken + 1} attempts" if self.retries_taken else ""

    @property
    def path(self) -> str:
        """What was asked for, less its query, for an error's text."""
        return f"POST {urlsplit(self.request.url).path[-90:]}"

    @property
    def address(self) -> str:
        """The host and the port that were asked, for an error's text."""
        parts = urlsplit(self.request.url)
        host = (parts.hostname or "")[:60]
        port = (443 if parts.scheme == "https" else 80) if parts.port is None else parts.port
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


_ADVICE: Mapping[type[ElevenLabsStatusError], str] = MappingProxyType(
    {
        BadRequestError: "see .message for what the API could not use",
        AuthenticationError: "check the API key: api_key=, or ELEVENLABS_API_KEY",
        PaymentRequiredError: "the account needs credit, or another plan",
        PermissionDeniedError: "give this API key the permission that it lacks, in the ElevenLabs dashboard",
        NotFoundError: "check base_url",
        UnprocessableEntityError: f"see .errors for what is wrong; known token types: {', '.join(SingleUseTokenType)}",
        RateLimitError: "wait, then call less often or with fewer calls at once",
        ServerError: "the fault is at the API: try again later",
        ElevenLabsStatusError: "see .message for what the API said",
    }
)


def status_text(
    exchange: Exchange,
    raw_response: RawResponse,
    kind: type[ElevenLabsStatusError],
    *,
    word: str | None,
    retry_after: float | None,
) -> str:
    """Explain an error status.

    Args:
        exchange: What it answers.
        raw_response: Which names the request.
        kind: Its class.
        word: The API's word for it.
        retry_after: The seconds to wait that it names.
    """
    said = f" ({word})" if word and re.fullmatch(_PLAIN_WORD, word) else ""
    if retry_after is not None:
        said += f", to be asked again after {retry_after:g} s,"
    what = f"{_status_line(raw_response.status_code)}{said} from {exchange.path}{exchange.attempts}"
    return _sentence(what, raw_response.request_id, _ADVICE[kind])


def _status_line(status_code: int) -> str:
    try:
        return f"{status_code} {HTTPStatus(status_code).phrase}"
    except ValueError:
        return str(status_code)


def reply_text(exchange: Exchange, raw_response: RawResponse, fault: str) -> str:
    """Explain a reply that is not what the API promises.

    Args:
        exchange: What it answers.
        raw_response: Which names the request.
        fault: What is wrong with it: "a redirect".
    """
    advice = "if base_url is right and no proxy answered in its stead, tell the API's support"
    if raw_response.status_code in REDIRECTS:
        advice = "it was not followed, for it would take the API key elsewhere: set base_url to where the API is"
    what = f"{fault} in the {raw_response.status_code} reply to {exchange.path}"
    return _sentence(what, raw_response.request_id, advice)


_FAILURES: Mapping[FailureKind, tuple[type[ElevenLabsError], str, str]] = MappingProxyType(
    {
        FailureKind.NOT_CONNECTED: (
            ElevenLabsConnectionError,
            "could not connect to {address}",
            "check the network, base_url and proxy",
        ),
        FailureKind.LOST: (
            ElevenLabsConnectionError,
            "lost the connection to {address} before a whole reply came",
            "try again later",
        ),
        FailureKind.TIMED_OUT: (
            ElevenLabsTimeoutError,
            "no whole reply from {address} in {elapsed:.1f} s",
            "try again, or allow more: timeout_in_seconds is for the call, attempt_timeout_in_seconds for one attempt",
        ),
        FailureKind.UNTRUSTED: (
            ElevenLabsTLSError,
            "no trust in the TLS of {address}",
            "check base_url; for a private authority, set SSL_CERT_FILE or ssl=; never turn verification off",
        ),
        FailureKind.PROXY_REFUSED: (
            ElevenLabsConnectionError,
            "the proxy refused to connect to {address}",
            "check proxy= or HTTPS_PROXY, and the proxy's user and password",
        ),
        FailureKind.MALFORMED: (
            InvalidResponseError,
            "what {address} answered is not HTTP",
            "check base_url and proxy",
        ),
    }
)


def failure_error(exchange: Exchange, failure: Failure) -> ElevenLabsError:
    """Make the error of an exchange that brought no whole reply."""
    kind, what, advice = _FAILURES[failure.kind]
    text = what.format(address=exchange.address, elapsed=exchange.elapsed_in_seconds)
    detail = f" ({failure.detail[:80]})" if failure.detail else ""
    return kind(_sentence(f"{text}{detail}{exchange.attempts}", None, advice))


def _sentence(what: str, request_id: str | None, advice: str) -> str:
    named = f" (request id {request_id})" if request_id and re.fullmatch(_PLAIN_WORD, request_id) else ""
    return f"{what}{named}; {advice}"[:_TEXT_LIMIT]
