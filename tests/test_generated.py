"""The sync half is what the generator makes of the async one, and nothing else."""

import ast
import asyncio
import inspect
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsClient, _client, _sync, _tokens
from elevenlabs_tokens.emulator import Emulator

PACKAGE = Path(_sync.__file__).parent
SOURCES = Path(__file__).parents[1] / "elevenlabs_tokens"

PAIRS = [
    (value, getattr(_sync, name.removeprefix("Async")))
    for module in (_client, _tokens)
    for name, value in vars(module).items()
    if inspect.isclass(value) and value.__module__ == module.__name__
]
EACH_PAIR = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[1].__name__)
RENAMED = {"aclose": "close", "__aenter__": "__enter__", "__aexit__": "__exit__"}


def public(kind: type) -> dict[str, Any]:
    """Give the methods of a class, by their sync names; and a client itself, because users make one."""
    methods = {
        RENAMED.get(name, name): value
        for name, value in vars(kind).items()
        if inspect.isfunction(value) and (not name.startswith("_") or name in {*RENAMED, *RENAMED.values()})
    }
    return {**methods, "itself": kind} if kind.__name__.endswith("LabsClient") else methods


def test_no_class_is_orphaned() -> None:
    """Each sync class is the form of an async one."""
    found = {value for value in vars(_sync).values() if inspect.isclass(value) and value.__module__ == _sync.__name__}

    assert {sync_class for _, sync_class in PAIRS} == found


@EACH_PAIR
def test_methods_and_parameters_agree(pair: tuple[type, type]) -> None:
    """The same methods have the same parameters and defaults, but for the session, which sync code cannot lend."""
    asynchronous, synchronous = map(public, pair)

    assert asynchronous.keys() == synchronous.keys()
    for name, method in asynchronous.items():
        parameters = inspect.signature(method).parameters.values()
        expected = [parameter for parameter in parameters if parameter.name != "session"]
        assert expected == list(inspect.signature(synchronous[name]).parameters.values())


ONLY_ASYNC = """Mints tokens for frontends, from async code.
async with AsyncElevenLabsClient() as client:
token = await client.tokens.single_use.create("realtime_scribe")
One client serves many tasks, event loops and threads, and can be made before an event loop runs.
Close it when the application ends: use `async with`, or `await client.aclose()`.
session: A session of your own to send with. The client never closes it, and uses its connections, TLS, proxy,
cookies and traces. It works only in the event loop in which it was made."""
ONLY_SYNC = """Mints tokens for frontends, from sync code.
with ElevenLabsClient() as client:
token = client.tokens.single_use.create("realtime_scribe")
One client serves many threads. It takes no `session`: the calls run in an event loop of the package's own.
Close it when the application ends: use `with`, or `client.close()`."""


def lines_of(kind: type, known: str) -> list[str]:
    """Give the lines of its docstrings, less those that are known to be of the one half alone."""
    docstrings = [each.__doc__ or "" for each in {**public(kind), "itself": kind}.values()]
    lines = [line.strip() for docstring in docstrings for line in docstring.splitlines()]
    return [line.replace("Async", "") for line in lines if line not in known.splitlines()]


@EACH_PAIR
def test_docstrings_agree(pair: tuple[type, type]) -> None:
    """Those of each class and of each method agree, but for the lines that are known to differ."""
    assert lines_of(pair[0], ONLY_ASYNC) == lines_of(pair[1], ONLY_SYNC)


