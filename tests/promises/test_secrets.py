"""Secrets show in nothing: not in an error, not in what it drags along, not in a log, not in a help text."""

import asyncio
import inspect
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import attrs
import pytest

from elevenlabs_tokens import (
    AsyncElevenLabsClient,
    ElevenLabsClient,
    ElevenLabsConfigError,
    RequestOptions,
    SingleUseTokenResponseModel,
)
from elevenlabs_tokens._portal import portal
from faults import ENCODED_PASSWORD, FAULTS, KEY, PASSWORD, SECRETS, TOKEN, Fault, Place
from frozen import FrozenTime
from scripted import ScriptedApi, reply

TESTS = str(Path(__file__).parent.parent)
"""A test's own frames hold what it made; it is the package's frames, and those below them, that must not."""


# What an error shows, to those who look everywhere.


def linked(error: BaseException) -> list[BaseException]:
    """Give an error and all that hang on it, those included that a printed traceback leaves out."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        link = waiting.pop()
        if link is not None and link not in found:
            found.append(link)
            waiting += [link.__cause__, link.__context__, *getattr(link, "exceptions", ())]
    return found


def traceback_with_locals(error: BaseException) -> traceback.TracebackException:
    """Take the traceback of one error, as a crash reporter does, less the frames of the tests."""
    taken = traceback.TracebackException.from_exception(error, capture_locals=True)
    taken.stack[:] = [frame for frame in taken.stack if not frame.filename.startswith(TESTS)]
    return taken


def spelled(value: object) -> str:
    """Spell a value out with all that it holds; a text that only masks its `repr` shows."""
    match value:
        case str():
            return str.__str__(value)
        case bytes() | bytearray():
            return bytes(value).decode("latin-1")
        case Mapping():
            return " ".join(f"{spelled(name)}: {spelled(item)}" for name, item in value.items())
        case list() | tuple() | set() | frozenset():
            return " ".join(map(spelled, value))
        case BaseException():
            return " ".join(shown_by(value).values())
        case _ if attrs.has(type(value)):
            return spelled(attrs.asdict(cast("attrs.AttrsInstance", value), recurse=False))
        case _:
            return f"{value!r} {value}"


def shown_by(error: BaseException) -> dict[str, str]:
    """Give each thing that an error can be made to show, by its name."""
    shown: dict[str, str] = {}
    for number, link in enumerate(linked(error)):
        name = f"{type(link).__name__} {number}"
        shown |= {
            f"str of {name}": str(link),
            f"repr of {name}": repr(link),
            f"args of {name}": spelled(link.args),
            f"__dict__ of {name}": spelled(vars(link)),
        }
        for frame in traceback_with_locals(link).stack:
            shown |= {
                f"{local} in {frame.name}, {frame.filename}:{frame.lineno}": text
                for local, text in (frame.locals or {}).items()
            }
        shown[f"traceback of {name}"] = "".join(traceback_with_locals(link).format(chain=False))
    stored = pickle.dumps(error)
    copied = pickle.loads(stored)  # noqa: S301  # the test's own bytes
    return shown | {"pickle": stored.decode("latin-1"), "copy": f"{copied!r} {spelled(vars(copied))}"}


def leaks(shown: Mapping[str, str]) -> list[str]:
    """Name what shows a secret."""
    return [where for where, text in shown.items() if any(secret in text for secret in SECRETS)]


class Recorder(logging.Handler):
    """Keeps every record with all that it holds."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: dict[str, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        name = f"{record.name}, {record.filename}:{record.lineno}, #{len(self.shown)}"
        self.shown[name] = f"{self.format(record)} {spelled(vars(record))}"


@contextmanager
def recorded() -> Generator[Recorder]:
    """Keep all that is logged, down to the least of it."""
    root, recorder = logging.getLogger(), Recorder()
    level = root.level
    root.addHandler(recorder)
    root.setLevel(logging.DEBUG)
    try:
        yield recorder
    finally:
        root.removeHandler(recorder)
        root.setLevel(level)


# Calls and what comes of them.

Call = Callable[[Place, Any, Mapping[str, Any] | None], Any]


async def log_all(*, yes: bool = True) -> None:
    """Have the running loop log each of its steps, or no more."""
    loop = asyncio.get_running_loop()
    loop.set_debug(yes)
    loop.slow_callback_duration = 0.0 if yes else 0.1


