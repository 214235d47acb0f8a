"""Promises 36 to 39: what a client takes from its caller, and that a fault in it sends nothing.

The tables of all that is refused stand with the pure rules. Here: that each way into a client follows the rules, and
what they let through arrives as it was given.
"""

import ssl
import string
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from elevenlabs_tokens import (
    AsyncElevenLabsClient,
    ElevenLabsClient,
    ElevenLabsConfigError,
    ElevenLabsError,
    RequestOptions,
)
from elevenlabs_tokens.environments import is_loopback
from frozen import KEY
from minting import mint_once
from scripted import HEAD_END, ScriptedApi

pytestmark = pytest.mark.anyio

Kind = type[AsyncElevenLabsClient] | type[ElevenLabsClient]
BOTH = pytest.mark.parametrize("kind", [AsyncElevenLabsClient, ElevenLabsClient])


@pytest.fixture(scope="module")
def lasting_api() -> Iterator[ScriptedApi]:
    """Give a server that lasts for all examples of a test."""
    with ScriptedApi() as running:
        yield running


@pytest.fixture(scope="module")
def lasting_client(lasting_api: ScriptedApi) -> Iterator[ElevenLabsClient]:
    with ElevenLabsClient(api_key=KEY, base_url=lasting_api.base_url) as client:
        yield client


async def refusals_of_calls(client: AsyncElevenLabsClient, *arguments: Any, **options: Any) -> list[str]:
    """Give the error texts of the ways to make a call with these arguments; `create` raises before it is awaited."""
    sync_client = ElevenLabsClient(base_url=client._pipeline.base_url)
    texts: list[str] = []
    for tokens in (client.tokens, sync_client.tokens):
        with pytest.raises(ElevenLabsConfigError) as caught:
            tokens.single_use.create(*arguments, **options)
        texts.append(str(caught.value))
    with pytest.raises(ElevenLabsConfigError) as caught:
        await client.tokens.single_use.with_raw_response.create(*arguments, **options)
    return [*texts, str(caught.value)]


# Promise 36: base URLs


@pytest.mark.promise(row=36)
@BOTH
@pytest.mark.parametrize(
    "base_url",
    ["http://api.elevenlabs.io", "https://user:hunter2@api.elevenlabs.io", "", "ftp://h.example", "http://[::1"],
)
def test_a_base_url_that_is_refused(kind: Kind, base_url: str) -> None:
    """It is refused when the client is made, and a password in it is not shown."""
    with pytest.raises(ElevenLabsConfigError, match=r"^base_url ") as caught:
        kind(api_key=KEY, base_url=base_url)

    assert "hunter2" not in str(caught.value)


ANY_CONTEXT = ssl.create_default_context()
WORDS = ["[::1]", "::1", "127.0.0.1", "localhost", "evil", "v1", "80", "0x50"]
MARKS = [".", ":", "@", "/", "\\", "%", "%2e", "#", "?", "[", "[[", "]"]


@pytest.mark.promise(row=36)
@settings(deadline=None, max_examples=500)
@given(st.sampled_from(["http://", "https://"]), st.lists(st.sampled_from(WORDS + MARKS), min_size=1).map("".join))
def test_the_host_that_was_checked_is_the_one_that_is_asked(scheme: str, rest: str) -> None:
    """Whatever the base URL looks like, aiohttp reads the same host in it as the check did."""
    try:
        client = AsyncElevenLabsClient(api_key=KEY, base_url=f"{scheme}{rest}", ssl=ANY_CONTEXT)
    except ElevenLabsConfigError:
        return

    url = URL(f"{client._pipeline.base_url}/v1/single-use-token/realtime_scribe", encoded=True)
    assert url.host
    assert url.raw_user is None
    assert "https" == url.scheme or is_loopback(url.host)


@pytest.mark.promise(row=36)
@pytest.mark.parametrize("host", ["999999999999", "1.2.3", "[v1.x]", "a'b"])
async def test_a_host_that_is_nowhere(host: str) -> None:
    """It is found out when the client is made or when it is used; the error is always the package's."""
    with pytest.raises(ElevenLabsError):
        await mint_once(AsyncElevenLabsClient(api_key=KEY, base_url=f"https://{host}", max_retries=0))


# Promise 37: API keys


