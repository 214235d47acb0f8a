"""How the server runs: on a socket, in this event loop or in a thread of its own."""

import asyncio
import errno
import os
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from threading import Thread

from aiohttp import web
from anyio import CancelScope

# How long a stopping server waits for replies that are not finished, before it cuts their connections.
_SHUTDOWN_TIMEOUT_IN_SECONDS = 0.25


@asynccontextmanager
async def listening(app: web.Application, host: str, port: int) -> AsyncGenerator[str, None]:
    """Serve an app during the block, and give the address at which it can be reached, as `host:port`.

    Raises:
        OSError: It cannot listen there.
    """
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_TIMEOUT_IN_SECONDS)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            reason = os.strerror(error.errno).lower() if error.errno and error.errno > 0 else error.strerror
            advice = "port 0 takes a free one" if error.errno == errno.EADDRINUSE else "choose another host or port"
            text = f"the emulator cannot listen on {host} port {port} ({reason}); {advice}"
            raise OSError(error.errno, text) from error
        yield _reachable_address(*runner.addresses[0][:2])
    finally:
        # A cancelled caller must not leave sockets open.
        with CancelScope(shield=True):
            await runner.cleanup()


def _reachable_address(host: str, port: int) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, nothing listens on it here
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextmanager
def in_own_thread(serve: Callable[[], AbstractAsyncContextManager[str]]) -> Generator[str, None, None]:
    """Enter an async context manager for the block, in a daemon thread with an event loop of its own.

    If it cannot be entered, its error is raised here.
    """
    address: Future[str] = Future()
    stop: Future[None] = Future()

    async def main() -> None:
        async with serve() as started_at:
            address.set_result(started_at)
            await asyncio.wrap_future(stop)

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            if address.done():
                raise
            address.set_exception(error)

    thread = Thread(target=run, name="elevenlabs-emulator", daemon=True)
    thread.start()
    try:
        yield address.result()
    finally:
        stop.set_result(None)
        # A block that is never left is closed at exit, when Python has stopped all daemon threads: a join would hang.
        if not sys.is_finalizing():
            thread.join()
