"""Real servers, in processes of their own."""

import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

_PATIENCE_IN_SECONDS = 30


class Server:
    """A server that runs.

    Attributes:
        port: The port that it listens on.
        base_url: `http://127.0.0.1:PORT`.
    """

    def __init__(self, port: int, output: Path, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.base_url = f"http://127.0.0.1:{port}"
        self.process = process
        self._output = output

    @property
    def log(self) -> str:
        """All that it has written, to stdout and to stderr."""
        return self._output.read_text(errors="replace")

    def wait_until_it_listens(self) -> None:
        """Wait until it accepts a connection."""
        ends_at = time.monotonic() + _PATIENCE_IN_SECONDS
        while time.monotonic() < ends_at:
            assert self.process.poll() is None, f"the server ended:\n{self.log}"
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.02)  # nothing tells when another process listens
        raise AssertionError(f"the server does not listen:\n{self.log}")


def free_port() -> int:
    """Find a port that nobody listens on.

    It is below those that the system gives to servers and clients who take any port: before the server listens, another
    test could get it otherwise. Chosen by the system's own chance, because each process of the tests has the same seed.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextmanager
def serving(
    *command: str, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> Generator[Server]:
    """Run a server until the block ends.

    Args:
        command: The command; `{port}` in it stands for a free port.
        environment: Variables beside those of this process.
        folder: Where it runs.
    """
    port = free_port()
    with tempfile.TemporaryDirectory() as temporary:
        output = Path(temporary, "output")
        with output.open("wb") as file:
            process = subprocess.Popen(
                [part.replace("{port}", str(port)) for part in command],
                env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that its workers end with it
            )
        server = Server(port, output, process)
        try:
            server.wait_until_it_listens()
            yield server
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