async def body_has_come(client: AsyncElevenLabsClient) -> None:
    """Wait until some of a body has been read, and taken from where the transport puts it."""
    while True:
        loop_session: Any = client._sessions.by_loop.get(asyncio.get_running_loop())
        bodies = (
            [getattr(protocol, "_payload", None) for protocol in loop_session._session.connector._acquired]
            if loop_session
            else []
        )
        if any(body is not None and body.total_bytes and not body._size for body in bodies):
            return
        await asyncio.sleep(0)


async def _call(place: Place, key: Any, options: Mapping[str, Any] | None, *, raw: bool) -> Any:
    await log_all()
    arguments: dict[str, Any] = {"api_key": key, "base_url": place.base_url, **place.arguments}
    async with asyncio.timeout(10), AsyncElevenLabsClient(**arguments) as client:
        client._pipeline.clock = FrozenTime().clock()
        single_use: Any = client.tokens.single_use
        method = (single_use.with_raw_response if raw else single_use).create
        call = asyncio.create_task(method("realtime_scribe", request_options=options))
        if place.interrupt:
            await asyncio.to_thread(place.interrupt.wait, 5)
            await (body_has_come(client) if place.answers_half else asyncio.sleep(0))
            call.cancel()
        try:
            return await call
        except BaseException as error:  # noqa: BLE001  # a cancellation, too
            return error


def call_async(place: Place, key: Any, options: Mapping[str, Any] | None, *, raw: bool = False) -> Any:
    """Make a call of the async client, and give its error or its result."""
    return asyncio.run(_call(place, key, options, raw=raw))


def call_sync(place: Place, key: Any, options: Mapping[str, Any] | None, *, raw: bool = False) -> Any:
    """Make a call of the sync client, and give its error or its result."""

    def interrupt(came: threading.Event) -> None:
        came.wait(5)
        signal.pthread_kill(caller, signal.SIGINT)

    caller = threading.get_ident()
    arguments: dict[str, Any] = {"api_key": key, "base_url": place.base_url, **place.arguments}
    portal.run(log_all())
    with ElevenLabsClient(**arguments) as client:
        client._asynchronous._pipeline.clock = FrozenTime().clock()
        single_use: Any = client.tokens.single_use
        method = (single_use.with_raw_response if raw else single_use).create
        if place.interrupt:
            threading.Thread(target=interrupt, args=[place.interrupt], daemon=True).start()
        try:
            return method("realtime_scribe", request_options=options)
        except BaseException as error:  # noqa: BLE001  # an interrupt, too
            return error
        finally:
            portal.run(log_all(yes=False))


CALLS = pytest.mark.parametrize("call", [call_async, call_sync], ids=["async", "sync"])
ALL_CALLS = pytest.mark.parametrize(
    "call",
    [call_async, partial(call_async, raw=True), call_sync, partial(call_sync, raw=True)],
    ids=["async", "async, raw response", "sync", "sync, raw response"],
)
EVERY_FAULT = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)


@pytest.mark.promise(row=42)
@CALLS
@EVERY_FAULT
def test_the_log_of_a_fault(fault: Fault, call: Call) -> None:
    """Whatever is logged of it, down to each step of the event loop, shows no secret."""
    with fault.place() as place, recorded() as log:
        call(place, KEY, None)

    assert any(name.startswith("asyncio, ") for name in log.shown)
    assert [] == leaks(log.shown)


@pytest.mark.promise(row=42)
@CALLS
def test_the_log_of_a_success(call: Call) -> None:
    """Nor does what is logged of a token that comes, here at the second attempt."""
    with ScriptedApi() as api, recorded() as log:
        api.replies += [reply(503, {}), reply(200, {"token": TOKEN})]
        result = call(Place(api.base_url), KEY, None)

    assert TOKEN == result.token
    assert [] == leaks(log.shown)


@pytest.mark.promise(row=43)
@CALLS
@EVERY_FAULT
def test_the_error_of_a_fault(fault: Fault, call: Call) -> None:
    """Its texts, its attributes, what caused it, its pickle and its traceback with all locals show no secret."""
    with fault.place() as place:
        error = call(place, KEY, None)

    is_interrupted = fault.error is asyncio.CancelledError and call is call_sync
    assert (KeyboardInterrupt if is_interrupted else fault.error) is type(error)
    assert [] == leaks(shown_by(error))


def a_key() -> str:
    return KEY


