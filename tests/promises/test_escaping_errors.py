"""Promise 53: which errors reach the caller of an async call."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import pytest

import elevenlabs_tokens
from elevenlabs_tokens import (
    AsyncElevenLabsClient,
    ElevenLabsClient,
    ElevenLabsConnectionError,
    ElevenLabsError,
    ElevenLabsTimeoutError,
    ElevenLabsTLSError,
    InvalidResponseError,
)
from faults import FAULTS, HALF_A_REPLY
from frozen import KEY, FrozenTime
from minting import mint
from scripted import TOKEN, Act, Script, ScriptedApi, head, reply

pytestmark = pytest.mark.promise(row=53)

OK = b"HTTP/1.1 200 OK\r\n"
REPLIES: Mapping[str, tuple[Script, Any]] = {
    **{fault.name: (fault.script, fault.error) for fault in FAULTS if fault.script},
    "closed": ([Act.CLOSE], ElevenLabsConnectionError),
    "reset": ([Act.RESET], ElevenLabsConnectionError),
    "silent": ([Act.STALL], ElevenLabsTimeoutError),
    "cut in its head": ([b"HTTP/1.1 200", Act.CLOSE], ElevenLabsConnectionError),
    "reset in its body": ([*HALF_A_REPLY, Act.RESET], ElevenLabsConnectionError),
    "1xx and no more": ([b"HTTP/1.1 100 Continue\r\n\r\n" * 3, Act.CLOSE], ElevenLabsConnectionError),
    "a length of 5,000 digits": ([head(200, {"Content-Length": "9" * 5000})], InvalidResponseError),
    "a chunk without a size": ([OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", Act.CLOSE], InvalidResponseError),
    "a head of 50,000 lines": ([OK + b"X: a\r\n" * 50_000 + b"\r\n", Act.CLOSE], InvalidResponseError),
    "a line of 20 kB": ([head(200, {"X": "a" * 20_000}), Act.CLOSE], InvalidResponseError),
    "a redirect to nowhere": (reply(302, {}, {"Location": "http://[::1]evil"}), InvalidResponseError),
    "strange cookies": (reply(200, b"{}", {"Set-Cookie": "é=\x01; expires=x; Max-Age=1e99"}), InvalidResponseError),
}


@pytest.mark.anyio
@pytest.mark.parametrize(("script", "kind"), REPLIES.values(), ids=REPLIES)
async def test_a_bad_reply(
    api: ScriptedApi, session_to_borrow: aiohttp.ClientSession | None, script: Script, kind: type[ElevenLabsError]
) -> None:
    """It is the error of the package that says what happened, whoever owns the session."""
    api.replies += [script] * 3
    client = AsyncElevenLabsClient(
        api_key=KEY,
        base_url=api.base_url,
        session=session_to_borrow,
        attempt_timeout_in_seconds=0.1 if kind is ElevenLabsTimeoutError else 5,
    )
    client._pipeline.clock = FrozenTime().clock()
    async with client, asyncio.timeout(20):  # so that the test fails instead of hanging
        with pytest.raises(ElevenLabsError) as caught:
            await mint(client, max_retries=1)

    assert kind is type(caught.value)
    assert kind is getattr(elevenlabs_tokens, kind.__name__)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("http://127.0.0.1:{gone}", ElevenLabsConnectionError),
        ("https://127.0.0.1:{gone}", ElevenLabsConnectionError),
        ("https://name.invalid", ElevenLabsConnectionError),
        ("https://[fe80::1]:{gone}", ElevenLabsConnectionError),
        ("https://127.0.0.1:{plain}", ElevenLabsTLSError),
    ],
)
async def test_an_address_that_leads_nowhere(
    api: ScriptedApi, session_to_borrow: aiohttp.ClientSession | None, address: str, kind: type[ElevenLabsError]
) -> None:
    """It is one of the package's errors, too."""
    api.greetings += [[Act.READ, head(400), Act.STALL]]
    with ScriptedApi() as gone:
        base_url = address.format(gone=gone.port, plain=api.port)
    async with AsyncElevenLabsClient(
        api_key=KEY, base_url=base_url, session=session_to_borrow, max_retries=0
    ) as client:
        with pytest.raises(ElevenLabsError) as caught:
            await mint(client)

    assert kind is type(caught.value)


# What a key callable of the caller's own raises


@pytest.mark.anyio
@pytest.mark.parametrize(
    "error",
    [
        LookupError("sealed"),
        TimeoutError("the vault's own"),
        OSError(104, "reset"),
        ValueError("no"),
        RuntimeError("cannot schedule new futures after shutdown"),
        aiohttp.ServerDisconnectedError("the vault's own"),
        asyncio.QueueEmpty(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_a_key_callable_raises(api: ScriptedApi, error: Exception) -> None:
    """It reaches the caller unchanged, as the same object, except where Python makes a copy."""

    def at_once() -> str:
        raise error

    async def later() -> str:
        await asyncio.sleep(0)
        raise error

    sources: list[Callable[[], Any]] = [at_once, later]
    for source in sources:
        async with AsyncElevenLabsClient(api_key=source, base_url=api.base_url) as client:
            with pytest.raises(type(error)) as caught:
                await mint(client)
        with (
            ElevenLabsClient(api_key=source, base_url=api.base_url) as sync_client,
            pytest.raises(type(error)) as caught_in_thread,
        ):
            await asyncio.to_thread(sync_client.tokens.single_use.create, "realtime_scribe")

        assert error is caught.value
        # Up to Python 3.12, `asyncio` hands a copy of a TimeoutError over to another thread.
        assert (type(error), error.args) == (type(caught_in_thread.value), caught_in_thread.value.args)
    assert 0 == api.connections


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_program(api: ScriptedApi, kind: type[BaseException]) -> None:
    """It goes through as it is, and the client serves the next event loop."""
    keys: list[Any] = [kind, KEY]

    def source() -> str:
        key = keys.pop(0)
        if key is kind:
            raise key
        return str(key)

    client = AsyncElevenLabsClient(api_key=source, base_url=api.base_url)
    with pytest.raises(kind):
        asyncio.run(mint(client))
    token = asyncio.run(mint(client))
    asyncio.run(client.aclose())

    assert TOKEN["token"] == token
