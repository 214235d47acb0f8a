"""The command `doctor`, against servers and proxies on real sockets: each cause is named, and no secret is shown."""

import json
import os
import pty
import socket
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from functools import partial
from pathlib import Path
from time import time

import pytest
import trustme

from cli.command import COMMAND, run, run_process
from elevenlabs_tokens.emulator import Emulator
from frozen import KEY
from proxies import ConnectProxy, server_context
from scripted import TOKEN, Act, Script, ScriptedApi, head, reply

TYPES = ["realtime_scribe", "batch_scribe", "tts_websocket"]
FAR = "https://api.example.test"
"""A host that only a proxy would find: nobody looks it up."""


def refused(status: int, word: str, message: str = "No.") -> list[bytes]:
    return reply(status, {"detail": {"status": word, "message": message}})


def causes(shown: str) -> dict[str, str]:
    """Give the cause of each check that failed, from the JSON."""
    return {check["name"]: check["cause"] for check in json.loads(shown)["checks"] if check["outcome"] == "failed"}


def test_all_is_well(elevenlabs_emulator: Emulator) -> None:
    """One token of each type is minted, no token and no key is shown, and what it does is said before."""
    shown = run("doctor", "--base-url", elevenlabs_emulator.base_url)

    assert 0 == shown.returncode
    assert [["ok", name] for name in ("settings", *TYPES, "clock")] == [
        line.split() for line in shown.stdout.splitlines()
    ]
    assert TYPES == [record.token_type for record in elevenlabs_emulator.tokens]
    assert shown.stderr.startswith(
        f"Minting one token at {elevenlabs_emulator.base_url} for each of {', '.join(TYPES)}."
    )
    assert 1 == len(shown.stderr.splitlines())


def test_a_type_of_its_own(elevenlabs_emulator: Emulator) -> None:
    """Only the types that are named are minted, and one that is unknown does not keep the others from it."""
    types = ["--type", "unknown_type", "--type", "tts_websocket"]

    shown = run("doctor", *types, "--json", "--base-url", elevenlabs_emulator.base_url)

    content = json.loads(shown.stdout)
    assert (1, False) == (shown.returncode, content["ok"])
    assert {"unknown_type": "unknown-type"} == causes(shown.stdout)
    assert ["settings", "unknown_type", "tts_websocket", "clock"] == [check["name"] for check in content["checks"]]
    assert ["tts_websocket"] == [record.token_type for record in elevenlabs_emulator.tokens]


def test_a_failure_in_words(elevenlabs_emulator: Emulator) -> None:
    """One line says what happened and what to do. Types that would fail for the same cause are not tried."""
    elevenlabs_emulator.fail_next(status=503)

    shown = run("doctor", "--base-url", elevenlabs_emulator.base_url)

    lines = shown.stdout.splitlines()
    assert (1, 5) == (shown.returncode, len(lines))
    assert lines[1].startswith("failed     realtime_scribe: api-down: 503 Service Unavailable")
    assert lines[1].endswith("; try again later, and look at https://status.elevenlabs.io")
    assert ["not tried  batch_scribe", "not tried  tts_websocket", "ok         clock"] == lines[2:]
    assert () == elevenlabs_emulator.tokens


SETTINGS: Mapping[str, dict[str, str]] = {
    "no-key": {"ELEVENLABS_API_KEY": ""},
    "malformed-key": {"ELEVENLABS_API_KEY": f"{KEY}\n"},
    "bad-setting": {"HTTPS_PROXY": "socks5://127.0.0.1"},
    "bad-setting (address)": {"ELEVENLABS_BASE_URL": "http://10.0.0.1"},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings(name: str) -> None:
    """Nothing is sent, and nothing is announced."""
    shown = run("doctor", "--json", key=None, **{"ELEVENLABS_API_KEY": KEY, **SETTINGS[name]})

    assert (1, "", {"settings": name.partition(" ")[0]}) == (shown.returncode, shown.stderr, causes(shown.stdout))
    assert KEY not in shown.stdout


@contextmanager
def proxy(refusal: bytes) -> Generator[str]:
    with ConnectProxy(1) as running:
        running.refusal = refusal
        yield running.address


@contextmanager
def nobody() -> Generator[str]:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = f"127.0.0.1:{gone.getsockname()[1]}"
    yield address


STALE = formatdate(time() - 3600, usegmt=True)
STACK = "The API key used is for a data residency stack, however this server is a global server."
ANSWERS: Mapping[str, Script] = {
    "key-id": refused(400, "invalid_api_key", "API key ID used as API key - only valid API keys can be used."),
    "wrong-region": refused(401, "invalid_api_key", STACK),
    "key-refused": refused(401, "invalid_api_key", f"Invalid API key {KEY}"),
    "no-credit": refused(401, "quota_exceeded"),
    "forbidden": refused(403, "forbidden"),
    "wrong-address": refused(404, "not_found"),
    "rate-limit": refused(429, "system_busy"),
    "api-down": reply(502, b"<html>"),
    "not-the-api": reply(200, b"<html>Please log in"),
    "not-the-api (a redirect)": [head(302, {"Location": "https://login.example", "Content-Length": 0})],
    "connection-lost": [Act.RESET],
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_the_api_answers(api: ScriptedApi, name: str) -> None:
    """The cause is that of the first type, and the others are not tried."""
    api.replies += [ANSWERS[name]]

    shown = run("doctor", "--json", "--base-url", api.base_url)

    assert (1, {"realtime_scribe": name.partition(" ")[0]}) == (shown.returncode, causes(shown.stdout))
    assert 1 == len(api.requests)
    assert KEY not in shown.stdout + shown.stderr
    assert TOKEN["token"] not in shown.stdout + shown.stderr


def test_a_missing_permission(api: ScriptedApi) -> None:
    """A key that may not mint one type may still mint the others."""
    api.replies += [reply(), refused(401, "missing_permissions"), reply()]

    shown = run("doctor", "--json", "--base-url", api.base_url)

    assert {"batch_scribe": "missing-permission"} == causes(shown.stdout)
    assert 3 == len(api.requests)


@pytest.mark.parametrize("status", [200, 401])
def test_a_wrong_clock(api: ScriptedApi, status: int) -> None:
    """The `Date` of the reply shows it, also if the mint is refused: an hour is 3600 s, give or take a few."""
    api.replies += [reply(status, headers={"Date": STALE})]

    shown = run("doctor", "--type", "tts_websocket", "--base-url", api.base_url)

    assert 1 == shown.returncode
    clock = shown.stdout.splitlines()[-1]
    assert clock.startswith("failed     clock: wrong-clock: this machine's clock is 3")
    assert "s ahead of the server's; set this machine's clock" in clock


@pytest.mark.parametrize("seconds", [1, -1])
def test_a_certificate_of_another_time(authority: trustme.CA, tmp_path: Path, seconds: int) -> None:
    """Where the certificate has expired, or is not valid yet, the clock is what to look at first."""
    dates = {"not_after" if seconds < 0 else "not_before": datetime.now(UTC) + timedelta(days=seconds)}
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))

    with ScriptedApi(server_context(authority, "127.0.0.1", **dates)) as api:
        shown = run("doctor", "--json", "--base-url", api.base_url, SSL_CERT_FILE=str(file))

    assert {"realtime_scribe": "certificate-dates"} == causes(shown.stdout)


