"""From parsed JSON to models, through one cattrs converter that takes scalars as they are."""

import re
from datetime import UTC, datetime
from typing import Any, NewType

from attrs import define, has
from cattrs import BaseConverter, BaseValidationError, transform_error
from cattrs.gen import make_dict_structure_fn

from elevenlabs_tokens.models import TOKEN_LIFETIME_IN_SECONDS, SingleUseTokenResponseModel
from elevenlabs_tokens.responses import ValidationErrorItem

# No control characters, and no halves of surrogate pairs: neither survives a header, a URL or UTF-8.
_TOKEN_TEXT = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,4096}")

_TokenText = NewType("_TokenText", str)


@define(eq=False, repr=False)
class _TokenBody:
    token: _TokenText


def _text(value: Any, _: Any) -> str:
    """Take a text as it is: cattrs alone would turn null into the text `None`."""
    if type(value) is not str:
        raise TypeError
    return value


def _token_text(value: Any, _: Any) -> str:
    if type(value) is not str or not _TOKEN_TEXT.fullmatch(value):
        raise TypeError
    return value


def _location(value: Any, _: Any) -> tuple[str | int, ...]:
    if type(value) is not list or any(type(part) not in (str, int) for part in value):
        raise TypeError
    return tuple(value)


def _make_converter() -> BaseConverter:
    converter = BaseConverter()  # of what a `Converter` adds, the one thing that is needed
    converter.register_structure_hook_factory(has, make_dict_structure_fn)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(_TokenText, _token_text)
    converter.register_structure_hook_func(lambda kind: kind == tuple[str | int, ...], _location)
    return converter


_converter = _make_converter()
# Made here, once, so that the first call does not pay for it.
_structure_token_body = _converter.get_structure_hook(_TokenBody)


def structure_token(
    token_type: str, websocket_base_url: str, document: Any, sent_at: float
) -> SingleUseTokenResponseModel:
    """Read the token out of a reply's JSON.

    Args:
        token_type: What was asked for; the reply does not say it.
        websocket_base_url: Of the host that was asked.
        document: The parsed JSON.
        sent_at: When the request was sent, in seconds since the epoch.

    Raises:
        cattrs.BaseValidationError: There is no token in it.
    """
    token = _structure_token_body(document, _TokenBody).token
    expires_at = datetime.fromtimestamp(sent_at + TOKEN_LIFETIME_IN_SECONDS, UTC)
    return SingleUseTokenResponseModel(token, token_type, expires_at, websocket_base_url)


def structure_validation_errors(detail: Any) -> tuple[ValidationErrorItem, ...]:
    """Read the items of a 422; those that are not of the documented shape stay in the error's `body`."""
    items: list[ValidationErrorItem] = []
    for item in detail if isinstance(detail, list) else ():
        try:
            items.append(_converter.structure(item, ValidationErrorItem))
        except BaseValidationError:
            continue
    return tuple(items)


def fault_of(error: BaseValidationError) -> str:
    """Say what was missing and where, and nothing of what was there instead."""
    return transform_error(error, format_exception=_expectation)[0]


def _expectation(_error: BaseException, _kind: type[Any] | None) -> str:
    return "expected a string"
