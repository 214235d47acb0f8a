"""The command line as a process of its own, in an environment as bare as `env -i` leaves it."""

import os
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType

from frozen import KEY

COMMAND = (sys.executable, "-P", "-c", "from elevenlabs_tokens.cli import main; main()")
MODULE = (sys.executable, "-P", "-m", "elevenlabs_tokens")


def bare_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Keep only what a process needs to find its home, its programs and this package, and add some variables."""
    kept = {name: os.environ[name] for name in ("HOME", "PATH", "PYTHONPATH") if name in os.environ}
    return {**kept, **variables}


def run(
    *arguments: str, key: str | None = KEY, program: Sequence[str] = COMMAND, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; the further keywords are variables of its environment."""
    if key is not None:
        variables["ELEVENLABS_API_KEY"] = key
    return run_process([*program, *arguments], variables)


def run_process(
    command: Sequence[str],
    variables: Mapping[str, str] = MappingProxyType({}),
    *,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
) -> subprocess.CompletedProcess[str]:
    """Run any process in the bare environment, and read what it prints."""
    return subprocess.run(
        command,
        env=bare_environment(variables),
        stdout=stdout,
        stderr=stderr,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def running_emulator(*arguments: str, stderr: int = subprocess.PIPE) -> Generator[tuple[subprocess.Popen[str], str]]:
    """Run the command `emulator`, and give its process with the first line of its output."""
    with subprocess.Popen(
        [*COMMAND, "emulator", "--port", "0", *arguments],
        env=bare_environment({}),
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()
