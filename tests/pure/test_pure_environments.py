from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import refused
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
    """Every region of the API reference, under the vendor SDK's names; its sockets open at the same host."""
    assert {name: (f"https://{host}", f"wss://{host}") for name, host in HOSTS.items()} == {
        member.name: (member.base_url, member.websocket_base_url) for member in ElevenLabsEnvironment
    }


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


@pytest.mark.parametrize("host", ["", "notlocalhost", "126.255.255.255", "128.0.0.1", "::"])
def test_not_loopback(host: str) -> None:
    """All else, on every Python: see also `refused.INSECURE_BASE_URLS`."""
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


def address(base_url: Any, *, allow_insecure_http: bool = False) -> str:
    """Give the address of a client that is made with this base URL."""
    return checked_address(ElevenLabsEnvironment.PRODUCTION, base_url, allow_insecure_http=allow_insecure_http)


@pytest.mark.promise(row=36)
@pytest.mark.parametrize("base_url", refused.INSECURE_BASE_URLS)
def test_http_to_another_machine(monkeypatch: pytest.MonkeyPatch, base_url: str) -> None:
    """Others could read the key on its way, so the caller must say that it is meant; the error says how."""
    monkeypatch.setenv("ELEVENLABS_BASE_URL", base_url)
    for argument, name in ((base_url, "base_url"), (None, "ELEVENLABS_BASE_URL")):
        with pytest.raises(ElevenLabsConfigError, match=rf"^{name} is http:.*\(allow_insecure_http=True permits it\)"):
            address(argument)

        assert base_url == address(argument, allow_insecure_http=True)


@pytest.mark.promise(row=36)
@pytest.mark.parametrize("allow_insecure_http", [False, True])
@pytest.mark.parametrize(("base_url", "fault"), refused.BASE_URLS.values(), ids=refused.BASE_URLS)
def test_what_is_no_base_url(
    monkeypatch: pytest.MonkeyPatch, base_url: Any, fault: str, *, allow_insecure_http: bool
) -> None:
    """Each fault has its own words, whatever is allowed; the argument or the variable is named."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        address(base_url, allow_insecure_http=allow_insecure_http)

    assert f"base_url {fault}; give one like 'https://api.elevenlabs.io'" == str(caught.value)
    if isinstance(base_url, str) and base_url:
        monkeypatch.setenv("ELEVENLABS_BASE_URL", base_url)
        with pytest.raises(ElevenLabsConfigError) as caught:
            address(None, allow_insecure_http=allow_insecure_http)

        assert f"ELEVENLABS_BASE_URL {fault}; give one like 'https://api.elevenlabs.io'" == str(caught.value)


@settings(deadline=None)
@given(
    st.text()
    | st.text().map("https://h.example/{}".format)
    | st.text().map("https://{}".format)
    | st.text().map("https://user:hunter2{}@h.example".format)
)
def test_any_text_gives_a_base_url_or_a_config_error(text: str) -> None:
    """What is taken has a scheme, no slash at its end and no password; the error, of no other class, quotes none."""
    try:
        base_url = checked_base_url(text, allow_insecure_http=True)
    except ElevenLabsConfigError as error:
        refusal = error
    else:
        assert base_url.startswith(("http://", "https://"))
        assert not base_url.endswith("/")
        assert "hunter2" not in base_url
        assert base_url.isascii()
        assert base_url.isprintable()
        return

    assert "hunter2" not in str(refusal)
    assert refusal.__context__ is None


@pytest.mark.parametrize(
    ("argument", "variable", "address"),
    [
        pytest.param(None, None, "https://api.eu.residency.elevenlabs.io", id="neither: the environment"),
        pytest.param(None, "", "https://api.eu.residency.elevenlabs.io", id="an empty variable is unset"),
        pytest.param(None, "https://v.example/a/", "https://v.example/a", id="the variable"),
        pytest.param("https://h.example/", None, "https://h.example", id="the argument"),
        pytest.param("https://h.example/", "https://v.example", "https://h.example", id="both: the argument"),
        pytest.param("https://h.example/", "not a URL", "https://h.example", id="a variable that nobody asks"),
    ],
)
def test_where_a_client_goes(
    monkeypatch: pytest.MonkeyPatch, argument: str | None, variable: str | None, address: str
) -> None:
    """First to the `base_url` that it is given, then to that of `ELEVENLABS_BASE_URL`, then to its environment's."""
    if variable is not None:
        monkeypatch.setenv("ELEVENLABS_BASE_URL", variable)

    assert address == checked_address(ElevenLabsEnvironment.PRODUCTION_EU, argument, allow_insecure_http=False)


@pytest.mark.parametrize("environment", ["PRODUCTION", "https://api.elevenlabs.io", None, 1])
def test_what_is_no_environment(environment: object) -> None:
    """The error lists those that there are."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_address(environment, None, allow_insecure_http=False)

    assert f"environment must be a member of ElevenLabsEnvironment: {', '.join(HOSTS)}" == str(caught.value)
