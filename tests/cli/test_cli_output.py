"""Output that cannot be written: one line and exit code 1, or silence if it was the reader who left."""

import os
import re
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from cli.command import COMMAND, run, run_process, running_emulator
from elevenlabs_tokens.emulator import Emulator
from frozen import KEY

COMMANDS = {
    "demo": ["demo"],
    "create": ["create", "realtime_scribe"],
    "create --json": ["create", "realtime_scribe", "--json"],
    "create --url": ["create", "realtime_scribe", "--url"],
    "doctor": ["doctor"],
    "doctor --json": ["doctor", "--json"],
    "emulator": ["emulator", "--port", "0"],
    "--help": ["--help"],
    "--version": ["--version"],
}
KINDS = {
    "full": (1, "elevenlabs-tokens: cannot write to standard output (No space left on device); send it elsewhere\n"),
    "closed": (1, "elevenlabs-tokens: cannot write to standard output (it is closed); send it elsewhere\n"),
    "left": (141, ""),
}
BUFFERED = {"buffered": {}, "unbuffered": {"PYTHONUNBUFFERED": "1"}}

pytestmark = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="needs the file that is always full, which Linux has"
)


def whole(arguments: list[str], emulator: Emulator) -> list[str]:
    """Have the commands that mint do so at the emulator."""
    return [*arguments, "--base-url", emulator.base_url] if arguments[0] in {"create", "doctor"} else arguments


def spoiled(arguments: list[str], *, stdout: str = "", stderr: str = "", **variables: str) -> tuple[int, str, str]:
    """Run a command whose streams are full, closed, or pipes that nobody reads; give what is left of it.

    Returns:
        The exit code, and what came on standard output and on standard error where they were read.
    """
    streams = [_stream(stdout), _stream(stderr)]
    closing = " ".join(f"{number}>&-" for number, kind in enumerate((stdout, stderr), 1) if kind == "closed")
    try:
        shown = run_process(
            ["sh", "-c", f'exec "$@" {closing}', "sh", *COMMAND, *arguments],
            {"ELEVENLABS_API_KEY": KEY, **variables},
            stdout=streams[0],
            stderr=streams[1],
        )
    finally:
        for stream in streams:
            if stream != subprocess.PIPE:
                os.close(stream)
    return shown.returncode, shown.stdout or "", shown.stderr or ""


def _stream(kind: str) -> int:
    if kind == "full":
        return os.open("/dev/full", os.O_WRONLY)
    if kind == "left":
        reader, writer = os.pipe()
        os.close(reader)
        return writer
    return subprocess.PIPE


@pytest.mark.parametrize("buffering", BUFFERED)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", COMMANDS)
def test_standard_output(elevenlabs_emulator: Emulator, name: str, kind: str, buffering: str) -> None:
    """Every command says in one line that its output is full or closed, and is silent if its reader has left.

    If the output is closed, no token is minted, for nobody could read it. What `doctor` says before it mints stays.
    """
    code, text = KINDS[kind]

    ended = spoiled(whole(COMMANDS[name], elevenlabs_emulator), stdout=kind, **BUFFERED[buffering])

    assert (code, "", text) == (*ended[:2], re.sub("^Minting one token at .*\n", "", ended[2]))
    assert kind != "closed" or elevenlabs_emulator.tokens == ()


@pytest.mark.parametrize("stderr", KINDS)
@pytest.mark.parametrize(
    ("arguments", "stdout", "code"),
    [
        (["create", "realtime_scribe"], "", 0),
        (["create", "../voices"], "", 2),
        (["--version"], "full", 1),
        (["--version"], "left", 141),
    ],
)
def test_standard_error(
    elevenlabs_emulator: Emulator, arguments: list[str], stdout: str, code: int, stderr: str
) -> None:
    """A standard error that cannot be written changes neither the exit code nor what is on standard output."""
    ended = spoiled(whole(arguments, elevenlabs_emulator), stdout=stdout, stderr=stderr)

    assert (code, "") == (ended[0], ended[2])
    assert (code == 0) == ended[1].startswith("sutkn_emulator_")


@pytest.mark.parametrize("reader", ["true", "head -1"])
@pytest.mark.parametrize("name", ["demo", "create", "--help"])
def test_a_pipe(elevenlabs_emulator: Emulator, name: str, reader: str) -> None:
    """In a real pipeline, nothing but the reader's own output is seen."""
    command = shlex.join([*COMMAND, *whole(COMMANDS[name], elevenlabs_emulator)])

    shown = run_process(["sh", "-c", f"{command} | {reader}"], {"ELEVENLABS_API_KEY": KEY})

    assert (0, "") == (shown.returncode, shown.stderr)
    assert (0 if reader == "true" else 1) == len(shown.stdout.splitlines())


@pytest.mark.parametrize("stderr", [subprocess.PIPE, subprocess.STDOUT], ids=["apart", "together"])
def test_an_emulator_whose_first_line_was_read(stderr: int) -> None:
    """It serves on when the reader of that line leaves (`| head -1`), for it has nothing more to say there."""
    with running_emulator(stderr=stderr) as (process, base_url):
        assert process.stdout is not None
        process.stdout.close()

        minted = run("create", "realtime_scribe", "--base-url", base_url)
        process.send_signal(signal.SIGTERM)
        code = process.wait(20)

    assert minted.stdout.startswith("sutkn_emulator_")
    assert 0 == code
