from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elevenlabs_tokens._http.proxy import Proxy, find_proxy
from elevenlabs_tokens.exceptions import ElevenLabsConfigError

HOST = "api.elevenlabs.io"
API = f"https://{HOST}"
ADDRESS = "proxy.example:8080"
BASIC = f"Basic {b64encode(b'user:hunter2').decode()}"
PROXY = Proxy(url=f"http://{ADDRESS}", headers={})


def found(proxy: str) -> Proxy:
    result = find_proxy(API, proxy, allow_insecure_http=False)
    assert result is not None
    return result


def credentials(proxy: Proxy) -> str | None:
    if not proxy.headers:
        return None
    scheme, _, encoded = proxy.headers["Proxy-Authorization"].partition(" ")
    assert "Basic" == scheme
    return b64decode(encoded).decode()


@pytest.mark.parametrize(
    ("proxy", "url", "plain"),
    [
        ("http://proxy.example:8080", "http://proxy.example:8080", None),
        ("https://proxy.example", "https://proxy.example", None),
        ("HTTP://proxy.example:3128/", "http://proxy.example:3128", None),
        ("proxy.example:8080", "http://proxy.example:8080", None),
        ("proxy.example", "http://proxy.example", None),
        ("http://[::1]:8080", "http://[::1]:8080", None),
        ("http://10.0.0.1:8080/path?query#fragment", "http://10.0.0.1:8080", None),
        ("user:hunter2@proxy.example:8080", "http://proxy.example:8080", "user:hunter2"),
        ("http://us@er:hunter2@proxy.example", "http://proxy.example", "us@er:hunter2"),
        ("http://user@proxy.example", "http://proxy.example", "user:"),
        ("http://user:@proxy.example", "http://proxy.example", "user:"),
        ("http://:hunter2@proxy.example", "http://proxy.example", ":hunter2"),
        ("http://us%40er:p%3Ass%2Fw@proxy.example", "http://proxy.example", "us@er:p:ss/w"),
        ("http://%C3%BC:%C3%A9@proxy.example", "http://proxy.example", "ü:é"),
        ("http://user:a:b@proxy.example", "http://proxy.example", "user:a:b"),
    ],
)
def test_what_is_read_of_a_proxy(proxy: str, url: str, plain: str | None) -> None:
    """Its address, over http where it does not say; and apart from that, decoded, its user and password."""
    assert (url, plain) == (found(proxy).url, credentials(found(proxy)))


def test_a_password_is_a_secret() -> None:
    """No `repr` shows it, encoded or not."""
    proxy = found("http://user:hunter2@proxy.example")

    assert "Proxy(url='http://proxy.example', headers='***')" == repr(proxy)
    assert "'***'" == repr(proxy.headers["Proxy-Authorization"])


@pytest.mark.parametrize("base_url", [API, "http://api.example", "http://127.0.0.1:8765", "https://localhost"])
def test_an_argument_is_obeyed(monkeypatch: pytest.MonkeyPatch, base_url: str) -> None:
    """It is used wherever the requests go, and whatever the environment says."""
    monkeypatch.setenv("HTTPS_PROXY", "http://other.example")
    monkeypatch.setenv("NO_PROXY", "*")

    assert PROXY == find_proxy(base_url, "http://proxy.example:8080", allow_insecure_http=True)


NO_PROXY = ["*", "api.elevenlabs.io", ".elevenlabs.io", "elevenlabs.io", "a.example, API.ELEVENLABS.IO", f"{HOST}:8443"]
OTHERS = ["", f"{HOST}:443", "us.elevenlabs.io", "labs.io"]


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": ""}, None),
        ({"HTTPS_PROXY": ADDRESS}, PROXY),
        ({"https_proxy": ADDRESS}, PROXY),
        ({"HTTPS_PROXY": f"user:hunter2@{ADDRESS}"}, Proxy(PROXY.url, {"Proxy-Authorization": BASIC})),
        *(({name: ADDRESS}, None) for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")),
        ({"HTTPS_PROXY": ADDRESS, "no_proxy": HOST}, None),
        *(({"HTTPS_PROXY": ADDRESS, "NO_PROXY": hosts}, None) for hosts in NO_PROXY),
        *(({"HTTPS_PROXY": ADDRESS, "NO_PROXY": hosts}, PROXY) for hosts in OTHERS),
    ],
    ids=str,
)
def test_the_environment(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str], proxy: Proxy | None) -> None:
    """`HTTPS_PROXY` counts, less the hosts of `NO_PROXY`, which the standard library reads."""
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)

    assert proxy == find_proxy("https://api.elevenlabs.io:8443", None, allow_insecure_http=False)


