"""Single-use tokens for ElevenLabs realtime speech: the API key stays on your backend.

    async with AsyncElevenLabsClient() as client:
        token = await client.tokens.single_use.create("realtime_scribe")

    with ElevenLabsClient() as client:
        token = client.tokens.single_use.create("realtime_scribe")

A name's module is loaded when the name is first used, so that importing the package takes almost no time.
"""

from elevenlabs_tokens._version import __version__

TYPE_CHECKING = False  # type checkers know this name too, and importing `typing` would take milliseconds
if TYPE_CHECKING:
    from elevenlabs_tokens._client import AsyncElevenLabsClient
    from elevenlabs_tokens._promise import HttpResponsePromise
    from elevenlabs_tokens._sync import ElevenLabsClient
    from elevenlabs_tokens.environments import ElevenLabsEnvironment
    from elevenlabs_tokens.exceptions import (
        AuthenticationError,
        BadRequestError,
        BlockingCallWarning,
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
    )
    from elevenlabs_tokens.models import SingleUseTokenResponseModel, SingleUseTokenType
    from elevenlabs_tokens.options import RequestOptions, RequestOptionsDict
    from elevenlabs_tokens.responses import RawResponse, ValidationErrorItem, WithRawResponse

_MODULES = {
    "_client": ("AsyncElevenLabsClient",),
    "_promise": ("HttpResponsePromise",),
    "_sync": ("ElevenLabsClient",),
    "environments": ("ElevenLabsEnvironment",),
    "exceptions": (
        "AuthenticationError",
        "BadRequestError",
        "BlockingCallWarning",
        "ClientClosedError",
        "ElevenLabsConfigError",
        "ElevenLabsConnectionError",
        "ElevenLabsError",
        "ElevenLabsStatusError",
        "ElevenLabsTimeoutError",
        "ElevenLabsTLSError",
        "InvalidResponseError",
        "NotFoundError",
        "PaymentRequiredError",
        "PermissionDeniedError",
        "RateLimitError",
        "ServerError",
        "UnprocessableEntityError",
    ),
    "models": ("SingleUseTokenResponseModel", "SingleUseTokenType"),
    "options": ("RequestOptions", "RequestOptionsDict"),
    "responses": ("RawResponse", "ValidationErrorItem", "WithRawResponse"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "AsyncElevenLabsClient",
    "AuthenticationError",
    "BadRequestError",
    "BlockingCallWarning",
    "ClientClosedError",
    "ElevenLabsClient",
    "ElevenLabsConfigError",
    "ElevenLabsConnectionError",
    "ElevenLabsEnvironment",
    "ElevenLabsError",
    "ElevenLabsStatusError",
    "ElevenLabsTLSError",
    "ElevenLabsTimeoutError",
    "HttpResponsePromise",
    "InvalidResponseError",
    "NotFoundError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "RateLimitError",
    "RawResponse",
    "RequestOptions",
    "RequestOptionsDict",
    "ServerError",
    "SingleUseTokenResponseModel",
    "SingleUseTokenType",
    "UnprocessableEntityError",
    "ValidationErrorItem",
    "WithRawResponse",
    "__version__",
]

# Hidden from type checkers: to them, a module with a `__getattr__` has every attribute, misspelt ones too.
if not TYPE_CHECKING:
    from elevenlabs_tokens._lazy import lazy_names

    __getattr__, __dir__ = lazy_names(globals(), _MODULE_OF)
