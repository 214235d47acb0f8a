"""The package as a whole: what it costs to import, what it exports, and which way its modules look."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import elevenlabs_tokens
from scripted import Act, Script, ScriptedApi, reply

PACKAGE = Path(elevenlabs_tokens.__file__).parent
HEAVY = {"aiohttp", "anyio", "asyncio", "attr", "attrs", "cattrs", "ssl"}

ROOMS = [
    "_version",
    "_lazy",
    "_forks",
    "responses",
    "exceptions",
    "_secrets",
    "_tracebacks",
    "environments",
    "_query",
    "models",
    "options",
    "_internals",
    "_http.clock",
    "_http.proxy",
    "_http.wire",
    "_http.retry",
    "_http.structure",
    "_http.explain",
    "_http.decipher",
    "_http.failures",
    "_http.deadlines",
    "_http.transport",
    "_http.sessions",
    "_http.pipeline",
    "_promise",
    "_tokens",
    "_client",
    "_loop",
    "_calls",
    "_portal",
    "_sync",
]
"""The core from the ground up: a module imports only from those above it in this list."""

WINGS = ("emulator", "cli", "__main__.py")
"""What the core never imports."""


def modules_after(statement: str, before: str = "import sys") -> set[str]:
    """Run a statement in a fresh interpreter, and tell which modules it loaded that were not there before it."""
    program = f"import sys\n{before}\nbefore = set(sys.modules)\n{statement}\nafter = set(sys.modules)\n"
    program += "print('loaded:', *after - before)"
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    return set(run.stdout.rpartition("loaded:")[2].split())


def test_importing_it_loads_nothing_heavy() -> None:
    """It loads three modules of its own and, at most, `typing`; the names arrive when they are asked for."""
    loaded = modules_after("import elevenlabs_tokens")

    assert set() == HEAVY & loaded
    assert {"elevenlabs_tokens", "elevenlabs_tokens._lazy", "elevenlabs_tokens._version"} == loaded - modules_after(
        "import typing"
    )


@pytest.mark.parametrize(
    ("name", "light"),
    [
        ("ElevenLabsError", {"aiohttp", "anyio", "asyncio", "cattrs", "ssl"}),
        ("RawResponse", {"aiohttp", "anyio", "asyncio", "cattrs", "ssl"}),
        ("ElevenLabsEnvironment", {"aiohttp", "anyio", "asyncio", "cattrs", "ssl"}),
        ("AsyncElevenLabsClient", {"anyio"}),
    ],
)
def test_a_name_does_not_load_what_it_does_not_need(name: str, light: set[str]) -> None:
    """Code that only catches need not pay for aiohttp, nor async code for the sync facade."""
    assert set() == light & modules_after(f"from elevenlabs_tokens import {name}")


@pytest.mark.parametrize("client", ["AsyncElevenLabsClient", "ElevenLabsClient"])
def test_making_a_client_loads_nothing(client: str) -> None:
    """All that it needs came with its name, a TLS context among it."""
    assert set() == modules_after(f"{client}(api_key='sk_1')", f"from elevenlabs_tokens import {client}")


LOOKUP = {"_queue", "concurrent.futures.thread", "encodings.idna", "queue", "stringprep"}
"""What Python itself loads to look a host up by its name."""


@pytest.mark.parametrize(
    ("name", "outcomes"),
    [
        ("token", [reply()]),
        ("AuthenticationError", [reply(401, {"detail": {"status": "invalid_api_key", "message": "no"}})]),
        ("UnprocessableEntityError", [reply(422, {"detail": [{"loc": ["a"], "msg": "b", "type": "c"}]})]),
        ("InvalidResponseError", [reply(200, b"<html>")]),
        ("ElevenLabsConnectionError", [[Act.RESET]]),
        ("token", [reply(503, {}, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), reply()]),
    ],
    ids=["minted", "refused", "unprocessable", "no-json", "reset", "retried"],
)
def test_the_imports_happen_with_the_client_s_name(api: ScriptedApi, name: str, outcomes: list[Script]) -> None:
    """No module is loaded while a first call is awaited, however it ends: the event loop would stand still for it."""
    api.replies += outcomes
    call = f"""
async def main():
    url, retries = "http://localhost:{api.port}", {len(outcomes) - 1}
    async with AsyncElevenLabsClient(api_key="sk_1234", base_url=url, max_retries=retries) as client:
        await client.tokens.single_use.create("realtime_scribe")
try:
    asyncio.run(main())
except Exception as error:
    assert "{name}" == type(error).__name__, repr(error)
else:
    assert "{name}" == "token"
"""
    loaded = modules_after(call, "import asyncio; from elevenlabs_tokens import AsyncElevenLabsClient")

    assert [] == api.replies
    assert set() == loaded - LOOKUP


def test_a_first_sync_call_loads_anyio_s_asyncio_alone(api: ScriptedApi) -> None:
    """The package's own modules, and the heavy ones, came with the client's name."""
    call = f"""
with ElevenLabsClient(api_key="sk_1234", base_url="http://localhost:{api.port}") as client:
    client.tokens.single_use.create("realtime_scribe")
"""
    loaded = modules_after(call, "from elevenlabs_tokens import ElevenLabsClient")

    assert {"anyio"} >= {module.partition(".")[0] for module in loaded - LOOKUP}


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
    } - {"lazy_names"}

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
    with_io = {"_internals", "_http.failures", "_http.transport", "_http.sessions", "_client", "_sync"}
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
