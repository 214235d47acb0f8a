from typing import Any

import pytest

from elevenlabs_tokens.emulator.api_errors import NEEDS_AUTHORIZATION, unknown_token_type, usual_error


def test_a_document_has_the_five_fields() -> None:
    """The error object names type, code, message, status and request id under `detail`."""
    expected = {
        "detail": {
            "type": "authentication_error",
            "code": "unauthorized",
            "message": "Neither authorization header nor xi-api-key received, please provide one.",
            "status": "needs_authorization",
            "request_id": "8f2c",
        }
    }

    assert expected == NEEDS_AUTHORIZATION.document("8f2c")


@pytest.mark.parametrize(
    ("http_status", "expected"),
    [
        (400, "validation_error"),
        (401, "authentication_error"),
        (402, "payment_required"),
        (403, "authorization_error"),
        (404, "not_found"),
        (408, "invalid_request"),
        (409, "conflict"),
        (429, "rate_limit_error"),
        (500, "internal_error"),
        (503, "service_unavailable"),
        (529, "internal_error"),
    ],
)
def test_each_status_code_has_its_type(http_status: int, expected: str) -> None:
    """Types go by the API's table; a code that is not in it goes with its class."""
    error = usual_error(http_status)

    assert (http_status, expected) == (error.http_status, error.type)
    assert error.message


def test_an_unknown_token_type_is_answered_as_fastapi_does() -> None:
    """The 422 is an array that names the place, the value, and what would do."""
    document: Any = unknown_token_type("nope")

    (item,) = document["detail"]
    assert ("enum", ["path", "token_type"], "nope") == (item["type"], item["loc"], item["input"])
    assert "Input should be 'realtime_scribe', 'batch_scribe', 'tts_websocket' or 'ttd_websocket'" == item["msg"]
