"""Turns parsed JSON into models, with one cattrs converter that never converts a scalar."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NewType

from attrs import define, has
from cattrs import BaseConverter, BaseValidationError, transform_error
from cattrs.gen import make_dict_structure_fn

from elevenlabs_tokens.models import TOKEN_LIFETIME_IN_SECONDS, SingleUseTokenResponseModel
from elevenlabs_tokens.responses import ValidationErrorItem

# No control characters and no lone surrogates: a header, a URL or UTF-8 could not carry them.
_TOKEN_PATTERN = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,4096}")

_TokenString = NewType("_TokenString", str)


@define(eq=False, repr=False)
class _TokenBody:
    token: _TokenString


def _exact_string(value: Any, _: Any) -> str:
    """Accept a string and nothing else: cattrs alone would turn null into the string "None"."""
    if type(value) is not str:
        raise TypeError
    return value


def _exact_token(value: Any, _: Any) -> str:
    if type(value) is not str or not _TOKEN_PATTERN.fullmatch(value):
        raise TypeError
    return value


def _location(value: Any, _: Any) -> tuple[str | int, ...]:
    if type(value) is not list or any(type(part) not in (str, int) for part in value):
        raise TypeError
    return tuple(value)


def _make_converter() -> BaseConverter:
    converter = BaseConverter()  # takes less time to make than a `Converter`, of which only the next line is needed
    converter.register_structure_hook_factory(has, make_dict_structure_fn)
    converter.register_structure_hook(str, _exact_string)
    converter.register_structure_hook(_TokenString, _exact_token)
    converter.register_structure_hook_func(lambda kind: kind == tuple[str | int, ...], _location)
    return converter


_converter = _make_converter()
# Compiled at import, so that the first call does not have to.
_structure_token_body = _converter.get_structure_hook(_TokenBody)


def structure_token(
    token_type: str, websocket_base_url: str, document: Any, sent_at: float
) -> SingleUseTokenResponseModel:
    """Make the model of a token from a reply's JSON.

    Args:
        token_type: The type that was requested; the reply does not name it.
        websocket_base_url: The `wss:` address of the API that was called.
        document: The parsed JSON.
        sent_at: When the request was sent, in seconds since the epoch.

    Raises:
        cattrs.BaseValidationError: There is no valid token in the document.
    """
    token = _structure_token_body(document, _TokenBody).token
    expires_at = datetime.fromtimestamp(sent_at + TOKEN_LIFETIME_IN_SECONDS, UTC)
    return SingleUseTokenResponseModel(token, token_type, expires_at, websocket_base_url)


def structure_validation_errors(detail: Any) -> tuple[ValidationErrorItem, ...]:
    """Read the items of a 422, and skip those of an unknown shape, which can still be read in the error's `body`."""
    items: list[ValidationErrorItem] = []
    for item in detail if isinstance(detail, list) else ():
        with suppress(BaseValidationError):
            items.append(_converter.structure(item, ValidationErrorItem))
    return tuple(items)


def fault_of(error: BaseValidationError) -> str:
    """Say what was expected and where, but not what was there instead: it may be a secret."""
    return transform_error(error, format_exception=_expectation)[0]


def _expectation(_error: BaseException, _kind: type[Any] | None) -> str:
    return "expected a string"