async def a_key_in_time() -> str:
    await asyncio.sleep(0)
    return KEY


WAYS: dict[str, tuple[Any, dict[str, Any] | None]] = {
    "a callable": (a_key, None),
    "an async callable": (a_key_in_time, None),
    "an option of the call": (None, {"api_key": KEY}),
    "a callable of the call": (None, {"api_key": a_key}),
    "a header that is a credential": (KEY, {"headers": {"Authorization": f"Bearer {KEY}"}}),
    "such a header by the vendor's name": (KEY, {"additional_headers": {"Authorization": f"Bearer {KEY}"}}),
    "a query parameter that is a credential": (KEY, {"query_params": {"password": PASSWORD}}),
}


@pytest.mark.promise(row=43)
@ALL_CALLS
@pytest.mark.parametrize("name", ["a connection lost in mid-token", "a cancellation"])
@pytest.mark.parametrize("way", WAYS)
def test_a_secret_that_came_another_way(way: str, name: str, call: Call) -> None:
    """It does not show, be it from a callable or among the options of one call."""
    key, options = WAYS[way]
    [fault] = [fault for fault in FAULTS if fault.name == name]
    with fault.place() as place:
        error = call(place, key, options)

    assert [] == leaks(shown_by(error))


# What is refused before anything is sent.


def credential(name: str = "Authorization", end: str = "") -> dict[str, str]:
    return {name: f"Bearer {KEY}{end}"}


AT_THE_CLIENT: dict[str, dict[str, Any]] = {
    "a malformed key": {"api_key": f"{KEY}\n"},
    "a key that is too long": {"api_key": KEY * 200},
    "a key as bytes": {"api_key": KEY.encode()},
    "a key beside bad retries": {"api_key": KEY, "max_retries": -1},
    "a key beside a bad time-out": {"api_key": KEY, "timeout_in_seconds": 0},
    "a key beside a bad address": {"api_key": KEY, "base_url": "ftp://h.example"},
    "a key beside an unknown argument": {"api_key": KEY, "timeout": 3},
    "a header's value with a line end": {"headers": credential(end="\n")},
    "a good header before a bad one": {"headers": {**credential(), "a b": "c"}},
    "a header twice": {"headers": {**credential(), **credential("authorization")}},
    "a password in the address": {"base_url": f"https://user:{PASSWORD}@h.example"},
    "a proxy of another kind": {"proxy": f"socks5://user:{PASSWORD}@h.example"},
    "a proxy without a host": {"proxy": f"http://user:{PASSWORD}@"},
    "a proxy that no encoding takes": {"proxy": f"http://user:{PASSWORD}\ud800@h.example"},
}

CLIENTS = pytest.mark.parametrize("client", [AsyncElevenLabsClient, ElevenLabsClient])


def refusal_of(call: Callable[[], object]) -> BaseException:
    """Give what a call raises at once."""
    try:
        call()
    except (ElevenLabsConfigError, TypeError) as error:
        return error
    raise AssertionError("it was not refused")


@pytest.mark.promise(row=43)
@CLIENTS
@pytest.mark.parametrize("name", AT_THE_CLIENT)
def test_a_client_that_is_refused(name: str, client: Callable[..., object]) -> None:
    """The traceback of an argument that cannot work shows neither it nor the secrets beside it."""
    error = refusal_of(lambda: client(**AT_THE_CLIENT[name]))

    assert [] == leaks(shown_by(error))


