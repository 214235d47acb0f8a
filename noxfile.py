"""All checks: `nox` runs them, `nox --list` lists them, `nox -s tests-3.13` runs one of them."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import nox

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

# No version of Python and no dependency changes what these tests find: only the newest Python runs them.
RUN_ONCE = (
    "tests/cli/test_cli_output.py",
    "tests/emulator/test_vendor.py",
    "tests/endpoint/test_every_adapter.py",
    "tests/endpoint/test_many_users.py",
    "tests/endpoint/test_openapi.py",
    "tests/endpoint/test_rate_limit.py",
    "tests/examples",
    "tests/fuzz",
    "tests/promises/test_every_row.py",
    "tests/promises/test_help_texts.py",
    "tests/sync/test_sync_servers.py",
    "tests/test_benchmarks.py",
    "tests/test_docs.py",
    "tests/test_generated.py",
    "tests/test_observability.py",
)
# Only the newest Python runs these tests, and the oldest one, with the lowest dependencies.
RUN_AT_BOTH_ENDS = ("tests/emulator", "tests/endpoint")

nox.needs_version = ">=2026.8.10"
nox.options.allow_parallel = True
nox.options.error_on_external_run = True
nox.options.error_on_missing_interpreters = False


def _candidates() -> list[Path]:
    """List what may be a Python: this one, those on the path, and those that version managers installed."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    for versions in (
        Path(sys.base_prefix).parent,
        Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions",
    ):
        folders += sorted(versions.glob("*/bin"), reverse=True)
    found = [python for folder in folders for python in sorted(folder.glob("python3.*"))]
    supported = re.compile(r"python3\.(1[1-9]|[2-9]\d)")
    return [Path(sys.executable), *(python for python in found if supported.fullmatch(python.name))]


