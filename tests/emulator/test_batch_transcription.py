import asyncio
import sys
from array import array
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from anyio import to_thread

from frontend import KEY_HEADER, Frontend
from frozen import FrozenTime
from servers import serving

pytestmark = pytest.mark.anyio

PATH = "/v1/speech-to-text"
TONE = array("h", [8000, -8000] * 16_000).tobytes()  # 2 s of pcm_16000
Answer = tuple[int, Any, Any]


async def upload(
    frontend: Frontend, token: str | None = None, *, audio: bytes | None = TONE, headers: Any = None, **fields: str
) -> Answer:
    """Send a form; give the status of the answer, its document, and the origins that may read it."""
    form = aiohttp.FormData({"model_id": "scribe_v2", **fields}, default_to_multipart=True)
    if audio is not None:
        form.add_field("file", audio, filename="blob")
    query = {} if token is None else {"token": token}
    url = frontend.emulator.base_url + PATH
    async with frontend.http.post(url, data=form, params=query, headers=headers) as response:
        return response.status, await response.json(), response.headers.get("Access-Control-Allow-Origin")


def outcome(answer: Answer) -> tuple[int, str]:
    """Give the status, and the status in the error object or the transcript."""
    assert "*" == answer[2]
    return answer[0], answer[1]["detail"]["status"] if "detail" in answer[1] else answer[1]["text"]


OPENED = 200, "emulated transcript of a file of 64000 bytes"
REFUSED = 401, "invalid_api_key"


async def test_a_token_opens_one_upload(frontend: Frontend, frozen_time: FrozenTime) -> None:
    """Of several at once, one is granted; an expired token and one of another type are refused, whatever the key."""
    token, late, other = [await frontend.mint(kind) for kind in ("batch_scribe", "batch_scribe", "realtime_scribe")]

    together = await asyncio.gather(*(upload(frontend, token, headers={"xi-api-key": "sk_bad"}) for _ in range(200)))
    assert [OPENED, *[REFUSED] * 199] == sorted(map(outcome, together))
    assert REFUSED == outcome(await upload(frontend, other, headers=KEY_HEADER))
    frozen_time.advance(900)
    assert REFUSED == outcome(await upload(frontend, late))
    assert ["spent", "expired", "expired"] == [record.state for record in frontend.emulator.tokens]


async def test_a_key_opens_it_too(frontend: Frontend) -> None:
    """A bad key does not, and no key does not either."""
    assert OPENED == outcome(await upload(frontend, headers=KEY_HEADER))
    assert REFUSED == outcome(await upload(frontend, headers={"xi-api-key": "sk_bad"}))
    assert (401, "needs_authorization") == outcome(await upload(frontend))


async def test_raw_audio_is_measured(frontend: Frontend) -> None:
    """The transcript, its words and its length depend on it."""
    _, document, _ = await upload(frontend, headers=KEY_HEADER, file_format="pcm_s16le_16", language_code="de")

    assert ("emulated transcript of 2.0 s of audio", "de", 2.0) == (
        document["text"],
        document["language_code"],
        document["audio_duration_secs"],
    )
    assert document["text"] == "".join(word["text"] for word in document["words"])
    assert 2.0 == document["words"][-1]["end"]


async def test_a_bad_form_is_refused_before_the_token_is_spent(frontend: Frontend) -> None:
    """The token stays fresh; pages of any origin may read the error."""
    token = await frontend.mint("batch_scribe")
    url = f"{frontend.emulator.base_url}{PATH}?token={token}"
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    answers: list[tuple[int, Any, str | None]] = []
    no_charset = (
        b'--x\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: text/plain; charset=no\r\n\r\n1\r\n--x--'
    )
    attempts = (
        (b"{}", {"Content-Type": "application/json"}),
        (b"--x\r\nrubbish", broken),
        (b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\ncut off', broken),
        (no_charset, broken),
    )
    for data, headers in attempts:
        async with frontend.http.post(url, data=data, headers=headers) as response:
            answers.append(
                (response.status, await response.json(), response.headers.get("Access-Control-Allow-Origin"))
            )
    (missing_status, missing, _), *unreadable = answers

    assert (422, ["body", "model_id"]) == (missing_status, missing["detail"][0]["loc"])
    assert [(400, "invalid_parameters")] * 3 == [outcome(answer) for answer in unreadable]
    assert (400, "invalid_parameters") == outcome(await upload(frontend, token, audio=None))
    assert (400, "invalid_parameters") == outcome(await upload(frontend, token, webhook="true"))
    assert ["fresh"] == [record.state for record in frontend.emulator.tokens]


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process from /proc")
async def test_a_large_upload_is_not_held_in_memory(http: aiohttp.ClientSession) -> None:
    """30 MiB pass, and the largest memory of the emulator grows by less than 8 MiB."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="model_id"\r\n\r\nscribe_v2\r\n'
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(480):
            yield bytes(65536)
        yield b"\r\n--x--\r\n"

    def most_memory_in_kilobytes(pid: int) -> int:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

    headers = {**KEY_HEADER, "Content-Type": "multipart/form-data; boundary=x"}
    command = (sys.executable, "-m", "elevenlabs_tokens", "emulator", "--port", "{port}")
    with serving(*command) as server:
        # The first request loads what later ones use.
        async with http.post(server.base_url + PATH, headers=headers, data=b"--x--\r\n") as response:
            assert 422 == response.status
        before = most_memory_in_kilobytes(server.process.pid)
        async with http.post(server.base_url + PATH, headers=headers, data=pieces()) as response:
            document = await response.json()
        grown = await to_thread.run_sync(most_memory_in_kilobytes, server.process.pid) - before

    assert "emulated transcript of a file of 31457280 bytes" == document["text"]
    assert grown < 8 * 1024
