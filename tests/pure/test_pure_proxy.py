from base64 import b64decode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elevenlabs_tokens._http.proxy import Proxy, find_proxy
from elevenlabs_tokens.exceptions import ElevenLabsConfigError

API = "https://api.elevenlabs.io"
PROXY = Proxy(url="http://proxy.example:8080", headers={})


def found(base_url: str, proxy: str | None) -> Proxy:
    result = find_proxy(base_url, proxy, allow_insecure_http=False)
    assert result is not None
    return result


def credentials(proxy: Proxy) -> str:
    scheme, _, encoded = proxy.headers["Proxy-Authorization"].partition(" ")
    assert "Basic" == scheme
    return b64decode(encoded).decode()


def test_no_proxy() -> None:
    """Neither an argument nor the environment names one."""
    assert find_proxy(API, None, allow_insecure_http=False) is None


@pytest.mark.parametrize(
    ("given_proxy", "url"),
    [
        ("http://proxy.example:8080", "http://proxy.example:8080"),
        ("https://proxy.example", "https://proxy.example"),
        ("HTTP://proxy.example:3128/", "http://proxy.example:3128"),
        ("proxy.example:8080", "http://proxy.example:8080"),
        ("proxy.example", "http://proxy.example"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://10.0.0.1:8080/path?query#fragment", "http://10.0.0.1:8080"),
        ("user:hunter2@proxy.example:8080", "http://proxy.example:8080"),
        ("http://user:hunter2@proxy.example:8080", "http://proxy.example:8080"),
        ("http://us@er:hunter2@proxy.example", "http://proxy.example"),
    ],
)
def test_the_url_of_a_proxy(given_proxy: str, url: str) -> None:
    """Its address alone, without user and password; http where it does not say."""
    assert url == found(API, given_proxy).url


@pytest.mark.parametrize(
    ("userinfo", "plain"),
    [
        ("user:hunter2", "user:hunter2"),
        ("user", "user:"),
        ("user:", "user:"),
        (":hunter2", ":hunter2"),
        ("us%40er:p%3Ass%2Fw", "us@er:p:ss/w"),
        ("%C3%BC:%C3%A9", "ü:é"),
        ("user:a:b", "user:a:b"),
    ],
)
def test_the_credentials_of_a_proxy(userinfo: str, plain: str) -> None:
    """They are decoded, and shown to the proxy alone."""
    assert plain == credentials(found(API, f"http://{userinfo}@proxy.example"))


def test_a_proxy_without_credentials() -> None:
    """It is shown none."""
    assert {} == found(API, "http://proxy.example").headers


def test_a_password_is_a_secret() -> None:
    """No `repr` shows it, encoded or not."""
    proxy = found(API, "http://user:hunter2@proxy.example")

    assert "Proxy(url='http://proxy.example', headers='***')" == repr(proxy)
    assert "'***'" == repr(proxy.headers["Proxy-Authorization"])


@pytest.mark.parametrize("base_url", [API, "http://api.example", "http://127.0.0.1:8765", "https://localhost"], ids=str)
def test_an_argument_is_obeyed(monkeypatch: pytest.MonkeyPatch, base_url: str) -> None:
    """Wherever the requests go, and whatever the environment says."""
    monkeypatch.setenv("HTTPS_PROXY", "http://other.example")
    monkeypatch.setenv("NO_PROXY", "*")

    assert find_proxy(base_url, "http://proxy.example:8080", allow_insecure_http=True) == PROXY


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
def test_the_environments_proxy(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """It is read when no argument is given."""
    monkeypatch.setenv(variable, "proxy.example:8080")

    assert find_proxy(API, None, allow_insecure_http=False) == PROXY


def test_the_environments_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are read like those of an argument."""
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hunter2@proxy.example:8080")

    assert "user:hunter2" == credentials(found(API, None))


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_another_variable(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """It is for other kinds of traffic."""
    monkeypatch.setenv(variable, "http://proxy.example")

    assert find_proxy(API, None, allow_insecure_http=False) is None


def test_an_empty_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts as unset."""
    monkeypatch.setenv("HTTPS_PROXY", "")

    assert find_proxy(API, None, allow_insecure_http=False) is None


@pytest.mark.promise(row=40)
@pytest.mark.parametrize(
    "base_url",
    ["http://api.example", "http://127.0.0.1:1", "https://localhost:1", "https://127.9.9.9", "https://[::1]:1"],
)
def test_where_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch, base_url: str) -> None:
    """Loopback never goes through its proxy, and an `http:` URL neither."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example")

    assert find_proxy(base_url, None, allow_insecure_http=False) is None


@pytest.mark.parametrize(
    ("no_proxy", "direct"),
    [
        ("*", True),
        ("api.elevenlabs.io", True),
        (".elevenlabs.io", True),
        ("elevenlabs.io", True),
        ("a.example, api.elevenlabs.io", True),
        ("API.ELEVENLABS.IO", True),
        ("api.elevenlabs.io:8443", True),
        ("api.elevenlabs.io:443", False),
        ("us.elevenlabs.io", False),
        ("labs.io", False),
        ("", False),
    ],
)
def test_no_proxy_hosts(monkeypatch: pytest.MonkeyPatch, no_proxy: str, direct: bool) -> None:  # noqa: FBT001  # a case
    """`NO_PROXY` is read as the standard library reads it."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:8080")
    monkeypatch.setenv("NO_PROXY", no_proxy)

    assert (None if direct else PROXY) == find_proxy("https://api.elevenlabs.io:8443", None, allow_insecure_http=False)


