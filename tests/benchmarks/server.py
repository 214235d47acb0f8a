"""A server that is never the bottleneck: it parses nothing, and answers every request with the same token."""

import argparse
import asyncio
import os
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

SILENT = "/silent"
"""The server never answers a request under this path; append it to the base URL."""

_BODY = b'{"token":"sutkn_0123456789abcdef0123456789abcdef"}'
REPLY = b"\r\n".join(
    [
        b"HTTP/1.1 200 OK",
        b"Content-Type: application/json",
        b"Content-Length: %d" % len(_BODY),
        b"request-id: 0123456789abcdef",
        b"",
        _BODY,
    ]
)
HEAD_END = b"\r\n\r\n"
_SILENT_HEAD = f"POST {SILENT}/".encode()


class _Answering(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._pending = b""

    def data_received(self, data: bytes) -> None:
        received = self._pending + data
        if received.startswith(_SILENT_HEAD):
            return
        requests = received.count(HEAD_END)
        self._pending = received.rpartition(HEAD_END)[2]
        self._transport.write(REPLY * requests)


async def _serve(context: ssl.SSLContext | None) -> None:
    await announce(await listen(_Answering, context))


async def listen(protocol: Callable[[], asyncio.Protocol], context: ssl.SSLContext | None = None) -> asyncio.Server:
    """Serve on a free port of this machine; over TLS, if a context is given."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(protocol, "127.0.0.1", 0, backlog=2048, ssl=context)


async def announce(server: asyncio.Server) -> None:
    """Tell the process that started this one where the server listens, and serve until terminated."""
    sys.stdout.write(f"{port_of(server)}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


def port_of(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port


def cores() -> list[int]:
    """Return the cores that this process may run on; none if there is only one."""
    chosen_from = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []
    return chosen_from if len(chosen_from) > 1 else []


def pin(core: int) -> None:
    """Keep this process, and the processes that it starts, on one core."""
    os.sched_setaffinity(0, {core})


@frozen
class Server:
    """A running server.

    Attributes:
        base_url: Its address.
        ssl_context: One that trusts it, if it speaks TLS.
    """

    base_url: str
    ssl_context: ssl.SSLContext | None
    _pid: int

    def cpu_seconds(self) -> float:
        """Return the CPU time that it used; NaN if the system does not tell."""
        try:
            return int(Path(f"/proc/{self._pid}/schedstat").read_text().split()[0]) / 1e9
        except OSError:
            return float("nan")


@contextmanager
def running(core: int | None, *, tls: bool = False, program: str = __file__) -> Generator[Server]:
    """Run the server, or another program, in a process of its own, on a core of its own if one is named."""
    command = [sys.executable, "-P", program] + ([] if core is None else ["--core", str(core)])
    with tempfile.TemporaryDirectory() as folder:
        context = None
        if tls:
            certificate = Path(folder) / "server.pem"
            context = _certify(certificate)
            command += ["--certificate", str(certificate)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                address = f"127.0.0.1:{int(process.stdout.readline())}"
                yield Server(f"https://{address}" if tls else f"http://{address}", context, process.pid)
            finally:
                process.terminate()


def _certify(certificate: Path) -> ssl.SSLContext:
    """Write a certificate with its key, and return a context that trusts it."""
    import trustme

    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def main(serve: Callable[[ssl.SSLContext | None], Coroutine[None, None, None]] = _serve) -> None:
    """Serve until terminated."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--core", type=int)
    parser.add_argument("--certificate")
    arguments = parser.parse_args()
    if arguments.core is not None:
        pin(arguments.core)
    context = None
    if arguments.certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(arguments.certificate)
    asyncio.run(serve(context))


if __name__ == "__main__":
    main()