def generate(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the generator of a copy of the sources."""
    return subprocess.run(
        [sys.executable, "-P", folder / "_generate.py", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("_generate.py", "_client.py", "_tokens.py"):
        shutil.copy(SOURCES / name, tmp_path)
    shutil.copy(PACKAGE / "_sync.py", tmp_path)
    return tmp_path


def test_the_committed_half_is_up_to_date(copy: Path) -> None:
    """The option `--check` has nothing to say."""
    shown = generate(copy, "--check")

    assert (0, "", "") == (shown.returncode, shown.stdout, shown.stderr)


CHANGES: dict[str, Callable[[str], str]] = {
    "a changed docstring": lambda text: text.replace("Close the client: calls", "Close the client; calls"),
    "a removed parameter": lambda text: text.replace("        proxy: str | None = None,\n", ""),
    "an orphaned class": lambda text: f"{text}\n\nclass Orphan:\n    pass\n",
    "a truncated file": lambda text: text[: len(text) // 2],
    "no file": lambda _: "",
}


def files_in(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.glob("*.py")}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_check_sees(copy: Path, change: Callable[[str], str]) -> None:
    """It shows the difference, writes nothing, and fails."""
    target = copy / "_sync.py"
    text = target.read_text()
    changed = change(text)
    target.write_text(changed) if changed else target.unlink()
    before = files_in(copy)

    shown = generate(copy, "--check")

    assert text != changed
    assert 1 == shown.returncode
    assert shown.stdout.startswith("--- _sync.py\n+++ what the sources give\n@@")
    assert before == files_in(copy)
    assert 0 == generate(copy).returncode
    assert text == target.read_text()


TOKENS, CLIENT = r"_tokens\.py:\d+: ", r"_client\.py:\d+: "
STALE = r"these patterns match nothing in _tokens\.py, _client\.py: .*"
REFUSALS = {
    "no docstring": ('"""Close the client', '"" + """Close the client', CLIENT + "aclose has no doc"),
    "a clash": ("class AsyncTokensClient:", "class AsyncSingleUseClient:", TOKENS + ".*the second SingleUseClient"),
    "a sync method": ("    async def aclose(self)", "    def aclose(self)", CLIENT + "aclose is not async"),
    "a dunder": ("def __repr__(", "def __len__(", CLIENT + "__len__ has no sync form"),
    "a name": ("class AsyncTokensClient:", "class OtherTokens:", TOKENS + ".*OtherTokens does not begin with Async"),
    "a reworded introduction": ("from async code", "for async code", STALE + "from async code"),
    "a reworded sentence": ("event loops and threads", "loops and threads", STALE + "event loops and threads"),
    "a session by another name": (" session: ", " http_session: ", STALE + "session: "),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_translated(copy: Path, case: str) -> None:
    """It is refused, with the file and the line or with the pattern that is out of date, and nothing is written."""
    old, new, text = REFUSALS[case]
    source = next(path for path in (copy / "_client.py", copy / "_tokens.py") if old in path.read_text())
    source.write_text(source.read_text().replace(old, new))
    before = (copy / "_sync.py").read_text()

    shown = generate(copy)

    assert (1, "") == (shown.returncode, shown.stdout)
    assert re.match(text, shown.stderr), shown.stderr
    assert before == (copy / "_sync.py").read_text()


def documented_arguments(docstring: str | None) -> list[str]:
    """Give the names of the section `Args`."""
    section = re.search(r"\nArgs:\n((?: .*\n)*)", inspect.cleandoc(docstring or ""))
    return re.findall(r"^ {4}(\w+):", section[1], re.MULTILINE) if section else []


@EACH_PAIR
def test_the_documented_arguments_are_the_parameters(pair: tuple[type, type]) -> None:
    """All of them are documented, in their order, and nothing else is: no `session` in the sync half."""
    for each in [*public(pair[0]).values(), *public(pair[1]).values()]:
        if each.__doc__:
            parameters = [parameter for parameter in inspect.signature(each).parameters if parameter != "self"]
            assert parameters == documented_arguments(each.__doc__)


@pytest.mark.parametrize("kind", [AsyncElevenLabsClient, ElevenLabsClient])
def test_the_help_of_a_client_shows_a_mint(
    elevenlabs_emulator: Emulator, monkeypatch: pytest.MonkeyPatch, kind: type
) -> None:
    """The example in its docstring runs as it stands, and needs nothing but the API key."""
    monkeypatch.setenv("ELEVENLABS_BASE_URL", elevenlabs_emulator.base_url)
    monkeypatch.setenv("ELEVENLABS_API_KEY", "sk_1234")
    example = re.search(r"Example::\n\n((?: {4}.*\n)+)", inspect.getdoc(kind) or "")
    assert example
    namespace: dict[str, Any] = {kind.__name__: kind}

    code = compile(textwrap.dedent(example[1]), kind.__name__, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, namespace)  # noqa: S307  # the package's own docstring
    if inspect.iscoroutine(result):
        asyncio.run(result)

    assert namespace["url"].startswith(f"{elevenlabs_emulator.websocket_base_url}/v1/speech-to-text/realtime?token=")


def test_it_is_small() -> None:
    """Both files can be read at one sitting."""
    assert 160 > len((SOURCES / "_generate.py").read_text().splitlines())
    assert 200 > len((PACKAGE / "_portal.py").read_text().splitlines())


def test_it_is_not_installed() -> None:
    """Users have what the generator wrote; it runs from a checkout."""
    installed = [file.name for file in metadata.files("elevenlabs-tokens") or () if file.suffix in {".py", ".pth"}]

    assert installed
    assert "_generate.py" not in installed


def test_no_any_in_the_generated_half() -> None:
    """A type checker that is strict proves each delegation."""
    assert not re.search(r"\bAny\b", (PACKAGE / "_sync.py").read_text())
