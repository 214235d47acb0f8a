"""The commands, their arguments and their exit codes: 0, 1 (refused or failed), 2 (usage)."""

import json
import signal
import sys
from typing import Annotated, NoReturn

from cyclopts import App, Parameter

from elevenlabs_tokens._version import __version__
from elevenlabs_tokens.environments import is_loopback
from elevenlabs_tokens.exceptions import ElevenLabsError

app = App(
    name="elevenlabs-tokens",
    version=__version__,
    help="Single-use tokens for ElevenLabs realtime speech. The API key is read from ELEVENLABS_API_KEY.",
)


def run() -> None:
    """Run the command that the arguments name, and exit."""
    try:
        app()
    except ElevenLabsError as error:
        fail(str(error))
    except OSError as error:
        fail(error.strerror or str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def command() -> str:
    """Give the command as it was called, for a reader to copy."""
    return sys.argv[0] if sys.argv[0].endswith("elevenlabs-tokens") else "elevenlabs-tokens"


def fail(text: str) -> NoReturn:
    """Exit with one line that says what to do."""
    sys.exit(f"elevenlabs-tokens: {text}")


@app.command
async def create(
    token_type: str,
    /,
    *,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
    as_url: Annotated[bool, Parameter(name="--url", negative="")] = False,
    voice_id: str | None = None,
    base_url: str | None = None,
) -> None:
    """Mint a token and print it.

    Args:
        token_type: What the token opens: realtime_scribe, batch_scribe or tts_websocket.
        as_json: Print all that a frontend needs, as JSON.
        as_url: Print the URL that the token opens.
        voice_id: The voice of that URL; tts_websocket needs one.
        base_url: Another address of the API, such as that of an emulator.
    """
    if as_json and as_url:
        usage("--json and --url exclude each other")
    if voice_id is not None and not as_url:
        usage("--voice-id is for --url")
    from elevenlabs_tokens import AsyncElevenLabsClient
    from elevenlabs_tokens.models import SingleUseTokenType, connection_of

    if as_url:
        connection_of(token_type, voice_id=voice_id)  # said before a token is minted for nothing
    async with AsyncElevenLabsClient(base_url=base_url) as client:
        token = await client.tokens.single_use.create(token_type)
    if as_json:
        print(json.dumps(token.to_dict()))
    elif as_url:
        model_id = "scribe_v2_realtime" if token_type == SingleUseTokenType.REALTIME_SCRIBE else None
        print(token.connect_url(voice_id=voice_id, model_id=model_id))
    else:
        print(token.token)


def usage(text: str) -> NoReturn:
    """Exit with one line that says how the command is used."""
    print(f"elevenlabs-tokens: {text}; see {command()} {sys.argv[1]} --help", file=sys.stderr)
    sys.exit(2)


@app.command
async def emulator(
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    token_lifetime: float = 900,
    api_key: Annotated[tuple[str, ...], Parameter(negative="")] = (),
) -> None:
    """Run a local ElevenLabs until it is interrupted; its base URL is the first line of output.

    Args:
        host: Where to listen. Anyone who can reach it can mint its tokens, which open nothing but itself.
        port: Where to listen; 0 takes a free port.
        token_lifetime: Seconds until an unused token lapses.
        api_key: A key to accept, may be repeated; without one, any key will do.
    """
    from elevenlabs_tokens.emulator import Emulator

    try:
        emulated = Emulator(api_keys=api_key or None, token_lifetime_in_seconds=token_lifetime, host=host, port=port)
    except ValueError as error:
        usage(str(error))
    async with emulated:
        print(emulated.base_url, flush=True)
        print(_invitation(host, emulated.base_url, key="one-of-yours" if api_key else "sk_emulator"), file=sys.stderr)
        await _interruption()


def _invitation(host: str, base_url: str, *, key: str) -> str:
    lines = [
        "Tokens minted here open its sockets once, like the real ones. Stop it with Ctrl-C.",
        f"Mint one: ELEVENLABS_API_KEY={key} {command()} create realtime_scribe --base-url {base_url}",
    ]
    if not is_loopback(host):
        lines.append(f"Anyone who can reach {host} can use it.")
    return "\n".join(lines)


async def _interruption() -> None:
    import asyncio

    interrupted = asyncio.Event()
    loop = asyncio.get_running_loop()
    if sys.platform != "win32":  # whose loops take no handlers: there, Ctrl-C ends `run` as a KeyboardInterrupt
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, interrupted.set)
    await interrupted.wait()


@app.command
async def demo() -> None:
    """Mint, open, refuse: the life of a token, against an emulator on this machine. Needs no key."""
    from elevenlabs_tokens.cli.demo import walk_through

    if not await walk_through():
        sys.exit(1)
