"""Programs that a test runs in a Python process of their own."""

import subprocess
import sys

# Every warning is an error, but for the two that the programs are about: Python's own of a fork in a process with
# threads, and the ResourceWarning that Python does not show by default.
_WARNINGS = ("-W", "error", "-W", "ignore:This process:DeprecationWarning", "-W", "ignore::ResourceWarning")


def _command(program: str, options: tuple[str, ...], names: dict[str, object]) -> list[str]:
    assignments = "".join(f"{name} = {value!r}\n" for name, value in names.items())
    return [sys.executable, "-P", *_WARNINGS, *options, "-c", assignments + program]


def run_python(
    program: str, *options: str, timeout_in_seconds: float = 30, **names: object
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end.

    Args:
        program: The source.
        options: More options for Python.
        timeout_in_seconds: After how long it is killed, and the test fails.
        names: The global variables that it begins with.
    """
    return subprocess.run(
        _command(program, options, names), capture_output=True, text=True, timeout=timeout_in_seconds, check=False
    )


def start_python(program: str, **names: object) -> subprocess.Popen[str]:
    """Start a program, which the test can write to and read from."""
    return subprocess.Popen(
        _command(program, (), names),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
