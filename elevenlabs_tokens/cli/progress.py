"""Shows on a terminal what a command waits for."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

_PATIENCE_IN_SECONDS = 1.0


@asynccontextmanager
async def progress(text: str) -> AsyncGenerator[None, None]:
    """Say on standard error what the block waits for, once it has taken a second; only if that is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    status = Console(stderr=True).status(text)
    timer = asyncio.get_running_loop().call_later(_PATIENCE_IN_SECONDS, status.start)
    try:
        yield
    finally:
        timer.cancel()
        status.stop()
