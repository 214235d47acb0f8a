"""The commands: their arguments and what they print."""

import json
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, Literal

from cyclopts import App, CoercionError, CycloptsError, MissingArgumentError, Parameter, UnusedCliTokensError

from elevenlabs_tokens._version import __version__
from elevenlabs_tokens.cli.program import NAME, CommandError, UsageError, name_to_copy, note, shown_name
from elevenlabs_tokens.cli.wording import in_words_of_a_shell
from elevenlabs_tokens.environments import ElevenLabsEnvironment, checked_base_url, is_loopback
from elevenlabs_tokens.exceptions import ElevenLabsError
from elevenlabs_tokens.models import SingleUseTokenType, checked_token_type, connection_of
from elevenlabs_tokens.options import API_KEY_VARIABLE, key_or_environment

TYPE_CHECKING = False  # known to type checkers; asyncio is loaded by the commands that need it
if TYPE_CHECKING:
    import asyncio

_KINDS = {int: "a whole number", float: "a number"}

_Flag = Annotated[bool, Parameter(negative="", show_default=False)]
"""An option without a value, and without an opposite."""
_Type = Literal["realtime_scribe", "batch_scribe", "tts_websocket"] | str  # noqa: PYI051  # shells complete them
_Json = Annotated[_Flag, Parameter(name="--json")]
_Region = Annotated[ElevenLabsEnvironment, Parameter(metavar="REGION")]
_Address = Annotated[str | None, Parameter(metavar="URL")]


def call() -> None:
    """Run the command that the arguments name; turn what goes wrong into one line for a shell.

    Raises:
        UsageError: The arguments are wrong.
        CommandError: The command was refused or failed.
    """
    try:
        _command_line()(sys.argv[1:])
    except CycloptsError as error:
        raise UsageError(_with_help(_fault_of(error), *(error.command_chain or ()))) from error
    except UsageError as error:
        raise UsageError(_with_help(str(error), sys.argv[1])) from error
    except ElevenLabsError as error:
        from elevenlabs_tokens.cli.findings import explanation

        raise CommandError(explanation(error)) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise CommandError(f"{error.filename}: {reason}" if error.filename else reason) from error


def _fault_of(error: CycloptsError) -> str:
    match error:
        case UnusedCliTokensError(unused_tokens=[first, *_]):
            return f"unexpected argument {first!r}"
        case MissingArgumentError(keyword=keyword, argument=argument) if argument:
            return f"{keyword or argument.name} needs a value"
        case CoercionError(target_type=kind, token=token) if token and kind in _KINDS:
            return f"{token.keyword} must be {_KINDS[kind]}, not {token.value!r}"
        case _:
            text = str(error).removesuffix(".")
            return f"{text[:1].lower()}{text[1:]}"


def _with_help(text: str, *command: str) -> str:
    return f"{text} (see {' '.join([name_to_copy(), *command])} --help)"


def _command_line() -> App:
    app = _app_called(shown_name())
    # A shell completes the arguments of a program by its name, and `python -m …` is not one.
    named = _app_called(NAME)
    named.register_install_completion_command(help="Install completion for bash, zsh, fish or PowerShell.")
    app.command(named["--install-completion"], name="--install-completion")
    return app


def _app_called(name: str) -> App:
    app = App(
        name=name,
        version=__version__,
        help="Mint single-use tokens for ElevenLabs realtime speech, or try them out on this machine.",
        help_epilogue="Exit codes: 0 done, 1 refused or failed, 2 wrong usage. One line on stderr says why.",
        help_format="plaintext",
        group_parameters="Options",
        exit_on_error=False,
        print_error=False,
        result_action="return_value",
    )
    for command in (create, demo, doctor, emulator):
        app.command(command)
    return app


async def create(
    token_type: _Type,
    /,
    *,
    as_json: _Json = False,
    as_url: Annotated[_Flag, Parameter(name="--url")] = False,
    voice_id: Annotated[str | None, Parameter(metavar="ID")] = None,
    environment: _Region = ElevenLabsEnvironment.PRODUCTION,
    base_url: _Address = None,
    allow_insecure_http: _Flag = False,
) -> None:
    """Mint a token and print it. The API key is read from ELEVENLABS_API_KEY.

    Args:
        token_type: What the token opens. Other names are sent to the API as they are.
        as_json: Print JSON: the token, its type, when it expires, and the host of its socket.
        as_url: Print the URL that the token opens.
        voice_id: The voice in the URL of a tts_websocket token.
        environment: The region of the API.
        base_url: Another address of the API, or ELEVENLABS_BASE_URL; either wins over --environment.
        allow_insecure_http: Allow http: to another machine, although anyone in between can then read the API key.
    """
    if as_json and as_url:
        raise UsageError("--json and --url exclude each other")
    if voice_id is not None and not as_url:
        raise UsageError("--voice-id is for --url")
    with _usage_errors():
        checked_token_type(token_type)
        if as_url:
            connection_of(token_type, voice_id=voice_id)
        if base_url is not None:
            checked_base_url(base_url, allow_insecure_http=allow_insecure_http)
    if key_or_environment(None) is None:
        raise CommandError(f"there is no API key: set {API_KEY_VARIABLE}")
    from elevenlabs_tokens import AsyncElevenLabsClient
    from elevenlabs_tokens.cli.progress import progress

    client = AsyncElevenLabsClient(environment=environment, base_url=base_url, allow_insecure_http=allow_insecure_http)
    async with progress(f"Minting a token for {token_type}"), client:
        token = await client.tokens.single_use.create(token_type)
    if as_json:
        print(json.dumps(token.to_dict()))
    elif as_url:
        model_id = "scribe_v2_realtime" if token_type == SingleUseTokenType.REALTIME_SCRIBE else None
        print(token.connect_url(voice_id=voice_id, model_id=model_id))
    else:
        print(token.token)


