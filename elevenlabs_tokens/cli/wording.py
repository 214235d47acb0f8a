"""Errors in the words of a shell: options and variables in place of Python's parameters and attributes."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from elevenlabs_tokens.cli.program import in_one_line
from elevenlabs_tokens.exceptions import ElevenLabsError, UnprocessableEntityError

_LONGEST_QUOTE = 200

_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "allow_insecure_http=True": "--allow-insecure-http",
        "api_keys": "--api-key",
        "base_url": "--base-url",
        "token_lifetime_in_seconds": "--token-lifetime",
        "token_type": "TOKEN_TYPE",
        "voice_id": "--voice-id",
        "voice_id and multi_context are": "--voice-id is",
    }
)
_PARAMETER = re.compile("|".join(sorted(_WORDS, key=len, reverse=True)))


def in_words_of_a_shell(text: str, **names: str) -> str:
    """Replace the names of Python's parameters by those of options; `names` go before the usual ones."""
    words = {**_WORDS, **names}
    return _PARAMETER.sub(lambda match: words[match.group()], text)


def what_happened(error: ElevenLabsError) -> str:
    """Say what happened, with the API's own words, and without what to do.

    The package's own text is `what happened; what to do`, and only its second half speaks of Python.
    """
    what = in_words_of_a_shell(str(error).partition("; ")[0])
    said = _said_by_the_api(error)
    return f"{what}: {said}" if said else what


def _said_by_the_api(error: ElevenLabsError) -> str:
    """Quote the API's own words, with the place of each item of a 422."""
    said = error.message or ""
    if isinstance(error, UnprocessableEntityError) and error.errors:
        said = ", ".join(f"{item.msg} ({'.'.join(map(str, item.loc))})" for item in error.errors)
    said = in_one_line(said).rstrip(".")
    return said if len(said) <= _LONGEST_QUOTE else f"{said[:_LONGEST_QUOTE]}..."
