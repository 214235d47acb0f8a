"""The texts of errors: what happened, why, and what to do next. They never quote a reply."""

import re
from collections.abc import Mapping
from http import HTTPStatus
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

# A code or an id from a reply is shown only if it is one plain word, so that no other part of a reply is shown.
_PLAIN_WORD = r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}"


@define(eq=False, repr=False)
class Exchange:
    """A request and its outcome.

    Attributes:
        request: What was sent.
        outcome: The outcome of the last attempt.
        retries_taken: How many attempts came before the last one.
        sent_at: When the last attempt began, in seconds since the epoch.
        ended_at: When the last attempt ended, in seconds since the epoch.
        elapsed_in_seconds: The time since the call began.
    """

    request: Request
    outcome: Outcome
    retries_taken: int
    sent_at: float
    ended_at: float
    elapsed_in_seconds: float

    @property
    def attempts_text(self) -> str:
        """Say how many attempts were made, if more than one: " after 3 attempts"."""
        return f" after {self.retries_taken + 1} attempts" if self.retries_taken else ""

    @property
    def method_and_path(self) -> str:
        """Name what was requested, without the query, which may hold a secret."""
        return f"POST {urlsplit(self.request.url).path[-90:]}"

    @property
    def address(self) -> str:
        """Name the host and the port."""
        parts = urlsplit(self.request.url)
        host = (parts.hostname or "")[:60]
        port = (443 if parts.scheme == "https" else 80) if parts.port is None else parts.port
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


_ADVICE: Mapping[type[ElevenLabsStatusError], str] = {
    BadRequestError: "see .message for what is wrong with the request",
    AuthenticationError: "check the API key: api_key=, or ELEVENLABS_API_KEY",
    PaymentRequiredError: "the account needs credit, or another plan",
    PermissionDeniedError: "give this API key the missing permission in the ElevenLabs dashboard",
    NotFoundError: "check base_url",
    UnprocessableEntityError: f"see .errors for what is wrong; known token types: {', '.join(SingleUseTokenType)}",
    RateLimitError: "wait, then call less often or with fewer calls at once",
    ServerError: "the API has a problem: try again later",
    ElevenLabsStatusError: "see .message for what the API said",
}


def status_text(
    exchange: Exchange,
    raw_response: RawResponse,
    error_class: type[ElevenLabsStatusError],
    *,
    word: str | None,
    retry_after: float | None,
) -> str:
    """Write the text of an error status.

    Args:
        exchange: The exchange that ended with this status.
        raw_response: The response, for its status and its request id.
        error_class: The class of the error.
        word: The API's word for the error.
        retry_after: The seconds that the API asks to wait.
    """
    notes = [word] if word and re.fullmatch(_PLAIN_WORD, word) else []
    if retry_after is not None:
        notes.append(f"retry after {retry_after:g} s")
    in_brackets = f" ({', '.join(notes)})" if notes else ""
    status = f"{_status_line(raw_response.status_code)}{in_brackets}"
    what = f"{status} from {exchange.method_and_path}{exchange.attempts_text}"
    return _sentence(what, raw_response.request_id, _ADVICE[error_class])


def _status_line(status_code: int) -> str:
    try:
        return f"{status_code} {HTTPStatus(status_code).phrase}"
    except ValueError:
        return str(status_code)


def reply_text(exchange: Exchange, raw_response: RawResponse, fault: str) -> str:
    """Write the text of a reply that is neither a token nor an error status.

    Args:
        exchange: The exchange that ended with this reply.
        raw_response: The response, for its status and its request id.
        fault: What is wrong with the reply: "a redirect".
    """
    advice = "check base_url and proxy; if both are right, tell the API's support"
    if raw_response.status_code in REDIRECTS:
        advice = "it was not followed, because it would send the API key elsewhere; set base_url to the API's address"
    what = f"{fault} in the {raw_response.status_code} reply to {exchange.method_and_path}"
    return _sentence(what, raw_response.request_id, advice)


_FAILURES: Mapping[FailureKind, tuple[type[ElevenLabsError], str, str]] = {
    FailureKind.NOT_CONNECTED: (
        ElevenLabsConnectionError,
        "could not connect to {address}",
        "check the network, base_url and proxy",
    ),
    FailureKind.LOST: (
        ElevenLabsConnectionError,
        "lost the connection to {address} before the reply was complete",
        "try again later",
    ),
    FailureKind.TIMED_OUT: (
        ElevenLabsTimeoutError,
        "no complete reply from {address} in {elapsed:.1f} s",
        "try again, or allow more time: timeout_in_seconds for the call, attempt_timeout_in_seconds for an attempt",
    ),
    FailureKind.UNTRUSTED: (
        ElevenLabsTLSError,
        "TLS with {address} failed",
        "check base_url; for a private certificate authority, set SSL_CERT_FILE or ssl=; keep verification on",
    ),
    FailureKind.PROXY_REFUSED: (
        ElevenLabsConnectionError,
        "the proxy refused to connect to {address}",
        "check proxy= or HTTPS_PROXY, and the proxy's user and password",
    ),
    FailureKind.MALFORMED: (
        InvalidResponseError,
        "the answer from {address} is not HTTP",
        "check base_url and proxy",
    ),
}


def failure_error(exchange: Exchange, failure: Failure) -> ElevenLabsError:
    """Make the error of an exchange that ended without a complete reply."""
    error_class, text, advice = _FAILURES[failure.kind]
    what = text.format(address=exchange.address, elapsed=exchange.elapsed_in_seconds)
    detail = f" ({failure.detail[:80]})" if failure.detail else ""
    return error_class(_sentence(f"{what}{detail}{exchange.attempts_text}", None, advice))


def _sentence(what: str, request_id: str | None, advice: str) -> str:
    named = f" (request id {request_id})" if request_id and re.fullmatch(_PLAIN_WORD, request_id) else ""
    return f"{what}{named}; {advice}"[:_TEXT_LIMIT]
