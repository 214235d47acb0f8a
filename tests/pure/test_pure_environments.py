import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elevenlabs_tokens.environments import (
    ElevenLabsEnvironment,
    checked_address,
    checked_base_url,
    http_base_url,
    is_loopback,
    websocket_base_url,
)
from elevenlabs_tokens.exceptions import ElevenLabsConfigError

HOSTS = {
    "PRODUCTION": "api.elevenlabs.io",
    "PRODUCTION_US": "api.us.elevenlabs.io",
    "PRODUCTION_EU": "api.eu.residency.elevenlabs.io",
    "PRODUCTION_INDIA": "api.in.residency.elevenlabs.io",
    "PRODUCTION_SINGAPORE": "api.sg.residency.elevenlabs.io",
}


def test_the_regions() -> None:
    """Every region of the API reference, under the vendor SDK's names."""
    assert {name: f"https://{host}" for name, host in HOSTS.items()} == {
        member.name: member.base_url for member in ElevenLabsEnvironment
    }


@pytest.mark.parametrize("environment", ElevenLabsEnvironment)
def test_the_sockets_of_a_region(environment: ElevenLabsEnvironment) -> None:
    """They open at the host that serves its requests."""
    assert f"wss://{HOSTS[environment.name]}" == environment.websocket_base_url


@pytest.mark.parametrize(
    ("over_http", "over_websocket"),
    [
        ("https://api.elevenlabs.io", "wss://api.elevenlabs.io"),
        ("http://127.0.0.1:8765", "ws://127.0.0.1:8765"),
        ("https://http.example/https/http", "wss://http.example/https/http"),
        ("http://ws.example:1/ws", "ws://ws.example:1/ws"),
    ],
)
def test_both_ways(over_http: str, over_websocket: str) -> None:
    """The scheme changes, and nothing else."""
    assert over_websocket == websocket_base_url(over_http)
    assert over_http == http_base_url(over_websocket)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.2", "127.255.255.255", "::1", "0:0:0:0:0:0:0:1"])
def test_loopback(host: str) -> None:
    """`localhost`, 127.0.0.0/8 and `::1`."""
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost.",
        "localhost.example.com",
        "notlocalhost",
        "0.0.0.0",  # noqa: S104  # nothing is bound to it
        "126.255.255.255",
        "128.0.0.1",
        "127.0.0.1.example.com",
        "127.1",
        "2130706433",
        "::",
        "::2",
        "::ffff:127.0.0.1",
        "10.0.0.1",
        "api.elevenlabs.io",
    ],
)
def test_not_loopback(host: str) -> None:
    """All else, on every Python: what a resolver may read otherwise is not trusted."""
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("given_url", "base_url"),
    [
        pytest.param("https://api.elevenlabs.io", "https://api.elevenlabs.io", id="a host"),
        pytest.param("https://api.elevenlabs.io/", "https://api.elevenlabs.io", id="a trailing slash"),
        pytest.param("https://h.example//", "https://h.example", id="two trailing slashes"),
        pytest.param("https://h.example/a/b/", "https://h.example/a/b", id="a path"),
        pytest.param("https://h.example:8443/a", "https://h.example:8443/a", id="a port"),
        pytest.param("HTTPS://h.example", "https://h.example", id="an upper-case scheme"),
        pytest.param("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443", id="IPv6"),
        pytest.param("https://h.example./a", "https://h.example./a", id="a dot at the end"),
        pytest.param(f"https://{'a' * 63}.example", f"https://{'a' * 63}.example", id="the longest label"),
        pytest.param("https://xn--bcher-kva.example", "https://xn--bcher-kva.example", id="punycode"),
        pytest.param("https://255.255.255.255", "https://255.255.255.255", id="the highest IPv4 address"),
        pytest.param("https://256.1.1", "https://256.1.1", id="fewer numbers"),
        pytest.param("https://256.1.1.1.1", "https://256.1.1.1.1", id="more numbers"),
        pytest.param("https://0377.1.1.1", "https://0377.1.1.1", id="an octal number, to some resolvers"),
        pytest.param("https://256.1.1.1.example", "https://256.1.1.1.example", id="numbers in a name"),
        pytest.param("https://256.1.1.a", "https://256.1.1.a", id="numbers and a letter"),
        pytest.param("http://localhost:8765", "http://localhost:8765", id="http to localhost"),
        pytest.param("http://LOCALHOST", "http://LOCALHOST", id="http to localhost in upper case"),
        pytest.param("http://127.0.0.1:1/x", "http://127.0.0.1:1/x", id="http to 127.0.0.1"),
        pytest.param("http://127.3.2.1", "http://127.3.2.1", id="http to 127.0.0.0/8"),
        pytest.param("http://[::1]:8765", "http://[::1]:8765", id="http to ::1"),
    ],
)
def test_a_base_url(given_url: str, base_url: str) -> None:
    """It is taken as it is, less the slash at its end."""
    assert base_url == checked_base_url(given_url, allow_insecure_http=False)


