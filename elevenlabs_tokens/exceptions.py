"""All errors of the package, as one tree.

::

    ElevenLabsError
    ├── ElevenLabsConfigError         (also ValueError)
    ├── ClientClosedError
    ├── ElevenLabsConnectionError
    │   ├── ElevenLabsTimeoutError    (also TimeoutError)
    │   └── ElevenLabsTLSError
    ├── InvalidResponseError
    └── ElevenLabsStatusError
        ├── BadRequestError           400
        ├── AuthenticationError       401
        ├── PaymentRequiredError      402, and 401 with status `quota_exceeded`
        ├── PermissionDeniedError     403, and 401 with status `missing_permissions`
        ├── NotFoundError             404
        ├── UnprocessableEntityError  422
        ├── RateLimitError            429
        └── ServerError               5xx
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from elevenlabs_tokens.responses import RawResponse, ValidationErrorItem


class ElevenLabsError(Exception):
    """The base of all errors of this package.

    `str(error)` says what happened, why, and what to do next. It has less than 300 characters and never quotes a
    reply. What the API said is in the attributes. An attribute is None if there is nothing that it could hold. If the
    API repeats the key in its reply, `***` stands in its place.

    Attributes:
        message: The API's text for people: `"Invalid API key"`.
        status_code: The HTTP status.
        code: The API's `code`, else its `status`: `"unauthorized"`.
        api_status: The API's `status`, which is often more precise: `"invalid_api_key"`.
        body: The body of a reply with an error status, as parsed JSON.
        raw_response: The response that the error was read from.
        request_id: The API's name for the request. Quote it when you ask the vendor's support.

    Source: the page on errors in the API's docs, read 2026-11-24.
    """

    def __init__(
        self,
        text: str,
        *,
        message: str | None = None,
        code: str | None = None,
        api_status: str | None = None,
        body: Any = None,
        raw_response: RawResponse | None = None,
    ) -> None:
        super().__init__(text)
        self.message = message
        self.code = code
        self.api_status = api_status
        self.body = body
        self.raw_response = raw_response
        self.status_code = raw_response.status_code if raw_response else None
        self.request_id = raw_response.request_id if raw_response else None


class BlockingCallWarning(RuntimeWarning):
    """A sync client was called inside a running event loop, which can do nothing else until the call ends."""


class ElevenLabsConfigError(ElevenLabsError, ValueError):
    """An argument, an option or an environment variable cannot be used. Nothing was sent."""


class ClientClosedError(ElevenLabsError):
    """The client was closed before the call, or during it."""


class ElevenLabsConnectionError(ElevenLabsError):
    """No whole reply came: the host could not be reached, or the connection was lost."""


class ElevenLabsTimeoutError(ElevenLabsConnectionError, TimeoutError):
    """No whole reply came in time."""


class ElevenLabsTLSError(ElevenLabsConnectionError):
    """The other side could not be trusted, because of its certificate or its version of TLS. Never retried."""


class InvalidResponseError(ElevenLabsError):
    """The reply is not what the API promises: a redirect, not JSON, without a token, or too large. Never retried."""


class ElevenLabsStatusError(ElevenLabsError):
    """The API replied with an error status.

    This is the base of all errors of one status, such as `RateLimitError`. It is raised itself where a status has no
    class of its own, such as 409.
    """


class BadRequestError(ElevenLabsStatusError):
    """The API could not use the request (400)."""


class AuthenticationError(ElevenLabsStatusError):
    """The API refused the key, or received none (401)."""


class PaymentRequiredError(ElevenLabsStatusError):
    """The account has no credit left for this (402, or 401 with status `quota_exceeded`)."""


class PermissionDeniedError(ElevenLabsStatusError):
    """The API key is valid but may not do this (403, or 401 with status `missing_permissions`)."""


class NotFoundError(ElevenLabsStatusError):
    """The API has nothing at this path (404)."""


class UnprocessableEntityError(ElevenLabsStatusError):
    """The API found something wrong with the request (422).

    Attributes:
        errors: What it found wrong, item by item. Empty if it did not say.
    """

    def __init__(self, text: str, *, errors: tuple[ValidationErrorItem, ...] = (), **api: Any) -> None:
        super().__init__(text, **api)
        self.errors = errors


class _RetryAfterError(ElevenLabsStatusError):
    def __init__(self, text: str, *, retry_after: float | None = None, **api: Any) -> None:
        super().__init__(text, **api)
        self.retry_after = retry_after


class RateLimitError(_RetryAfterError):
    """The API still answered "too many requests" after the last attempt (429).

    Attributes:
        retry_after: How many seconds to wait before the next call, as the API said; None if it did not say.
    """


class ServerError(_RetryAfterError):
    """The API still failed after the last attempt (5xx).

    Attributes:
        retry_after: How many seconds to wait before the next call, as the API said; None if it did not say.
    """


_BY_STATUS: Mapping[int, type[ElevenLabsStatusError]] = MappingProxyType(
    {
        HTTPStatus.BAD_REQUEST: BadRequestError,
        HTTPStatus.UNAUTHORIZED: AuthenticationError,
        HTTPStatus.PAYMENT_REQUIRED: PaymentRequiredError,
        HTTPStatus.FORBIDDEN: PermissionDeniedError,
        HTTPStatus.NOT_FOUND: NotFoundError,
        HTTPStatus.UNPROCESSABLE_ENTITY: UnprocessableEntityError,
        HTTPStatus.TOO_MANY_REQUESTS: RateLimitError,
    }
)


def status_error_class(status_code: int, api_status: str | None) -> type[ElevenLabsStatusError]:
    """Give the class for an error status.

    Args:
        status_code: The HTTP status, from 400 to 599.
        api_status: The API's `status`. The live API also answers 401 to a key that lacks a permission and, in older
            replies, to an account without credit; only this word tells the cases apart.
    """
    if status_code == HTTPStatus.UNAUTHORIZED:
        if api_status == "missing_permissions":
            return PermissionDeniedError
        if api_status == "quota_exceeded":
            return PaymentRequiredError
    if status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerError
    return _BY_STATUS.get(status_code, ElevenLabsStatusError)