@contextmanager
def _usage_errors(**names: str) -> Generator[None, None, None]:
    """Turn what the package refuses into wrong usage; `names` are those of a command's own for parameters."""
    try:
        yield
    except ValueError as error:
        raise UsageError(in_words_of_a_shell(str(error), **names)) from error


async def doctor(
    *,
    token_type: Annotated[
        tuple[_Type, ...], Parameter(name="--type", metavar="TYPE", negative="", show_default=False)
    ] = (),
    as_json: _Json = False,
    environment: _Region = ElevenLabsEnvironment.PRODUCTION,
    base_url: _Address = None,
    allow_insecure_http: _Flag = False,
) -> None:
    """Mint a throw-away token of each type, and name the cause of what fails. No token and no key is printed.

    Args:
        token_type: A type to mint; may be repeated. Without this option, every type that is known.
        as_json: Print JSON: each check with its outcome, its cause, and what to do.
        environment: The region of the API.
        base_url: Another address of the API, or ELEVENLABS_BASE_URL; either wins over --environment.
        allow_insecure_http: Allow http: to another machine, although anyone in between can then read the API key.
    """
    with _usage_errors(token_type="--type"):  # noqa: S106  # the name of an option
        for each in token_type:
            checked_token_type(each)
        if base_url is not None:
            checked_base_url(base_url, allow_insecure_http=allow_insecure_http)
    from elevenlabs_tokens.cli.doctor import examine, show

    checks = await examine(
        token_type or tuple(SingleUseTokenType),
        environment=environment,
        base_url=base_url,
        allow_insecure_http=allow_insecure_http,
    )
    all_well = all(check.outcome != "failed" for check in checks)
    if as_json:
        print(json.dumps({"ok": all_well, "checks": [check.to_dict() for check in checks]}))
    else:
        show(checks)
    if not all_well:
        sys.exit(1)


async def demo() -> None:
    """Show the life of a token, against an emulator on this machine. Needs no API key and no network."""
    from elevenlabs_tokens.cli.demo import walk_through

    if not await walk_through():
        sys.exit(1)


async def emulator(
    *,
    host: Annotated[str, Parameter(metavar="ADDRESS")] = "127.0.0.1",
    port: Annotated[int, Parameter(metavar="NUMBER")] = 8765,
    token_lifetime: Annotated[float, Parameter(metavar="SECONDS")] = 900,
    api_key: Annotated[tuple[str, ...], Parameter(metavar="KEY", negative="", show_default=False)] = (),
    control: _Flag = False,
    as_json: _Json = False,
) -> None:
    """Run a local ElevenLabs until Ctrl-C. Its base URL is the first line of output; requests go to standard error.

    Args:
        host: The address to listen on. Anyone who can reach it can use the emulator.
        port: The port to listen on; 0 takes a free one.
        token_lifetime: How long an unused token is good for.
        api_key: A key to accept; may be repeated. Without this option, any key is accepted.
        control: Let programs on this machine steer it over HTTP, under /emulator/.
        as_json: Print each request as a line of JSON.
    """
    from elevenlabs_tokens.cli.requests import show_requests
    from elevenlabs_tokens.emulator import Emulator

    with _usage_errors():
        emulated = Emulator(
            api_keys=api_key or None,
            token_lifetime_in_seconds=token_lifetime,
            host=host,
            port=port,
            control=control,
        )
    interrupted = _interruption()
    async with emulated:
        print(emulated.base_url, flush=True)
        show_requests(as_json=as_json)
        note(_invitation(host, emulated.base_url, key="one-of-yours" if api_key else "sk_emulator"))
        await interrupted.wait()


def _interruption() -> "asyncio.Event":
    """Make an event that Ctrl-C and SIGTERM set."""
    import asyncio

    interrupted = asyncio.Event()
    if sys.platform != "win32":  # its loops take no signal handlers; Ctrl-C is a KeyboardInterrupt there
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
    return interrupted


def _invitation(host: str, base_url: str, *, key: str) -> str:
    lines = [
        "Each token minted here opens one connection, like a real one. Stop the emulator with Ctrl-C.",
        "Set this for the app under test:",
        f"  ELEVENLABS_BASE_URL={base_url}",
        f"  ELEVENLABS_API_KEY={key}",
        f"Mint one: ELEVENLABS_API_KEY={key} {name_to_copy()} create realtime_scribe --base-url {base_url}",
    ]
    if not is_loopback(host):
        lines.append(f"Anyone who can reach {host} can use it.")
        lines.append("An app on another machine reaches it by this machine's name, and needs allow_insecure_http=True.")
    return "\n".join(lines)
