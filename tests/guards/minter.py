"""Mints on an open connection in a process of its own, and counts what a mint does; it measures no time.

python minter.py CALLER COUNTED TIMES BASE_URL
"""

import asyncio
import ctypes
import gc
import json
import os
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import aiohttp

import elevenlabs_tokens
from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsClient

KEY = "sk_0123456789abcdef"
WARM_UP = 20
PACKAGE = f"{Path(elevenlabs_tokens.__file__).parent}{os.sep}"

Count = dict[str, int]
Counted = Callable[[], AbstractContextManager[Count]]


class Functions:
    """Counts calls of Python functions, in this thread and in later ones; each step of a coroutine counts."""

    def __init__(self) -> None:
        self._count = {"package": 0, "all": 0}
        threading.setprofile(self._note)
        sys.setprofile(self._note)

    def _note(self, frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            file = frame.f_code.co_filename
            # Functions that attrs and cattrs generate for the package count as its own.
            is_own = file.startswith(PACKAGE) or (file.startswith("<") and "elevenlabs_tokens" in file)
            self._count["package"] += is_own
            self._count["all"] += 1

    @contextmanager
    def count(self) -> Generator[Count]:
        before = dict(self._count)
        made: Count = {}
        yield made
        made.update({name: count - before[name] for name, count in self._count.items()})


@contextmanager
def blocks() -> Generator[Count]:
    """Count the memory blocks that are kept, and the objects that only the garbage collector can free."""
    gc.collect()
    gc.disable()
    before = sys.getallocatedblocks()
    left: Count = {}
    yield left
    left["garbage"] = gc.collect()
    left["kept"] = sys.getallocatedblocks() - before


def libc(name: str) -> Callable[[], None]:
    """Find a function of glibc's malloc debugging; new programs must ask for it by its version."""
    find = ctypes.CDLL(None).dlvsym
    find.restype, find.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]
    versions = (b"GLIBC_2.2.5", b"GLIBC_2.17")  # of x86-64, of other processors
    address = next(found for version in versions if (found := find(None, name.encode(), version)))
    return ctypes.CFUNCTYPE(None)(address)


@contextmanager
def allocations() -> Generator[Count]:
    """Let glibc log every allocation."""
    begin, end = libc("mtrace"), libc("muntrace")
    gc.disable()
    begin()
    yield {}
    end()


@contextmanager
def marks() -> Generator[Count]:
    """Make one system call before the mints and one after them, which the log of strace shows by name."""
    os.access("begin", os.F_OK)
    yield {}
    os.access("end", os.F_OK)


async def bare(base_url: str, times: int, counted: Counted) -> Count:
    """Mint with aiohttp alone, as its docs show: the async client is compared with this."""
    url = f"{base_url}/v1/single-use-token/realtime_scribe"
    async with aiohttp.ClientSession() as session:

        async def mint() -> str:
            async with session.post(url, headers={"xi-api-key": KEY}) as response:
                return str((await response.json())["token"])

        for _ in range(WARM_UP):
            await mint()
        with counted() as count:
            for _ in range(times):
                await mint()
    return count


async def with_async_client(base_url: str, times: int, counted: Counted) -> Count:
    async with AsyncElevenLabsClient(api_key=KEY, base_url=base_url) as client:
        for _ in range(WARM_UP):
            await client.tokens.single_use.create("realtime_scribe")
        with counted() as count:
            for _ in range(times):
                await client.tokens.single_use.create("realtime_scribe")
    return count


def with_sync_client(base_url: str, times: int, counted: Counted) -> Count:
    with ElevenLabsClient(api_key=KEY, base_url=base_url) as client:
        for _ in range(WARM_UP):
            client.tokens.single_use.create("realtime_scribe")
        with counted() as count:
            for _ in range(times):
                client.tokens.single_use.create("realtime_scribe")
    return count


def main(caller: str, counted: str, times: int, base_url: str) -> Count:
    ways: dict[str, Counted] = {"blocks": blocks, "allocations": allocations, "marks": marks}
    count = Functions().count if counted == "functions" else ways[counted]
    if caller == "sync":
        return with_sync_client(base_url, times, count)
    return asyncio.run((bare if caller == "bare" else with_async_client)(base_url, times, count))


if __name__ == "__main__":
    _, caller_, counted_, times_, base_url_ = sys.argv
    sys.stdout.write(json.dumps(main(caller_, counted_, int(times_), base_url_)))
