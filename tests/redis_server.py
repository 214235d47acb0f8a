"""A Redis of the tests' own, which can stop and hang."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from servers import Server, free_port

PASSWORD = "hunter2/of:redis"


class RedisServer:
    """A Redis that keeps nothing on disk, and asks for a password.

    Args:
        folder: Where it runs.

    Attributes:
        url: Its address, with the password in it.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._port = free_port()
        self.url = f"redis://:{quote(PASSWORD, safe='')}@127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it, always on the same port."""
        command = ["redis-server", "--port", str(self._port), "--bind", "127.0.0.1", "--save", ""]
        output = Path(self._folder, "output")
        with output.open("wb") as file:
            self._process = subprocess.Popen(
                [*command, "--requirepass", PASSWORD], cwd=self._folder, stdout=file, stderr=subprocess.STDOUT
            )
        Server(self._port, output, self._process).wait_until_it_listens()

    def stop(self) -> None:
        """End it; its port refuses connections then."""
        self._process.kill()
        self._process.wait()

    def hang(self) -> None:
        """Stop its answers, not its connections: the operating system goes on accepting them."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again after `hang`."""
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def redis_server() -> Generator[RedisServer]:
    """Run a Redis until the block ends."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    with tempfile.TemporaryDirectory() as folder:
        redis = RedisServer(folder)
        redis.start()
        try:
            yield redis
        finally:
            redis.stop()