@pytest.mark.promise(row=40)
@pytest.mark.parametrize(
    "base_url",
    ["http://api.example", "http://127.0.0.1:1", "https://localhost:1", "https://127.9.9.9", "https://[::1]:1"],
)
def test_where_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch, base_url: str) -> None:
    """Neither loopback nor an `http:` URL goes through its proxy."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example")

    assert find_proxy(base_url, None, allow_insecure_http=False) is None


@pytest.mark.promise(row=40)
@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8765", "http://localhost:1", "http://[::1]"])
def test_a_proxy_on_another_machine_does_not_see_the_key(base_url: str) -> None:
    """An `http:` request hides nothing from its proxy, so only a proxy on this machine may carry it unasked."""
    with pytest.raises(ElevenLabsConfigError, match="would see the API key"):
        find_proxy(base_url, "http://proxy.example:8080", allow_insecure_http=False)

    assert PROXY == find_proxy(base_url, "http://proxy.example:8080", allow_insecure_http=True)
    assert Proxy("http://[::1]:8080", {}) == find_proxy(base_url, "http://[::1]:8080", allow_insecure_http=False)


NO_PROXY_AT_ALL = "is not a proxy; give one like http://proxy.example:8080"
OTHER_KIND = "is neither an http: nor an https: proxy, and no other kind is supported"


@pytest.mark.promise(row=40)
@pytest.mark.parametrize(
    ("proxy", "fault"),
    [
        pytest.param("", NO_PROXY_AT_ALL, id="empty"),
        pytest.param("http://", NO_PROXY_AT_ALL, id="no host"),
        pytest.param("http://:8080", NO_PROXY_AT_ALL, id="a port alone"),
        pytest.param("http://user:hunter2@", NO_PROXY_AT_ALL, id="credentials alone"),
        pytest.param("http://[::1", NO_PROXY_AT_ALL, id="half an IPv6 address"),
        pytest.param("http://[::1]evil.com:80", NO_PROXY_AT_ALL, id="a name after an IPv6 address"),
        pytest.param("http://[::1].evil.com", NO_PROXY_AT_ALL, id="a domain after an IPv6 address"),
        pytest.param("http://[::1]]", NO_PROXY_AT_ALL, id="a bracket too many"),
        pytest.param("http://a[::1]", NO_PROXY_AT_ALL, id="a name before an IPv6 address"),
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
def test_what_is_no_proxy(monkeypatch: pytest.MonkeyPatch, proxy: Any, fault: str) -> None:
    """The argument or the variable is named, and what it holds is not quoted."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        find_proxy(API, proxy, allow_insecure_http=False)

    assert f"proxy {fault}" == str(caught.value)
    if isinstance(proxy, str) and proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        with pytest.raises(ElevenLabsConfigError) as caught:
            find_proxy(API, None, allow_insecure_http=False)

        assert f"HTTPS_PROXY {fault}" == str(caught.value)


@settings(deadline=None)
@given(st.text() | st.text().map("http://user:hunter2{}@h.example".format) | st.text().map("http://{}:1".format))
def test_any_text_gives_a_proxy_or_a_config_error(text: str) -> None:
    """No other exception comes out, and nothing that is shown holds the password."""
    try:
        proxy = found(text)
    except ElevenLabsConfigError:
        return

    assert proxy.url.startswith(("http://", "https://"))
    assert "hunter2" not in repr(proxy)
    assert "@" not in proxy.url
