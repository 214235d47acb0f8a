"""Errors in the words of a shell: options and variables in place of Python's parameters and attributes."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from elevenlabs_tokens.cli.program import in_one_line
from elevenlabs_tokens.exceptions import (
    AuthenticationError,
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
)
from elevenlabs_tokens.models import SingleUseTokenType

_LONGEST_QUOTE = 200

_ADVICE: Mapping[type[ElevenLabsError], str] = MappingProxyType(
    {
        AuthenticationError: "check the API key in ELEVENLABS_API_KEY",
        PaymentRequiredError: "the account needs credit, or another plan",
        PermissionDeniedError: "give this API key the missing permission in the ElevenLabs dashboard",
        NotFoundError: "check --base-url or ELEVENLABS_BASE_URL",
        UnprocessableEntityError: f"known token types: {', '.join(SingleUseTokenType)}",
        RateLimitError: "wait, then call less often",
        ServerError: "the API has a problem: try again later",
        ElevenLabsStatusError: "check the arguments and ELEVENLABS_API_KEY",
        InvalidResponseError: "check --base-url or ELEVENLABS_BASE_URL, and HTTPS_PROXY",
        ElevenLabsTimeoutError: "check the network, or try again later",
        ElevenLabsTLSError: "check --base-url or ELEVENLABS_BASE_URL; for a private authority, set SSL_CERT_FILE",
        ElevenLabsConnectionError: "check the network, --base-url or ELEVENLABS_BASE_URL, and HTTPS_PROXY",
    }
)

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


def explanation(error: ElevenLabsError) -> str:
    """Say what happened and what to do.

    The package's own text is `what happened; what to do`, and only its second half speaks of Python.
    """
    advice = next((_ADVICE[kind] for kind in type(error).__mro__ if kind in _ADVICE), None)
    return in_words_of_a_shell(str(error)) if advice is None else f"{what_happened(error)}; {advice}"


def what_happened(error: ElevenLabsError) -> str:
    """Say what happened, with the API's own words, and without what to do."""
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