@pytest.mark.promise(row=40)
def test_a_proxy_on_another_machine_does_not_see_the_key() -> None:
    """Over http: nothing is hidden from a proxy, so one that is not on this machine must be allowed to see the key."""
    base_url, proxy = "http://127.0.0.1:8765", "http://proxy.example:8080"

    with pytest.raises(ElevenLabsConfigError, match="would see the API key"):
        find_proxy(base_url, proxy, allow_insecure_http=False)

    assert PROXY == find_proxy(base_url, proxy, allow_insecure_http=True)
    assert Proxy("http://[::1]:8080", {}) == find_proxy(base_url, "http://[::1]:8080", allow_insecure_http=False)


NO_PROXY_AT_ALL = "is not a proxy; give one like http://proxy.example:8080"
OTHER_KIND = "is neither an http: nor an https: proxy, and no other kind is supported"


@pytest.mark.parametrize(
    ("proxy", "fault"),
    [
        pytest.param("", NO_PROXY_AT_ALL, id="empty"),
        pytest.param("http://", NO_PROXY_AT_ALL, id="no host"),
        pytest.param("http://:8080", NO_PROXY_AT_ALL, id="a port alone"),
        pytest.param("http://user:hunter2@", NO_PROXY_AT_ALL, id="credentials alone"),
        pytest.param("http://[::1", NO_PROXY_AT_ALL, id="half an IPv6 address"),
        pytest.param("http://256.1.1.1:8080", NO_PROXY_AT_ALL, id="an IPv4 address that cannot be"),
        pytest.param("http://h:99999", NO_PROXY_AT_ALL, id="a port over 65535"),
        pytest.param("http://user:hunter2@h:x", NO_PROXY_AT_ALL, id="a port that is no number"),
        pytest.param("http://user:hunter2@a..b:8080", NO_PROXY_AT_ALL, id="an empty label"),
        pytest.param(f"http://user:hunter2@{'a' * 64}:8080", NO_PROXY_AT_ALL, id="a label that is too long"),
        pytest.param("http://user:hunter2\udcff@h:8080", NO_PROXY_AT_ALL, id="bytes that are not UTF-8"),
        pytest.param(b"http://h", NO_PROXY_AT_ALL, id="bytes"),
        pytest.param(8080, NO_PROXY_AT_ALL, id="a number"),
        pytest.param("socks5://user:hunter2@h:1080", OTHER_KIND, id="socks5"),
        pytest.param("socks5h://h", OTHER_KIND, id="socks5h"),
        pytest.param("ftp://h", OTHER_KIND, id="ftp"),
        pytest.param("wss://h", OTHER_KIND, id="wss"),
        pytest.param("://h", NO_PROXY_AT_ALL, id="no scheme"),
    ],
)
def test_what_is_no_proxy(proxy: str, fault: str) -> None:
    """It is refused when the client is made, and not quoted."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        find_proxy(API, proxy, allow_insecure_http=False)

    assert f"proxy {fault}" == str(caught.value)


@pytest.mark.parametrize("proxy", ["socks5://user:hunter2@h:1080", "http://user:hunter2@a..b"])
def test_what_is_no_proxy_in_the_environment(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    """The variable is named, for nobody passed an argument."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)

    with pytest.raises(ElevenLabsConfigError, match=r"^HTTPS_PROXY is n") as caught:
        find_proxy(API, None, allow_insecure_http=False)

    assert "hunter2" not in str(caught.value)


@settings(deadline=None)
@given(st.text() | st.text().map("http://user:hunter2{}@h.example".format) | st.text().map("http://{}:1".format))
def test_any_text_gives_a_proxy_or_a_config_error(text: str) -> None:
    """No other exception comes out, and the password is in nothing that shows."""
    try:
        proxy = found(API, text)
    except ElevenLabsConfigError:
        return

    assert proxy.url.startswith(("http://", "https://"))
    assert "hunter2" not in repr(proxy)
    assert "@" not in proxy.url
