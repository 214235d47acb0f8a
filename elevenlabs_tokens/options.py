"""The options of one call, and how they are merged over the defaults of its client."""

import math
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias, TypedDict, cast

from attrs import Attribute, evolve, field, fields, frozen

from elevenlabs_tokens._query import QueryValue, encode_query
from elevenlabs_tokens._secrets import Secret, masked
from elevenlabs_tokens._tracebacks import clears_frames_on_error, clears_frames_on_init_error
from elevenlabs_tokens.exceptions import ElevenLabsConfigError

ApiKey: TypeAlias = str | Callable[[], str] | Callable[[], Awaitable[str]]
"""An API key, or a callable, sync or async, that returns one and is asked once for each mint."""

API_KEY_VARIABLE = "ELEVENLABS_API_KEY"
_MOST_RETRIES = 10

_API_KEY = re.compile(r"[!-~]{1,4096}")
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t -~]*")

# Only the client sets these headers. Another value would change where the request ends, or who can read it.
_RESERVED_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "expect",
        "host",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "xi-api-key",
    }
)


@clears_frames_on_error
def checked_api_key(api_key: object) -> Secret:
    """Give the key as a `Secret`, or say what is wrong with it. The error does not show the key.

    Raises:
        ElevenLabsConfigError: It is not a text of 1 to 4,096 visible ASCII characters.
    """
    if isinstance(api_key, str) and (match := _API_KEY.fullmatch(api_key)):
        return Secret(match.group())
    if not isinstance(api_key, str):
        raise ElevenLabsConfigError(
            f"the API key is of type {type(api_key).__name__}; give it as text. Nothing was sent"
        )
    if not api_key:
        fault = "is empty"
    elif any(character.isspace() for character in api_key):
        fault = "has white space in it, such as the line end of a file"
    else:
        fault = "has characters that no key has, or is longer than 4,096 characters"
    raise ElevenLabsConfigError(f"the API key {fault}; copy it again from the ElevenLabs dashboard. Nothing was sent")


def checked_key_source(api_key: object) -> ApiKey:
    """Give the key, checked, or the callable that will be asked for it."""
    if callable(api_key):
        return cast("ApiKey", api_key)
    return checked_api_key(api_key)


def checked_seconds(value: object, name: str) -> float:
    """Give a number of seconds as a float. The error names it by `name`.

    Raises:
        ElevenLabsConfigError: It is not a finite number over 0.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(seconds := _as_float(value)) or seconds <= 0:
        raise ElevenLabsConfigError(f"{name} must be a finite number of seconds over 0, such as 5.0")
    return seconds


def _as_float(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]  # it is a number: the caller has checked that
    except OverflowError:
        return math.inf


def checked_max_retries(value: object) -> int:
    """Give the number of retries: of attempts after the first.

    Raises:
        ElevenLabsConfigError: It is not an integer from 0 to 10.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_RETRIES:
        return value
    raise ElevenLabsConfigError(f"max_retries must be an integer from 0 (one attempt) to {_MOST_RETRIES}")


def checked_headers(headers: object) -> Mapping[str, str | None]:
    """Give the headers, with their names in lower case. The value None means that the header is removed.

    Raises:
        ElevenLabsConfigError: A name or a value is not allowed in a header, a name is given twice, or only the
            client may set that header.
    """
    if not isinstance(headers, Mapping):
        raise ElevenLabsConfigError(f"headers is of type {type(headers).__name__}; give a mapping of names to text")
    checked: dict[str, str | None] = {}
    for name, value in headers.items():
        if not isinstance(name, str) or not (name_match := HEADER_NAME.fullmatch(name)):
            raise ElevenLabsConfigError("a header's name is not valid; use letters, digits and hyphens")
        lowered = name_match.group().lower()
        if lowered in _RESERVED_HEADERS:
            hint = "; give the key as api_key" if lowered == "xi-api-key" else ""
            raise ElevenLabsConfigError(f"header {lowered!r} is set by the client and cannot be given{hint}")
        if lowered in checked:
            raise ElevenLabsConfigError(f"header {lowered[:40]!r} is given twice, in different cases")
        if value is None:
            checked[lowered] = None
        elif isinstance(value, str) and (value_match := _HEADER_VALUE.fullmatch(value)):
            checked[lowered] = value_match.group()
        else:
            raise ElevenLabsConfigError(
                f"the value of header {lowered[:40]!r} must be text of ASCII characters without line ends; "
                "encode other characters"
            )
    return MappingProxyType(checked)


def _checked_query(query_params: object) -> str:
    if not isinstance(query_params, Mapping):
        raise ElevenLabsConfigError(f"query_params is of type {type(query_params).__name__}; give a mapping")
    return encode_query(query_params)


def _names_alone(values: Mapping[str, object] | None) -> str:
    """Show the names without their values, which may be credentials."""
    return repr(sorted(values)) if values else repr(values)


def _checked_by(check: Callable[[object], object]) -> Callable[[object, "Attribute[Any]", object], None]:
    """Make a validator that applies a check to a field, unless the field is None."""

    def validate(_instance: object, _attribute: "Attribute[Any]", value: object) -> None:
        if value is not None:
            check(value)

    return validate


def _checked_timeout(value: object) -> float:
    return checked_seconds(value, "timeout_in_seconds")