def _version_of(python: Path) -> str | None:
    """Ask an interpreter for its version; None if it is not supported, or is a shim for one that is not installed."""
    program = "import sys, venv; print(*sys.version_info[:2], sys.version_info.releaselevel, sys.implementation.name)"
    try:
        run = subprocess.run([python, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    major, minor, level, name = run.stdout.split()
    is_supported = (int(major), int(minor)) >= (3, 11) and (level, name) == ("final", "cpython")
    return f"{major}.{minor}" if is_supported else None


def find_pythons() -> dict[str, str]:
    """Find every Python that the package supports; return versions and paths, the oldest first."""
    found: dict[str, str] = {}
    for python in _candidates():
        if python.name.removeprefix("python") not in found and (version := _version_of(python)):
            found.setdefault(version, str(python))
    return {version: found[version] for version in sorted(found, key=lambda version: int(version.partition(".")[2]))}


PYTHONS = find_pythons()
OLDEST, NEWEST = next(iter(PYTHONS)), next(reversed(PYTHONS))
# The longest first, so that all end together.
nox.options.sessions = [f"tests-{NEWEST}", "tests-lowest", "types", "tests", "docs", "lint"]
# nox looks up interpreters by name: the real ones must come before the shims of version managers.
os.environ["PATH"] = os.pathsep.join([*(str(Path(python).parent) for python in PYTHONS.values()), os.environ["PATH"]])
# The sessions install without compiling, so Python must keep what it compiles when it first imports it.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@nox.session(python=NEWEST, allow_parallel=False)
def wheel(session: nox.Session) -> None:
    """Build the wheel; the sessions that install it run this one first."""
    shutil.rmtree(session.cache_dir / "wheel", ignore_errors=True)
    session.run("python", "-m", "pip", "wheel", "--quiet", "--no-deps", f"--wheel-dir={session.cache_dir}/wheel", ".")


def _install(session: nox.Session, *groups: str, others: Iterable[str] = ()) -> Path:
    """Install the wheel with its extras, some dependency groups and other arguments of pip; return the wheel."""
    wheel = next(session.cache_dir.resolve().glob("wheel/*.whl"))
    session.install("--no-compile", f"{wheel}[cli,limits]", *nox.project.dependency_groups(PYPROJECT, *groups), *others)
    session.install(
        "--force-reinstall", "--no-deps", str(wheel)
    )  # with `nox -r`, an older build of the same version may be installed
    return wheel


def _all_tests(session: nox.Session, *without: str) -> list[str]:
    """Give the options with which pytest runs the tests, without some files or folders, on all cores.

    Beside other sessions (`nox --parallel`), it runs them on half of the cores; but the newest Python, which has the
    most to run, on all.
    """
    if missing := [path for path in without if not Path(path).exists()]:
        session.error(f"no such files: {missing}")
    half = (os.cpu_count() or 1) // 2
    workers = (half if half > 1 else 0) if session.parallel and session.python != NEWEST else "auto"
    return [f"--numprocesses={workers}", "--dist=worksteal", *(f"--ignore={path}" for path in without)]


@nox.session(python=[*reversed(PYTHONS)], requires=["wheel"])
def tests(session: nox.Session) -> None:
    """Run the tests on the built wheel; `nox -s tests-3.13 -- tests/pure -k query` runs some of them.

    The newest Python runs all tests, and checks that those in `tests/pure` cover every branch of the pure modules.
    The other Pythons leave out RUN_ONCE, RUN_AT_BOTH_ENDS and the command line.
    """
    _install(session, "test", *(["once"] if session.python == NEWEST else []))
    # Here and below, pytest runs as a script and not as a module, so that the wheel is imported and not the folder.
    if session.posargs:
        session.run("pytest", *session.posargs)
    elif session.python != NEWEST:
        session.run("pytest", *_all_tests(session, *RUN_ONCE, *RUN_AT_BOTH_ENDS, "tests/cli"))
    else:
        session.run("pytest", *_all_tests(session, "tests/pure"))
        session.env["COVERAGE_FILE"] = f"{session.env_dir.resolve()}/coverage"
        session.run("pytest", *_all_tests(session), "--cov", "--cov-report=", "tests/pure")
        pure = ",".join(f"*/elevenlabs_tokens/{module}.py" for module in PURE)
        session.run("coverage", "report", f"--include={pure}", "--fail-under=100")


def _floors() -> list[str]:
    """Give the oldest version of each dependency that the package allows, and of pytest, as exact requirements."""
    project = PYPROJECT["project"]
    extras = [needed for extra in project["optional-dependencies"].values() for needed in extra]
    pytest = (
        f"pytest>={PYPROJECT['tool']['pytest']['ini_options']['minversion']}"  # newer ones warn about the oldest anyio
    )
    return [needed.replace(">=", "==") for needed in [*project["dependencies"], *extras, pytest]]


@nox.session(name="tests-lowest", python=OLDEST, requires=["wheel"])
def tests_lowest(session: nox.Session) -> None:
    """Run the tests with the oldest dependencies that the package allows, on the oldest Python that is found.

    It leaves out RUN_ONCE, and the guards, which count for newer dependencies.
    """
    _install(session, "test", others=_floors())
    session.run("pytest", *(session.posargs or _all_tests(session, *RUN_ONCE, "tests/guards")))


@nox.session(name="tests-next", python=NEWEST, requires=["wheel"])
def tests_next(session: nox.Session) -> None:
    """Run the tests with the newest pre-releases of the four dependencies, even those that pyproject.toml forbids.

    Without a pre-release, the newest release is taken. For a branch without any release, give its address:
    `nox -s tests-next -- 'aiohttp @ git+https://…'`.
    """
    _install(session, "test", "once")
    names = [re.split("[^a-z]", dependency)[0] for dependency in PYPROJECT["project"]["dependencies"]]
    session.install("--upgrade", "--pre", *names, *session.posargs)
    session.run("python", "-m", "pip", "list")
    session.run("pytest", *_all_tests(session))


@nox.session(python=list(PYTHONS), requires=["wheel"])
def guard(session: nox.Session) -> None:
    """Count what a mint costs and which modules each import loads; the tests do this, too."""
    _install(session, "test")
    session.run("pytest", "tests/guards", "tests/test_package.py", *session.posargs)


@nox.session(requires=["wheel"])
def fuzz(session: nox.Session) -> None:
    """Let the client read replies of random bytes, many more than in the tests, for one minute at most."""
    _install(session, "test")
    session.run("pytest", "tests/fuzz", "--hypothesis-profile=fuzz", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check the style, and that the generated modules match their sources."""
    session.install("--no-compile", *nox.project.dependency_groups(PYPROJECT, "lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("python", "-m", "elevenlabs_tokens._generate", "--check")


@nox.session(requires=["wheel"])
def types(session: nox.Session) -> None:
    """Check the types with mypy and pyright."""
    _install(session, "types", "docs", others=["nox"])
    session.run("mypy")
    session.run("pyright", "--pythonpath", str(Path(session.bin) / "python"))


@nox.session(requires=["wheel"])
def docs(session: nox.Session) -> None:
    """Build the docs; a warning is an error."""
    _install(session, "docs")
    session.run("sphinx-build", "-nW", "--keep-going", "-b", "html", "docs", "docs/_build/html")


@nox.session(python=list(PYTHONS), requires=["wheel"], allow_parallel=False)
def bench(session: nox.Session) -> None:
    """Measure the speed, memory and size of the wheel beside other ways to mint; `-- --quick` takes one minute."""
    wheel = _install(session, "bench", others=["--compile"])  # it compares sizes, and pip compiles by default
    # `-P` keeps this folder off the path, so that the wheel is imported.
    session.run("python", "-P", "-m", "benchmarks", str(wheel), *session.posargs, env={"PYTHONPATH": "tests"})
