"""Secrets show in nothing: not in an error, not in what it drags along, not in a log, not in a help text."""

import asyncio
import inspect
import logging
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
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
from reach import connector_of
from scripted import ScriptedApi, reply

TESTS = str(Path(__file__).parent.parent)
"""A test's own frames hold what it made; it is the package's frames, and those below them, that must not."""


# What an error shows to those who look everywhere


def linked(error: BaseException) -> list[BaseException]:
    """Give an error and every error that it refers to, also those that a printed traceback leaves out."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        link = waiting.pop()
        if link is not None and link not in found:
            found.append(link)
            waiting += [link.__cause__, link.__context__, *getattr(link, "exceptions", ())]
    return found


def traceback_with_locals(error: BaseException) -> traceback.TracebackException:
    """Take the traceback of one error, as a crash reporter does, without the frames of the tests."""
    step = error.__traceback__
    while step and step.tb_frame.f_code.co_filename.startswith(TESTS):  # the `repr` of their locals takes long
        step = step.tb_next
    taken = traceback.TracebackException(type(error), error, step, capture_locals=True)
    taken.stack[:] = [frame for frame in taken.stack if not frame.filename.startswith(TESTS)]
    return taken


def spelled(value: object) -> str:
    """Write out a value and all that it holds; of a text, the text itself, even if its `repr` is masked."""
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
    """Give each text that an error can be made to show, by the name of the place where it shows it."""
    shown: dict[str, str] = {}
    for number, link in enumerate(linked(error)):
        name = f"{type(link).__name__} {number}"
        taken = traceback_with_locals(link)
        shown |= {
            f"str of {name}": str(link),
            f"repr of {name}": repr(link),
            f"args of {name}": spelled(link.args),
            f"__dict__ of {name}": spelled(vars(link)),
            f"traceback of {name}": "".join(taken.format(chain=False)),
        }
        for frame in taken.stack:
            place = f"{frame.name}, {frame.filename}:{frame.lineno}"
            shown |= {f"{local} in {place}": text for local, text in (frame.locals or {}).items()}
    stored = pickle.dumps(error)
    copied = pickle.loads(stored)  # noqa: S301  # the test has just made the bytes
    return shown | {"pickle": stored.decode("latin-1"), "copy": f"{copied!r} {spelled(vars(copied))}"}


def leaks(shown: Mapping[str, str]) -> list[str]:
    """Name the places that show a secret."""
    return [where for where, text in shown.items() if any(secret in text for secret in SECRETS)]


def logged(caplog: pytest.LogCaptureFixture) -> dict[str, str]:
    """Give the log, as it was formatted, and each record with all that it holds."""
    records = {f"{record.name}, {number}": spelled(vars(record)) for number, record in enumerate(caplog.records)}
    return {"text": caplog.text, **records}


# Calls that fail

Call = Callable[..., Any]


async def log_all(*, is_on: bool = True) -> None:
    """Have the running event loop log each of its steps, or have it stop that."""
    loop = asyncio.get_running_loop()
    loop.set_debug(is_on)
    loop.slow_callback_duration = 0.0 if is_on else 0.1


async def body_has_come(client: AsyncElevenLabsClient) -> None:
    """Wait until the transport has read a part of a body."""
    bodies: list[Any] = []
    while not any(body is not None and body.total_bytes and not body._size for body in bodies):
        await asyncio.sleep(0)
        bodies = [getattr(protocol, "_payload", None) for protocol in connector_of(client)._acquired]


def create(client: Any, *, is_raw: bool, **arguments: Any) -> Any:
    single_use = client.tokens.single_use
    return (single_use.with_raw_response if is_raw else single_use).create(
        **({"token_type": "realtime_scribe"} | arguments)
    )


async def _call(place: Place, key: Any, **arguments: Any) -> Any:
    await log_all()
    async with (
        asyncio.timeout(10),
        AsyncElevenLabsClient(api_key=key, base_url=place.base_url, **place.arguments) as client,
    ):
        client._pipeline.clock = FrozenTime().clock()
        try:
            call = asyncio.ensure_future(create(client, **arguments))
            if place.interrupt:
                await asyncio.to_thread(place.interrupt.wait, 5)
                await (body_has_come(client) if place.answers_half else asyncio.sleep(0))
                call.cancel()
            return await call
        except BaseException as error:  # noqa: BLE001  # a cancellation, too
            return error


def call_async(place: Place, key: Any, *, is_raw: bool = False, **arguments: Any) -> Any:
    """Make a call of the async client, and give its error or its result."""
    return asyncio.run(_call(place, key, is_raw=is_raw, **arguments))


def call_sync(place: Place, key: Any, *, is_raw: bool = False, **arguments: Any) -> Any:
    """Make a call of the sync client, and give its error or its result."""

    def interrupt(came: threading.Event) -> None:
        came.wait(5)
        signal.pthread_kill(caller, signal.SIGINT)

    caller = threading.get_ident()
    portal.run(log_all())
    with ElevenLabsClient(api_key=key, base_url=place.base_url, **place.arguments) as client:
        client._asynchronous._pipeline.clock = FrozenTime().clock()
        if place.interrupt:
            threading.Thread(target=interrupt, args=[place.interrupt], daemon=True).start()
        try:
            return create(client, is_raw=is_raw, **arguments)
        except BaseException as error:  # noqa: BLE001  # an interrupt, too
            return error
        finally:
            portal.run(log_all(is_on=False))


CALLS = pytest.mark.parametrize("call", [call_async, call_sync], ids=["async", "sync"])
ALL_CALLS = pytest.mark.parametrize(
    "call",
    [call_async, partial(call_async, is_raw=True), call_sync, partial(call_sync, is_raw=True)],
    ids=["async", "async, raw response", "sync", "sync, raw response"],
)


@pytest.mark.promise(row=42)
@pytest.mark.promise(row=43)
@pytest.mark.promise(row=53)
@CALLS
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault(fault: Fault, call: Call, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the error nor the log shows a secret.

    The error is searched in its texts, its attributes, its causes, its pickle and its traceback with all locals; the
    log down to each step of the event loop.
    """
    caplog.set_level(logging.DEBUG)
    with fault.place() as place:
        error = call(place, KEY)

    log = logged(caplog)
    is_interrupted = fault.error is asyncio.CancelledError and call is call_sync
    assert (KeyboardInterrupt if is_interrupted else fault.error) is type(error)
    assert [] == leaks(shown_by(error))
    assert any(name.startswith("asyncio, ") for name in log)
    assert [] == leaks(log)


