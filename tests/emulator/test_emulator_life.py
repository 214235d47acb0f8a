import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import pytest

import elevenlabs_tokens.emulator
from elevenlabs_tokens.emulator import Emulator

ROOT = Path(elevenlabs_tokens.emulator.__file__).parents[2]


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
        connection.request("POST", "/v1/single-use-token/tts_websocket", headers={"xi-api-key": "sk"})
        return str(json.loads(connection.getresponse().read())["token"])
    finally:
        connection.close()


def test_a_thread_of_its_own_serves_sync_code() -> None:
    """Minting blocks the caller, not the emulator; the records are read from another thread."""
    with Emulator() as emulator:
        assert emulator.base_url.startswith("http://127.0.0.1:")
        assert emulator.websocket_base_url == emulator.base_url.replace("http", "ws")
        mint(emulator)

        assert ["fresh"] == [record.state for record in emulator.tokens]


def test_nothing_is_left_after_the_block() -> None:
    """The port is closed, and the records can still be read."""
    with Emulator() as emulator:
        mint(emulator)

    assert 1 == len(emulator.tokens)
    with pytest.raises(ConnectionRefusedError):
        mint(emulator)


@pytest.mark.anyio
async def test_both_ways_work_in_one_program() -> None:
    """A thread's emulator answers while the loop that started it runs another."""
    with Emulator() as threaded:
        async with Emulator() as here, aiohttp.ClientSession() as session:
            for emulator in (threaded, here):
                url = f"{emulator.base_url}/v1/single-use-token/realtime_scribe"
                async with session.post(url, headers={"xi-api-key": "sk"}) as response:
                    assert 200 == response.status


def test_it_can_be_entered_again() -> None:
    """It still knows its tokens then, even in the other way of running."""

    async def again() -> None:
        async with emulator, aiohttp.ClientSession() as session:
            url = f"{emulator.websocket_base_url}/v1/text-to-speech/v/stream-input?single_use_token={token}"
            async with session.ws_connect(url) as websocket:
                await websocket.send_json({"text": ""})
                assert {"audio": None, "isFinal": True} == await websocket.receive_json(timeout=5)

    emulator = Emulator()
    with emulator:
        token = mint(emulator)
    asyncio.run(again())

    assert ["spent"] == [record.state for record in emulator.tokens]


def test_it_runs_once_at_a_time() -> None:
    """Entering a running emulator is an error, and does not harm it."""
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
        ("0.0.0.0", "127.0.0.1:"),  # noqa: S104 - to see that the address names loopback all the same
        ("localhost", ""),
        pytest.param("::1", "[::1]:", marks=NEEDS_IPV6),
        pytest.param("::", "[::1]:", marks=NEEDS_IPV6),
    ],
)
def test_it_listens_where_it_is_told(host: str, expected: str) -> None:
    """Its address can be connected to, whatever it listens on."""
    with Emulator(host=host) as emulator:
        assert emulator.base_url.startswith(f"http://{expected}")
        assert mint(emulator)


@pytest.mark.anyio
async def test_a_port_in_use_is_told_in_both_modes() -> None:
    """The error reaches the caller and names the port; the emulator can be entered once the port is free."""
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


