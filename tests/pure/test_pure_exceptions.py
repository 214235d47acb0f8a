import copy
import pickle
import re
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import pytest

from elevenlabs_tokens import exceptions
from elevenlabs_tokens.exceptions import (
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
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
    status_error_class,
)
from elevenlabs_tokens.responses import Headers, RawResponse, ValidationErrorItem
from pure.samples import pickled

E = TypeVar("E", bound=ElevenLabsError)

PARENTS: dict[type[ElevenLabsError], type[Exception]] = {
    ElevenLabsError: Exception,
    ElevenLabsConfigError: ElevenLabsError,
    ClientClosedError: ElevenLabsError,
    ElevenLabsConnectionError: ElevenLabsError,
    ElevenLabsTimeoutError: ElevenLabsConnectionError,
    ElevenLabsTLSError: ElevenLabsConnectionError,
    InvalidResponseError: ElevenLabsError,
    ElevenLabsStatusError: ElevenLabsError,
    BadRequestError: ElevenLabsStatusError,
    AuthenticationError: ElevenLabsStatusError,
    PaymentRequiredError: ElevenLabsStatusError,
    PermissionDeniedError: ElevenLabsStatusError,
    NotFoundError: ElevenLabsStatusError,
    UnprocessableEntityError: ElevenLabsStatusError,
    RateLimitError: ElevenLabsStatusError,
    ServerError: ElevenLabsStatusError,
}
CLASSES = pytest.mark.parametrize("kind", PARENTS, ids=lambda kind: kind.__name__)

RAW_RESPONSE = RawResponse(
    status_code=429,
    headers=Headers([("Request-Id", "r1")]),
    url="https://h/v1",
    request_id="r1",
    retries_taken=2,
    elapsed_in_seconds=1.5,
)
ATTRIBUTES: dict[str, Any] = {
    "message": "Slow down",
    "code": "rate_limit_exceeded",
    "api_status": "system_busy",
    "body": {"detail": [1, "a"]},
    "raw_response": RAW_RESPONSE,
}
OF_ONE_CLASS: dict[type[ElevenLabsError], dict[str, Any]] = {
    UnprocessableEntityError: {"errors": (ValidationErrorItem(loc=("path", 0), msg="m", type="enum"),)},
    RateLimitError: {"retry_after": 61.5},
    ServerError: {"retry_after": 3600.0},
}


def full(kind: type[E]) -> E:
    return kind("what happened", **ATTRIBUTES, **OF_ONE_CLASS.get(kind, {}))


@CLASSES
def test_the_tree(kind: type[ElevenLabsError]) -> None:
    """Each class stands under its parent, and under `ElevenLabsError`."""
    assert issubclass(kind, PARENTS[kind])
    assert issubclass(kind, ElevenLabsError)


def test_the_drawing_shows_every_class() -> None:
    """The docstring names what the module has, and nothing else."""
    public = {
        name
        for name, value in vars(exceptions).items()
        if isinstance(value, type) and issubclass(value, ElevenLabsError) and not name.startswith("_")
    }

    assert {kind.__name__ for kind in PARENTS} == public
    assert public == set(re.findall(r"\b[A-Z]\w+Error\b", exceptions.__doc__ or "")) - {"ValueError", "TimeoutError"}


@pytest.mark.parametrize(
    ("kind", "builtin"), [(ElevenLabsConfigError, ValueError), (ElevenLabsTimeoutError, TimeoutError)]
)
def test_two_are_builtins_as_well(kind: type[ElevenLabsError], builtin: type[Exception]) -> None:
    """Code that catches the builtin catches them."""
    with pytest.raises(builtin):
        raise kind("text")


@CLASSES
def test_all_is_none_where_there_is_none(kind: type[ElevenLabsError]) -> None:
    """An error made of its text alone has every attribute."""
    error = kind("what happened")

    assert "what happened" == str(error)
    assert [None] * 7 == [
        error.message,
        error.status_code,
        error.code,
        error.api_status,
        error.body,
        error.raw_response,
        error.request_id,
    ]


def test_an_error_without_items_has_none() -> None:
    """`errors` is always a tuple."""
    assert () == UnprocessableEntityError("text").errors


@pytest.mark.parametrize("kind", [RateLimitError, ServerError])
def test_an_error_without_a_wait(kind: type[RateLimitError] | type[ServerError]) -> None:
    """`retry_after` is None where the API named none."""
    assert kind("text").retry_after is None


@CLASSES
def test_status_and_request_id_are_the_responses(kind: type[ElevenLabsError]) -> None:
    """They stand on the error itself, too."""
    error = full(kind)

    assert (429, "r1") == (error.status_code, error.request_id)


@pytest.mark.promise(row=45)
@CLASSES
@pytest.mark.parametrize(
    "copied",
    [*(partial(pickled, protocol=n) for n in range(pickle.HIGHEST_PROTOCOL + 1)), copy.copy, copy.deepcopy],
    ids=[*(f"pickle {n}" for n in range(pickle.HIGHEST_PROTOCOL + 1)), "copy", "deepcopy"],
)
def test_every_error_can_be_copied(
    kind: type[ElevenLabsError], copied: Callable[[ElevenLabsError], ElevenLabsError]
) -> None:
    """Its type, its text and every attribute are kept."""
    error = full(kind)

    result = copied(error)

    assert kind is type(result)
    assert ("what happened", error.args) == (str(result), result.args)
    assert vars(error) == vars(result)
    assert ATTRIBUTES | OF_ONE_CLASS.get(kind, {}) == {
        name: value for name, value in vars(result).items() if name not in {"status_code", "request_id"}
    }


@pytest.mark.parametrize(
    ("status_code", "api_status", "kind"),
    [
        (400, None, BadRequestError),
        (400, "invalid_api_key", BadRequestError),
        (401, None, AuthenticationError),
        (401, "invalid_api_key", AuthenticationError),
        (401, "needs_authorization", AuthenticationError),
        (401, "missing_permissions", PermissionDeniedError),
        (401, "quota_exceeded", PaymentRequiredError),
        (402, None, PaymentRequiredError),
        (402, "missing_permissions", PaymentRequiredError),
        (403, None, PermissionDeniedError),
        (403, "quota_exceeded", PermissionDeniedError),
        (404, None, NotFoundError),
        (405, None, ElevenLabsStatusError),
        (408, None, ElevenLabsStatusError),
        (409, "already_running", ElevenLabsStatusError),
        (418, None, ElevenLabsStatusError),
        (422, None, UnprocessableEntityError),
        (429, "system_busy", RateLimitError),
        (499, None, ElevenLabsStatusError),
        (500, None, ServerError),
        (500, "quota_exceeded", ServerError),
        (501, None, ServerError),
        (503, None, ServerError),
        (529, None, ServerError),
        (599, None, ServerError),
    ],
)
def test_the_class_of_a_status(status_code: int, api_status: str | None, kind: type[ElevenLabsError]) -> None:
    """The status decides, and for 401 the API's own word as well."""
    assert kind is status_error_class(status_code, api_status)
