"""The command line, as processes of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import elevenlabs_tokens
from elevenlabs_tokens.cli import demo
from elevenlabs_tokens.cli.conversations import tone
from elevenlabs_tokens.emulator import Emulator
from frozen import KEY

COMMAND = [sys.executable, "-P", "-c", "from elevenlabs_tokens.cli import main; main()"]


def run(*arguments: str, key: str | None = KEY) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
    if key is not None:
        environment["ELEVENLABS_API_KEY"] = key
    return subprocess.run(
        [*COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_installed_command() -> None:
    """It stands beside the interpreter, under the name that the docs use."""
    command = Path(sys.executable).with_name("elevenlabs-tokens")

    shown = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=60, check=True)

    assert "0.1.0\n" == shown.stdout


def test_demo() -> None:
    """Every step does what it should, and shows no token."""
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
    shown = subprocess.run(
        [*COMMAND, "demo"],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (0, "") == (shown.returncode, shown.stderr)
    assert 9 == sum(line.startswith("  ok ") for line in shown.stdout.splitlines())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="writes to the file that is always full on Linux")
def test_output_that_cannot_be_written() -> None:
    """One line says why."""
    with Path("/dev/full").open("w") as full:
        shown = subprocess.run(
            [*COMMAND, "demo"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )

    assert 1 == shown.returncode
    assert shown.stderr.startswith("elevenlabs-tokens: No space left on device")


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


def test_create_prints_the_token_alone(elevenlabs_emulator: Emulator) -> None:
    """So that a script can take it."""
    shown = run("create", "realtime_scribe", "--base-url", elevenlabs_emulator.base_url)

    assert (0, "") == (shown.returncode, shown.stderr)
    assert shown.stdout.startswith("sutkn_emulator_")
    assert 1 == len(shown.stdout.split())
    assert ["fresh"] == [record.state for record in elevenlabs_emulator.tokens]


def test_create_as_json(elevenlabs_emulator: Emulator) -> None:
    """All that a frontend needs."""
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
    """The one that the token opens."""
    shown = run("create", *arguments, "--url", "--base-url", elevenlabs_emulator.base_url)

    assert shown.stdout.startswith(f"{elevenlabs_emulator.websocket_base_url}{path}sutkn_emulator_")
    assert (arguments[0] == "realtime_scribe") == shown.stdout.endswith("&model_id=scribe_v2_realtime\n")


@pytest.mark.parametrize(
    ("arguments", "key", "text"),
    [
        (["create", "realtime_scribe"], None, "there is no API key: set ELEVENLABS_API_KEY"),
        (["create", "../voices"], KEY, "token_type must be one of realtime_scribe"),
        (["create", "realtime_scribe", "--base-url", "http://10.0.0.1"], KEY, "base_url is http:, which would send"),
        (["create", "tts_websocket", "--url"], KEY, "opens the socket of one voice; give its voice_id"),
    ],
)
def test_what_is_refused(arguments: list[str], key: str | None, text: str) -> None:
    """One line says what to do, and the exit code is 1."""
    shown = run(*arguments, key=key)

    assert (1, "") == (shown.returncode, shown.stdout)
    assert shown.stderr.startswith(f"elevenlabs-tokens: {text}") or text in shown.stderr
    assert 1 == len(shown.stderr.splitlines())


def test_what_the_api_refuses(elevenlabs_emulator: Emulator) -> None:
    """Its error is one line, too."""
    elevenlabs_emulator.fail_next(status=401)

    shown = run("create", "realtime_scribe", "--base-url", elevenlabs_emulator.base_url)

    assert (1, "") == (shown.returncode, shown.stdout)
    assert shown.stderr.startswith("elevenlabs-tokens: 401 Unauthorized")
    assert "check the API key" in shown.stderr
    assert 1 == len(shown.stderr.splitlines())


@pytest.mark.parametrize(
    "arguments",
    [
        ["create"],
        ["create", "realtime_scribe", "--nonsense"],
        ["create", "realtime_scribe", "--json", "--url"],
        ["create", "realtime_scribe", "--voice-id", "v1"],
        ["emulator", "--port", "none"],
        ["emulator", "--token-lifetime", "-1"],
        ["nonsense"],
    ],
)
def test_usage(arguments: list[str]) -> None:
    """The exit code of a command that was not understood is 2."""
    shown = run(*arguments)

    assert (2, "") == (shown.returncode, shown.stdout)
    assert shown.stderr


@contextmanager
def running_emulator(*arguments: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """Run the emulator's command, and give it with its first line of output."""
    with subprocess.Popen(
        [*COMMAND, "emulator", "--port", "0", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_emulator(number: signal.Signals) -> None:
    """It prints its base URL, serves, and ends in good order when it is interrupted."""
    with running_emulator("--api-key", KEY, "--api-key", "sk_other") as (process, base_url):
        minted = run("create", "realtime_scribe", "--base-url", base_url)
        refused = run("create", "realtime_scribe", "--base-url", base_url, key="sk_unknown")
        process.send_signal(number)
        rest, errors = process.communicate(timeout=20)

    assert base_url.startswith("http://127.0.0.1:")
    assert minted.stdout.startswith("sutkn_emulator_")
    assert (1, "401") == (refused.returncode, refused.stderr.split()[1])
    assert (0, "") == (process.returncode, rest)
    assert f"--base-url {base_url}" in errors


def test_emulator_with_its_port_taken(elevenlabs_emulator: Emulator) -> None:
    """One line says what to do."""
    shown = run("emulator", "--port", elevenlabs_emulator.base_url.rpartition(":")[2])

    assert (1, "") == (shown.returncode, shown.stdout)
    assert "(address already in use); port 0 takes a free one\n" in shown.stderr
    assert 1 == len(shown.stderr.splitlines())


def test_emulator_open_to_others() -> None:
    """It says that anyone can use it."""
    with running_emulator("--host", "0.0.0.0") as (process, _):  # noqa: S104  # what the test is about
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)

    assert "Anyone who can reach 0.0.0.0 can use it." in errors


def test_without_the_extra(tmp_path: Path) -> None:
    """It prints the command that installs what it needs."""
    (tmp_path / "elevenlabs_tokens").symlink_to(Path(elevenlabs_tokens.__file__).parent)
    shown = subprocess.run(
        [sys.executable, "-S", *COMMAND[1:], "demo"],  # without the packages of this environment
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (1, "") == (shown.returncode, shown.stdout)
    assert "pip install 'elevenlabs-tokens[cli]'\n" == shown.stderr.partition(": ")[2]


def test_the_generated_audio() -> None:
    """A tone of a second: 16-bit samples that swing around zero, and not too loud."""
    samples = memoryview(tone(1.0)).cast("h")

    assert 16_000 == len(samples)
    assert (-8_000, 8_000) == (min(samples), max(samples))
    assert abs(sum(samples)) < 100
