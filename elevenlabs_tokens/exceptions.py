"""What can go wrong, as one tree.

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
    """Base of all that this package raises.

    `str(error)` is the package's own text: what happened, why, and what to do next; it is shorter than
    300 characters and never quotes a reply. What the API said is in the attributes.

    Attributes:
        message: The API's own text.
        status_code: The HTTP status.
        code: The API's `code`, else its `status`: `"unauthorized"`.
        api_status: The API's `status`, the more telling word: `"invalid_api_key"`.
        body: The parsed JSON of an error status.
        raw_response: The response that the error was read from.
        request_id: The API's own name for the request.

    Each is None where there is none. A key that the API echoed stands as `***` in all of them.
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
    """A sync client was called inside a running event loop, which stands still meanwhile."""


class ElevenLabsConfigError(ElevenLabsError, ValueError):
    """Refused before anything was sent: an argument, an option or a setting is not one that can work."""


class ClientClosedError(ElevenLabsError):
    """The client was closed before the call, or while it waited."""


class ElevenLabsConnectionError(ElevenLabsError):
    """No whole reply came: the host was not reached, or the connection was lost."""


class ElevenLabsTimeoutError(ElevenLabsConnectionError, TimeoutError):
    """No whole reply came in time."""


class ElevenLabsTLSError(ElevenLabsConnectionError):
    """The other side could not be trusted: its certificate or its TLS was refused. Never retried."""


class InvalidResponseError(ElevenLabsError):
    """A reply that is not what the API promises: a redirect, not JSON, no token, too large. Never retried."""


class ElevenLabsStatusError(ElevenLabsError):
    """An error status, of those that have no class of their own."""


class BadRequestError(ElevenLabsStatusError):
    """The API could not use the request (400)."""


class AuthenticationError(ElevenLabsStatusError):
    """The API key was refused, or none arrived (401)."""


class PaymentRequiredError(ElevenLabsStatusError):
    """The account has no credit left for this (402, or 401 with status `quota_exceeded`)."""


class PermissionDeniedError(ElevenLabsStatusError):
    """The API key is valid but may not do this (403, or 401 with status `missing_permissions`)."""


class NotFoundError(ElevenLabsStatusError):
    """Nothing is at that address (404)."""


class UnprocessableEntityError(ElevenLabsStatusError):
    """The API found the request not valid (422).

    Attributes:
        errors: What it found wrong, item by item; empty where it did not say.
    """

    def __init__(self, text: str, *, errors: tuple[ValidationErrorItem, ...] = (), **api: Any) -> None:
        super().__init__(text, **api)
        self.errors = errors


class _RetryAfterError(ElevenLabsStatusError):
    def __init__(self, text: str, *, retry_after: float | None = None, **api: Any) -> None:
        super().__init__(text, **api)
        self.retry_after = retry_after


class RateLimitError(_RetryAfterError):
    """Still too many requests after the last attempt (429).

    Attributes:
        retry_after: The seconds to wait that the API named, or None.
    """


class ServerError(_RetryAfterError):
    """The API still failed after the last attempt (5xx).

    Attributes:
        retry_after: The seconds to wait that the API named, or None.
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
    """Tell the class of an error status (400 to 599).

    Args:
        status_code: The HTTP status.
        api_status: The API's `status` word. The live API answers 401 to a key that lacks a permission and,
            in its older form, to an account without credit; this word tells them apart.
    """
    if status_code == HTTPStatus.UNAUTHORIZED:
        if api_status == "missing_permissions":
            return PermissionDeniedError
        if api_status == "quota_exceeded":
            return PaymentRequiredError
    if status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerError
    return _BY_STATUS.get(status_code, ElevenLabsStatusError)
