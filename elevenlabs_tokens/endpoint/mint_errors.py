"""What the route replies when a token cannot be minted."""

from elevenlabs_tokens.endpoint.replies import RefusedError, internal_error
from elevenlabs_tokens.exceptions import (
    ClientClosedError,
    ElevenLabsConfigError,
    ElevenLabsConnectionError,
    ElevenLabsError,
    ElevenLabsTimeoutError,
    ElevenLabsTLSError,
    RateLimitError,
    ServerError,
)


def refusal_of(error: BaseException) -> RefusedError:
    """Choose the refusal for an error of a mint. Nothing that the API said is in it, and its reason is our own text."""
    if not isinstance(error, ElevenLabsError):
        return internal_error(f"the mint raised {described(error)}")
    reason = str(error)
    if isinstance(error, ElevenLabsConfigError | ClientClosedError):
        return internal_error(reason)
    if isinstance(error, ElevenLabsTimeoutError):
        return RefusedError(504, "upstream_timeout", "ElevenLabs did not answer in time. Try again.", reason=reason)
    is_temporary = isinstance(error, RateLimitError | ServerError)
    if is_temporary or (isinstance(error, ElevenLabsConnectionError) and not isinstance(error, ElevenLabsTLSError)):
        return RefusedError(
            503,
            "upstream_unavailable",
            "ElevenLabs cannot be used at the moment. Try again later.",
            retry_after_in_seconds=getattr(error, "retry_after", None) or 1,
            reason=reason,
            request_id=error.request_id,
        )
    return RefusedError(
        502, "upstream_refused", "ElevenLabs gave no token.", reason=reason, request_id=error.request_id
    )


def described(error: BaseException) -> str:
    """Name an error and the line that raised it, but not its text: it may hold what the browser sent."""
    place = ""
    traceback = error.__traceback__
    while traceback is not None:
        place = f" at {traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return f"{type(error).__name__}{place}"