def test_an_unknown_authority(tls_api: ScriptedApi) -> None:
    """The variable for a private authority is named, and no request is sent."""
    shown = run("doctor", "--base-url", tls_api.base_url)

    assert 1 == shown.returncode
    assert "realtime_scribe: unknown-authority: TLS with 127.0.0.1" in shown.stdout
    assert "; set SSL_CERT_FILE to" in shown.stdout
    assert [] == tls_api.requests


PROXIES: Mapping[str, Callable[[], AbstractContextManager[str]]] = {
    "proxy-refuses": partial(proxy, head(403)),
    "proxy-password": partial(proxy, head(407)),
    "proxy-unreachable": nobody,
    "proxy-unreachable (name)": lambda: nullcontext("proxy.invalid:8080"),
}


@pytest.mark.parametrize("name", PROXIES)
def test_a_proxy(name: str) -> None:
    """Its fault is told from the API's, and its password is not shown."""
    with PROXIES[name]() as address:
        shown = run("doctor", "--json", "--base-url", FAR, HTTPS_PROXY=f"http://user:hunter2@{address}")

    assert {"realtime_scribe": name.partition(" ")[0]} == causes(shown.stdout)
    assert "hunter2" not in shown.stdout + shown.stderr


def test_no_such_host() -> None:
    """A name that is not known is told from a server that does not answer."""
    shown = run("doctor", "--json", "--base-url", "https://api.invalid")

    assert {"realtime_scribe": "dns"} == causes(shown.stdout)


def test_nobody_listens() -> None:
    """The address is named as what to check."""
    with nobody() as address:
        shown = run("doctor", "--json", "--base-url", f"http://{address}")

    assert {"realtime_scribe": "nothing-listens"} == causes(shown.stdout)


def test_no_network() -> None:
    """Without a route, the network is named; 255.255.255.255 has none for TCP on any machine."""
    shown = run("doctor", "--json", "--base-url", "https://255.255.255.255")

    assert {"realtime_scribe": "no-route"} == causes(shown.stdout)


@pytest.mark.timed
def test_a_server_that_never_answers(api: ScriptedApi) -> None:
    """The doctor waits 10 s, once."""
    api.replies += [[Act.STALL]]

    shown = run("doctor", "--json", "--base-url", api.base_url)

    assert {"realtime_scribe": "timeout"} == causes(shown.stdout)
    assert 1 == len(api.requests)


@pytest.mark.parametrize("is_terminal", [True, False], ids=["terminal", "file"])
def test_a_mint_that_takes_longer_than_a_second(api: ScriptedApi, is_terminal: bool) -> None:  # noqa: FBT001  # pytest calls by name
    """A terminal shows what is waited for; elsewhere, nothing but the plain text is written."""
    api.delay_in_seconds = 1.3
    reader, writer = pty.openpty() if is_terminal else os.pipe()
    command = [*COMMAND, "create", "realtime_scribe", "--base-url", api.base_url]

    shown = run_process(command, {"ELEVENLABS_API_KEY": KEY, "TERM": "xterm"}, stderr=writer)

    os.set_blocking(reader, False)
    os.write(writer, b"end")
    errors = os.read(reader, 65536)
    os.close(reader)
    os.close(writer)
    assert f"{TOKEN['token']}\n" == shown.stdout
    assert is_terminal == (b"Minting a token for realtime_scribe" in errors)
    assert is_terminal or errors == b"end"