def _checked_attempt_timeout(value: object) -> float:
    return checked_seconds(value, "attempt_timeout_in_seconds")


@clears_frames_on_init_error
@frozen(kw_only=True)
class RequestOptions:
    """The options of one call. For an option that is None, the call uses what its client was made with.

    Attributes:
        timeout_in_seconds: The longest that the whole call may take: all attempts, and the waits between them.
        attempt_timeout_in_seconds: The longest that one attempt may take, from connecting to the end of the reply.
        max_retries: How many attempts may follow the first, from 0 to 10.
        api_key: The API key for this call, or a callable, sync or async, that returns it.
        headers: Extra headers by their names. The value None removes one of the client's headers.
        query_params: Extra query parameters by their names: texts, numbers, booleans (sent as `true` and `false`),
            or sequences of these (sent as one parameter for each item). None is left out.

    Raises:
        ElevenLabsConfigError: An option cannot be used. This is raised here, before anything is sent.
    """

    timeout_in_seconds: float | None = field(default=None, validator=_checked_by(_checked_timeout))
    attempt_timeout_in_seconds: float | None = field(default=None, validator=_checked_by(_checked_attempt_timeout))
    max_retries: int | None = field(default=None, validator=_checked_by(checked_max_retries))
    api_key: ApiKey | None = field(default=None, validator=_checked_by(checked_key_source), repr=masked)
    headers: Mapping[str, str | None] | None = field(
        default=None, validator=_checked_by(checked_headers), repr=_names_alone
    )
    query_params: Mapping[str, QueryValue] | None = field(
        default=None, validator=_checked_by(_checked_query), repr=_names_alone
    )


class RequestOptionsDict(TypedDict, total=False):
    """The options of one call as a dict: the names of `RequestOptions`, and two names that the vendor's SDK uses.

    Type checkers find a misspelt name. At run time any mapping with these names is accepted, and an unknown name is
    an `ElevenLabsConfigError`. The vendor's `additional_headers` means `headers`, and its
    `additional_query_parameters` means `query_params`; the two names of one option cannot be given together.
    """

    timeout_in_seconds: float | None
    attempt_timeout_in_seconds: float | None
    max_retries: int | None
    api_key: ApiKey | None
    headers: Mapping[str, str | None] | None
    query_params: Mapping[str, QueryValue] | None
    additional_headers: Mapping[str, str | None] | None
    additional_query_parameters: Mapping[str, QueryValue] | None


_NAMES = tuple(attribute.name for attribute in fields(RequestOptions))
_VENDOR_NAMES = MappingProxyType({"additional_headers": "headers", "additional_query_parameters": "query_params"})


def checked_request_options(options: RequestOptions | Mapping[str, object] | None) -> RequestOptions | None:
    """Give the options of a call as `RequestOptions`; a mapping has the names of `RequestOptionsDict`.

    Raises:
        ElevenLabsConfigError: A name is unknown, two names of one option are given, or a value cannot be used.
    """
    if options is None or isinstance(options, RequestOptions):
        return options
    if not isinstance(options, Mapping):
        raise ElevenLabsConfigError(
            f"request_options is of type {type(options).__name__}; give RequestOptions or a mapping"
        )
    given: dict[str, Any] = {}
    for name, value in options.items():
        known = _VENDOR_NAMES.get(name, name)
        if known not in _NAMES:
            raise ElevenLabsConfigError(
                f"request_options has no {str(name)[:40]!r}; it has {', '.join((*_NAMES, *_VENDOR_NAMES))}"
            )
        if known in given:
            raise ElevenLabsConfigError(f"request_options names {known} twice; give it under one name")
        given[known] = value
    return RequestOptions(**given)


def _headers_or_empty(headers: object) -> Mapping[str, str | None]:
    return checked_headers({} if headers is None else headers)


def _key_source_or_none(api_key: object) -> ApiKey | None:
    return None if api_key is None else checked_key_source(api_key)


def key_or_environment(api_key: ApiKey | None) -> ApiKey | None:
    """Give the key, or the callable for it; without either, `ELEVENLABS_API_KEY`, which counts as unset if empty."""
    return api_key if api_key is not None else os.environ.get(API_KEY_VARIABLE) or None


@frozen(kw_only=True, eq=False, repr=False)
class CallSettings:
    """What a call is made with, checked: the client's defaults, or these with the options of one call over them."""

    timeout_in_seconds: float = field(converter=_checked_timeout)
    attempt_timeout_in_seconds: float = field(converter=_checked_attempt_timeout)
    max_retries: int = field(converter=checked_max_retries)
    api_key: ApiKey | None = field(converter=_key_source_or_none)
    headers: Mapping[str, str | None] = field(converter=_headers_or_empty)
    query: str = ""

    def merged(self, options: RequestOptions | None) -> "CallSettings":
        """Give these settings, changed by those options that are not None."""
        if options is None:
            return self
        given: dict[str, Any] = {
            name: value
            for name in ("timeout_in_seconds", "attempt_timeout_in_seconds", "max_retries", "api_key")
            if (value := getattr(options, name)) is not None
        }
        if options.headers is not None:
            given["headers"] = {**self.headers, **checked_headers(options.headers)}
        if options.query_params is not None:
            given["query"] = _checked_query(options.query_params)
        return evolve(self, **given)
