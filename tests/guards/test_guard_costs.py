"""What a mint on an open connection costs: calls, memory blocks and system calls, which a busy machine does not change.

If a change makes a mint cost more, one of these tests fails: find another way, or change the figure and say why.
If a change makes it cost less, lower the figure.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from scripted import ScriptedApi, reply

MINTER = Path(__file__).with_name("minter.py")


PACKAGE_FUNCTIONS = {"async": 31, "sync": 43}
"""Calls of the package's own functions in a mint, on any Python."""

PYTHON = sys.version_info[:2]

FUNCTIONS_BESIDE_BARE = {(3, 11): -13}.get(PYTHON, -11)
"""Calls of Python functions of any package in a mint of the async client, less those of a mint with bare aiohttp."""

ALLOCATIONS_BESIDE_BARE = {(3, 11): -15, (3, 12): -12, (3, 13): -11}.get(PYTHON, -10)
"""Memory blocks that such a mint allocates, less those of a mint with bare aiohttp."""

ALLOCATIONS_MARGIN = 2
"""With another release of aiohttp or attrs, a mint may allocate so many more."""

ASKING_FOR_THE_LOOP = {"getpid": 1} if PYTHON < (3, 12) else {}
"""On Python 3.11, `asyncio.get_running_loop` asks for the process id, to notice a fork."""

SYNC_SYSTEM_CALLS = {
    **ASKING_FOR_THE_LOOP,
    "epoll_wait": 3 if PYTHON >= (3, 12) else 4,  # an eager task saves one step of the event loop
    "sendto": 2,  # one wakes the event loop, one is the request
    "recvfrom": 3,  # the byte that wakes the event loop, a check for another one, and the reply
}

UNCOUNTED = {
    "futex",  # the scheduler decides which thread waits for the interpreter's lock
    *("brk", "madvise", "mmap", "mremap", "munmap"),  # whether memory comes from the system depends on what is free
    "restart_syscall",  # an interrupted system call goes on
}


@pytest.fixture(autouse=True)
def token_in_json(api: ScriptedApi) -> None:
    """Answer with JSON, which bare aiohttp needs, and so late that the client is already waiting."""
    api.replies = [reply(headers={"Content-Type": "application/json"})] * 3000
    api.delay_in_seconds = 0.001


def minter(caller: str, counted: str, times: int, api: ScriptedApi, *before: str, **environment: str) -> dict[str, int]:
    """Mint in another process, and return what it counted."""
    command = [*before, sys.executable, str(MINTER), caller, counted, str(times), api.base_url]
    run = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False
    )
    assert (0, "") == (run.returncode, run.stderr)
    count: dict[str, int] = json.loads(run.stdout)
    return count


def functions(caller: str, api: ScriptedApi, times: int = 100) -> tuple[int, int]:
    """Count the calls of the package's functions, and of all functions, in one mint."""
    count = minter(caller, "functions", times, api)
    return round(count["package"] / times), round(count["all"] / times)


@pytest.mark.parametrize("caller", ["async", "sync"])
def test_functions_of_the_package(api: ScriptedApi, caller: str) -> None:
    """A mint calls no more of the package's functions than the figure says."""
    package, _ = functions(caller, api)

    assert 0 < package <= PACKAGE_FUNCTIONS[caller]


def test_functions_of_all(api: ScriptedApi) -> None:
    """A mint calls fewer functions than bare aiohttp does; those of aiohttp and asyncio count, too."""
    (none, bare), (_, ours) = functions("bare", api), functions("async", api)

    assert 0 == none
    assert ours - bare <= FUNCTIONS_BESIDE_BARE


@pytest.mark.parametrize("caller", ["async", "sync"])
def test_nothing_stays_and_nothing_is_left_to_the_collector(api: ScriptedApi, caller: str) -> None:
    """A thousand mints keep no memory, and create no reference cycles for the garbage collector."""
    api.delay_in_seconds = 0.0

    count = minter(caller, "blocks", 1000, api)

    assert 0 == count["garbage"]
    assert 0 == count["kept"] // 100  # one in ten mints would show


@cache
def mtrace_library() -> str | None:
    """Find the library that lets glibc log every allocation, if this Python can load it."""
    library = "libc_malloc_debug.so.0"
    run = subprocess.run(
        [sys.executable, "-c", f"import ctypes; ctypes.CDLL({library!r}).dlvsym"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    return library if 0 == run.returncode else None


def allocations(caller: str, api: ScriptedApi, log: Path, library: str, times: int = 100) -> int:
    """Count the memory blocks that a mint allocates or enlarges; blocks that Python reuses do not count."""
    minter(caller, "allocations", times, api, LD_PRELOAD=library, PYTHONMALLOC="malloc", MALLOC_TRACE=str(log))
    return round(len(re.findall(r"^@ .*? [+>] 0x", log.read_text(), re.MULTILINE)) / times)


def test_allocations(api: ScriptedApi, tmp_path: Path) -> None:
    """A mint allocates about as many memory blocks as bare aiohttp does."""
    library = mtrace_library()
    if library is None:
        pytest.skip("needs glibc 2.34 or newer, which logs allocations")

    bare = allocations("bare", api, tmp_path / "bare", library)
    ours = allocations("async", api, tmp_path / "ours", library)

    assert bare > 100
    assert ours - bare <= ALLOCATIONS_BESIDE_BARE + ALLOCATIONS_MARGIN


@cache
def has_strace() -> bool:
    """Tell whether strace is installed and permitted."""
    strace = shutil.which("strace")
    return strace is not None and 0 == subprocess.run([strace, "-qq", "-o", os.devnull, "true"], check=False).returncode


def system_calls(caller: str, api: ScriptedApi, log: Path, times: int = 100) -> dict[str, int]:
    """Count the system calls of a mint, by name."""
    if not has_strace():
        pytest.skip("needs strace, and the permission to use it")
    minter(caller, "marks", times, api, "strace", "-f", "-qq", "-o", str(log))
    # Some machines know epoll_wait as a form of epoll_pwait.
    mints = log.read_text().replace("epoll_pwait", "epoll_wait").partition('"begin"')[2].partition('"end"')[0]
    names = Counter(re.findall(r"^\d+ +(\w+)\(", mints, re.MULTILINE))
    a_mint = {name: round(calls / times) for name, calls in names.items() if name not in UNCOUNTED}
    return {name: calls for name, calls in a_mint.items() if calls}


def test_system_calls_of_the_async_client(api: ScriptedApi, tmp_path: Path) -> None:
    """A mint makes the system calls that bare aiohttp makes, and asks once for the event loop."""
    bare, ours = system_calls("bare", api, tmp_path / "bare"), system_calls("async", api, tmp_path / "ours")

    assert {"epoll_wait": 2, "sendto": 1, "recvfrom": 1} == bare
    assert Counter(ours) <= Counter({**bare, **ASKING_FOR_THE_LOOP})


def test_system_calls_of_the_sync_client(api: ScriptedApi, tmp_path: Path) -> None:
    """Beside the system calls of the async client, a mint makes those that wake the event loop."""
    ours = system_calls("sync", api, tmp_path / "ours")

    assert ours["sendto"] > 1
    assert Counter(ours) <= Counter(SYNC_SYSTEM_CALLS)
