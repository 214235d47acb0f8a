"""The sync half is what the generator makes of the async one, and nothing else."""

import ast
import asyncio
import inspect
import re
import shutil
import subprocess
import sys
import textwrap
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsClient, _client, _sync, _tokens
from elevenlabs_tokens.emulator import Emulator

PACKAGE = Path(_sync.__file__).parent
SOURCES = Path(__file__).parents[1] / "elevenlabs_tokens"

CLASSES = {
    name: getattr(_sync, name.removeprefix("Async"), None)
    for module in (_client, _tokens)
    for name, value in vars(module).items()
    if inspect.isclass(value) and value.__module__ == module.__name__
}
RENAMED = {"aclose": "close", "__aenter__": "__enter__", "__aexit__": "__exit__"}


def public_methods(kind: type) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(kind).items()
        if inspect.isfunction(value) and (not name.startswith("_") or name in {*RENAMED, *RENAMED.values()})
    }


def async_class(name: str) -> type:
    kind = getattr(_client, name, None) or getattr(_tokens, name)
    assert isinstance(kind, type)
    return kind


@pytest.mark.parametrize("name", CLASSES)
def test_the_two_halves_have_the_same_methods(name: str) -> None:
    """Neither half has a method that the other has not."""
    sync_class = CLASSES[name]
    assert sync_class is not None

    expected = {RENAMED.get(method, method) for method in public_methods(async_class(name))}
    assert expected == set(public_methods(sync_class))


def test_no_class_is_orphaned() -> None:
    """Each sync class is the form of an async one."""
    found = {
        name for name, value in vars(_sync).items() if inspect.isclass(value) and value.__module__ == _sync.__name__
    }

    assert {name.removeprefix("Async") for name in CLASSES} == found


@pytest.mark.parametrize("name", CLASSES)
def test_parameters_and_defaults_agree(name: str) -> None:
    """They agree but for the session, which sync code cannot lend."""
    sync_class = CLASSES[name]
    pairs = [
        (value, vars(sync_class)[RENAMED.get(method, method)])
        for method, value in public_methods(async_class(name)).items()
    ]
    if name == "AsyncElevenLabsClient":
        pairs.append((async_class(name).__init__, _sync.ElevenLabsClient.__init__))  # type: ignore[misc]  # read only

    for asynchronous, synchronous in pairs:
        parameters = inspect.signature(asynchronous).parameters.values()
        expected = [parameter for parameter in parameters if parameter.name != "session"]
        assert expected == list(inspect.signature(synchronous).parameters.values())


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


def lines_of(docstring: str | None, known: str) -> list[str]:
    """Give a docstring's lines, less those that are known to be of the one half alone."""
    lines = [line.strip() for line in (docstring or "").splitlines()]
    assert set(known.splitlines()) <= set(lines)
    return [line.replace("Async", "") for line in lines if line not in known.splitlines()]


@pytest.mark.parametrize("name", CLASSES)
def test_docstrings_agree(name: str) -> None:
    """Those of each class and of each method agree, but for the lines that are known to differ."""
    sync_class = CLASSES[name]
    assert sync_class is not None
    is_client = name == "AsyncElevenLabsClient"
    expected = lines_of(async_class(name).__doc__, ONLY_ASYNC if is_client else "")
    assert expected == lines_of(sync_class.__doc__, ONLY_SYNC if is_client else "")
    for method, value in public_methods(async_class(name)).items():
        other = vars(sync_class)[RENAMED.get(method, method)]

        assert lines_of(value.__doc__, "") == lines_of(other.__doc__, "")


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


CHANGES = {
    "a changed docstring": ("Close the client: calls under way", "Close the client; calls under way"),
    "a removed parameter": ("        proxy: str | None = None,\n", ""),
    "an orphaned class": ("class TokensClient:", "class Orphan:\n    pass\n\n\nclass TokensClient:"),
}


@pytest.mark.parametrize("change", [*CHANGES, "a truncated file", "no file"])
def test_check_sees(copy: Path, change: str) -> None:
    """It shows the difference, writes nothing, and fails."""
    target = copy / "_sync.py"
    text = target.read_text()
    if change in CHANGES:
        old, new = CHANGES[change]
        assert old in text
        target.write_text(text.replace(old, new))
    elif change == "a truncated file":
        target.write_text(text[: len(text) // 2])
    else:
        target.unlink()
    before = target.read_text() if target.exists() else None

    shown = generate(copy, "--check")

    assert 1 == shown.returncode
    assert shown.stdout.startswith("--- _sync.py\n+++ what the sources give\n@@")
    assert before == (target.read_text() if target.exists() else None)
    assert 0 == generate(copy).returncode
    assert text == target.read_text()


TOKENS, CLIENT = r"_tokens\.py:\d+: ", r"_client\.py:\d+: "
STALE = r"these patterns match nothing in _tokens\.py, _client\.py: .*"
REFUSALS = {
    "no docstring": (
        '        """Close the client',
        '        "" + """Close the client',
        CLIENT + "aclose has no doc",
    ),
    "a clash": ("class AsyncTokensClient:", "class AsyncSingleUseClient:", TOKENS + ".*the second SingleUseClient"),
    "a sync method": ("    async def aclose(self)", "    def aclose(self)", CLIENT + "aclose is not async"),
    "a dunder": (
        "    def __repr__(self) -> str:",
        "    def __len__(self) -> int:",
        CLIENT + "__len__ has no sync form",
    ),
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


@pytest.mark.parametrize("name", CLASSES)
def test_the_documented_arguments_are_the_parameters(name: str) -> None:
    """All of them are documented, in their order, and nothing else is: no `session` in the sync half."""
    for kind in (async_class(name), CLASSES[name]):
        assert kind is not None
        described = [method for method in public_methods(kind).values() if method.__doc__]
        for function in [*described, kind] if name == "AsyncElevenLabsClient" else described:
            parameters = [parameter for parameter in inspect.signature(function).parameters if parameter != "self"]
            assert parameters == documented_arguments(function.__doc__)


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
