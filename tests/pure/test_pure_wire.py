from typing import Any

import pytest

from elevenlabs_tokens import __version__
from elevenlabs_tokens._http.wire import MAX_BODY_BYTES, Failure, FailureKind, Reply, Request, RequestTemplate
from elevenlabs_tokens._secrets import Secret
from elevenlabs_tokens.options import CallSettings
from elevenlabs_tokens.responses import Headers
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
    """One key, the package's name and version, no compression."""
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
    """They replace or remove the package's own in any case; no name goes out twice."""
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
    """Base, path and query, and no question mark without a query."""
    assert url == built(base_url=base_url, query=query).url


def test_requests_of_one_template_are_apart() -> None:
    """A key that rotates reaches the requests that come after it alone."""
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
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_what_goes_over_the_wire_shows_nothing(thing: object) -> None:
    """Promise 44: neither the key or a token, nor a header or a query that may be a credential."""
    assert object.__repr__(thing) == repr(thing)
    assert "__eq__" not in vars(type(thing))  # whose text would be compiled at each start, and which nothing asks for


def test_a_failure_says_why() -> None:
    """Without a detail, if the system gave none."""
    assert Failure(FailureKind.LOST, "") == Failure(FailureKind.LOST)
    assert Failure(FailureKind.LOST) != Failure(FailureKind.LOST, "broken pipe")


def test_the_cap() -> None:
    """64 KiB; a reply over it has no body at all."""
    assert 65_536 == MAX_BODY_BYTES
    assert Reply(status_code=200, headers=Headers(), body=None).body is None
