"""The command as a process: its name, its exit codes, and what happens when its output cannot be written."""

import os
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TextIO, cast

NAME = "elevenlabs-tokens"
_FAILED = 1
_WRONG_USAGE = 2
_INTERRUPTED = 130
_READER_LEFT = 141  # as shells report a command that SIGPIPE has ended: 128 + 13


class CommandError(Exception):
    """The command was refused, or it failed; the text says what to do."""


class UsageError(CommandError):
    """What was typed is wrong."""


class _OutputError(Exception):
    """Standard output cannot be written; its cause says why."""


class _Output:
    """Standard output, with errors of its own: an `OSError` could also come from a socket or a file."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError as error:
            raise _OutputError from error

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            raise _OutputError from error

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def run(command: Callable[[], object]) -> NoReturn:
    """Call a command and exit with its code; whatever goes wrong is one line on standard error.

    All output is written before the exit: if it were left to Python, an output that cannot be written would be
    several lines of Python's own, and exit code 120.
    """
    if sys.stderr is None:  # `2>&-`; `print` would then write to standard output
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115  # open until the process ends
    stdout: TextIO | None = sys.stdout
    if stdout is None:  # `>&-`
        _complain("cannot write to standard output (it is closed); send it elsewhere")
        sys.exit(_FAILED)
    sys.exit(_exit_code_of(command, stdout))


def _exit_code_of(command: Callable[[], object], stdout: TextIO) -> int:
    sys.stdout = cast("TextIO", _Output(stdout))
    try:
        try:
            command()
        finally:
            sys.stdout.flush()
    except _OutputError as error:
        _discard(stdout)
        if isinstance(error.__cause__, BrokenPipeError):
            return _READER_LEFT
        reason = getattr(error.__cause__, "strerror", None)
        _complain(f"cannot write to standard output ({reason}); send it elsewhere")
    except UsageError as error:
        _complain(str(error))
        return _WRONG_USAGE
    except CommandError as error:
        _complain(str(error))
    except KeyboardInterrupt:
        return _INTERRUPTED
    else:
        return 0
    return _FAILED


def _complain(text: str) -> None:
    note(f"{NAME}: {in_one_line(text)}")


def note(text: str) -> None:
    """Print to standard error. What cannot be written there is lost, and changes nothing else."""
    try:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    except OSError:
        _discard(sys.stderr)


def _discard(stream: TextIO) -> None:
    """Let Python write to nowhere what the stream still holds when the process exits."""
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


def in_one_line(text: str) -> str:
    """Replace line ends and all that could control a terminal by spaces."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _is_module() -> bool:
    return Path(sys.argv[0]).name == "__main__.py"


def shown_name() -> str:
    """Name the program for a usage line."""
    return "python -m elevenlabs_tokens" if _is_module() else NAME


def name_to_copy() -> str:
    """Name the program so that the line can be copied into the shell that called it."""
    if _is_module():
        return f"{shlex.quote(sys.orig_argv[0])} -m elevenlabs_tokens"
    called = sys.argv[0]
    if not called.endswith(NAME) or shutil.which(NAME) == called:
        return NAME
    return shlex.quote(called)
