"""One log line for each request to the emulator, on the logger `elevenlabs_tokens.emulator`."""

import logging
import re
from collections.abc import Awaitable, Callable
from contextvars import ContextVar

from aiohttp import web

LOGGER = logging.getLogger("elevenlabs_tokens.emulator")
FIELDS = ("method", "path", "token_type", "outcome")
"""What the arguments of a log record are, in this order."""

_refusal: ContextVar[str | None] = ContextVar("refusal")
_SECRET = re.compile(r"(sutkn|sk)_[^/]*")  # somebody may have put one where the type of a token belongs
# The first pattern that fits the path decides. Mints name the type themselves.
_TYPES = {
    r"/v1/speech-to-text/realtime": "realtime_scribe",
    r"/v1/speech-to-text": "batch_scribe",
    r"/v1/text-to-speech/.*": "tts_websocket",
    r"/v1/text-to-dialogue/.*": "ttd_websocket",
}


def note_refusal(reason: str) -> None:
    """Say why the current request is refused, for its log line."""
    _refusal.set(reason)


@web.middleware
async def logged(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Log a request when it has been answered, or when its socket is closed; never a token and never a key."""
    _refusal.set(None)
    response = await handler(request)
    if LOGGER.isEnabledFor(logging.INFO):
        path = _SECRET.sub("***", request.raw_path.partition("?")[0])
        LOGGER.info("%s %s %s: %s", request.method, path, _type_of(path), _outcome(request, response))
    return response


def _type_of(path: str) -> str:
    mint = re.fullmatch("/v1/single-use-token/([^/]+)", path)
    if mint:
        return mint[1]
    return next((token_type for pattern, token_type in _TYPES.items() if re.fullmatch(pattern, path)), "-")


def _outcome(request: web.Request, response: web.StreamResponse) -> str:
    refusal = _refusal.get()
    if isinstance(response, web.WebSocketResponse):
        if refusal:
            return f"refused ({refusal})"
        return f"closed with {response.close_code}" if response.close_code else "connection lost"
    if request.transport is None or request.transport.is_closing():
        return "connection lost"
    return f"{response.status} ({refusal})" if refusal else str(response.status)