INSECURE = ["http://api.elevenlabs.io", "http://10.0.0.1", "http://127.0.0.1.example.com", "http://[::ffff:10.0.0.1]"]


@pytest.mark.promise(row=36)
@pytest.mark.parametrize("base_url", [*INSECURE, "http://[::ffff:127.0.0.1]", "http://0.0.0.0", "http://localhost."])
def test_http_to_another_machine(base_url: str) -> None:
    """The key would travel in the clear, and the error says how to permit it."""
    with pytest.raises(ElevenLabsConfigError, match="allow_insecure_http=True"):
        checked_base_url(base_url, allow_insecure_http=False)


@pytest.mark.parametrize("base_url", INSECURE)
def test_http_to_another_machine_if_allowed(base_url: str) -> None:
    """The caller may say that it is meant."""
    assert base_url == checked_base_url(base_url, allow_insecure_http=True)


NOT_A_URL = "is not a URL"
CHARACTERS = "has white space, a control character, a backslash or a character that is not ASCII"
SCHEME = "does not begin with https:// (or http://, for this machine)"
NO_HOST = "names no host that can be looked up, or its port is not valid"
USERINFO = "carries a user name or a password"
QUERY = "has a query or a fragment"


@pytest.mark.promise(row=36)
@pytest.mark.parametrize("allow_insecure_http", [False, True])
@pytest.mark.parametrize(
    ("base_url", "fault"),
    [
        pytest.param("", NOT_A_URL, id="empty"),
        pytest.param(None, NOT_A_URL, id="None"),
        pytest.param(b"https://h", NOT_A_URL, id="bytes"),
        pytest.param(443, NOT_A_URL, id="a number"),
        pytest.param("http://[::1", NO_HOST, id="half an IPv6 address"),
        pytest.param("http://[::1]evil.example", NO_HOST, id="a name after an IPv6 address"),
        pytest.param("http://[::1].evil.example", NO_HOST, id="a domain after an IPv6 address"),
        pytest.param("https://[::1]]", NO_HOST, id="a bracket too many"),
        pytest.param("https://h:99999", NO_HOST, id="a port over 65535"),
        pytest.param("https://h:x", NO_HOST, id="a port that is no number"),
        pytest.param("https://h:-1", NO_HOST, id="a negative port"),
        pytest.param("https://h\n.example", CHARACTERS, id="a line feed"),
        pytest.param("https://h.example\r", CHARACTERS, id="a carriage return"),
        pytest.param("https://h\t.example", CHARACTERS, id="a tab"),
        pytest.param(" https://h.example", CHARACTERS, id="a space in front"),
        pytest.param("https://h.example/a b", CHARACTERS, id="a space in the path"),
        pytest.param("https://h.example\x7f", CHARACTERS, id="DEL"),
        pytest.param("https://h.example\\@evil.example", CHARACTERS, id="a backslash"),
        pytest.param("https://b\u00fccher.example", CHARACTERS, id="not ASCII"),
        pytest.param("https://h.example:\u0664\u0664\u0663", CHARACTERS, id="digits that are not ASCII"),
        pytest.param("ftp://h.example", SCHEME, id="ftp"),
        pytest.param("file:///etc/passwd", SCHEME, id="file"),
        pytest.param("wss://h.example", SCHEME, id="wss"),
        pytest.param("ws://127.0.0.1:8765", SCHEME, id="ws"),
        pytest.param("h.example", SCHEME, id="no scheme"),
        pytest.param("//h.example", SCHEME, id="no scheme but slashes"),
        pytest.param("localhost:8765", SCHEME, id="a host for a scheme"),
        pytest.param("https:", NO_HOST, id="a scheme alone"),
        pytest.param("https://", NO_HOST, id="no host"),
        pytest.param("https:///v1", NO_HOST, id="a path without a host"),
        pytest.param("https://:443", NO_HOST, id="a port without a host"),
        pytest.param("https:h.example", NO_HOST, id="no slashes"),
        pytest.param("https://256.1.1.1", NO_HOST, id="an IPv4 address that cannot be"),
        pytest.param("https://1.1.1.999:8443/a", NO_HOST, id="another, with a port"),
        pytest.param(f"https://1.1.1.{'9' * 63}", NO_HOST, id="another, as long as can be"),
        pytest.param(f"https://1.1.1.{'9' * 5000}", NO_HOST, id="another, longer than Python reads"),
        pytest.param("https://.", NO_HOST, id="a dot alone"),
        pytest.param("https://.h.example", NO_HOST, id="an empty label in front"),
        pytest.param("https://h.example..", NO_HOST, id="two dots at the end"),
        pytest.param("https://h..example", NO_HOST, id="an empty label"),
        pytest.param(f"https://{'a' * 64}.example", NO_HOST, id="a label that is too long"),
        pytest.param("https://user@h.example", USERINFO, id="a user"),
        pytest.param("https://user:hunter2@h.example", USERINFO, id="a password"),
        pytest.param("https://@h.example", USERINFO, id="an empty user"),
        pytest.param("https://h.example?a=b", QUERY, id="a query"),
        pytest.param("https://h.example/?", QUERY, id="an empty query"),
        pytest.param("https://h.example/#x", QUERY, id="a fragment"),
        pytest.param("https://h.example#", QUERY, id="an empty fragment"),
    ],
)
def test_what_is_no_base_url(base_url: str, fault: str, allow_insecure_http: bool) -> None:  # noqa: FBT001  # a case
    """Each fault has its own words, whatever is allowed."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_base_url(base_url, allow_insecure_http=allow_insecure_http)

    assert f"base_url {fault}; give one like 'https://api.elevenlabs.io'" == str(caught.value)


@settings(deadline=None)
@given(st.text() | st.text().map("https://h.example/{}".format) | st.text().map("https://{}".format))
def test_any_text_gives_a_base_url_or_a_config_error(text: str) -> None:
    """What is taken begins with its scheme and ends without a slash; no other exception comes out."""
    try:
        base_url = checked_base_url(text, allow_insecure_http=True)
    except ElevenLabsConfigError:
        return

    assert base_url.startswith(("http://", "https://"))
    assert not base_url.endswith("/")
    assert base_url.isascii()
    assert base_url.isprintable()


@settings(deadline=None)
@given(st.text())
def test_a_password_is_not_quoted(rest: str) -> None:
    """The error tells what is wrong with the URL, and nothing of what it holds."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_base_url(f"https://user:hunter2{rest}@h.example", allow_insecure_http=True)

    assert "hunter2" not in str(caught.value)
    assert caught.value.__context__ is None


