"""Frontends that go away before their reply."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from elevenlabs_tokens.endpoint.replies import RefusedError, Reply, refusal

LEFT = refusal(RefusedError(503, "left", "The frontend went away."))


async def reply_unless_left(reply: Coroutine[Any, Any, Reply], leaving: Coroutine[Any, Any, object]) -> Reply | None:
    """Work on a reply, and cancel the work when the frontend goes away.

    The work stays in the task of the request, and only the watch has one of its own: each switch of tasks costs a turn
    of the event loop.

    Args:
        reply: The work.
        leaving: Ends when the frontend goes away.

    Returns:
        The reply; None if the frontend went away.
    """
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  # a coroutine of a server's runs in a task
    cancel_requests = task.cancelling()
    has_left = False

    def cancel(watch: asyncio.Task[object]) -> None:
        nonlocal has_left
        if not watch.cancelled():
            watch.exception()  # a server may raise instead of telling
            has_left = True
            task.cancel()

    watch = asyncio.create_task(leaving)
    watch.add_done_callback(cancel)
    try:
        return await reply
    except asyncio.CancelledError:
        if not has_left or task.uncancel() > cancel_requests:
            raise
        return None
    finally:
        watch.remove_done_callback(cancel)
        watch.cancel()
