"""All the checks: `nox` runs them, `nox --list` names them, `nox -s tests-3.13` runs one."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nox

OLDEST = (3, 11)
PYPROJECT = nox.project.load_toml("pyproject.toml")

# The rules, which every branch of must be tested: nothing in them needs a socket.
PURE = (
    "_query",
    "_secrets",
    "_tracebacks",
    "environments",
    "exceptions",
    "models",
    "options",
    "responses",
    "_http/decipher",
    "_http/explain",
    "_http/proxy",
    "_http/retry",
    "_http/structure",
    "_http/wire",
)

nox.needs_version = ">=2025.5.1"
nox.options.sessions = ["lint", "types", "docs", "tests", "tests-lowest"]
nox.options.error_on_external_run = True
nox.options.error_on_missing_interpreters = False


def _candidates() -> list[Path]:
    """Give what may be a Python: this one, those on the path, and those that version managers keep beside this one."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    for versions in (
        Path(sys.base_prefix).parent,
        Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions",
    ):
        folders += sorted(versions.glob("*/bin"), reverse=True)
    found = [python for folder in folders for python in sorted(folder.glob("python3.*"))]
    return [Path(sys.executable), *(python for python in found if re.fullmatch(r"python3\.\d+", python.name))]


def _version_of(python: Path) -> tuple[int, int] | None:
    """Ask an interpreter what it is: a shim of a version manager may stand for one that is not there."""
    program = "import sys, venv; print(*sys.version_info[:2], sys.version_info.releaselevel, sys.implementation.name)"
    try:
        run = subprocess.run([python, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    major, minor, level, name = run.stdout.split()
    version = (int(major), int(minor))
    return version if version >= OLDEST and (level, name) == ("final", "cpython") else None


def find_pythons() -> dict[str, str]:
    """Find every Python that the package supports: its version and where it is, the oldest first."""
    found: dict[tuple[int, int], Path] = {}
    for python in _candidates():
        if (version := _version_of(python)) and version not in found:
            found[version] = python
    return {".".join(map(str, version)): str(found[version]) for version in sorted(found)}


PYTHONS = find_pythons()
# nox looks interpreters up by name, where a shim may stand in the way of the real one.
os.environ["PATH"] = os.pathsep.join([*(str(Path(python).parent) for python in PYTHONS.values()), os.environ["PATH"]])


def _install(session: nox.Session, *groups: str, package: str = ".[cli,limits]") -> None:
    session.install(*nox.project.dependency_groups(PYPROJECT, *groups), package)


@nox.session(python=list(PYTHONS))
def tests(session: nox.Session) -> None:
    """Run the tests on the built wheel, with every branch of the pure modules covered."""
    _install(session, "test")
    session.env["COVERAGE_FILE"] = str(Path(session.create_tmp()).resolve() / "coverage")
    session.run("coverage", "erase")
    # As a script and not as a module, lest the folder be imported in place of the wheel.
    session.run("coverage", "run", str(Path(session.bin) / "pytest"), *session.posargs)
    if not session.posargs:
        session.run("coverage", "combine", "-q")
        pure = ",".join(f"*/elevenlabs_tokens/{module}.py" for module in PURE)
        session.run("coverage", "report", f"--include={pure}", "--fail-under=100")


def _floors() -> list[str]:
    """Give the oldest version of each dependency that the package allows, and of pytest, as exact requirements."""
    project = PYPROJECT["project"]
    extras = [needed for extra in project["optional-dependencies"].values() for needed in extra]
    pytest = f"pytest>={PYPROJECT['tool']['pytest']['ini_options']['minversion']}"  # newer ones warn of an older anyio
    return [needed.replace(">=", "==") for needed in [*project["dependencies"], *extras, pytest]]


@nox.session(name="tests-lowest", python=next(iter(PYTHONS)))
def tests_lowest(session: nox.Session) -> None:
    """Run the tests with the oldest dependencies that the package allows."""
    session.install(*nox.project.dependency_groups(PYPROJECT, "test"), ".[cli,limits]", *_floors())
    session.run("pytest", "--ignore=tests/guards", "--ignore=tests/fuzz", *session.posargs)


@nox.session(python=list(PYTHONS))
def guard(session: nox.Session) -> None:
    """Count what a mint costs, and which modules are loaded when; the tests do so, too."""
    _install(session, "test")
    session.run("pytest", "tests/guards", "tests/test_package.py", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Have the client read many more replies of any bytes than the tests do, for a minute at most."""
    _install(session, "test")
    session.run("pytest", "tests/fuzz", "--hypothesis-profile=fuzz", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check the style, and that the generated half is what its sources give."""
    session.install(*nox.project.dependency_groups(PYPROJECT, "lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("python", "-m", "elevenlabs_tokens._generate", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types, by two checkers."""
    _install(session, "types", "docs")
    session.install("nox")
    session.run("mypy")
    session.run("pyright", "--pythonpath", str(Path(session.bin) / "python"))


@nox.session
def docs(session: nox.Session) -> None:
    """Build the docs; a warning is an error."""
    _install(session, "docs")
    session.run("sphinx-build", "-nW", "--keep-going", "-b", "html", "docs", "docs/_build/html")


@nox.session(python=list(PYTHONS))
def bench(session: nox.Session) -> None:
    """Measure how fast, how light and how large the wheel is, beside others; `-- --quick` for a look in a minute."""
    folder = Path(session.create_tmp()).resolve() / "wheel"
    shutil.rmtree(folder, ignore_errors=True)
    session.run_install("python", "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), ".")
    (wheel,) = folder.glob("*.whl")
    _install(session, "bench", package=str(wheel))
    session.install("--force-reinstall", "--no-deps", str(wheel))  # an older one of the same version may be there
    # Without the folder that it runs in, lest that be imported in place of the wheel.
    session.run("python", "-P", "-m", "benchmarks", str(wheel), *session.posargs, env={"PYTHONPATH": "tests"})
