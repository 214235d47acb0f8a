"""What is refused: 2 if what was typed is wrong, 1 if the API, the network or the environment refused."""

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.command import run
from elevenlabs_tokens import SingleUseTokenType
from elevenlabs_tokens.cli import main
from elevenlabs_tokens.cli.app import _command_line
from elevenlabs_tokens.emulator import Emulator
from frozen import KEY

DOCS = Path(__file__).parents[2] / "docs"

WRONG_USAGE = {
    "nonsense": 'unknown command "nonsense". Available commands: create, demo, doctor, emulator (see',
    "create": "TOKEN_TYPE needs a value (see elevenlabs-tokens create --help)",
    "create realtime_scribe more": "unexpected argument 'more' (see elevenlabs-tokens create --help)",
    "create realtime_scribe --voice": "unknown option: --voice. Did you mean --voice-id? (see",
    "create realtime_scribe --json --url": "--json and --url exclude each other (see",
    "create realtime_scribe --voice-id v1": "--voice-id is for --url (see",
    "create realtime_scribe --url --voice-id v1": "--voice-id is for tts_websocket",
    "create tts_websocket --url": "give its --voice-id (see elevenlabs-tokens create --help)",
    "create tts_websocket --url --voice-id ..": "give its --voice-id (see",
    "create unknown_type --url": "it is not known what a token of type unknown_type opens",
    "create ../voices": "TOKEN_TYPE must be one of realtime_scribe, batch_scribe, tts_websocket, or",
    "create ''": "TOKEN_TYPE must be one of",
    "create realtime_scribe --environment mars": '"production-eu", "production-india"',
    "create realtime_scribe --base-url ftp://127.0.0.1": "--base-url does not begin with https://",
    "create realtime_scribe --base-url http://10.0.0.1": "(--allow-insecure-http permits it)",
    "create realtime_scribe --base-url": "--base-url needs a value (see",
    "doctor --type ../voices": "--type must be one of realtime_scribe, batch_scribe, tts_websocket, or",
    "doctor --base-url ftp://127.0.0.1": "--base-url does not begin with https:// (or http://",
    "doctor realtime_scribe": "unexpected argument 'realtime_scribe' (see elevenlabs-tokens doctor --help)",
    "emulator --port none": "--port must be a whole number, not 'none' (see elevenlabs-tokens emulator --help)",
    "emulator --port 65536": "port must be a whole number from 0 to 65535",
    "emulator --token-lifetime -1": "--token-lifetime must be a number over 0",
    "emulator --token-lifetime soon": "--token-lifetime must be a number, not 'soon' (see",
    "emulator --api-key ''": "--api-key must hold non-empty strings",
    "emulator --host ''": "host must be an address to listen on",
    "--install-completion --shell csh": '"bash"',
}
WRONG_ENVIRONMENT = {
    "no key": ({"ELEVENLABS_API_KEY": ""}, 1, ": there is no API key: set ELEVENLABS_API_KEY"),
    "a bad key": ({"ELEVENLABS_API_KEY": "sk_1 2"}, 1, ": the API key has white space in it"),
    "a bad proxy": (
        {"ELEVENLABS_API_KEY": KEY, "HTTPS_PROXY": "socks5://127.0.0.1"},
        1,
        ": HTTPS_PROXY is neither an http:",
    ),
}

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run a command within this process; give its exit code, its output and its errors."""

    def called(*arguments: str, **variables: str) -> tuple[int, str, str]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["elevenlabs-tokens", *arguments])
        monkeypatch.setattr(sys, "stdout", sys.stdout)  # the command puts its own in its place
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        shown = capsys.readouterr()
        return ended.value.code, shown.out, shown.err

    return called


@pytest.mark.parametrize(
    ("arguments", "variables", "code", "text"),
    [
        *(pytest.param(arguments, {}, 2, text, id=arguments) for arguments, text in WRONG_USAGE.items()),
        *(pytest.param("create realtime_scribe", *case, id=name) for name, case in WRONG_ENVIRONMENT.items()),
    ],
)
def test_what_is_wrong(call: Call, arguments: str, variables: dict[str, str], code: int, text: str) -> None:
    """One line says what is wrong with what was typed (2), even without an API key, or with a variable (1)."""
    shown = call(*shlex.split(arguments), **variables)

    assert (code, "") == shown[:2]
    assert shown[2].startswith("elevenlabs-tokens: ")
    assert text in shown[2]
    assert 1 == len(shown[2].splitlines())


def test_insecure_http_that_is_allowed(elevenlabs_emulator: Emulator) -> None:
    """`--allow-insecure-http` lets `--base-url` be an address that is not loopback (this one leads there, though)."""
    base_url = elevenlabs_emulator.base_url.replace("127.0.0.1", "0.0.0.0")  # noqa: S104  # connected to, not bound

    refused = run("create", "realtime_scribe", "--base-url", base_url)
    minted = run("create", "realtime_scribe", "--base-url", base_url, "--allow-insecure-http")

    assert (2, "") == (refused.returncode, refused.stdout)
    assert (0, "") == (minted.returncode, minted.stderr)


def test_what_the_api_refuses(elevenlabs_emulator: Emulator) -> None:
    """The API's own words are quoted, in one line."""
    elevenlabs_emulator.fail_next(
        status=401, body={"detail": {"status": "invalid_api_key", "message": "Invalid API key"}}
    )

    shown = run("create", "realtime_scribe", "--base-url", elevenlabs_emulator.base_url)

    assert (1, "") == (shown.returncode, shown.stdout)
    assert re.fullmatch(
        r"elevenlabs-tokens: 401 Unauthorized \(invalid_api_key\) from POST /v1/single-use-token/realtime_scribe"
        r" \(request id \w+\): Invalid API key; copy a key from the ElevenLabs dashboard into ELEVENLABS_API_KEY, "
        r"and check --environment\n",
        shown.stderr,
    )


