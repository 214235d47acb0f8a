"""The package as a whole: what its import loads, what it exports, and which module imports which."""

import ast
import importlib
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
    "_http.sockets",
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
"""The modules of the core: each imports only from those above it in this list."""

WINGS = ("emulator", "endpoint", "cli", "__main__.py")
"""The folders and modules that the core never imports."""


def modules_after(statement: str, before: str = "import sys") -> set[str]:
    """Run a statement in a new interpreter, and give the modules that it loaded."""
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
    ("names", "light"),
    [
        ("ElevenLabsError, RawResponse, ElevenLabsEnvironment", HEAVY - {"attr", "attrs"}),
        ("AsyncElevenLabsClient", {"anyio"}),
    ],
)
def test_a_name_does_not_load_what_it_does_not_need(names: str, light: set[str]) -> None:
    """Code that only catches errors does not load aiohttp, and async code does not load the sync client."""
    assert set() == light & modules_after(f"from elevenlabs_tokens import {names}")


@pytest.mark.parametrize("client", ["AsyncElevenLabsClient", "ElevenLabsClient"])
def test_making_a_client_loads_nothing(client: str) -> None:
    """All that it needs was loaded with its name, and so was what makes a TLS context."""
    assert set() == modules_after(f"{client}(api_key='sk_1')", f"from elevenlabs_tokens import {client}")


LOOKUP = {"_queue", "concurrent.futures.thread", "encodings.idna", "queue", "stringprep"}
"""What Python itself loads to look a host up by its name."""

OUTCOMES: list[tuple[str, list[Script]]] = [
    ("token", [reply()]),
    ("AuthenticationError", [reply(401, {"detail": {"status": "invalid_api_key", "message": "no"}})]),
    ("UnprocessableEntityError", [reply(422, {"detail": [{"loc": ["a"], "msg": "b", "type": "c"}]})]),
    ("InvalidResponseError", [reply(200, b"<html>")]),
    ("ElevenLabsConnectionError", [[Act.RESET]]),
    ("token", [reply(503, {}, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), reply()]),
]


def test_the_imports_happen_with_the_client_s_name(api: ScriptedApi) -> None:
    """No call, however it ends, loads a module: the event loop would stand still meanwhile."""
    api.replies += [script for _, scripts in OUTCOMES for script in scripts]
    calls = f"""
async def outcome_of(retries):
    url = "http://localhost:{api.port}"
    async with AsyncElevenLabsClient(api_key="sk_1234", base_url=url, max_retries=retries) as client:
        try:
            await client.tokens.single_use.create("realtime_scribe")
        except Exception as error:
            return type(error).__name__
        return "token"
for name, retries in {[(name, len(scripts) - 1) for name, scripts in OUTCOMES]}:
    outcome = asyncio.run(outcome_of(retries))
    assert name == outcome, outcome
"""
    loaded = modules_after(calls, "import asyncio; from elevenlabs_tokens import AsyncElevenLabsClient")

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


@pytest.mark.parametrize("name", elevenlabs_tokens._MODULE_OF)
def test_every_name_is_there(name: str) -> None:
    """The package lists it, and takes it from the module that it says; it has a docstring."""
    value = getattr(elevenlabs_tokens, name)

    assert value is getattr(importlib.import_module(f"elevenlabs_tokens.{elevenlabs_tokens._MODULE_OF[name]}"), name)
    assert value.__doc__
    assert name in dir(elevenlabs_tokens)


def test_the_lists_of_names_agree() -> None:
    """The same names are seen by type checkers, loaded on demand, and imported by a star."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    seen_by_type_checkers = {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names
    } - {"lazy_names"}

    assert set(elevenlabs_tokens.__all__) == seen_by_type_checkers
    assert set(elevenlabs_tokens.__all__) == {*elevenlabs_tokens._MODULE_OF, "__version__"}


def test_a_misspelt_name() -> None:
    """It is an AttributeError, as with any module."""
    with pytest.raises(AttributeError, match="has no attribute 'AsyncElevenlabsClient'"):
        getattr(elevenlabs_tokens, "AsyncElevenlabsClient")  # noqa: B009  # a type checker would refuse the attribute


def imports_of(module: str) -> set[str]:
    """Give the modules that a module of the package imports, in whatever place."""
    tree = ast.parse((PACKAGE / f"{module.replace('.', '/')}.py").read_text())
    names = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return names | {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}


@pytest.mark.parametrize("room", ROOMS)
def test_modules_look_one_way(room: str) -> None:
    """A module imports only from those before it in the list."""
    before = {f"elevenlabs_tokens.{name}" for name in ROOMS[: ROOMS.index(room)]}

    assert set() == {name for name in imports_of(room) if name.startswith("elevenlabs_tokens")} - before


def test_every_module_of_the_core_is_in_the_list() -> None:
    """A new one must be put into its place there."""
    found = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for path in PACKAGE.rglob("*.py")
        if path.name not in ("__init__.py", "_generate.py") and path.relative_to(PACKAGE).parts[0] not in WINGS
    }

    assert set(ROOMS) == found


def test_only_some_modules_know_aiohttp() -> None:
    """The other modules hold rules, which can be read and tested without an event loop."""
    with_io = {"_internals", "_http.failures", "_http.transport", "_http.sessions", "_client", "_sync"}

    assert with_io == {
        room for room in ROOMS if {name.partition(".")[0] for name in imports_of(room)} & {"aiohttp", "yarl"}
    }
