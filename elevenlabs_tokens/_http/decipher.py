"""Turns the outcome of a call into a model, or into an error that says what to do.

Errors are returned, not raised: the traceback of a raised error would keep the reply, with its token, as a local
variable.
"""

import json
from collections.abc import Callable, Mapping
from itertools import chain
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
"""Makes a model from a reply's JSON and the time when the request was sent, in seconds since the epoch."""

_raw_decode = json.JSONDecoder().raw_decode
_SUCCESSES = range(200, 300)
_ERRORS = range(400, 600)


def with_raw_response(data: T, exchange: Exchange) -> WithRawResponse[T]:
    """Pair a model with its raw response, which is built only here because few callers ask for it."""
    assert isinstance(exchange.outcome, Reply)  # noqa: S101  # a model always comes from a reply
    return WithRawResponse(data, _raw_response(exchange, exchange.outcome, None))


def request_id_of(exchange: Exchange) -> str | None:
    """Give the API's name for a request that succeeded, as its raw response does."""
    assert isinstance(exchange.outcome, Reply)  # noqa: S101  # a model always comes from a reply
    request_id = _request_id(exchange.outcome, None)
    return exchange.request.api_key.scrub_text(request_id) if request_id else None


def decipher(exchange: Exchange, structure: Structure[T]) -> T | ElevenLabsError:
    """Return the model of a successful exchange, or the error of a failed one.

    Args:
        exchange: The request and its outcome.
        structure: Makes the model; raises a `BaseValidationError` if the JSON does not fit.
    """
    reply = exchange.outcome
    if isinstance(reply, Failure):
        return failure_error(exchange, reply)
    document = _parse(reply.body)
    if reply.status_code in _SUCCESSES:
        if document is _NOT_JSON:
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
        fault = "an unknown status"
    raw_response = _raw_response(exchange, reply, document)
    return InvalidResponseError(reply_text(exchange, raw_response, fault), raw_response=raw_response)


_NOT_JSON: Any = object()
"""Stands for a body that cannot be read as JSON; None would be the JSON document `null`."""


def _parse(body: bytes | None) -> Any:
    if body is None:
        return _NOT_JSON
    try:
        # Decode here: given bytes, `json` would also accept UTF-16 and UTF-32, and encoded surrogates.
        text = body.decode("utf-8").strip(" \t\r\n")
        document, end = _raw_decode(text)
    except (ValueError, RecursionError):
        return _NOT_JSON
    return document if end == len(text) else _NOT_JSON


def _body_fault(reply: Reply) -> str:
    if reply.body is None:
        return f"more than {MAX_BODY_BYTES // 1024} KiB"
    if reply.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        return "compressed data, which was not asked for,"
    return "something other than JSON" if reply.body else "nothing"


def _raw_response(exchange: Exchange, reply: Reply, document: Any) -> RawResponse:
    url, request_id = exchange.request.url, _request_id(reply, document)
    pairs = tuple(reply.headers.items())
    key = exchange.request.api_key
    if key.is_in("\n".join((url, request_id or "", *chain.from_iterable(pairs)))):
        pairs = tuple((key.scrub_text(name), key.scrub_text(value)) for name, value in pairs)
        url = key.scrub_text(url)
        request_id = key.scrub_text(request_id) if request_id else None
    return RawResponse(
        status_code=reply.status_code,
        headers=Headers(pairs),
        url=url,
        request_id=request_id or None,
        retries_taken=exchange.retries_taken,
        elapsed_in_seconds=exchange.elapsed_in_seconds,
    )


def _request_id(reply: Reply, document: Any) -> str | None:
    # Successful mints carry `request-id`; refusals by the front end carry only `x-trace-id`.
    headers = reply.headers
    return headers.get("request-id") or headers.get("x-trace-id") or _string(_detail(document), "request_id")


def _detail(document: Any) -> Any:
    return document.get("detail") if isinstance(document, Mapping) else None


def _string(detail: Any, name: str) -> str | None:
    value = detail.get(name) if isinstance(detail, Mapping) else None
    return value if isinstance(value, str) and value else None


def _status_error(exchange: Exchange, reply: Reply, document: Any) -> ElevenLabsError:
    raw_response = _raw_response(exchange, reply, document)
    # Before the key is masked, which could hide this word too.
    error_class = status_error_class(reply.status_code, _string(_detail(document), "status"))
    body = _without_key(exchange, document)
    detail = _detail(body)
    errors = structure_validation_errors(detail)
    api_status = _string(detail, "status")
    attributes: dict[str, Any] = {
        "message": _message(detail, errors),
        "code": _string(detail, "code") or api_status,
        "api_status": api_status,
        "body": body,
        "raw_response": raw_response,
    }
    if error_class is UnprocessableEntityError:
        attributes["errors"] = errors
    retry_after = None
    if error_class in (RateLimitError, ServerError):
        attributes["retry_after"] = retry_after = retry_after_in_seconds(reply, exchange.ended_at)
    word = api_status or attributes["code"]
    text = status_text(exchange, raw_response, error_class, word=word, retry_after=retry_after)
    return error_class(text, **attributes)


def _without_key(exchange: Exchange, document: Any) -> Any:
    if document is _NOT_JSON:
        return None
    try:
        return exchange.request.api_key.scrub(document)
    except RecursionError:
        return None


def _message(detail: Any, errors: tuple[ValidationErrorItem, ...]) -> str | None:
    if isinstance(detail, str):
        return detail or None
    return "; ".join(item.msg for item in errors if item.msg) or _string(detail, "message")