def test_what_the_api_found_wrong(elevenlabs_emulator: Emulator) -> None:
    """The items of a 422 are printed, without what could control a terminal or begin another line."""
    first = {"loc": ["path", "token_type"], "msg": "\x1b[31mInput should be\r\n'a' or \u202e'b'\u009b", "type": "enum"}
    second = {"loc": ["header", 0], "msg": "Field required.", "type": "missing"}
    elevenlabs_emulator.fail_next(status=422, body={"detail": [first, second]})

    shown = run("create", "unknown_type", "--base-url", elevenlabs_emulator.base_url)

    assert (1, "") == (shown.returncode, shown.stdout)
    assert (
        "[31mInput should be 'a' or 'b' (path.token_type), Field required. (header.0); known token types: realtime_"
    ) in shown.stderr
    assert shown.stderr.removesuffix("\n").isprintable()


def test_the_known_token_types() -> None:
    """The types that help and completion name are those of `SingleUseTokenType`."""
    (token_type,) = (
        argument
        for argument in _command_line()["create"].assemble_argument_collection()
        if argument.name == "TOKEN_TYPE"
    )

    assert tuple(SingleUseTokenType) == token_type.get_choices()


def test_the_examples_of_the_docs() -> None:
    """Each command in the docs is one that the command line understands, and each option is explained there."""
    app = _command_line()
    text = (DOCS / "command-line.md").read_text()
    examples = re.findall(r"^(?:\w+=\S+ )?elevenlabs-tokens (.*?)(?: [|>].*)?$", text, re.MULTILINE)

    called = {app.parse_args(shlex.split(example))[0].__name__ for example in examples}

    assert {"create", "demo", "doctor", "emulator"} < called
    for command in ("create", "demo", "doctor", "emulator"):
        for argument in app[command].assemble_argument_collection():
            assert f"`{argument.name}" in text
