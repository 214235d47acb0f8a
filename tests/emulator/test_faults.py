from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from elevenlabs_tokens.emulator import Emulator
from elevenlabs_tokens.emulator.api_errors import usual_error
from elevenlabs_tokens.emulator.faults import plan_fault


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, (503, 0, False)),
        ({"headers": {"Retry-After": "3"}}, (503, 0, False)),
        ({"body": {"a": 1}}, (503, 0, False)),
        ({"status": 500, "delay_in_seconds": 1}, (500, 1, False)),
        ({"delay_in_seconds": 2.5}, (None, 2.5, False)),
        ({"delay_in_seconds": 0}, (None, 0, False)),
        ({"disconnect": True}, (None, 0, True)),
        ({"disconnect": True, "delay_in_seconds": 1}, (None, 1, True)),
    ],
)
def test_what_the_arguments_plan(arguments: Mapping[str, Any], expected: tuple[int | None, float, bool]) -> None:
    """The default status is 503; a delay alone leaves the good reply, and a cut connection has none."""
    fault = plan_fault(**arguments)

    assert expected == (fault.reply and fault.reply.status, fault.delay_in_seconds, fault.disconnect)


@pytest.mark.parametrize(
    ("body", "expected", "content_type"),
    [
        (None, None, "application/json"),
        ({"token": None}, b'{"token": null}', "application/json"),
        (MappingProxyType({"a": 1}), b'{"a": 1}', "application/json"),
        ([], b"[]", "application/json"),
        ("<h1>\u00e9</h1>", "<h1>\u00e9</h1>".encode(), "text/plain; charset=utf-8"),
        (b"\xff", b"\xff", "application/octet-stream"),
        ("", b"", "text/plain; charset=utf-8"),
    ],
)
def test_each_kind_of_body(body: Any, expected: bytes | None, content_type: str) -> None:
    """Mappings and lists become JSON, text and bytes stay as they are; without a body, the status decides later."""
    reply = plan_fault(status=400, body=body).reply

    assert reply is not None
    assert (expected, content_type) == (reply.body, reply.content_type)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        *(({"times": value}, "times must be a whole number, 1 or more") for value in (0, -1, 1.0, True, "1")),
        *(({"status": value}, "status must be a whole number from 200 to 599") for value in (199, 600)),
        ({"headers": [("a", "b")]}, "headers must map"),
        *(({"headers": value}, "name of a header") for value in ({"a b": "c"}, {1: "c"})),
        ({"headers": {"Retry-After": 3}}, "header Retry-After must be a string"),
        ({"headers": {"a": "b\r\nc: d"}}, "must be a string of one line"),
        ({"body": 5}, "body must be"),
        ({"body": {"a": {1, 2}}}, "cannot be written as JSON"),
        *(
            ({"delay_in_seconds": value}, "delay_in_seconds must be a number from 0 to 1000000000")
            for value in (-1, float("inf"), 10**400, True, "1")
        ),
        ({"disconnect": 1}, "disconnect must be"),
        ({"disconnect": True, "status": 503}, "disconnect cuts"),
        ({"disconnect": True, "headers": {}}, "disconnect cuts"),
        ({"disconnect": True, "body": ""}, "disconnect cuts"),
    ],
)
def test_bad_arguments_are_refused_at_the_call(arguments: dict[str, Any], message: str) -> None:
    """The error names the wrong argument."""
    with pytest.raises(ValueError, match=message):
        Emulator().fail_next(**arguments)


def test_each_status_code_has_its_usual_error() -> None:
    """The type is the one in the API's table; a code that is not in the table has the type of its class."""
    types = {
        400: "validation_error",
        401: "authentication_error",
        402: "payment_required",
        403: "authorization_error",
        404: "not_found",
        408: "invalid_request",
        409: "conflict",
        429: "rate_limit_error",
        500: "internal_error",
        503: "service_unavailable",
        529: "internal_error",
    }
    errors = [usual_error(status) for status in types]

    assert types == {error.http_status: error.type for error in errors}
    assert all(error.code and error.status and error.message for error in errors)
