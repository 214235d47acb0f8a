"""Frontends that go away before their reply."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from elevenlabs_tokens.endpoint.replies import RefusedError, Reply, refusal


async def reply_unless_left(reply: Coroutine[Any, Any, Reply], leaving: Coroutine[Any, Any, object]) -> Reply:
    """Work on a reply, and cancel the work when the frontend goes away.

    Args:
        reply: The work.
        leaving: Ends when the frontend goes away.

    Returns:
        The reply; of a frontend that went away, one that nobody will read.
    """
    work, watch = asyncio.ensure_future(reply), asyncio.ensure_future(leaving)
    try:
        await asyncio.wait((work, watch), return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        return refusal(RefusedError(503, "left", "The frontend went away."))
    finally:
        work.cancel()
        watch.cancel()
        await asyncio.gather(work, watch, return_exceptions=True)
