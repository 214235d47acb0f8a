"""The error bodies of the API's HTTP routes.

Source: https://elevenlabs.io/docs/eleven-api/resources/errors, and error bodies of the live API, read 2026-11-24.
"""

from http import HTTPStatus

from attrs import evolve, frozen

from elevenlabs_tokens.emulator.ledger import TOKEN_TYPES


@frozen(kw_only=True)
class ApiError:
    """An error of the API, without the id of the request that caused it.

    Attributes:
        http_status: The reply's status code.
        type: The kind of error; each status code has one.
        code: The error's name in the API's documentation.
        status: The error's older name. The live API still sends it, and it often says more than `code`.
        message: A text for people.
    """

    http_status: int
    type: str
    code: str
    status: str
    message: str

    def document(self, request_id: str) -> dict[str, object]:
        """Give the body of a reply."""
        return {
            "detail": {
                "type": self.type,
                "code": self.code,
                "message": self.message,
                "status": self.status,
                "request_id": request_id,
            }
        }


# By status code: type, code, status, message.
_USUAL_ERRORS = {
    400: ("validation_error", "invalid_parameters", "invalid_parameters", "The parameters are invalid."),
    401: ("authentication_error", "unauthorized", "invalid_api_key", "Invalid API key"),
    402: ("payment_required", "insufficient_credits", "insufficient_credits", "Not enough credits are left."),
    403: ("authorization_error", "insufficient_permissions", "insufficient_permissions", "This is not permitted."),
    404: ("not_found", "not_found", "not_found", "Not found."),
    409: ("conflict", "concurrent_modification", "concurrent_modification", "Another request got in between."),
    429: (
        "rate_limit_error",
        "concurrent_limit_exceeded",
        "too_many_concurrent_requests",
        "Too many concurrent requests.",
    ),
    503: ("service_unavailable", "service_unavailable", "service_unavailable", "The service is unavailable."),
}
_OTHER_CLIENT_ERROR = ("invalid_request", "invalid_request", "invalid_request", "The request is invalid.")
_OTHER_SERVER_ERROR = ("internal_error", "internal_error", "internal_error", "An internal error occurred.")


def usual_error(http_status: int) -> ApiError:
    """Give the error that the API usually sends with this status code, from 400 to 599."""
    other = _OTHER_CLIENT_ERROR if http_status < HTTPStatus.INTERNAL_SERVER_ERROR else _OTHER_SERVER_ERROR
    error_type, code, status, message = _USUAL_ERRORS.get(http_status, other)
    return ApiError(http_status=http_status, type=error_type, code=code, status=status, message=message)


INVALID_API_KEY = usual_error(HTTPStatus.UNAUTHORIZED)
NEEDS_AUTHORIZATION = evolve(
    INVALID_API_KEY,
    status="needs_authorization",
    message="Neither authorization header nor xi-api-key received, please provide one.",
)
INVALID_AUTHORIZATION_HEADER = evolve(
    INVALID_API_KEY,
    status="invalid_authorization_header",
    message="Provided authorization header was invalid.",
)


def unknown_token_type(token_type: str) -> dict[str, object]:
    """Give the body of the 422 for a token type that the API does not know; FastAPI writes it in this shape."""
    *others, last = (f"'{known}'" for known in TOKEN_TYPES)
    expected = f"{', '.join(others)} or {last}"
    return {
        "detail": [
            {
                "type": "enum",
                "loc": ["path", "token_type"],
                "msg": f"Input should be {expected}",
                "input": token_type,
                "ctx": {"expected": expected},
            }
        ]
    }


def missing_field(name: str) -> dict[str, object]:
    """Give the body of the 422 for a form without this field; FastAPI writes it in this shape."""
    return {"detail": [{"type": "missing", "loc": ["body", name], "msg": "Field required", "input": None}]}
