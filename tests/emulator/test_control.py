from typing import Any

import aiohttp
import pytest

from elevenlabs_tokens.emulator import Emulator
from elevenlabs_tokens.emulator.control import _is_local
from frontend import KEY_HEADER, TEXT_TO_SPEECH, Frontend
from frozen import KEY

pytestmark = pytest.mark.anyio


async def call(http: aiohttp.ClientSession, emulator: Emulator, name: str, body: Any = None) -> tuple[int, Any]:
    """Call the control API, and give the status code and the document."""
    async with http.post(f"{emulator.base_url}/emulator/{name}", json=body) as response:
        return response.status, await response.json()


async def view(http: aiohttp.ClientSession, emulator: Emulator, name: str) -> Any:
    async with http.get(f"{emulator.base_url}/emulator/{name}") as response:
        return await response.json()


async def test_a_test_in_another_language_steers_it(http: aiohttp.ClientSession) -> None:
    """All of the handle is there: faults of mints and sockets, the clock, the tokens, the requests, a reset."""
    async with Emulator(control=True) as emulator:
        frontend = Frontend(http, emulator)
        assert (200, None) == await call(http, emulator, "fail_next", {"times": None, "status": 418, "body": ["a"]})
        async with http.post(f"{emulator.base_url}/v1/single-use-token/x", headers=KEY_HEADER) as failed:
            assert (418, ["a"]) == (failed.status, await failed.json())
        await call(http, emulator, "recover", {})
        token = await frontend.mint("tts_websocket")
        await call(http, emulator, "fail_next_socket", {"close_code": 4000})
        *_, code, _ = await frontend.converse(TEXT_TO_SPEECH, {"text": ""}, headers=KEY_HEADER)
        await call(http, emulator, "advance", {"seconds": 900})
        status, record = await call(http, emulator, "record_of", {"token": token})
        tokens, requests = [await view(http, emulator, name) for name in ("tokens", "requests")]
        await call(http, emulator, "reset")

        assert (200, 4000, [record]) == (status, code, tokens)
        expires_at = requests[1]["received_at"][:10]
        assert {"token_type", "state", "minted_at", "expires_at", "spent_at"} == set(record)
        assert ("expired", expires_at) == (record["state"], record["minted_at"][:10])
        assert ["failed", "minted"] == [request["outcome"] for request in requests]
        assert token not in str((tokens, requests))
        assert KEY not in str(requests)
        assert ([], []) == (await view(http, emulator, "tokens"), await view(http, emulator, "requests"))


@pytest.mark.parametrize(
    ("name", "body", "status", "message"),
    [
        ("fail_next", {"statsu": 503}, 400, "statsu"),
        ("fail_next", {"status": 99}, 400, "status must be a whole number"),
        ("fail_next_socket", {"error": "nope"}, 400, "error must be one of"),
        ("advance", {}, 400, "seconds"),
        ("advance", [], 400, "expected a JSON object"),
        ("record_of", {"token": "nope"}, 404, "not minted here"),
        ("record_of", {"token": []}, 400, "unhashable"),
        ("no_such_call", {}, 404, ""),
    ],
)
async def test_wrong_calls_get_error_objects(
    http: aiohttp.ClientSession, name: str, body: Any, status: int, message: str
) -> None:
    """The message names the wrong argument."""
    async with Emulator(control=True) as emulator:
        answered, document = await call(http, emulator, name, body)

    assert status == answered
    assert message in document["detail"]["message"]


async def test_it_is_off_unless_it_is_asked_for(http: aiohttp.ClientSession, emulator: Emulator) -> None:
    """Then there is no such route."""
    assert 404 == (await call(http, emulator, "reset"))[0]


async def test_a_web_page_cannot_steer_it(http: aiohttp.ClientSession) -> None:
    """A browser names the site that sends a request, in `Origin` or as the host, and then it is refused."""
    async with Emulator(control=True) as emulator:
        url = f"{emulator.base_url}/emulator/reset"
        for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
            async with http.post(url, headers=headers) as response:
                assert 403 == response.status


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        (None, False),
    ],
)
def test_only_this_machine_may_steer_it(address: str | None, expected: bool) -> None:  # noqa: FBT001 - a table
    """Even if the emulator listens on all addresses."""
    assert expected == _is_local(address)
