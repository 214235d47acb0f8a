"""Makes query strings from Python values."""

import math
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from elevenlabs_tokens.exceptions import ElevenLabsConfigError

QueryScalar = str | int | float | bool
QueryValue = QueryScalar | Sequence[QueryScalar] | None


def encode_query(query: Mapping[Any, Any]) -> str:
    """Encode names and values for a URL.

    Booleans become `true` and `false`. A sequence becomes one parameter for each item. None is left out.

    Raises:
        ElevenLabsConfigError: A name is not text or is empty; or a value is not None, text, a boolean, a finite
            number, or a sequence of these.
    """
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        if not isinstance(name, str) or not name:
            raise ElevenLabsConfigError(f"the name of a query parameter is {_description(name)}; give it as text")
        if value is None:
            continue
        repeated = value if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray) else (value,)
        pairs += [(str.__str__(name), _value_as_text(name, item)) for item in repeated]
    try:
        return urlencode(pairs, quote_via=quote)
    except UnicodeEncodeError:
        pass
    raise ElevenLabsConfigError("a query parameter has half of a surrogate pair in it, which cannot be encoded")


def _value_as_text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return str.__str__(value)  # not `str(value)`: a member of an enum would give its name
    if isinstance(value, float) and math.isfinite(value):
        return float.__repr__(value)
    if isinstance(value, int):
        try:
            return int.__repr__(value)
        except ValueError:  # it has more digits than Python converts to text
            pass
    raise ElevenLabsConfigError(
        f"query parameter {name[:40]!r} is {_description(value)}; "
        "give text, a finite number, a bool, or a sequence of them"
    )


def _description(value: object) -> str:
    return f"of type {type(value).__name__}" if not isinstance(value, str) or value else "empty"
