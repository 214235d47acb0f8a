"""Frontends that go away before their reply."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from elevenlabs_tokens.endpoint.replies import RefusedError, Reply, refusal


async def reply_unless_left(
    reply: Coroutine[Any, Any, Reply], leaving: Callable[[], Coroutine[Any, Any, object]], *, delay_in_seconds: float
) -> Reply:
    """Work on a reply, and cancel the work when the frontend goes away.

    The work stays in the task of the request. Only the watch has a task of its own, and a quick reply ends before it.

    Args:
        reply: The work.
        leaving: Its coroutine ends when the frontend goes away.
        delay_in_seconds: When the watch begins.

    Returns:
        The reply; of a frontend that went away, one that nobody will read.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # noqa: S101  # a server runs its apps in tasks
    cancel_requests = task.cancelling()
    watch: asyncio.Task[object] | None = None
    is_working, has_left = True, False

    def begin() -> None:
        nonlocal watch
        watch = loop.create_task(leaving())
        watch.add_done_callback(cancel)

    def cancel(watch: asyncio.Task[object]) -> None:
        nonlocal has_left
        # asyncio calls this a turn of the event loop after the watch has ended: the reply may be ready by now.
        if watch.cancelled():
            return
        watch.exception()  # a server may raise instead of telling
        if is_working:
            has_left = True
            task.cancel()

    timer = loop.call_later(delay_in_seconds, begin)
    try:
        return await reply
    except asyncio.CancelledError:
        if not has_left or task.cancelling() > cancel_requests + 1:
            raise
        return refusal(RefusedError(503, "left", "The frontend went away."))
    finally:
        is_working = False
        timer.cancel()
        if has_left:
            task.uncancel()
        if watch is not None:
            watch.cancel()
