import asyncio
import http.client
import json
import signal
import socket
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import anyio
import pytest

from elevenlabs_tokens.emulator import Emulator
from frontend import KEY_HEADER, SPEECH_TO_TEXT, TEXT_TO_SPEECH, Frontend
from programs import run_python, start_python


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


NEEDS_IPV6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")


def mint(emulator: Emulator) -> str:
    connection = http.client.HTTPConnection(emulator.base_url.removeprefix("http://"), timeout=5)
    try:
        connection.request("POST", "/v1/single-use-token/tts_websocket", headers=KEY_HEADER)
        return str(json.loads(connection.getresponse().read())["token"])
    finally:
        connection.close()


def test_it_serves_sync_code_from_a_thread_of_its_own() -> None:
    """Minting does not block it. After the block, its port is closed, and its records can still be read."""
    with Emulator() as emulator:
        assert emulator.base_url.startswith("http://127.0.0.1:")
        assert emulator.websocket_base_url == emulator.base_url.replace("http", "ws")
        mint(emulator)

    assert ["fresh"] == [record.state for record in emulator.tokens]
    with pytest.raises(ConnectionRefusedError):
        mint(emulator)


@pytest.mark.anyio
async def test_both_ways_work_in_one_program() -> None:
    """An emulator in a thread answers while the event loop that started it runs another."""
    with Emulator() as threaded:
        async with Emulator() as here:
            for emulator in (threaded, here):
                assert await asyncio.to_thread(mint, emulator)


@pytest.mark.anyio
async def test_it_can_be_entered_again() -> None:
    """It still knows its tokens, even if it runs in the other way then."""
    emulator = Emulator()
    with emulator:
        token = mint(emulator)
    async with emulator, aiohttp.ClientSession() as http:
        await Frontend(http, emulator).converse(f"{TEXT_TO_SPEECH}?single_use_token={token}", {"text": ""})

    assert ["spent"] == [record.state for record in emulator.tokens]


def test_it_runs_once_at_a_time() -> None:
    """Entering a running emulator is an error, and the emulator goes on."""
    with Emulator() as emulator:
        with pytest.raises(RuntimeError, match="running already"), emulator:
            pass

        assert mint(emulator)


def test_it_has_no_address_before_it_runs() -> None:
    """The error says what to do."""
    with pytest.raises(RuntimeError, match="enter it first"):
        _ = Emulator().base_url
    with pytest.raises(RuntimeError, match="enter it first"):
        _ = Emulator().websocket_base_url


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("0.0.0.0", "127.0.0.1:"),  # noqa: S104 - the test wants it
        ("localhost", ""),
        pytest.param("::1", "[::1]:", marks=NEEDS_IPV6),
        pytest.param("::", "[::1]:", marks=NEEDS_IPV6),
    ],
)
def test_it_listens_where_it_is_told(host: str, expected: str) -> None:
    """Its address can always be connected to, even if it listens on all addresses."""
    with Emulator(host=host) as emulator:
        assert emulator.base_url.startswith(f"http://{expected}")
        assert mint(emulator)


@pytest.mark.anyio
async def test_a_port_in_use_is_an_error_in_both_ways() -> None:
    """The error names the port; once the port is free, the emulator can be entered."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        emulator = Emulator(port=port)
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1 port {port}"):
            async with emulator:
                pass
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1 port {port}"), emulator:
            pass

    with emulator:
        assert f"http://127.0.0.1:{port}" == emulator.base_url


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        *(({"api_keys": keys}, "api_keys must be a list") for keys in ("sk_one", (), 5)),
        *(({"api_keys": keys}, "api_keys must hold") for keys in (["sk_one", ""], [b"sk_one"])),
        *(
            ({"token_lifetime_in_seconds": seconds}, "token_lifetime_in_seconds")
            for seconds in (0, float("nan"), float("inf"))
        ),
        ({"clock": 5.0}, "clock must be"),
        *(({"host": host}, "host must be") for host in ("", None)),
        *(({"port": port}, "port must be") for port in (-1, 65536)),
        ({"control": 1}, "control must be"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    """Making the emulator raises, and the error does not show a key."""
    with pytest.raises(ValueError, match=message) as caught:
        Emulator(**arguments)

    assert "sk_one" not in str(caught.value)


@asynccontextmanager
async def open_connections(emulator: Emulator) -> AsyncGenerator[aiohttp.ClientWebSocketResponse, None]:
    """Open two sockets, and give one; the other never reads what is sent to it."""
    async with (
        aiohttp.ClientSession(headers=KEY_HEADER) as http,
        Frontend(http, emulator).connect(SPEECH_TO_TEXT) as idle,
        Frontend(http, emulator).connect(f"{TEXT_TO_SPEECH}?output_format=pcm_48000") as deaf,
    ):
        await idle.receive_json(timeout=5)
        await deaf.send_json({"text": "a" * 10_000})  # 57 MB of audio, more than all buffers on the way hold
        await deaf.receive_json(timeout=5)
        yield idle


@pytest.mark.timed
@pytest.mark.anyio
@pytest.mark.parametrize("scope", ["active", "cancelled"])
async def test_it_stops_in_time_with_connections_open(scope: str) -> None:
    """It stops within 3 s, even in a cancelled scope; the clients see that the server goes away."""
    async with AsyncExitStack() as running, AsyncExitStack() as connections:
        emulator = await running.enter_async_context(Emulator())
        idle = await connections.enter_async_context(open_connections(emulator))
        stops_at = time.monotonic()
        with anyio.CancelScope() as stopping:
            if scope == "cancelled":
                stopping.cancel()
            await running.aclose()

        assert time.monotonic() - stops_at < 3
        goodbye = await idle.receive(timeout=5)
        assert (aiohttp.WSMsgType.CLOSE, 1001) == (goodbye.type, goodbye.data)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.to_thread(mint, emulator)


@pytest.mark.timed
@pytest.mark.anyio
async def test_its_thread_stops_in_time_with_connections_open() -> None:
    """It stops within 3 s, even though the event loop of its clients is blocked."""
    async with AsyncExitStack() as connections:
        with Emulator() as emulator:
            await connections.enter_async_context(open_connections(emulator))
            stops_at = time.monotonic()

        assert time.monotonic() - stops_at < 3


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_in_the_block_ends_the_program() -> None:
    """The emulator stops, and KeyboardInterrupt ends the program as usual."""
    program = """
import threading
from elevenlabs_tokens.emulator import Emulator
with Emulator():
    print("running", flush=True)
    threading.Event().wait()
"""
    with start_python(program) as process:
        assert process.stdout is not None
        assert "running\n" == process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=5)

    assert -signal.SIGINT == process.returncode
    assert errors.endswith("KeyboardInterrupt\n")
    assert 1 == errors.count("Traceback")


def test_a_block_that_is_never_left_does_not_keep_the_program_from_ending() -> None:
    """This can happen to a generator that is never closed; the program prints nothing about it."""
    program = """
from elevenlabs_tokens.emulator import Emulator
def fixture():
    with Emulator() as emulator:
        yield emulator
kept = fixture()
next(kept)
"""
    run = run_python(program, "-W", "error")

    assert (0, "", "") == (run.returncode, run.stdout, run.stderr)
