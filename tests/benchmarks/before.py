"""Compares the package with an earlier revision of itself: `nox -s bench -- --before REVISION`."""

import io
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.contenders import AGAIN, ASYNC, BEFORE, SYNC, ours, ours_sync
from benchmarks.figures import Results, Spread

_PACKAGE = "elevenlabs_tokens_before"


@contextmanager
def measured_too(revision: str) -> Generator[None]:
    """Measure the package of a revision, too: it is imported under another name."""
    command = [shutil.which("git") or "git", "archive", revision, "elevenlabs_tokens"]
    archive = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    with TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        package = Path(folder, "elevenlabs_tokens").rename(Path(folder, _PACKAGE))
        for module in package.rglob("*.py"):
            module.write_text(re.sub(r"\belevenlabs_tokens\b", _PACKAGE, module.read_text()))
        sys.path.append(folder)
        ASYNC[BEFORE] = partial(ours, package=_PACKAGE)
        SYNC[BEFORE] = partial(ours_sync, package=_PACKAGE)
        yield


def comparison(results: Results) -> str:
    """Say how fast the package is, compared with before; the noise is the ratio of the same code, measured twice."""
    noise = {timing.measure: timing.ratio for timing in results.timings if timing.contender == AGAIN}
    figures = [figure for figure in results.figures if figure.against == BEFORE]
    lines = [f"  {f.measure}: {_spread(f.seen)}, noise {_spread(noise[f.measure])}" for f in figures]
    return "\n".join(["Time before over time now (over 1, it is faster now):", *lines])


def _spread(seen: Spread) -> str:
    return f"{seen.median:.3f} ({seen.lower:.3f} to {seen.upper:.3f})"
