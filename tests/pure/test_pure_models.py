from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from string import ascii_lowercase, digits
from typing import Any, get_args
from urllib.parse import parse_qsl, urlsplit

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import refused
from elevenlabs_tokens.environments import ElevenLabsEnvironment
from elevenlabs_tokens.exceptions import ElevenLabsConfigError
from elevenlabs_tokens.models import KnownTokenType, SingleUseTokenResponseModel, SingleUseTokenType, checked_token_type
from pure.samples import COPIES, NOW, TOKEN, Lying


def token(
    token_type: str = SingleUseTokenType.REALTIME_SCRIBE.value,
    websocket_base_url: str = "wss://api.elevenlabs.io",
    text: str = TOKEN,
) -> SingleUseTokenResponseModel:
    return SingleUseTokenResponseModel(
        token=text, token_type=token_type, expires_at=NOW, websocket_base_url=websocket_base_url
    )


class Shouting(str, Enum):  # noqa: UP042  # the older way, whose `str` is the member's name
    BATCH = "batch_scribe"


def test_the_documented_types() -> None:
    """The members are those of the API reference; type checkers and editors know the same strings."""
    assert ("realtime_scribe", "batch_scribe", "tts_websocket") == tuple(SingleUseTokenType)
    assert tuple(SingleUseTokenType) == get_args(KnownTokenType)


@pytest.mark.promise(row=38)
@pytest.mark.parametrize(
    ("token_type", "text"),
    [
        *((member, member.value) for member in SingleUseTokenType),
        ("ttd_websocket", "ttd_websocket"),
        ("a", "a"),
        ("a0_", "a0_"),
        ("a" * 64, "a" * 64),
        (Shouting.BATCH, "batch_scribe"),
        (Lying("tts_websocket"), "tts_websocket"),
    ],
)
def test_a_token_type(token_type: str, text: str) -> None:
    """One that is well formed is accepted, known or not, as the plain text that was checked."""
    checked = checked_token_type(token_type)

    assert text == checked
    assert str is type(checked)


@pytest.mark.promise(row=38)
@pytest.mark.parametrize("token_type", refused.TOKEN_TYPES.values(), ids=refused.TOKEN_TYPES)
def test_what_is_no_token_type(token_type: object) -> None:
    """What could lead to another endpoint is refused, and the error names the known types."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_token_type(token_type)

    assert (
        "token_type must be one of realtime_scribe, batch_scribe, tts_websocket, or another name of lower-case "
        "letters, digits and underscores (at most 64); nothing was sent"
    ) == str(caught.value)


@settings(deadline=None)
@given(st.text() | st.from_regex(r"[a-z][a-z0-9_]*", fullmatch=True))
def test_any_text_is_a_token_type_or_refused(text: str) -> None:
    """Only characters that mean nothing in a path are accepted."""
    if 1 <= len(text) <= 64 and text[0] in ascii_lowercase and set(text) <= {*ascii_lowercase, *digits, "_"}:
        assert text == checked_token_type(text)
        return

    with pytest.raises(ElevenLabsConfigError):
        checked_token_type(text)


PATHS: list[tuple[str, dict[str, Any], str, str]] = [
    ("realtime_scribe", {}, "/v1/speech-to-text/realtime", "token"),
    ("batch_scribe", {}, "/v1/speech-to-text", "token"),
    ("tts_websocket", {"voice_id": "v1"}, "/v1/text-to-speech/v1/stream-input", "single_use_token"),
    (
        "tts_websocket",
        {"voice_id": "v1", "multi_context": True},
        "/v1/text-to-speech/v1/multi-stream-input",
        "single_use_token",
    ),
    ("ttd_websocket", {}, "/v1/text-to-dialogue/stream-input", "single_use_token"),
]
BASES = [
    *((member.websocket_base_url, member.base_url) for member in ElevenLabsEnvironment),
    ("ws://127.0.0.1:8765", "http://127.0.0.1:8765"),
    ("wss://proxy.example/eleven/labs", "https://proxy.example/eleven/labs"),
    ("ws://[::1]:1/http/ws", "http://[::1]:1/http/ws"),
]


@pytest.mark.parametrize(("over_websocket", "over_http"), BASES, ids=[http for _, http in BASES])
@pytest.mark.parametrize(("token_type", "arguments", "path", "parameter"), PATHS, ids=[path for _, _, path, _ in PATHS])
def test_the_url_that_a_token_opens(  # noqa: PLR0917  # the columns of two tables
    token_type: str, arguments: dict[str, Any], path: str, parameter: str, over_websocket: str, over_http: str
) -> None:
    """Each type has its path and its parameter, on the host that minted it; a batch goes over HTTP."""
    base_url = over_http if token_type == "batch_scribe" else over_websocket

    url = token(token_type, over_websocket).connect_url(**arguments)

    assert f"{base_url}{path}?{parameter}={TOKEN}" == url


def test_further_parameters() -> None:
    """They follow the token. It is encoded, so that the other side reads the same token, whatever is in it."""
    odd = "a&b=c#d/é %"

    url = token(text=odd).connect_url(model_id="scribe_v2", no_verbatim=True, keyterms=["a b"], language_code=None)

    expected = [("token", odd), ("model_id", "scribe_v2"), ("no_verbatim", "true"), ("keyterms", "a b")]
    assert expected == parse_qsl(urlsplit(url).query)
    assert url.isascii()


@pytest.mark.parametrize(
    ("voice_id", "segment"),
    [
        ("21m00Tcm4TlvDq8ikWAM", "21m00Tcm4TlvDq8ikWAM"),
        ("a/b", "a%2Fb"),
        ("../x", "..%2Fx"),
        ("a?b#c", "a%3Fb%23c"),
        ("%2e%2e", "%252e%252e"),
        ("{voice_id}", "%7Bvoice_id%7D"),
        ("é", "%C3%A9"),
        (".a", ".a"),
    ],
)
def test_a_voice_id_stays_in_its_segment(voice_id: str, segment: str) -> None:
    """It cannot lead to another path."""
    url = token("tts_websocket").connect_url(voice_id=voice_id)

    assert f"/v1/text-to-speech/{segment}/stream-input" == urlsplit(url).path


NO_VOICE = "a tts_websocket token opens the socket of one voice; give its voice_id"
NOT_ITS_OWN = "voice_id and multi_context are for tts_websocket; this is a {} token"
GIVEN_TWICE = "connect_url adds the token in the parameter that its type needs; leave it out"
NO_TEXT = "query parameter 'model_id' is of type bytes; give text, a finite number, a bool, or a sequence of them"


@pytest.mark.parametrize(
    ("token_type", "arguments", "fault"),
    [
        *(
            ("tts_websocket", {"voice_id": voice_id, "multi_context": multi_context}, NO_VOICE)
            for voice_id in (None, "", ".", "..", "...", 7, b"v1", "\ud800")
            for multi_context in (False, True)
        ),
        *(
            (token_type, arguments, NOT_ITS_OWN.format(token_type))
            for token_type in ("realtime_scribe", "batch_scribe", "ttd_websocket")
            for arguments in ({"voice_id": "v1"}, {"voice_id": ""}, {"multi_context": True})
        ),
        *(
            (token_type, {**arguments, parameter: "x"}, GIVEN_TWICE)
            for token_type, arguments, _, _ in PATHS
            for parameter in ("token", "single_use_token")
        ),
        ("sts_websocket", {}, "it is not known what a token of type sts_websocket opens; build its URL yourself"),
        ("realtime_scribe", {"model_id": b"x"}, NO_TEXT),
    ],
    ids=repr,
)
def test_what_opens_nothing(token_type: str, arguments: dict[str, Any], fault: str) -> None:
    """A text-to-speech socket is one voice's; what would have no effect is refused, and the token is never quoted."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        token(token_type).connect_url(**arguments)

    assert fault == str(caught.value)