@pytest.mark.promise(row=43)
@CLIENTS
@pytest.mark.parametrize(
    ("name", "value"),
    [("ELEVENLABS_API_KEY", f"{KEY}\n"), ("HTTPS_PROXY", f"socks5://user:{PASSWORD}@h.example")],
    ids=["key", "proxy"],
)
def test_an_environment_that_is_refused(
    name: str, value: str, client: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does that of a variable."""
    monkeypatch.setenv(name, value)

    assert [] == leaks(shown_by(refusal_of(client)))


SECRET: dict[str, Any] = {"api_key": KEY, "headers": credential(), "proxy": f"http://user:{ENCODED_PASSWORD}@h.example"}
CALLER = AsyncElevenLabsClient()
AT_ONCE: dict[str, Callable[[], object]] = {
    "an async client": lambda: AsyncElevenLabsClient(**SECRET),
    "a sync client": lambda: ElevenLabsClient(**SECRET),
    "a call": lambda: CALLER.tokens.single_use.create(
        "realtime_scribe",
        request_options={"api_key": KEY, "headers": credential(), "query_params": {"password": PASSWORD}},
    ).close(),
}
MADE_AT_ONCE = pytest.mark.parametrize("make", AT_ONCE.values(), ids=AT_ONCE)


@pytest.mark.promise(row=43)
@MADE_AT_ONCE
def test_what_is_made_where_the_stack_ends(make: Callable[[], object]) -> None:
    """The traceback of a RecursionError shows nothing either, wherever it comes."""
    shown: dict[str, str] = {}
    limit, depth = sys.getrecursionlimit(), len(inspect.stack(0))
    tracer = sys.gettrace()  # it would fail first, in a function that is not even entered
    for room in range(60):
        try:
            sys.settrace(None)
            sys.setrecursionlimit(depth + room)
            make()
        except RecursionError as error:
            sys.setrecursionlimit(limit)
            shown |= {f"{where}, {room}": text for where, text in shown_by(error).items()}
        finally:
            sys.setrecursionlimit(limit)
            sys.settrace(tracer)

    assert len(shown) > 50
    assert [] == leaks(shown)


class Alarm(BaseException):
    """What the handler of a signal raises, as those of Python and of gunicorn do: no `Exception`."""


@pytest.mark.promise(row=43)
@MADE_AT_ONCE
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")  # it was interrupted as it was made
def test_what_a_signal_interrupts(make: Callable[[], object]) -> None:
    """Nor does that of what a signal's handler raises, at whichever call that is made on the way."""
    calls_left = 0

    def ring(frame: Any, event: str, _: object) -> None:
        nonlocal calls_left
        is_below = (
            frame.f_code.co_filename != __file__ and frame.f_code.co_qualname != "clears_frames_on_error.<locals>.call"
        )
        if is_below and event in {"call", "c_call"}:
            calls_left -= 1
            if not calls_left:
                sys.setprofile(None)
                raise Alarm

    shown: dict[str, str] = {}
    made: list[object] = []
    for number in range(1, 1000):
        calls_left = number
        sys.setprofile(ring)
        try:
            made.append(make())
        except Alarm as error:
            shown |= {f"{where}, {number}": text for where, text in shown_by(error).items()}
        finally:
            sys.setprofile(None)
        if made:
            break

    assert [1] == [len(made)]
    assert len(shown) > 100
    assert [] == leaks(shown)


@pytest.mark.promise(row=53)
def test_what_the_caller_s_own_frames_show() -> None:
    """What they would without the package: whoever debugs an `api_key` callable finds its locals."""

    def vault() -> str:
        shelf = "third"
        raise LookupError(shelf)

    with ElevenLabsClient(api_key=vault, base_url="http://127.0.0.1:1") as client, pytest.raises(LookupError) as caught:
        client.tokens.single_use.create("realtime_scribe")

    *_, (frame, _) = traceback.walk_tb(caught.value.__traceback__)
    assert ("vault", "third") == (frame.f_code.co_name, frame.f_locals["shelf"])


OPTIONS: dict[str, dict[str, Any]] = {
    "a malformed key": {"api_key": f"{KEY}\n"},
    "a key beside bad retries": {"api_key": KEY, "max_retries": -1},
    "a key beside an unknown option": {"api_key": KEY, "timeout": 3},
    "a header's value with a line end": {"headers": credential(end="\n")},
    "a good header before a bad one": {"headers": {**credential(), "a b": "c"}},
    "a good parameter before a bad one": {"query_params": {"password": PASSWORD, "other": object()}},
    "a parameter that no encoding takes": {"query_params": {"password": f"{PASSWORD}\ud800"}},
    "a parameter of a bad sequence": {"query_params": {"password": [PASSWORD, object()]}},
}


@pytest.mark.promise(row=43)
@pytest.mark.parametrize("name", OPTIONS)
def test_options_that_are_refused(name: str) -> None:
    """Nor does that of options that are made."""
    error = refusal_of(lambda: RequestOptions(**OPTIONS[name]))

    assert [] == leaks(shown_by(error))


@pytest.mark.promise(row=43)
@CLIENTS
@pytest.mark.parametrize("raw", [False, True], ids=["model", "raw response"])
@pytest.mark.parametrize(
    ("token_type", "options"),
    [
        *(("realtime_scribe", options) for options in OPTIONS.values()),
        ("realtime_scribe", {"headers": credential(), "additional_headers": credential()}),
        ("../voices", {"api_key": KEY}),
        ("realtime_scribe", {"headers": credential()}),
    ],
    ids=[*OPTIONS, "headers by both names", "a key beside a bad type", "a credential, but no key"],
)
def test_a_call_that_is_refused(
    token_type: str, options: dict[str, Any], client: Callable[[], Any], *, raw: bool
) -> None:
    """Nor does that of a call, with a mapping of options that are checked there."""
    resource = client().tokens.single_use
    create = (resource.with_raw_response if raw else resource).create

    def call() -> None:
        result = create(token_type, request_options=options)
        if inspect.iscoroutine(result):
            asyncio.run(result)

    assert [] == leaks(shown_by(refusal_of(call)))


async def a_bad_key_in_time() -> str:
    return f"{KEY}\n"


@pytest.mark.promise(row=43)
@ALL_CALLS
@pytest.mark.parametrize("source", [lambda: f"{KEY}\n", a_bad_key_in_time], ids=["sync", "async"])
def test_a_callable_that_gives_a_malformed_key(source: Callable[[], object], call: Call) -> None:
    """Nor does that of a key which is seen only when it is asked for."""
    error = call(Place("http://127.0.0.1:1"), source, None)

    assert ElevenLabsConfigError is type(error)
    assert [] == leaks(shown_by(error))


def token() -> SingleUseTokenResponseModel:
    moment = datetime(2027, 1, 15, tzinfo=UTC)
    return SingleUseTokenResponseModel(TOKEN, "realtime_scribe", moment, "wss://api.elevenlabs.io")


@pytest.mark.promise(row=43)
@pytest.mark.parametrize(
    "query",
    [
        {"other": object()},
        {"password": PASSWORD, "other": object()},
        {"password": f"{PASSWORD}\ud800"},
        {"password": PASSWORD, "token": "mine"},
        {"password": PASSWORD, "voice_id": "v1"},
    ],
    ids=["bad", "bad beside a credential", "no encoding takes it", "twice", "no voice"],
)
def test_a_url_that_is_refused(query: dict[str, Any]) -> None:
    """Nor does that of a token's URL show the token."""
    error = refusal_of(lambda: token().connect_url(**query))

    assert [] == leaks(shown_by(error))


# What shows itself.


@pytest.mark.promise(row=44)
@pytest.mark.parametrize(
    "thing",
    [
        AsyncElevenLabsClient(api_key=KEY, headers=credential(), proxy=f"http://user:{ENCODED_PASSWORD}@h.example"),
        ElevenLabsClient(api_key=KEY, headers=credential(), proxy=f"http://user:{ENCODED_PASSWORD}@h.example"),
        RequestOptions(api_key=KEY, headers=credential(), query_params={"password": PASSWORD}),
        token(),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_what_a_thing_shows(thing: object) -> None:
    """A client, options and a token are masked in their `repr` and in whatever they are formatted into."""
    assert [] == leaks({"repr": repr(thing), "f-string": f"{thing} {thing!r}", "in a list": f"{[thing]}"})


@pytest.mark.promise(row=44)
def test_where_the_token_is() -> None:
    """In `.token`, as text like any other."""
    assert (TOKEN, TOKEN) == (token().token, f"{token().token}")


@pytest.mark.promise(row=46)
def test_help_texts_and_signatures() -> None:
    """Nothing that the environment holds becomes part of them, though it held it before the import."""
    program = """
import inspect, elevenlabs_tokens
from elevenlabs_tokens import emulator, environments, exceptions, models, options, responses
things = [elevenlabs_tokens, emulator, environments, exceptions, models, options, responses]
things += [getattr(elevenlabs_tokens, name) for name in elevenlabs_tokens.__all__ if name != "__version__"]
for thing in things:
    help(thing)
    for name, member in [("itself", thing), *inspect.getmembers(thing, callable)]:
        try: print("SIGNATURE", name, inspect.signature(member))
        except (TypeError, ValueError): pass  # it has none
"""
    environment = {"ELEVENLABS_API_KEY": KEY, "HTTPS_PROXY": f"http://user:{ENCODED_PASSWORD}@h.example"}
    command = [sys.executable, "-P", "-c", program]
    run = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=True
    )

    assert "SIGNATURE __init__ (self, *, api_key:" in run.stdout
    assert [] == leaks({"output": run.stdout, "errors": run.stderr})
