"""Requests as data: how their URL and headers are made, and that their parts show no secret."""

from typing import Any

import pytest

from elevenlabs_tokens import __version__
from elevenlabs_tokens._http.structure import _TokenBody, _TokenString
from elevenlabs_tokens._http.wire import MAX_BODY_BYTES, Request, RequestTemplate
from elevenlabs_tokens._secrets import Secret
from elevenlabs_tokens.options import CallSettings
from pure.samples import KEY, exchange, reply

DEFAULTS = {
    "User-Agent": f"elevenlabs-tokens/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "xi-api-key": KEY,
}


def template(headers: Any = None, query: str = "") -> RequestTemplate:
    settings = CallSettings(
        timeout_in_seconds=30.0,
        attempt_timeout_in_seconds=10.0,
        max_retries=2,
        api_key="sk_of_the_client",
        headers=headers,
        query=query,
    )
    return RequestTemplate.of(settings)


def built(headers: Any = None, query: str = "", base_url: str = "https://h.example") -> Request:
    return template(headers, query).request(f"{base_url}/v1/single-use-token/a", Secret(KEY))


@pytest.mark.promise(row=41)
def test_the_headers_of_a_plain_request() -> None:
    """The key, the package's name and version, and no compression."""
    request = built()

    assert DEFAULTS == request.headers
    assert () == request.removed_headers
    assert KEY == request.api_key


@pytest.mark.parametrize(
    ("headers", "changed", "removed"),
    [
        pytest.param({"X-Trace": "1"}, {"x-trace": "1"}, (), id="one more"),
        pytest.param({"USER-AGENT": "mine"}, {"User-Agent": None, "user-agent": "mine"}, (), id="another user agent"),
        pytest.param({"accept": "*/*"}, {"Accept": None, "accept": "*/*"}, (), id="another accept"),
        pytest.param({"User-agent": None}, {"User-Agent": None}, ("user-agent",), id="no user agent"),
        pytest.param({"Content-Type": None}, {}, ("content-type",), id="none of the transport's"),
        pytest.param(
            {"A": None, "b": "2", "Accept": None}, {"b": "2", "Accept": None}, ("a", "accept"), id="several at once"
        ),
    ],
)
def test_extra_headers(headers: Any, changed: dict[str, str | None], removed: tuple[str, ...]) -> None:
    """They replace or remove the package's own, in upper or lower case; no name is sent twice."""
    expected = {name: value for name, value in (DEFAULTS | changed).items() if value is not None}

    request = built(headers)

    assert expected == request.headers
    assert removed == request.removed_headers
    assert len(request.headers) == len({name.lower() for name in request.headers})


@pytest.mark.parametrize(
    ("base_url", "query", "url"),
    [
        ("https://h.example", "", "https://h.example/v1/single-use-token/a"),
        ("https://h.example", "a=1&b=2", "https://h.example/v1/single-use-token/a?a=1&b=2"),
        ("http://[::1]:1/x", "", "http://[::1]:1/x/v1/single-use-token/a"),
    ],
)
def test_the_url(base_url: str, query: str, url: str) -> None:
    """It is made of base, path and query, without a question mark if there is no query."""
    assert url == built(base_url=base_url, query=query).url


def test_each_request_has_its_own_key() -> None:
    """A new key is in later requests only, and never in the template."""
    shared = template()

    first, second = (shared.request("https://h.example", Secret(key)) for key in ("sk_old", "sk_new"))

    assert ("sk_old", "sk_new") == (first.headers["xi-api-key"], second.headers["xi-api-key"])
    assert "xi-api-key" not in shared.headers


@pytest.mark.parametrize(
    "thing",
    [
        built({"Authorization": "Bearer hunter2"}, "k=hunter3"),
        template({"Authorization": "Bearer hunter2"}, "k=hunter3"),
        reply(200, b"hunter2", [("Set-Cookie", "hunter3")]),
        exchange(reply(200, b"hunter2"), url="https://h.example/?k=hunter3"),
        _TokenBody(_TokenString("hunter2")),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_no_repr_shows_a_secret(thing: object) -> None:
    """It shows no key, no token, and no header or query that may be a secret."""
    assert object.__repr__(thing) == repr(thing)
    assert "__eq__" not in vars(type(thing))  # attrs would compile one at each import, and nothing needs it


def test_the_cap() -> None:
    """No more than 64 KiB of a reply are read."""
    assert 65_536 == MAX_BODY_BYTES