@pytest.mark.promise(row=42)
@pytest.mark.promise(row=44)
@CALLS
def test_a_success(call: Call, caplog: pytest.LogCaptureFixture) -> None:
    """The second attempt brings a token, whose `.token` is plain text; the log shows no secret."""
    caplog.set_level(logging.DEBUG)
    with ScriptedApi() as api:
        api.replies += [reply(503, {}), reply(200, {"token": TOKEN})]
        result = call(Place(api.base_url), KEY)

    assert TOKEN == result.token == f"{result.token}"
    assert [] == leaks(logged(caplog))


def a_key() -> str:
    return KEY


async def a_key_in_time() -> str:
    await asyncio.sleep(0)
    return KEY


async def a_bad_key_in_time() -> str:
    return f"{KEY}\n"


def credential(name: str = "Authorization", end: str = "") -> dict[str, str]:
    return {name: f"Bearer {KEY}{end}"}


WAYS: dict[str, tuple[Any, dict[str, Any] | None]] = {
    "a callable": (a_key, None),
    "an async callable": (a_key_in_time, None),
    "an option of the call": (None, {"api_key": KEY}),
    "a callable of the call": (None, {"api_key": a_key}),
    "a header that is a credential": (KEY, {"headers": credential()}),
    "such a header by the vendor's name": (KEY, {"additional_headers": credential()}),
    "a query parameter that is a credential": (KEY, {"query_params": {"password": PASSWORD}}),
}


@pytest.mark.promise(row=43)
@ALL_CALLS
@pytest.mark.parametrize("name", ["a connection lost in mid-token", "a cancellation"])
@pytest.mark.parametrize("way", WAYS)
def test_a_secret_that_came_another_way(way: str, name: str, call: Call) -> None:
    """The error shows no secret, where the secret came from a callable or with the options of one call."""
    key, options = WAYS[way]
    [fault] = [fault for fault in FAULTS if fault.name == name]
    with fault.place() as place:
        error = call(place, key, request_options=options)

    assert [] == leaks(shown_by(error))


# What is refused before anything is sent

CLIENTS: tuple[Callable[..., Any], ...] = (AsyncElevenLabsClient, ElevenLabsClient)

FOR_BOTH: dict[str, dict[str, Any]] = {
    "a malformed key": {"api_key": f"{KEY}\n"},
    "a key beside bad retries": {"api_key": KEY, "max_retries": -1},
    "a key beside an unknown argument": {"api_key": KEY, "timeout": 3},
    "a line end in a header's value": {"headers": credential(end="\n")},
    "a good header before a bad one": {"headers": {**credential(), "a b": "c"}},
}
FOR_CLIENTS: dict[str, dict[str, Any]] = {
    **FOR_BOTH,
    "a key that is too long": {"api_key": KEY * 200},
    "a key as bytes": {"api_key": KEY.encode()},
    "a key beside a bad timeout": {"api_key": KEY, "timeout_in_seconds": 0},
    "a key beside a bad address": {"api_key": KEY, "base_url": "ftp://h.example"},
    "a header twice": {"headers": {**credential(), **credential("authorization")}},
    "a password in the address": {"base_url": f"https://user:{PASSWORD}@h.example"},
    "a proxy of another kind": {"proxy": f"socks5://user:{PASSWORD}@h.example"},
    "a proxy without a host": {"proxy": f"http://user:{PASSWORD}@"},
    "a proxy that cannot be encoded": {"proxy": f"http://user:{PASSWORD}\ud800@h.example"},
}
FOR_OPTIONS: dict[str, dict[str, Any]] = {
    **FOR_BOTH,
    "a good parameter before a bad one": {"query_params": {"password": PASSWORD, "other": object()}},
    "a parameter that cannot be encoded": {"query_params": {"password": f"{PASSWORD}\ud800"}},
    "a parameter of a bad sequence": {"query_params": {"password": [PASSWORD, object()]}},
}
FOR_CALLS: dict[str, dict[str, Any]] = {
    **FOR_OPTIONS,
    "headers by both names": {"headers": credential(), "additional_headers": credential()},
    "a key beside a bad type": {"api_key": KEY},
    "a callable that gives a malformed key": {"api_key": lambda: f"{KEY}\n"},
    "an async callable that gives one": {"api_key": a_bad_key_in_time},
    "a credential, but no key": {"headers": credential()},
}
IN_THE_ENVIRONMENT = {"ELEVENLABS_API_KEY": f"{KEY}\n", "HTTPS_PROXY": f"socks5://user:{PASSWORD}@h.example"}
FOR_URLS: dict[str, dict[str, Any]] = {
    "a bad parameter": {"other": object()},
    "a credential before a bad parameter": {"password": PASSWORD, "other": object()},
    "a parameter that cannot be encoded": {"password": f"{PASSWORD}\ud800"},
    "the token's own parameter": {"password": PASSWORD, "token": "mine"},
    "a voice for speech to text": {"password": PASSWORD, "voice_id": "v1"},
}


