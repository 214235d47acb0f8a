"""What each command prints and mints."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from rich.console import Console

import elevenlabs_tokens
from cli.command import COMMAND, MODULE, bare_environment, run, run_process, running_emulator
from elevenlabs_tokens import AsyncElevenLabsClient
from elevenlabs_tokens.cli import demo
from elevenlabs_tokens.cli.conversations import tone
from elevenlabs_tokens.emulator import Emulator
from frozen import KEY
from servers import Server, free_port

DOCS = Path(__file__).parents[2] / "docs"


def test_the_installed_command() -> None:
    """The command stands beside the interpreter, under the name that the docs use."""
    shown = run_process([str(Path(sys.executable).with_name("elevenlabs-tokens")), "--version"])

    assert (0, "0.1.0\n", "") == (shown.returncode, shown.stdout, shown.stderr)


@pytest.mark.parametrize(
    ("program", "name"), [(COMMAND, "elevenlabs-tokens"), (MODULE, "python -m elevenlabs_tokens")], ids=["name", "-m"]
)
def test_the_name_in_the_help(program: tuple[str, ...], name: str) -> None:
    """`python -m elevenlabs_tokens` is the same command, and says so in its help."""
    whole, one, usage = (run(*words, program=program) for words in (["--help"], ["create", "--help"], ["create"]))

    assert whole.stdout.startswith(f"Usage: {name} COMMAND\n")
    assert one.stdout.startswith(f"Usage: {name} create [OPTIONS] TOKEN_TYPE\n")
    assert usage.stderr.endswith(f"{name.removeprefix('python')} create --help)\n")


@pytest.mark.parametrize("arguments", [["--help"], ["create", "--help"], ["--version"], ["create", "--nonsense"]])
def test_help_is_light(arguments: list[str]) -> None:
    """Help, the version and usage errors load neither an event loop nor HTTP nor TLS."""
    program = (*COMMAND[:-2], "-X", "importtime", *COMMAND[-2:])

    loaded = {line.rpartition("|")[2].strip() for line in run(*arguments, program=program).stderr.splitlines()}

    assert "cyclopts" in loaded
    assert set() == loaded & {"aiohttp", "anyio", "asyncio", "cattrs", "markdown_it", "ssl"}


def test_demo() -> None:
    """Every step does what it should, and no token is shown."""
    shown = run("demo", key=None)

    steps = [line.split(maxsplit=4)[3:] for line in shown.stdout.splitlines() if line.strip().startswith("✓")]
    assert (0, "") == (shown.returncode, shown.stderr)
    assert ["emulator", "backend", *["frontend"] * 2, *["backend", "frontend"] * 2, "emulator"] == [
        who for who, _ in steps
    ]
    assert (
        "opened speech to text with it, sent 1 s of audio, read 'emulated transcript of 1.0 s of audio'"
        == (steps[2][1])
    )
    assert "counts 3 tokens: spent, expired, spent" == steps[8][1]
    assert "ELEVENLABS_API_KEY=sk_... elevenlabs-tokens create realtime_scribe" in shown.stdout
    assert "sutkn_emulator" not in shown.stdout


def test_demo_without_unicode() -> None:
    """A terminal that cannot show a tick gets a word."""
    shown = run("demo", PYTHONIOENCODING="ascii")

    assert (0, "") == (shown.returncode, shown.stderr)
    assert 9 == sum(line.startswith("  ok ") for line in shown.stdout.splitlines())


@pytest.mark.anyio
async def test_a_demo_that_goes_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that does not do what it should is shown, and the demo fails."""

    def long_lived(**arguments: Any) -> Emulator:
        return Emulator(token_lifetime_in_seconds=10_000, **arguments)

    monkeypatch.setattr(demo, "Emulator", long_lived)
    shown = StringIO()

    succeeded = await demo.walk_through(Console(file=shown, width=200))

    assert not succeeded
    last_step = [line for line in shown.getvalue().splitlines() if "✗" in line]
    assert ["a token that should have been refused opened a connection"] == [
        line.split(maxsplit=3)[3] for line in last_step
    ]


@pytest.mark.parametrize("region", [[], ["--environment", "production-eu"]], ids=["no region", "a region"])
def test_create_prints_the_token_alone(elevenlabs_emulator: Emulator, region: list[str]) -> None:
    """A script can take the output as it is; `--base-url` wins over `--environment`, as in the client."""
    shown = run("create", "realtime_scribe", *region, "--base-url", elevenlabs_emulator.base_url)

    assert (0, "") == (shown.returncode, shown.stderr)
    assert shown.stdout.startswith("sutkn_emulator_")
    assert 1 == len(shown.stdout.split())
    assert ["fresh"] == [record.state for record in elevenlabs_emulator.tokens]


