"""What an outcome means: a model, or an error that says what to do.

Errors are given, not raised: a function that raised one would show the reply among the locals of its traceback.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from cattrs import BaseValidationError

from elevenlabs_tokens._http.explain import REDIRECTS, Exchange, failure_error, reply_text, status_text
from elevenlabs_tokens._http.retry import retry_after_in_seconds
from elevenlabs_tokens._http.structure import fault_of, structure_validation_errors
from elevenlabs_tokens._http.wire import MAX_BODY_BYTES, Failure, Reply
from elevenlabs_tokens.exceptions import (
    ElevenLabsError,
    InvalidResponseError,
    RateLimitError,
    ServerError,
    UnprocessableEntityError,
    status_error_class,
)
from elevenlabs_tokens.responses import Headers, RawResponse, ValidationErrorItem, WithRawResponse

T = TypeVar("T")

Structure: TypeAlias = Callable[[Any, float], T]
"""Makes a model of a reply's JSON and the moment when the request was sent, in seconds since the epoch."""

_raw_decode = json.JSONDecoder().raw_decode
_SUCCESSES = range(200, 300)
_ERRORS = range(400, 600)


def with_raw_response(data: T, exchange: Exchange) -> WithRawResponse[T]:
    """Give a model next to the response that it was read from; few callers ask, so it is made for them alone."""
    assert isinstance(exchange.outcome, Reply), "no model comes without a reply"  # noqa: S101  # told to type checkers
    return WithRawResponse(data, _raw_response(exchange, exchange.outcome, None))


def decipher(exchange: Exchange, structure: Structure[T]) -> T | ElevenLabsError:
    """Give what an exchange means.

    Args:
        exchange: The request and how it went.
        structure: Makes the model of a success; raises what cattrs raises.
    """
    reply = exchange.outcome
    if isinstance(reply, Failure):
        return failure_error(exchange, reply)
    document = _parse(reply.body)
    if reply.status_code in _SUCCESSES:
        if document is _UNREADABLE:
            fault = _body_fault(reply)
        else:
            try:
                return structure(document, exchange.sent_at)
            except BaseValidationError as error:
                fault = fault_of(error)
    elif reply.status_code in REDIRECTS:
        fault = "a redirect"
    elif reply.status_code in _ERRORS:
        return _status_error(exchange, reply, document)
    else:
        fault = "no answer"
    raw_response = _raw_response(exchange, reply, document)
    return InvalidResponseError(reply_text(exchange, raw_response, fault), raw_response=raw_response)


class _Unreadable:
    """What stands for a body that is not JSON."""


_UNREADABLE = _Unreadable()


def _parse(body: bytes | None) -> Any:
    if body is None:
        return _UNREADABLE
    try:
        # Decoded first: `json` would guess at other encodings and let halves of surrogate pairs through.
        text = body.decode("utf-8").strip(" \t\r\n")
        document, end = _raw_decode(text)
    except (ValueError, RecursionError):
        return _UNREADABLE
    return document if end == len(text) else _UNREADABLE


def _body_fault(reply: Reply) -> str:
    if reply.body is None:
        return f"more than {MAX_BODY_BYTES // 1024} KiB"
    if reply.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        return "compressed data, which was not asked for,"
    return "something other than JSON" if reply.body else "nothing"


def _raw_response(exchange: Exchange, reply: Reply, document: Any) -> RawResponse:
    key = exchange.request.api_key
    headers = Headers((key.scrub_text(name), key.scrub_text(value)) for name, value in reply.headers.items())
    # Mints that succeed carry `request-id`, refusals by the front end only `x-trace-id`.
    request_id = headers.get("request-id") or headers.get("x-trace-id") or _word(_detail(document), "request_id")
    return RawResponse(
        status_code=reply.status_code,
        headers=headers,
        url=key.scrub_text(exchange.request.url),
        request_id=key.scrub_text(request_id) if request_id else None,
        retries_taken=exchange.retries_taken,
        elapsed_in_seconds=exchange.elapsed_in_seconds,
    )


def _detail(document: Any) -> Any:
    return document.get("detail") if isinstance(document, Mapping) else None


def _word(detail: Any, name: str) -> str | None:
    value = detail.get(name) if isinstance(detail, Mapping) else None
    return value if isinstance(value, str) and value else None


def _status_error(exchange: Exchange, reply: Reply, document: Any) -> ElevenLabsError:
    raw_response = _raw_response(exchange, reply, document)
    kind = status_error_class(reply.status_code, _word(_detail(document), "status"))
    body = _scrubbed(exchange, document)
    detail = _detail(body)
    errors = structure_validation_errors(detail)
    api_status = _word(detail, "status")
    attributes: dict[str, Any] = {
        "message": _message(detail, errors),
        "code": _word(detail, "code") or api_status,
        "api_status": api_status,
        "body": body,
        "raw_response": raw_response,
    }
    if kind is UnprocessableEntityError:
        attributes["errors"] = errors
    retry_after = None
    if kind in (RateLimitError, ServerError):
        attributes["retry_after"] = retry_after = retry_after_in_seconds(reply, exchange.known_at)
    word = api_status or attributes["code"]
    return kind(status_text(exchange, raw_response, kind, word=word, retry_after=retry_after), **attributes)


def _scrubbed(exchange: Exchange, document: Any) -> Any:
    if document is _UNREADABLE:
        return None
    try:
        return exchange.request.api_key.scrub(document)
    except RecursionError:
        return None


def _message(detail: Any, errors: tuple[ValidationErrorItem, ...]) -> str | None:
    if isinstance(detail, str):
        return detail or None
    return "; ".join(item.msg for item in errors if item.msg) or _word(detail, "message")
