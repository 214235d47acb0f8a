"""Promises 16 to 25 over a socket; the tables of all bodies are in `pure/test_pure_decipher.py` and beside it."""

import asyncio
import gzip
import json
import subprocess
import sys
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from itertools import repeat
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from elevenlabs_tokens import AsyncElevenLabsClient, AuthenticationError, ElevenLabsError, InvalidResponseError
from minting import mint
from scripted import TOKEN, Act, Pieces, Script, ScriptedApi, head, reply

pytestmark = pytest.mark.anyio

CAP = 64 * 1024
MIB = 1024 * 1024
JSON_TOKEN = json.dumps(TOKEN).encode()


def case(number: int, *values: Any, id: str) -> Any:  # noqa: A002  # as pytest calls it
    """Make a line of a table, and name the promise that it proves."""
    return pytest.param(*values, marks=pytest.mark.promise(row=number), id=id)


@pytest.mark.parametrize(
    ("status_code", "body", "fault"),
    [
        case(16, 200, b'{"token": null, "x": "hunter2"}', r"expected a string @ \$\.token", id="null"),
        case(17, 200, b"<html>hunter2</html>", "something other than JSON", id="HTML"),
        case(17, 204, b"", "nothing", id="204"),
        case(18, 200, b'{"token": "hunter2\xff"}', "something other than JSON", id="bytes that are not UTF-8"),
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


@pytest.mark.promise(row=25)
async def test_an_error_status(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """What the API said is in the attributes of the error, and its code and request id are in the text as well."""
    detail = {
        "type": "authentication_error",
        "code": "unauthorized",
        "message": "Invalid API key",
        "status": "invalid_api_key",
        "request_id": "0123456789abcdef0123456789abcdef",
    }
    api.replies += [reply(401, {"detail": detail}, {"X-Trace-Id": "t1"})]

    with pytest.raises(AuthenticationError, match=r"^401 Unauthorized \(invalid_api_key\) .*request id t1") as caught:
        await mint(client)

    error = caught.value
    assert ("unauthorized", "invalid_api_key", "Invalid API key") == (error.code, error.api_status, error.message)
    assert (401, "t1", {"detail": detail}) == (error.status_code, error.request_id, error.body)
    assert error.raw_response is not None
    assert "Invalid API key" not in str(error)


@pytest.mark.promise(row=20)
async def test_the_longest_reply_that_is_read(api: ScriptedApi, client: AsyncElevenLabsClient) -> None:
    """A reply of 64 KiB is read, and a byte more is refused, even if it comes late."""
    too_long: Script = [head(200, {"Content-Length": CAP + 1}), Pieces([JSON_TOKEN.ljust(CAP), b" "], 0.1)]
    api.replies += [reply(200, JSON_TOKEN.ljust(CAP)), reply(200, JSON_TOKEN.ljust(CAP + 1)), too_long]

    assert TOKEN["token"] == await mint(client)
    for _ in range(2):
        with pytest.raises(InvalidResponseError, match=r"^more than 64 KiB in the 200 reply"):
            await mint(client)


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
import asyncio, json, sys, time
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
    async with AsyncElevenLabsClient(api_key="sk_1", base_url=sys.argv[1], max_retries=0) as client:
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


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells a process its peak of memory")
@pytest.mark.parametrize(
    ("write", "kind"),
    [
        case(20, partial(large, 200, LENGTH), "InvalidResponseError 200", id="200 MiB"),
        case(20, partial(large, 200, {}), "InvalidResponseError 200", id="200 MiB of no announced length"),
        case(21, partial(gzip_bomb, 200, 200), "InvalidResponseError 200", id="gzip, 204 kB to 200 MiB"),
        case(21, partial(gzip_bomb, 200, 60), "InvalidResponseError 200", id="gzip, 61 kB to 60 MiB"),
        case(22, partial(large, 400, LENGTH), "BadRequestError 400", id="400 with 200 MiB"),
        case(22, partial(gzip_bomb, 400, 60), "BadRequestError 400", id="400 with gzip, 61 kB to 60 MiB"),
    ],
)
async def test_what_a_large_reply_costs(api: ScriptedApi, write: Callable[[], Script], kind: str) -> None:
    """Memory grows by less than 5 MiB, and the call takes less than half a second; measured in a process of its own."""
    api.replies += [reply(), reply(400, {}), write()]

    run = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-P", "-c", MEASURE, api.base_url], capture_output=True, text=True, check=True
    )

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
