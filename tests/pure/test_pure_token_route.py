"""What the token route refuses when it is made, and the parts of its rules that no server lets through."""

import math
from typing import Any

import pytest

from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsConfigError
from elevenlabs_tokens.endpoint import TokenEndpoint
from elevenlabs_tokens.endpoint.bodies import check_announced_size
from elevenlabs_tokens.endpoint.replies import RefusedError, whole_seconds
from elevenlabs_tokens.endpoint.request import EndpointRequest, parse_cookies
from elevenlabs_tokens.responses import Headers
from frozen import KEY

CLIENT: Any = AsyncElevenLabsClient(api_key=KEY)


def authorize(request: EndpointRequest) -> str | None:
    return request.cookies.get("user")


@pytest.mark.parametrize(
    "argument",
    [
        {"client": None},
        {"authorize": None},
        {"on_minted": "audit"},
        {"token_types": ()},
        {"token_types": "realtime_scribe"},
        {"token_types": ["../voices"]},
        {"allowed_origins": "https://app.example"},
        {"allowed_origins": ["*"]},
        {"allowed_origins": ["https://*.example"]},
        {"allowed_origins": ["null"]},
        {"allowed_origins": [""]},
        {"allowed_origins": ["app.example"]},
        {"allowed_origins": ["https://app.example/path"]},
        {"allowed_origins": ["https://app.example//"]},
        {"allowed_origins": ["https://app.example?query"]},
        {"allowed_origins": ["https://user@app.example"]},
        {"allowed_origins": ["https://app.example,https://b.example"]},
        {"allowed_origins": [b"https://app.example"]},
        {"rate_limit": "often"},
        {"rate_limit": "0/minute"},
        {"rate_limit": 10},
        {"rate_limit_storage": "nowhere://"},
    ],
    ids=str,
)
def test_bad_arguments(argument: dict[str, Any]) -> None:
    """An argument that cannot be used is refused when the endpoint is made."""
    arguments: dict[str, Any] = {"client": CLIENT, "authorize": authorize, **argument}

    with pytest.raises(ElevenLabsConfigError, match=next(iter(argument)).rstrip("s")):
        TokenEndpoint(**arguments)


def test_authorize_is_required() -> None:
    """There is no endpoint without `authorize`."""
    with pytest.raises(TypeError, match="authorize"):
        TokenEndpoint(CLIENT)  # type: ignore[call-arg]  # that is the point


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", {}),
        ("a=1; b=2", {"a": "1", "b": "2"}),
        ("odd{}=[1; a=1", {"odd{}": "[1", "a": "1"}),
        ("flag; =nameless; a=1;", {"a": "1"}),
        ("a = 1 ;b=2", {"a": "1", "b": "2"}),
        ('a="1 2"; b="; c="', {"a": "1 2", "b": '"', "c": '"'}),
        ("a=b=c", {"a": "b=c"}),
    ],
)
def test_cookies(header: str, expected: dict[str, str]) -> None:
    """What is no cookie is skipped, and hides no other one."""
    assert expected == parse_cookies(header)


@pytest.mark.parametrize("announced", ["many", "-1", "+1", "1_0", "0x1", "1.0", "٣", "", "1, 1"])
def test_lengths_that_are_none(announced: str) -> None:
    """A length that is no number is a bad request; servers refuse most of them by themselves."""
    with pytest.raises(RefusedError) as caught:
        check_announced_size(Headers([("Content-Length", announced)]))

    assert 400 == caught.value.status


@pytest.mark.parametrize("announced", ["16385", "9" * 5000, "0" * 5000], ids=["one", "nines", "zeros"])
def test_lengths_that_are_too_long(announced: str) -> None:
    """A length of more digits than Python reads is too large, too."""
    with pytest.raises(RefusedError) as caught:
        check_announced_size(Headers([("Content-Length", announced)]))

    assert 413 == caught.value.status


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(-1, 1), (0, 1), (0.001, 1), (1.0, 1), (2.2, 3), (3599.5, 3600), (3601, 3600), (math.inf, 3600), (math.nan, 1)],
)
def test_whole_seconds(seconds: float, expected: int) -> None:
    """A wait is whole seconds, rounded up, from 1 to 3600."""
    assert expected == whole_seconds(seconds)
