"""The types of token, the token itself, and the connection that it opens."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias
from urllib.parse import quote

from attrs import field, frozen

from elevenlabs_tokens._query import QueryValue, encode_query
from elevenlabs_tokens._secrets import masked
from elevenlabs_tokens._tracebacks import clears_frames_on_error
from elevenlabs_tokens.environments import http_base_url
from elevenlabs_tokens.exceptions import ElevenLabsConfigError

TOKEN_LIFETIME_IN_SECONDS = 900
"""How long an unused token works. Source: API reference, read 2026-11-24."""

# Not only dots, which would lead to another path, and no half of a surrogate pair, which cannot be encoded.
_VOICE_ID = r"(?s)(?!\.+$)[^\ud800-\udfff]+"
_TOKEN_TYPE = re.compile(r"[a-z][a-z0-9_]{0,63}")

KnownTokenType: TypeAlias = Literal["realtime_scribe", "batch_scribe", "tts_websocket"]
"""The values of `SingleUseTokenType`, for editors to complete where a plain string is written."""


class SingleUseTokenType(StrEnum):
    """The types of token in the API reference. Each opens one kind of connection.

    Source: POST /v1/single-use-token/{token_type}, API reference read 2026-11-24.
    """

    REALTIME_SCRIBE = "realtime_scribe"
    """Real-time transcription over a WebSocket."""
    BATCH_SCRIBE = "batch_scribe"
    """Transcription of one uploaded file."""
    TTS_WEBSOCKET = "tts_websocket"
    """Text to speech over a WebSocket."""


def checked_token_type(token_type: object) -> str:
    """Give the token type as a plain `str`, which becomes the last part of the request's path.

    Types that this package does not know are accepted, because the API knows more than it documents. Only their form
    is checked, so that a request, which carries the key, cannot go to another endpoint.

    Raises:
        ElevenLabsConfigError: It does not match `[a-z][a-z0-9_]{0,63}`.
    """
    if isinstance(token_type, str) and (match := _TOKEN_TYPE.fullmatch(token_type)):
        return match.group()
    known = ", ".join(SingleUseTokenType)
    raise ElevenLabsConfigError(
        f"token_type must be one of {known}, or another name of lower-case letters, digits and underscores "
        "(at most 64); nothing was sent"
    )


class Connection(NamedTuple):
    """The connection that a type of token opens.

    Attributes:
        path: Its path. `{voice_id}` stands for the voice.
        parameter: The name of the query parameter that carries the token.
        over_http: Whether it is an HTTP request. If not, it is a WebSocket.
    """

    path: str
    parameter: str
    over_http: bool = False


# The parameter is `token` for speech to text and `single_use_token` for all others. The API refuses the wrong one.
_CONNECTIONS: Mapping[str, Connection] = MappingProxyType(
    {
        "realtime_scribe": Connection("/v1/speech-to-text/realtime", "token"),
        "batch_scribe": Connection("/v1/speech-to-text", "token", over_http=True),
        "tts_websocket": Connection("/v1/text-to-speech/{voice_id}/stream-input", "single_use_token"),
        # The vendor's SDKs do not have this type, but the text-to-dialogue socket accepts no other.
        "ttd_websocket": Connection("/v1/text-to-dialogue/stream-input", "single_use_token"),
    }
)
_MULTI_CONTEXT = Connection("/v1/text-to-speech/{voice_id}/multi-stream-input", "single_use_token")


def connection_of(token_type: str, *, voice_id: str | None, multi_context: bool = False) -> Connection:
    """Tell what a type of token opens.

    Raises:
        ElevenLabsConfigError: The type is unknown, its voice is missing, or it has no voice and one is given.
    """
    connection = _CONNECTIONS.get(token_type)
    if connection is None:
        raise ElevenLabsConfigError(f"it is not known what a token of type {token_type} opens; build its URL yourself")
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
        token: The token's text: a secret, for the frontend of one signed-in user. The `repr` masks it.
        token_type: The type that it was minted with, such as `realtime_scribe`.
        expires_at: When it expires if it is not used (UTC): 900 s after its request was sent, by this machine's
            clock. The API begins to count a little later, so the token does not expire before this time.
        websocket_base_url: The base URL of its socket, at the host that minted it: `wss://api.elevenlabs.io`.

    Source: POST /v1/single-use-token/{token_type}, API reference read 2026-11-24.
    """

    token: str = field(repr=masked)
    token_type: str
    expires_at: datetime
    websocket_base_url: str

    def seconds_left(self, at: datetime | None = None) -> float:
        """Tell how many seconds are left until the token expires.

        Args:
            at: The moment to count from, with a time zone. If None, now.

        Returns:
            Seconds; 0.0 if the token has expired.

        Raises:
            ElevenLabsConfigError: `at` has no time zone.
        """
        moment: Any = datetime.now(UTC) if at is None else at
        if not isinstance(moment, datetime) or moment.tzinfo is None:
            raise ElevenLabsConfigError("at must be a datetime with a time zone, such as datetime.now(UTC)")
        return max(0.0, self.expires_at.timestamp() - moment.timestamp())

    @clears_frames_on_error
    def connect_url(self, *, voice_id: str | None = None, multi_context: bool = False, **query: QueryValue) -> str:
        """Give the URL that this token opens. It contains the token, so treat it as a secret.

        Args:
            voice_id: The ID of the voice that speaks. A `tts_websocket` token needs it, and no other type takes it.
            multi_context: Whether a `tts_websocket` token is for the socket that carries several streams at once.
            query: Further query parameters, such as `model_id="scribe_v2_realtime"`; their names are not checked.
                Booleans are sent as `true` and `false`, and a sequence as one parameter for each item. None is
                left out.

        Returns:
            A `wss` URL, or for `batch_scribe` an `https` URL. If the base URL is an `http` one, `ws` or `http`.

        Raises:
            ElevenLabsConfigError: It is not known what this type opens, or an argument does not fit the type.
        """
        connection = connection_of(self.token_type, voice_id=voice_id, multi_context=multi_context)
        if query.keys() & {"token", "single_use_token"}:
            raise ElevenLabsConfigError("connect_url adds the token in the parameter that its type needs; leave it out")
        base_url = http_base_url(self.websocket_base_url) if connection.over_http else self.websocket_base_url
        path = connection.path.format(voice_id=quote(voice_id or "", safe=""))
        return f"{base_url}{path}?{encode_query({connection.parameter: self.token, **query})}"

    def to_dict(self) -> dict[str, str]:
        """Give what a frontend needs, as a dict that can be sent as JSON.

        Returns:
            `token`, `token_type`, `expires_at` (ISO 8601, ending in `Z`) and `websocket_base_url`.
        """
        return {
            "token": self.token,
            "token_type": self.token_type,
            "expires_at": self.expires_at.isoformat().replace("+00:00", "Z"),
            "websocket_base_url": self.websocket_base_url,
        }