def test_the_environment_is_where_a_client_goes() -> None:
    """Unless it has a base URL of its own."""
    address = checked_address(ElevenLabsEnvironment.PRODUCTION_EU, None, allow_insecure_http=False)

    assert "https://api.eu.residency.elevenlabs.io" == address


def test_the_base_url_wins() -> None:
    """Over the environment."""
    production = ElevenLabsEnvironment.PRODUCTION

    assert "https://h.example" == checked_address(production, "https://h.example/", allow_insecure_http=False)


def test_an_empty_base_url_is_not_none() -> None:
    """A setting that was left empty must not lead to production."""
    with pytest.raises(ElevenLabsConfigError, match="base_url is not a URL"):
        checked_address(ElevenLabsEnvironment.PRODUCTION, "", allow_insecure_http=False)


def test_an_insecure_base_url_may_be_allowed() -> None:
    """What the client was told goes through to the check."""
    production = ElevenLabsEnvironment.PRODUCTION

    assert "http://h.example" == checked_address(production, "http://h.example", allow_insecure_http=True)


@pytest.mark.parametrize("environment", ["PRODUCTION", "https://api.elevenlabs.io", None, 1])
def test_what_is_no_environment(environment: object) -> None:
    """The error lists those that there are."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_address(environment, None, allow_insecure_http=False)

    assert f"environment must be a member of ElevenLabsEnvironment: {', '.join(HOSTS)}" == str(caught.value)
