import copy
import pickle
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from elevenlabs_tokens import exceptions
from elevenlabs_tokens.exceptions import ElevenLabsError, status_error_class
from elevenlabs_tokens.responses import Headers, RawResponse, ValidationErrorItem
from pure.samples import pickled

KINDS: dict[str, type[ElevenLabsError]] = {
    name: value
    for name, value in vars(exceptions).items()
    if isinstance(value, type) and issubclass(value, ElevenLabsError) and not name.startswith("_")
}
EACH_KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)

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
OF_THE_RESPONSE = {"status_code": 429, "request_id": "r1"}
OF_ONE_CLASS: dict[str, dict[str, Any]] = {
    "UnprocessableEntityError": {"errors": (ValidationErrorItem(loc=("path", 0), msg="m", type="enum"),)},
    "RateLimitError": {"retry_after": 61.5},
    "ServerError": {"retry_after": 3600.0},
}


def drawn_tree() -> dict[str, set[str]]:
    """Read the drawing in the docstring: the name of each class, and those that it stands under."""
    tree: dict[str, set[str]] = {}
    above: list[tuple[int, str]] = []
    for line in (exceptions.__doc__ or "").splitlines():
        if drawn := re.match(r"([ │├└─]*)(\w+Error)(?: +\(also (\w+)\))?", line):
            above = [(indent, name) for indent, name in above if indent < len(drawn[1])]
            tree[drawn[2]] = {name for _, name in above} | ({drawn[3]} if drawn[3] else set())
            above.append((len(drawn[1]), drawn[2]))
    return tree


def test_the_tree_is_as_it_is_drawn() -> None:
    """Each class is drawn, under its parents; two of them are builtins as well, for code that catches those."""
    others = {"Exception", "BaseException", "object", "OSError", "_RetryAfterError"}

    found = {name: {parent.__name__ for parent in kind.__mro__[1:]} - others for name, kind in KINDS.items()}

    assert 16 == len(found)
    assert drawn_tree() == found


@EACH_KIND
def test_an_error_made_of_its_text_alone(kind: type[ElevenLabsError]) -> None:
    """It has every attribute: `errors` is an empty tuple, and all others are None."""
    error = kind("what happened")

    names = {*ATTRIBUTES, *OF_THE_RESPONSE, *OF_ONE_CLASS.get(kind.__name__, {})}
    assert "what happened" == str(error)
    assert {name: () if name == "errors" else None for name in names} == vars(error)


@pytest.mark.promise(row=45)
@EACH_KIND
@pytest.mark.parametrize(
    "copied",
    [*(partial(pickled, protocol=n) for n in range(pickle.HIGHEST_PROTOCOL + 1)), copy.copy, copy.deepcopy],
    ids=[*(f"pickle {n}" for n in range(pickle.HIGHEST_PROTOCOL + 1)), "copy", "deepcopy"],
)
def test_every_error_can_be_copied(
    kind: type[ElevenLabsError], copied: Callable[[ElevenLabsError], ElevenLabsError]
) -> None:
    """Its type, its text and every attribute are kept."""
    of_its_class = OF_ONE_CLASS.get(kind.__name__, {})
    error = kind("what happened", **ATTRIBUTES, **of_its_class)

    result = copied(error)

    assert kind is type(result)
    assert ("what happened", error.args) == (str(result), result.args)
    assert ATTRIBUTES | OF_THE_RESPONSE | of_its_class == vars(error) == vars(result)


@pytest.mark.parametrize(
    ("status_code", "api_status", "name"),
    [
        (400, None, "BadRequestError"),
        (400, "invalid_api_key", "BadRequestError"),
        (401, None, "AuthenticationError"),
        (401, "invalid_api_key", "AuthenticationError"),
        (401, "needs_authorization", "AuthenticationError"),
        (401, "missing_permissions", "PermissionDeniedError"),
        (401, "quota_exceeded", "PaymentRequiredError"),
        (402, None, "PaymentRequiredError"),
        (402, "missing_permissions", "PaymentRequiredError"),
        (403, None, "PermissionDeniedError"),
        (403, "quota_exceeded", "PermissionDeniedError"),
        (404, None, "NotFoundError"),
        (405, None, "ElevenLabsStatusError"),
        (408, None, "ElevenLabsStatusError"),
        (409, "already_running", "ElevenLabsStatusError"),
        (418, None, "ElevenLabsStatusError"),
        (422, None, "UnprocessableEntityError"),
        (429, "system_busy", "RateLimitError"),
        (499, None, "ElevenLabsStatusError"),
        (500, None, "ServerError"),
        (500, "quota_exceeded", "ServerError"),
        (501, None, "ServerError"),
        (503, None, "ServerError"),
        (529, None, "ServerError"),
        (599, None, "ServerError"),
    ],
)
def test_the_class_of_a_status(status_code: int, api_status: str | None, name: str) -> None:
    """The status decides, and for 401 the API's own word as well."""
    assert name == status_error_class(status_code, api_status).__name__