def made_token() -> SingleUseTokenResponseModel:
    moment = datetime(2027, 1, 15, tzinfo=UTC)
    return SingleUseTokenResponseModel(TOKEN, "realtime_scribe", moment, "wss://api.elevenlabs.io")


def make_with(client: Callable[..., Any], name: str, value: str) -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(name, value)
        client()


def refusals() -> Iterator[Any]:
    """Give everything that is refused, as functions to call."""
    for client in CLIENTS:
        for name, arguments in FOR_CLIENTS.items():
            yield pytest.param(partial(client, **arguments), id=f"{client.__name__}: {name}")
        for name, value in IN_THE_ENVIRONMENT.items():
            yield pytest.param(partial(make_with, client, name, value), id=f"{client.__name__}: {name}")
    for name, options in FOR_OPTIONS.items():
        yield pytest.param(partial(RequestOptions, **options), id=f"RequestOptions: {name}")
    for name, query in FOR_URLS.items():
        yield pytest.param(partial(made_token().connect_url, **query), id=f"connect_url: {name}")


@pytest.mark.promise(row=43)
@pytest.mark.parametrize("call", list(refusals()))
def test_what_is_refused(call: Callable[[], object]) -> None:
    """Neither the error nor its traceback shows the value that was refused, or a secret beside it."""
    with pytest.raises((ElevenLabsConfigError, TypeError)) as caught:
        call()

    assert [] == leaks(shown_by(caught.value))


@pytest.mark.promise(row=43)
@ALL_CALLS
@pytest.mark.parametrize("name", FOR_CALLS)
def test_a_call_that_is_refused(name: str, call: Call) -> None:
    """The same holds for its options and its type."""
    token_type = "../voices" if name == "a key beside a bad type" else "realtime_scribe"
    error = call(Place("http://127.0.0.1:1"), None, token_type=token_type, request_options=FOR_CALLS[name])

    assert isinstance(error, ElevenLabsConfigError), repr(error)
    assert [] == leaks(shown_by(error))


# What is interrupted before anything is sent

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
    """The traceback of a RecursionError shows no secret, wherever the stack ends."""
    shown: dict[str, str] = {}
    limit, depth = sys.getrecursionlimit(), len(inspect.stack(0))
    tracer = sys.gettrace()  # a tracer would fail first, before the function is entered
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
    """What the handler of a signal raises. As with those of Python and of gunicorn, it is not an `Exception`."""


@pytest.mark.promise(row=43)
@MADE_AT_ONCE
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")  # a coroutine was interrupted as it was made
def test_what_a_signal_interrupts(make: Callable[[], object]) -> None:
    """The traceback of what a signal handler raises shows no secret, whichever of the function calls it interrupts."""
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
    """They keep their locals, so that the caller can debug an `api_key` callable."""

    def vault() -> str:
        shelf = "third"
        raise LookupError(shelf)

    with ElevenLabsClient(api_key=vault, base_url="http://127.0.0.1:1") as client, pytest.raises(LookupError) as caught:
        client.tokens.single_use.create("realtime_scribe")

    *_, (frame, _) = traceback.walk_tb(caught.value.__traceback__)
    assert ("vault", "third") == (frame.f_code.co_name, frame.f_locals["shelf"])


# What shows itself


@pytest.mark.promise(row=44)
@pytest.mark.parametrize(
    "thing",
    [
        AsyncElevenLabsClient(**SECRET),
        ElevenLabsClient(**SECRET),
        RequestOptions(api_key=KEY, headers=credential(), query_params={"password": PASSWORD}),
        made_token(),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_what_a_thing_shows(thing: object) -> None:
    """Clients, options and tokens are masked in their `repr` and in every text that they are formatted into."""
    assert [] == leaks({"repr": repr(thing), "f-string": f"{thing} {thing!r}", "in a list": f"{[thing]}"})
