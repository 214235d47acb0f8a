"""What the API deals in: the types of token, and the token itself."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote

from attrs import field, frozen

from elevenlabs_tokens._query import QueryValue, encode_query
from elevenlabs_tokens._secrets import masked
from elevenlabs_tokens._tracebacks import clears_frames_on_error
from elevenlabs_tokens.environments import http_base_url
from elevenlabs_tokens.exceptions import ElevenLabsConfigError

TOKEN_LIFETIME_IN_SECONDS = 900
"""How long the API lets an unused token live. Source: API reference, read 2026-11-24."""

# No dot segment, which would lead to another path, and no half of a surrogate pair, which no encoding has.
_VOICE_ID = r"(?s)(?!\.+$)[^\ud800-\udfff]+"
_TOKEN_TYPE = re.compile(r"[a-z][a-z0-9_]{0,63}")


class SingleUseTokenType(StrEnum):
    """What a token opens.

    Source: POST /v1/single-use-token/{token_type}, API reference read 2026-11-24.
    """

    REALTIME_SCRIBE = "realtime_scribe"
    """Real-time transcription over a WebSocket."""
    BATCH_SCRIBE = "batch_scribe"
    """Transcription of one uploaded file."""
    TTS_WEBSOCKET = "tts_websocket"
    """Text to speech over a WebSocket."""


def checked_token_type(token_type: object) -> str:
    """Give the token type as the plain text that goes into the path.

    The list of types is open, for the API knows more than it documents; the form is not, for what is sent to the
    path of a request with a key must not lead to another endpoint.

    Raises:
        ElevenLabsConfigError: It is not of the form `[a-z][a-z0-9_]{0,63}`.
    """
    if isinstance(token_type, str) and (match := _TOKEN_TYPE.fullmatch(token_type)):
        return match.group()
    known = ", ".join(SingleUseTokenType)
    raise ElevenLabsConfigError(
        f"token_type must be one of {known}, or another name of lower-case letters, digits and underscores "
        "(at most 64); nothing was sent"
    )


class Connection(NamedTuple):
    """The one connection that a type of token opens, and the query parameter that carries the token there."""

    path: str
    parameter: str
    over_http: bool = False


# The parameter is `token` for speech to text and `single_use_token` for the rest; swapped, the API refuses it.
_CONNECTIONS: Mapping[str, Connection] = MappingProxyType(
    {
        "realtime_scribe": Connection("/v1/speech-to-text/realtime", "token"),
        "batch_scribe": Connection("/v1/speech-to-text", "token", over_http=True),
        "tts_websocket": Connection("/v1/text-to-speech/{voice_id}/stream-input", "single_use_token"),
        # Not in the vendor's SDKs, but the only type that the text-to-dialogue socket takes.
        "ttd_websocket": Connection("/v1/text-to-dialogue/stream-input", "single_use_token"),
    }
)
_MULTI_CONTEXT = Connection("/v1/text-to-speech/{voice_id}/multi-stream-input", "single_use_token")


def connection_of(token_type: str, *, voice_id: str | None, multi_context: bool = False) -> Connection:
    """Tell what a type of token opens.

    Raises:
        ElevenLabsConfigError: It is not known, or the voice does not fit it.
    """
    connection = _CONNECTIONS.get(token_type)
    if connection is None:
        raise ElevenLabsConfigError(f"it is not known what a {token_type} token opens; build its URL yourself")
    if "{voice_id}" not in connection.path:
        if voice_id is not None or multi_context:
            raise ElevenLabsConfigError(
                f"voice_id and multi_context are for tts_websocket; this is a {token_type} token"
            )
        return connection
    if not isinstance(voice_id, str) or not re.fullmatch(_VOICE_ID, voice_id):
        raise ElevenLabsConfigError(f"a {token_type} token opens the socket of one voice; give its voice_id")
    return _MULTI_CONTEXT if multi_context else connection


@frozen
class SingleUseTokenResponseModel:
    """A token that opens one connection and then stops working.

    Attributes:
        token: The secret to hand to one signed-in user's frontend. Masked in the `repr`.
        token_type: What it opens.
        expires_at: When it lapses unused (UTC): 900 s after the request that brought it was sent, by this
            machine's clock, so never later than the truth.
        websocket_base_url: Where its socket opens: the host that minted it.

    Source: POST /v1/single-use-token/{token_type}, API reference read 2026-11-24.
    """

    token: str = field(repr=masked)
    token_type: str
    expires_at: datetime
    websocket_base_url: str

    def seconds_left(self, at: datetime | None = None) -> float:
        """Tell how long the token lives on if it is not used.

        Args:
            at: The moment to count from, with a time zone; now if None.

        Returns:
            Seconds, 0.0 once it has lapsed.

        Raises:
            ElevenLabsConfigError: `at` has no time zone.
        """
        moment: Any = datetime.now(UTC) if at is None else at
        if not isinstance(moment, datetime) or moment.tzinfo is None:
            raise ElevenLabsConfigError("at must be a datetime with a time zone, such as datetime.now(UTC)")
        return max(0.0, self.expires_at.timestamp() - moment.timestamp())

    @clears_frames_on_error
    def connect_url(self, *, voice_id: str | None = None, multi_context: bool = False, **query: QueryValue) -> str:
        """Give the one URL that this token opens. It holds the token, so treat it as a secret.

        Args:
            voice_id: The voice that speaks; needed for `tts_websocket`, and for it alone.
            multi_context: Whether a `tts_websocket` token opens the socket of several streams.
            query: Further query parameters of that endpoint, such as `model_id="scribe_v2_realtime"`. Booleans
                become `true` and `false`, sequences are repeated, None is left out.

        Returns:
            A `wss` URL (`ws` for an `http` base URL), or an `https` one for `batch_scribe`.

        Raises:
            ElevenLabsConfigError: It is not known what the type opens, or an argument does not fit it.
        """
        connection = connection_of(self.token_type, voice_id=voice_id, multi_context=multi_context)
        if query.keys() & {"token", "single_use_token"}:
            raise ElevenLabsConfigError("connect_url fills the token in, under the name that its type asks for")
        base_url = http_base_url(self.websocket_base_url) if connection.over_http else self.websocket_base_url
        path = connection.path.format(voice_id=quote(voice_id or "", safe=""))
        return f"{base_url}{path}?{encode_query({connection.parameter: self.token, **query})}"

    def to_dict(self) -> dict[str, str]:
        """Give what a frontend needs, ready for JSON.

        Returns:
            `token`, `token_type`, `expires_at` (ISO 8601, ending in `Z`) and `websocket_base_url`.
        """
        return {
            "token": self.token,
            "token_type": self.token_type,
            "expires_at": self.expires_at.isoformat().replace("+00:00", "Z"),
            "websocket_base_url": self.websocket_base_url,
        }