@pytest.mark.promise(row=37)
@pytest.mark.parametrize("key", [f"{KEY}\r\nX-Evil: 1", f"\u201c{KEY}\u201d"], ids=["CRLF", "smart quotes"])
async def test_a_key_that_is_refused(
    api: ScriptedApi, client: AsyncElevenLabsClient, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever way it is given, it is refused and not shown, and nothing is sent."""

    async def later() -> str:
        return key

    async def call(options: Any) -> None:
        await client.tokens.single_use.create("realtime_scribe", request_options=options)

    monkeypatch.setenv("ELEVENLABS_API_KEY", key)
    ways: list[Callable[[], Any]] = [
        lambda: AsyncElevenLabsClient(api_key=key),
        lambda: ElevenLabsClient(api_key=key),
        AsyncElevenLabsClient,  # with the key of the environment
        ElevenLabsClient,
        lambda: RequestOptions(api_key=key),
        lambda: call({"api_key": key}),
        lambda: call({"api_key": lambda: key}),
        lambda: call({"api_key": later}),
    ]
    for way in ways:
        with pytest.raises(ElevenLabsConfigError) as caught:
            await way()

        error = caught.value
        assert KEY not in f"{error} {error!r} {error.args} {vars(error)} {error.__cause__!r} {error.__context__!r}"
        assert "Nothing was sent" in str(error)
    assert 0 == api.connections


@pytest.mark.promise(row=37)
@pytest.mark.parametrize("variable", [None, ""], ids=["unset", "empty"])
async def test_no_key(api: ScriptedApi, variable: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call says how to set a key, and sends nothing."""
    if variable is not None:
        monkeypatch.setenv("ELEVENLABS_API_KEY", variable)

    texts = await refusals_of_calls(AsyncElevenLabsClient(base_url=api.base_url), "realtime_scribe")

    text = "there is no API key: set ELEVENLABS_API_KEY before the client is made, or give api_key="
    assert [text] * 3 == texts
    assert 0 == api.connections


# Promise 38: token types


@pytest.mark.promise(row=38)
@pytest.mark.parametrize("token_type", ["../voices", "a/b", "x\r\ny", b"realtime_scribe"])
async def test_a_token_type_that_is_refused(api: ScriptedApi, client: AsyncElevenLabsClient, token_type: Any) -> None:
    """It is refused by `create` itself, and nothing is sent."""
    for text in await refusals_of_calls(client, token_type):
        assert text.startswith("token_type must be one of realtime_scribe, ")
        assert text.endswith("nothing was sent")
    assert 0 == api.connections


# Promise 39: extra headers


@pytest.mark.promise(row=39)
@pytest.mark.parametrize(
    "headers", [{"XI-Api-Key": KEY}, {"host": None}, {"X-A": "a\r\nX-Evil: 1"}, {"X-A: a\r\nX-Evil": "1"}], ids=repr
)
async def test_headers_that_are_refused(api: ScriptedApi, client: AsyncElevenLabsClient, headers: Any) -> None:
    """Whichever way they are given, they are refused and not shown, and nothing is sent."""
    for make in (AsyncElevenLabsClient, ElevenLabsClient, RequestOptions):
        with pytest.raises(ElevenLabsConfigError):
            make(headers=headers)
    for name in ("headers", "additional_headers"):
        for text in await refusals_of_calls(client, "realtime_scribe", request_options={name: headers}):
            assert "header" in text
            assert KEY not in text
            assert "Evil" not in text
    assert 0 == api.connections


# Promises 37 to 39, over the wire

VISIBLE = string.ascii_letters + string.digits + string.punctuation
DANGEROUS = st.text(st.sampled_from(VISIBLE) | st.sampled_from('\r\n\t\0 :,"é\u200b\u2028\ud800\x85\x1c'))
TYPES = st.from_regex(r"[a-z][a-z0-9_]{0,63}", fullmatch=True)
KEYS = st.text(st.sampled_from(VISIBLE), min_size=1)
NAMES = st.sampled_from(["x-a", "X-B", "Cookie", "Accept", "USER-AGENT", "Content-Type", "HOST", "Te"])
VALUES = st.text(st.sampled_from(VISIBLE + " \t")) | st.none()


@pytest.mark.promise(row=37)
@pytest.mark.promise(row=38)
@pytest.mark.promise(row=39)
@settings(deadline=None, max_examples=500)
@given(
    token_type=TYPES | st.text(st.sampled_from("a1_/.%A?#\n ")),
    key=KEYS | DANGEROUS,
    headers=st.dictionaries(NAMES | DANGEROUS, VALUES | DANGEROUS, max_size=3),
)
def test_any_texts_are_sent_as_they_are_or_refused(
    lasting_api: ScriptedApi,
    lasting_client: ElevenLabsClient,
    token_type: str,
    key: str,
    headers: dict[str, str | None],
) -> None:
    """The type is the last part of the path, the key and each header have one line, and nothing grows out of them."""
    lasting_api.requests.clear()
    try:
        lasting_client.tokens.single_use.create(token_type, request_options={"api_key": key, "headers": headers})
    except ElevenLabsConfigError:
        assert [] == lasting_api.requests
        return

    [request] = lasting_api.requests
    target, *lines = request.removesuffix(HEAD_END).split(b"\r\n")
    given_headers = {"xi-api-key": key, **{name.lower(): value for name, value in headers.items()}}
    own = {"host", "user-agent", "accept", "accept-encoding", "content-length", "content-type"}
    kept = {name for name, value in given_headers.items() if value is not None}
    assert f"POST /v1/single-use-token/{token_type} HTTP/1.1".encode() == target
    assert sorted((own - given_headers.keys()) | kept) == sorted(
        line.partition(b": ")[0].decode().lower() for line in lines
    )
    for name in kept:
        assert f"{name}: {given_headers[name]}".encode() in lines