@pytest.mark.parametrize(
    ("at", "seconds"),
    [
        pytest.param(NOW, 0.0, id="the last moment"),
        pytest.param(NOW - timedelta(seconds=900), 900.0, id="a whole life"),
        pytest.param(NOW - timedelta(milliseconds=1500), 1.5, id="a fraction"),
        pytest.param(NOW + timedelta(microseconds=1), 0.0, id="just lapsed"),
        pytest.param(NOW + timedelta(days=400), 0.0, id="long lapsed"),
        pytest.param(datetime(2026, 11, 24, 13, 59, tzinfo=timezone(timedelta(hours=2))), 60.0, id="another zone"),
    ],
)
def test_seconds_left(at: datetime, seconds: float) -> None:
    """They are counted from the moment given, and are never below zero."""
    assert seconds == token().seconds_left(at)


def test_seconds_left_from_now() -> None:
    """Without a moment, they are counted from now, by this machine's clock."""
    model = attrs.evolve(token(), expires_at=datetime.now(UTC) + timedelta(seconds=900))

    left = model.seconds_left()

    assert 890.0 < left <= 900.0


@pytest.mark.parametrize("at", [NOW.replace(tzinfo=None), NOW.timestamp(), "now"], ids=["naive", "number", "text"])
def test_a_moment_without_a_zone(at: Any) -> None:
    """A time that could mean anything is refused."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        token().seconds_left(at)

    assert "at must be a datetime with a time zone, such as datetime.now(UTC)" == str(caught.value)


@pytest.mark.parametrize(
    ("expires_at", "text"),
    [(NOW, "2026-11-24T12:00:00Z"), (NOW + timedelta(microseconds=250_000), "2026-11-24T12:00:00.250000Z")],
    ids=["a whole second", "a fraction"],
)
def test_to_dict(expires_at: datetime, text: str) -> None:
    """It has what a frontend needs, and only texts."""
    model = attrs.evolve(token("ttd_websocket"), expires_at=expires_at)

    assert {
        "token": TOKEN,
        "token_type": "ttd_websocket",
        "expires_at": text,
        "websocket_base_url": "wss://api.elevenlabs.io",
    } == model.to_dict()


@pytest.mark.promise(row=44)
@pytest.mark.parametrize("shown", [repr, str, "{}".format, "{!r}".format])
def test_the_token_is_masked(shown: Callable[[object], str]) -> None:
    """It is masked everywhere but in `.token`."""
    model = token()

    assert TOKEN == model.token
    assert TOKEN not in shown(model)
    assert "token='***', token_type='realtime_scribe'" in shown(model)


@COPIES
def test_a_model_can_be_copied(copied: Callable[[SingleUseTokenResponseModel], SingleUseTokenResponseModel]) -> None:
    """A worker process may be given it; neither it nor the copy can be changed."""
    unchecked: Any = copied(token())

    assert token() == unchecked
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        unchecked.token = "other"