def test_create_as_json(elevenlabs_emulator: Emulator) -> None:
    """The JSON holds all that a frontend needs."""
    shown = run("create", "tts_websocket", "--json", "--base-url", elevenlabs_emulator.base_url)

    content = json.loads(shown.stdout)
    assert {"token", "token_type", "expires_at", "websocket_base_url"} == set(content)
    assert "tts_websocket" == content["token_type"]


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (["realtime_scribe"], "/v1/speech-to-text/realtime?token="),
        (["tts_websocket", "--voice-id", "v1"], "/v1/text-to-speech/v1/stream-input?single_use_token="),
    ],
)
def test_create_as_a_url(elevenlabs_emulator: Emulator, arguments: list[str], path: str) -> None:
    """The URL is the one that the token opens."""
    shown = run("create", *arguments, "--url", "--base-url", elevenlabs_emulator.base_url)

    assert shown.stdout.startswith(f"{elevenlabs_emulator.websocket_base_url}{path}sutkn_emulator_")
    assert (arguments[0] == "realtime_scribe") == shown.stdout.endswith("&model_id=scribe_v2_realtime\n")


@pytest.mark.parametrize(
    ("region", "host"),
    [("production", "api.elevenlabs.io"), ("production-singapore", "api.sg.residency.elevenlabs.io")],
)
def test_a_region(elevenlabs_emulator: Emulator, region: str, host: str) -> None:
    """`--environment` chooses the host: a proxy that refuses to connect is asked for it."""
    shown = run("create", "realtime_scribe", "--environment", region, HTTPS_PROXY=elevenlabs_emulator.base_url)

    assert (1, "") == (shown.returncode, shown.stdout)
    assert f"refused to connect to {host}:443" in shown.stderr