BAD_ARGUMENTS: list[tuple[dict[str, Any], str]] = [
    ({"api_keys": "sk_one"}, "api_keys must be a collection"),
    ({"api_keys": []}, "api_keys must be a collection"),
    ({"api_keys": 5}, "api_keys must be a collection"),
    ({"api_keys": ["sk_one", ""]}, "api_keys must hold"),
    ({"api_keys": [b"sk_one"]}, "api_keys must hold"),
    ({"token_lifetime_in_seconds": 0}, "token_lifetime_in_seconds"),
    ({"token_lifetime_in_seconds": -1}, "token_lifetime_in_seconds"),
    ({"token_lifetime_in_seconds": float("nan")}, "token_lifetime_in_seconds"),
    ({"token_lifetime_in_seconds": float("inf")}, "token_lifetime_in_seconds"),
    ({"token_lifetime_in_seconds": True}, "token_lifetime_in_seconds"),
    ({"token_lifetime_in_seconds": "900"}, "token_lifetime_in_seconds"),
    ({"clock": 5.0}, "clock must give"),
    ({"host": ""}, "host must be"),
    ({"host": None}, "host must be"),
    ({"port": -1}, "port must be"),
    ({"port": 65536}, "port must be"),
    ({"port": "80"}, "port must be"),
    ({"port": True}, "port must be"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD_ARGUMENTS)
def test_bad_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    """When the emulator is made, and without a key in the text."""
    with pytest.raises(ValueError, match=message) as caught:
        Emulator(**arguments)

    assert "sk_one" not in str(caught.value)


@asynccontextmanager
async def open_connections(emulator: Emulator) -> AsyncGenerator[aiohttp.ClientWebSocketResponse, None]:
    """Give a socket that is idle, while another reads nothing of what is sent to it."""
    url = f"{emulator.websocket_base_url}/v1"
    headers = {"xi-api-key": "sk"}
    parameters = "output_format=pcm_48000&inactivity_timeout=180"
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.ws_connect(f"{url}/speech-to-text/realtime") as idle,
        session.ws_connect(f"{url}/text-to-speech/v/stream-input?{parameters}") as deaf,
    ):
        await idle.receive_json(timeout=5)
        await deaf.send_json({"text": "a" * 10_000})  # 57 MB of audio, more than all buffers on the way hold
        await deaf.receive_json(timeout=5)
        yield idle


@pytest.mark.anyio
async def test_it_stops_in_time_with_connections_open() -> None:
    """Within 3 s, in the running loop; the clients see that the server goes away."""
    async with AsyncExitStack() as running, AsyncExitStack() as connections:
        emulator = await running.enter_async_context(Emulator())
        idle = await connections.enter_async_context(open_connections(emulator))
        stops_at = time.monotonic()
        await running.aclose()

        assert time.monotonic() - stops_at < 3
        goodbye = await idle.receive(timeout=5)
        assert (aiohttp.WSMsgType.CLOSE, 1001) == (goodbye.type, goodbye.data)


@pytest.mark.anyio
async def test_its_thread_stops_in_time_with_connections_open() -> None:
    """Within 3 s, even though the loop of the clients is blocked meanwhile."""
    async with AsyncExitStack() as connections:
        with Emulator() as emulator:
            await connections.enter_async_context(open_connections(emulator))
            stops_at = time.monotonic()

        assert time.monotonic() - stops_at < 3


@pytest.mark.anyio
async def test_it_stops_in_time_with_a_late_reply_under_way() -> None:
    """Within 3 s; the client is cut off."""
    minted = asyncio.Event()

    def clock() -> float:
        minted.set()
        return 0.0

    async with aiohttp.ClientSession(headers={"xi-api-key": "sk"}) as session:
        async with Emulator(clock=clock) as emulator:
            emulator.fail_next(delay_in_seconds=60)
            late = asyncio.ensure_future(session.post(f"{emulator.base_url}/v1/single-use-token/realtime_scribe"))
            await asyncio.wait_for(minted.wait(), 5)
            stops_at = time.monotonic()

        assert time.monotonic() - stops_at < 3
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await late


@pytest.mark.anyio
async def test_a_cancelled_block_stops_it_too() -> None:
    """A cancel scope that ends the block does not keep it from saying goodbye, and leaves nothing behind."""
    emulator = Emulator()
    async with AsyncExitStack() as running, AsyncExitStack() as connections:
        await running.enter_async_context(emulator)
        idle = await connections.enter_async_context(open_connections(emulator))
        with anyio.CancelScope() as scope:
            scope.cancel()
            await running.aclose()

        goodbye = await idle.receive(timeout=5)
        assert (aiohttp.WSMsgType.CLOSE, 1001) == (goodbye.type, goodbye.data)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.to_thread(mint, emulator)


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_in_the_block_ends_the_program() -> None:
    """The emulator stops, and KeyboardInterrupt goes on its way."""
    program = (
        "import threading\n"
        "from elevenlabs_tokens.emulator import Emulator\n"
        "with Emulator() as emulator:\n"
        "    print(emulator.base_url, flush=True)\n"
        "    threading.Event().wait()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=5)

    assert -signal.SIGINT == process.returncode
    assert errors.endswith("KeyboardInterrupt\n")
    assert 1 == errors.count("Traceback")
