"""The names that are private to other packages: still there, with the signatures that `_internals.py` relies on."""

import ast
import inspect
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import client_middlewares
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import BaseConnector

import elevenlabs_tokens
from elevenlabs_tokens import _internals
from programs import run_python

PACKAGE = Path(elevenlabs_tokens.__file__).parent

INTERPRETER = """
from elevenlabs_tokens import ElevenLabsClient, ElevenLabsError
try:
    ElevenLabsClient(api_key="sk_1234567", base_url="http://127.0.0.1:9").tokens.single_use.create("tts_websocket")
except ElevenLabsError as error:
    print(error)
"""
SUBINTERPRETER = f"""
import sys
program = {INTERPRETER!r}
if sys.version_info >= (3, 13):
    import _interpreters
    _interpreters.exec(_interpreters.create("isolated"), program)
else:
    import _xxsubinterpreters
    _xxsubinterpreters.run_string(_xxsubinterpreters.create(isolated=True), program)
"""


def parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


def closing_marks_as_closed(connector: Any) -> bool:
    assert not connector._closed
    _internals.close_without_waiting(connector)
    return bool(connector.closed and connector._closed)


RELIED_ON: dict[str, tuple[Callable[[Any], bool], str]] = {
    "ClientSession._request(method, str_or_url, **options)": (
        lambda _: parameters(aiohttp.ClientSession._request)[:3] == ["self", "method", "str_or_url"],
        "`request_of` gives it: call `await session.post(…)` instead, which costs 3 to 5 %",
    ),
    "ClientSession._middlewares": (
        lambda session: hasattr(session, "_middlewares"),
        "`middlewares_of` reads it: find where a session keeps its middlewares, or a borrowed session loses them",
    ),
    "ClientSession._loop": (
        lambda session: hasattr(session, "_loop"),
        "`loop_of` reads it: find where a session keeps its loop, or borrowed sessions fail in another loop",
    ),
    "BaseConnector._factory()": (
        lambda session: isinstance(session.connector._factory(), ResponseHandler),
        "`Connector` sets it: find what makes a connection's protocol, or a malformed chunk costs a whole timeout",
    ),
    "BaseConnector._create_connection(req, traces, timeout)": (
        lambda _: (
            parameters(aiohttp.TCPConnector._create_connection) == ["self", "req", "traces", "timeout"]
            and "self._create_connection(" in inspect.getsource(BaseConnector.connect)
        ),
        "`Connector` overrides it: find what opens a connection, or a slow lookup or CONNECT is no longer cut at 5 s",
    ),
    "BaseConnector.connect(req, traces, timeout)": (
        lambda _: (
            parameters(BaseConnector.connect) == ["self", "req", "traces", "timeout"]
            and ".connect(" in inspect.getsource(aiohttp.ClientSession._request)
        ),
        "`Connector` overrides it: find what gives a request its connection, or an early answer becomes a token",
    ),
    "BaseConnector._closed": (
        lambda session: hasattr(session.connector, "_closed") and "_closed" in inspect.getsource(BaseConnector.__del__),
        "`mark_as_closed` sets it: find what keeps a collected connector from closing, or forks cut the parent off",
    ),
    "BaseConnector.close() closes in its first step": (
        lambda session: closing_marks_as_closed(session.connector),
        "`close_without_waiting` makes that step: find what closes without a loop, or dropped clients leak sockets",
    ),
    "ResponseHandler._payload, .should_close": (
        lambda session: {"_payload", "should_close"} <= set(dir(session.connector._factory())),
        "`_Protocol` and the guards read them: see `_Protocol.set_exception` and `Connector.connect`",
    ),
    "ClientRequest.send(conn), or _send": (
        lambda _: parameters(getattr(ClientRequest, _internals._SEND)) == ["self", "conn"],
        "`refuse_early_answer` wraps it: find what sends a request, or a borrowed session takes an early answer",
    ),
    "a middleware is called with (request, handler)": (
        lambda _: "middleware, " in inspect.getsource(client_middlewares.build_client_middlewares),
        "`refuse_early_answer` is one: see aiohttp's docs of middlewares",
    ),
    "anyio._backends._asyncio": (
        lambda _: hasattr(import_module("anyio._backends._asyncio"), "backend_class"),
        "`load_asyncio_backend` imports it: find what anyio imports at its first use, or a fork then can deadlock",
    ),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", RELIED_ON)
async def test_a_private_name_is_there(name: str) -> None:
    """Each is there, in the form that the package relies on; where it is not, this says what to do."""
    is_there, advice = RELIED_ON[name]

    async with aiohttp.ClientSession() as session:
        assert is_there(session), f"{name} is not what it was. In elevenlabs_tokens/_internals.py, {advice}."


def test_no_other_module_uses_a_private_name() -> None:
    """What is private to aiohttp, anyio or asyncio stands in one module."""
    own = {"self", "other", "super()", "client"}  # the last in `endpoint`, where it is a client of the package
    found = {
        f"{path.relative_to(PACKAGE)}: {ast.unparse(node)}"
        for path in PACKAGE.rglob("*.py")
        if path.name not in {"_internals.py", "_sync.py", "_generate.py"}
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__")
        if ast.unparse(node.value).split(".")[0] not in own
    }

    assert set() == found


@pytest.mark.parametrize("text", [*_internals.NO_THREAD_LEFT, *_internals.NO_THREAD_AT_EXIT])
def test_what_is_read_from_the_text_of_an_error(text: str) -> None:
    """A text is looked for at the start of an error's own."""
    assert _internals.says(RuntimeError(f"{text}, says Python"), (text,))
    assert not _internals.says(RuntimeError(f"{text[1:]}"), (text,))


def test_a_sync_call_in_a_subinterpreter() -> None:
    """An isolated subinterpreter allows no daemon threads: the error says so, and what to do."""
    run = run_python(SUBINTERPRETER)

    assert "(no daemon thread may start here); call from the main interpreter\n" in run.stdout