def test_a_mint_that_is_interrupted() -> None:
    """Ctrl-C ends a mint that waits for its reply, without a word."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        command = [*COMMAND, "create", "realtime_scribe", "--base-url", f"http://127.0.0.1:{silent.getsockname()[1]}"]
        environment = bare_environment({"ELEVENLABS_API_KEY": KEY})
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            connection, _ = silent.accept()
            connection.recv(1)  # the request has come
            process.send_signal(signal.SIGINT)
            shown, _ = process.communicate(timeout=20)
        connection.close()

    assert (130, b"") == (process.returncode, shown)


@pytest.mark.parametrize(("number", "host"), [(signal.SIGINT, []), (signal.SIGTERM, ["--host", "0.0.0.0"])])  # noqa: S104  # what the test is about
def test_emulator(number: signal.Signals, host: list[str]) -> None:
    """It prints its base URL, says if others can use it, serves, and ends in good order when it is interrupted."""
    with running_emulator("--api-key", KEY, "--api-key", "sk_other", *host) as (process, base_url):
        minted = run("create", "realtime_scribe", "--base-url", base_url)
        refused = run("create", "realtime_scribe", "--base-url", base_url, key="sk_unknown")
        process.send_signal(number)
        rest, errors = process.communicate(timeout=20)

    assert base_url.startswith("http://127.0.0.1:")
    assert minted.stdout.startswith("sutkn_emulator_")
    assert (1, "401") == (refused.returncode, refused.stderr.split()[1])
    assert (0, "") == (process.returncode, rest)
    assert f"--base-url {base_url}" in errors
    assert f"  ELEVENLABS_BASE_URL={base_url}\n  ELEVENLABS_API_KEY=one-of-yours\n" in errors
    assert KEY not in errors
    assert bool(host) == ("Anyone who can reach 0.0.0.0 can use it." in errors)


@pytest.mark.anyio
async def test_the_requests_to_the_emulator() -> None:
    """Each is one line that says what became of it, and shows neither a token nor a key."""
    with running_emulator("--json", "--api-key", KEY) as (process, base_url):
        async with aiohttp.ClientSession() as http, AsyncElevenLabsClient(api_key=KEY, base_url=base_url) as client:
            token = await client.tokens.single_use.create("realtime_scribe")
            dialogue = f"{token.websocket_base_url}/v1/text-to-dialogue/stream-input?single_use_token={token.token}"
            for url in (token.connect_url(), token.connect_url(), dialogue):
                async with http.ws_connect(url) as connection:
                    await connection.receive()
            for path in ("v1/speech-to-text", f"v1/single-use-token/{KEY}", f"{token.token}?single_use_token=a"):
                await http.post(f"{base_url}/{path}", headers={"xi-api-key": "sk_unknown"})
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)

    lines = [json.loads(line) for line in errors.splitlines() if line.startswith("{")]
    assert sorted(
        [
            "POST /v1/single-use-token/realtime_scribe realtime_scribe 200",
            "GET /v1/speech-to-text/realtime realtime_scribe closed with 1000",
            "GET /v1/speech-to-text/realtime realtime_scribe refused (token: spent)",
            "GET /v1/text-to-dialogue/stream-input ttd_websocket refused (token: wrong_type)",
            "POST /v1/speech-to-text batch_scribe 422",
            "POST /v1/single-use-token/*** *** 422",
            "POST /*** - 404",
        ]
    ) == sorted(" ".join(line[name] for name in ("method", "path", "token_type", "outcome")) for line in lines)
    assert not re.search(f"{KEY}|sk_unknown|sutkn_", errors)


@pytest.mark.anyio
async def test_a_connection_that_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    """A mint whose connection was cut is not logged as answered."""
    caplog.set_level("INFO", "elevenlabs_tokens.emulator")
    async with Emulator() as emulated, aiohttp.ClientSession() as http:
        emulated.fail_next(disconnect=True)
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await http.post(f"{emulated.base_url}/v1/single-use-token/tts_websocket")

    assert ["POST /v1/single-use-token/tts_websocket tts_websocket: connection lost"] == caplog.messages


def test_the_healthcheck_of_the_docs() -> None:
    """The command in the docs succeeds where an emulator listens, and fails where none does."""
    (line,) = re.findall(r"^HEALTHCHECK .* CMD (\[.*\])$", (DOCS / "command-line.md").read_text(), re.MULTILINE)
    python, *arguments = json.loads(line)

    def check(port: str) -> int:
        return run_process([sys.executable, *(argument.replace("8765", port) for argument in arguments)]).returncode

    with running_emulator("--host", "0.0.0.0") as (_, base_url):  # noqa: S104  # what the test is about
        healthy = check(base_url.rpartition(":")[2])

    assert ("python", 0, 1) == (python, healthy, check(base_url.rpartition(":")[2]))


def test_an_emulator_that_is_stopped_early() -> None:
    """A signal that comes before the first line was read ends it in good order, too."""
    port = free_port()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    os.set_blocking(writer, True)  # full by now, so the first line waits
    command = [*COMMAND, "emulator", "--port", str(port)]
    with subprocess.Popen(command, env=bare_environment({}), stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        Server(port, Path(os.devnull), process).wait_until_it_listens()
        process.send_signal(signal.SIGTERM)
        with open(reader, "rb") as output:  # noqa: PTH123  # a descriptor, not a path
            output.read()
        code = process.wait(20)

    assert 0 == code


def test_emulator_with_its_port_taken(elevenlabs_emulator: Emulator) -> None:
    """One line says what to do."""
    shown = run("emulator", "--port", elevenlabs_emulator.base_url.rpartition(":")[2])

    assert (1, "") == (shown.returncode, shown.stdout)
    assert "(address already in use); port 0 takes a free one\n" in shown.stderr
    assert 1 == len(shown.stderr.splitlines())


def test_without_the_extra(tmp_path: Path) -> None:
    """It prints the command that installs what it needs, from an index and in a checkout."""
    (tmp_path / "elevenlabs_tokens").symlink_to(Path(elevenlabs_tokens.__file__).parent)
    without_packages = (sys.executable, "-S", *COMMAND[1:])

    shown = run("demo", program=without_packages, PYTHONPATH=str(tmp_path))

    assert (1, "") == (shown.returncode, shown.stdout)
    assert 1 == len(shown.stderr.splitlines())
    assert "pip install 'elevenlabs-tokens[cli]', or in a checkout: pip install '.[cli]'\n" in shown.stderr


def test_completion(tmp_path: Path) -> None:
    """The installed completion completes commands, token types, options and regions in bash."""
    installed = run("--install-completion", "--shell", "bash", HOME=str(tmp_path), program=MODULE)
    script = """
. "$HOME/.bashrc"
complete=$(complete -p elevenlabs-tokens)
function=${complete#*-F }
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
${function% *}
echo "${COMPREPLY[@]}"
"""

    def completed(*words: str) -> str:
        command = ["bash", "-c", script, "bash", "elevenlabs-tokens", *words]
        return run_process(command, {"HOME": str(tmp_path)}).stdout.strip()

    assert (0, "") == (installed.returncode, installed.stderr)
    assert "create" == completed("cr")
    assert "realtime_scribe" == completed("create", "rea")
    assert "--allow-insecure-http" == completed("create", "realtime_scribe", "--al")
    assert "production-eu" == completed("create", "realtime_scribe", "--environment", "production-e")


def test_completion_that_cannot_be_installed() -> None:
    """A home that cannot be written is one line."""
    shown = run("--install-completion", "--shell", "bash", HOME="/dev/null")

    assert (1, "") == (shown.returncode, shown.stdout)
    assert shown.stderr.startswith("elevenlabs-tokens: /dev/null")
    assert 1 == len(shown.stderr.splitlines())


def test_the_generated_audio() -> None:
    """It is a tone of one second: 16-bit samples that swing around zero, and not too loud."""
    samples = memoryview(tone(1.0)).cast("h")

    assert 16_000 == len(samples)
    assert (-8_000, 8_000) == (min(samples), max(samples))
    assert abs(sum(samples)) < 100
