"""Promises 16 to 22 over a socket; the tables of all bodies are in `pure/test_pure_decipher.py` and beside it."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from itertools import repeat
from pathlib import Path
from time import monotonic

import pytest

from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsError, InvalidResponseError
from minting import mint
from programs import run_python
from rows import row
from scripted import TOKEN, Act, Pieces, Script, ScriptedApi, head, reply

pytestmark = pytest.mark.anyio

CAP = 64 * 1024
MIB = 1024 * 1024
JSON_TOKEN = json.dumps(TOKEN).encode()


@pytest.mark.parametrize(
    ("status_code", "body", "fault"),
    [
        row(16, 200, b'{"token": null, "x": "hunter2"}', r"expected a string @ \$\.token", id="null"),
        row(17, 204, b"", "nothing", id="204"),
    ],
)
async def test_a_success_without_a_token(
    api: ScriptedApi, client: AsyncElevenLabsClient, status_code: int, body: bytes, fault: str
) -> None:
    """It is not retried; its error says what was wrong, keeps the status and does not quote the reply."""
    api.replies += [reply(status_code, body, {"Request-Id": "r1"})]

    with pytest.raises(InvalidResponseError, match=f"^{fault} in the {status_code} reply to POST /v1/") as caught:
        await mint(client)

    assert (status_code, "r1", None) == (caught.value.status_code, caught.value.request_id, caught.value.body)
    assert "hunter2" not in str(caught.value)
    assert 1 == len(api.requests)


@pytest.mark.promise(row=20)
async def test_the_longest_reply_that_is_read(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """A reply of 64 KiB is read, and a byte more is refused, even if it comes late."""
    too_long: Script = [head(200, {"Content-Length": CAP + 1}), Pieces([JSON_TOKEN.ljust(CAP), b" "], 0.1)]
    api.replies += [reply(200, JSON_TOKEN.ljust(CAP)), reply(200, JSON_TOKEN.ljust(CAP + 1)), too_long]

    assert TOKEN["token"] == await mint(client)
    for _ in range(2):
        with pytest.raises(InvalidResponseError, match=r"^more than 64 KiB in the 200 reply"):
            await mint(client)


@pytest.mark.timed
@pytest.mark.promise(row=20)
@pytest.mark.parametrize("status_code", [200, 400])
async def test_the_rest_is_not_waited_for(
    api: ScriptedApi, either_client: AsyncElevenLabsClient, status_code: int
) -> None:
    """A reply is refused as soon as it is too large, and its connection is closed."""
    start = head(status_code, {"Content-Length": 200 * MIB}) + JSON_TOKEN.ljust(CAP + 1)
    api.replies += [[start, Act.STALL]]
    began = monotonic()

    with pytest.raises(ElevenLabsError):
        await mint(either_client)

    assert monotonic() - began < 0.5
    assert await asyncio.to_thread(api.connection_closed.wait, 5)


MEASURE = """
import asyncio, json, time
from pathlib import Path
from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsError

def peak_in_kib():
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])

async def call(client):
    began = time.monotonic()
    try:
        await client.tokens.single_use.create("realtime_scribe")
    except ElevenLabsError as error:
        return [type(error).__name__, error.status_code, len(str(error)), error.body, time.monotonic() - began]

async def main():
    async with AsyncElevenLabsClient(api_key="sk_1", base_url=base_url, max_retries=0) as client:
        await call(client)
        await call(client)
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
        before = peak_in_kib()
        outcome = await call(client)
        print(json.dumps([*outcome, (peak_in_kib() - before) / 1024]))

asyncio.run(main())
"""


def large(status_code: int, headers: Mapping[str, object]) -> Script:
    """Write a reply of 200 MiB that begins with a token."""
    return [head(status_code, headers), Pieces([JSON_TOKEN.ljust(CAP), *repeat(b" " * CAP, 3_199)]), Act.CLOSE]


def gzip_bomb(status_code: int, size_in_mib: int) -> Script:
    """Write a reply of that many zeros, compressed."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    packed = [*(packer.compress(bytes(MIB)) for _ in range(size_in_mib)), packer.flush()]
    return reply(status_code, b"".join(packed), {"Content-Encoding": "gzip"})


LENGTH = {"Content-Length": 200 * MIB}


@pytest.mark.timed
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells a process its peak of memory")
@pytest.mark.parametrize(
    ("write", "kind"),
    [
        row(20, partial(large, 200, LENGTH), "InvalidResponseError 200", id="200 MiB"),
        row(20, partial(large, 200, {}), "InvalidResponseError 200", id="200 MiB of no announced length"),
        row(21, partial(gzip_bomb, 200, 200), "InvalidResponseError 200", id="gzip, 204 kB to 200 MiB"),
        row(21, partial(gzip_bomb, 200, 60), "InvalidResponseError 200", id="gzip, 61 kB to 60 MiB"),
        row(22, partial(large, 400, LENGTH), "BadRequestError 400", id="400 with 200 MiB"),
        row(22, partial(gzip_bomb, 400, 60), "BadRequestError 400", id="400 with gzip, 61 kB to 60 MiB"),
    ],
)
async def test_what_a_large_reply_costs(api: ScriptedApi, write: Callable[[], Script], kind: str) -> None:
    """Memory grows by less than 5 MiB, and the call takes less than half a second; measured in a process of its own."""
    api.replies += [reply(), reply(400, {}), write()]

    run = await asyncio.to_thread(run_python, MEASURE, base_url=api.base_url)

    assert 0 == run.returncode, run.stderr
    name, status_code, length, body, seconds, growth_in_mib = json.loads(run.stdout)
    assert kind == f"{name} {status_code}"
    assert seconds < 0.5
    assert growth_in_mib < 5
    assert length < 300
    assert body is None
    assert api.bytes_sent < 32 * MIB


@pytest.mark.promise(row=21)
@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", gzip.compress(JSON_TOKEN)), ("deflate", zlib.compress(JSON_TOKEN))],
    ids=["gzip", "deflate"],
)
async def test_a_compressed_reply(
    api: ScriptedApi, either_client: AsyncElevenLabsClient, encoding: str, body: bytes
) -> None:
    """It was not asked for, and is refused without being unpacked."""
    api.replies += [reply(200, body, {"Content-Encoding": encoding})]

    with pytest.raises(InvalidResponseError, match=r"^compressed data, which was not asked for, in the 200 reply"):
        await mint(either_client)
