"""The package as a whole: what it costs to import, what it exports, and which way its modules look."""

import ast
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import elevenlabs_tokens

PACKAGE = Path(elevenlabs_tokens.__file__).parent
HEAVY = {"aiohttp", "anyio", "asyncio", "attr", "attrs", "cattrs", "ssl"}

ROOMS = [
    "_version",
    "_forks",
    "responses",
    "exceptions",
    "_secrets",
    "environments",
    "_query",
    "models",
    "options",
    "_http.clock",
    "_http.proxy",
    "_http.wire",
    "_http.retry",
    "_http.structure",
    "_http.explain",
    "_http.decipher",
    "_http.failures",
    "_http.connector",
    "_http.waits",
    "_http.transport",
    "_http.sessions",
    "_http.pipeline",
    "_promise",
    "_tokens",
    "_client",
    "_loop",
    "_portal",
    "_sync",
]
"""The core from the ground up: a module imports only from those above it in this list."""

WINGS = ("emulator", "cli")
"""What the core never imports."""


def modules_after(statement: str) -> set[str]:
    """Run a statement in a fresh interpreter, and tell which modules it loaded."""
    program = (
        f"import sys, json; before = set(sys.modules); {statement}; print(json.dumps([*sys.modules.keys() - before]))"
    )
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    return set(json.loads(run.stdout))


def test_importing_it_loads_nothing_heavy() -> None:
    """The names arrive when they are asked for."""
    loaded = modules_after("import elevenlabs_tokens")

    assert set() == HEAVY & loaded
    assert {"elevenlabs_tokens", "elevenlabs_tokens._version"} == {
        name for name in loaded if name.startswith("elevenlabs")
    }


def test_an_error_class_does_not_load_the_client() -> None:
    """Code that only catches need not pay for aiohttp."""
    loaded = modules_after("from elevenlabs_tokens import ElevenLabsError")

    assert "aiohttp" not in loaded


def test_the_client_s_imports_happen_with_its_name() -> None:
    """Making a client and calling it import nothing more of ours or of aiohttp's."""
    program = """
import asyncio, sys
from elevenlabs_tokens import AsyncElevenLabsClient
before = set(sys.modules)
async def main():
    async with AsyncElevenLabsClient(api_key="sk_1", base_url="http://127.0.0.1:1", max_retries=0) as client:
        await client.tokens.single_use.create("realtime_scribe")
try:
    asyncio.run(main())
except Exception as error:
    assert "could not connect" in str(error), error
print([name for name in sys.modules if name not in before and not name.startswith("encodings")])
"""
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)

    assert "[]\n" == run.stdout


@pytest.mark.parametrize("name", elevenlabs_tokens.__all__)
def test_every_name_is_there(name: str) -> None:
    """And has a docstring, but for the version."""
    value = getattr(elevenlabs_tokens, name)

    assert name == "__version__" or value.__doc__
    assert name in dir(elevenlabs_tokens)


def test_the_lists_of_names_agree() -> None:
    """What type checkers see, what is loaded, and what a star imports."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    seen_by_type_checkers = {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names
    } - {"TYPE_CHECKING", "import_module"}

    assert set(elevenlabs_tokens.__all__) == seen_by_type_checkers
    assert set(elevenlabs_tokens.__all__) == {*elevenlabs_tokens._MODULE_OF, "__version__"}


def test_a_misspelt_name() -> None:
    """It is an AttributeError, as of any module."""
    with pytest.raises(AttributeError, match="has no attribute 'AsyncElevenlabsClient'"):
        getattr(elevenlabs_tokens, "AsyncElevenlabsClient")  # noqa: B009  # what a type checker would not let through


def imports_of(module: str) -> set[str]:
    """Tell which modules of the package a module names in its imports, wherever they stand."""
    tree = ast.parse((PACKAGE / f"{module.replace('.', '/')}.py").read_text())
    names = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return {name.removeprefix("elevenlabs_tokens.") for name in names if name.startswith("elevenlabs_tokens")}


@pytest.mark.parametrize("room", ROOMS)
def test_modules_look_one_way(room: str) -> None:
    """A module imports only from the rooms before it."""
    assert set() == imports_of(room) - set(ROOMS[: ROOMS.index(room)])


def test_every_module_of_the_core_has_its_room() -> None:
    """A new one must find its place in the list."""
    found = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for path in PACKAGE.rglob("*.py")
        if path.name not in ("__init__.py", "_generate.py") and path.relative_to(PACKAGE).parts[0] not in WINGS
    }

    assert set(ROOMS) == found


def test_only_the_engine_room_s_doors_know_aiohttp() -> None:
    """The rules are pure: they can be read, and tested, without a loop."""
    with_io = {"_http.connector", "_http.failures", "_http.transport", "_http.sessions", "_client", "_sync"}
    found = {
        room
        for room in ROOMS
        if re.search(
            r"^(import|from) (aiohttp|yarl)\b", (PACKAGE / f"{room.replace('.', '/')}.py").read_text(), re.MULTILINE
        )
    }

    assert with_io == found


def test_modules_are_found_where_they_are_said_to_be() -> None:
    """Each name comes from the module that the lazy loader names."""
    for name, module in elevenlabs_tokens._MODULE_OF.items():
        assert getattr(importlib.import_module(f"elevenlabs_tokens.{module}"), name) is getattr(elevenlabs_tokens, name)
