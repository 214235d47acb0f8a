"""One attempt over the wire, in one event loop."""

import asyncio
import math
from collections.abc import AsyncGenerator, Awaitable, Mapping
from functools import lru_cache
from traceback import clear_frames
from typing import TypeVar

import aiohttp
from aiohttp.http_exceptions import BadHttpMessage, HttpProcessingError
from yarl import URL

from elevenlabs_tokens._http.connector import refuse_early_answer
from elevenlabs_tokens._http.deadlines import Deadline, DeadlineTimer
from elevenlabs_tokens._http.failures import failure_of
from elevenlabs_tokens._http.proxy import Proxy
from elevenlabs_tokens._http.wire import MAX_BODY_BYTES, Failure, FailureKind, Outcome, Reply, Request
from elevenlabs_tokens._secrets import SecretBytes
from elevenlabs_tokens.exceptions import ClientClosedError, ElevenLabsConfigError

T = TypeVar("T")

LONGEST_CONNECT_IN_SECONDS = 5.0
"""For connecting, TLS included."""


# A host is looked up in a thread. How Python says that there are too many, and, in its several versions, that it exits:
_NO_THREAD_LEFT = "can't start new thread"
_NO_THREAD_ANY_MORE = (
    "cannot schedule new futures after",
    "can't create new thread at interpreter shutdown",
    "can't start new thread at interpreter shutdown",
)


@lru_cache(maxsize=64)
def _timeout(attempt_timeout_in_seconds: float) -> aiohttp.ClientTimeout:
    """Bound the connect alone: the attempt as a whole is bounded by `LoopSession.wait_for`, body and all."""
    connect = min(LONGEST_CONNECT_IN_SECONDS, attempt_timeout_in_seconds)
    return aiohttp.ClientTimeout(total=None, sock_connect=connect, ceil_threshold=math.inf)


@lru_cache(maxsize=64)
def _url(url: str) -> URL:
    return URL(url, encoded=True)


class DeadlineError(Exception):
    """A wait took longer than it was given."""


async def _closing_with_its_loop(session: aiohttp.ClientSession) -> AsyncGenerator[None]:
    """Close the session when the generator is closed, dropped, or when its event loop ends.

    An event loop closes the async generators that were begun in it, while it can still run what they await.
    """
    try:
        yield
    finally:
        await session.close()


class LoopSession:
    """A session in its event loop, and the waits under way in it."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, session: aiohttp.ClientSession, proxy: Proxy | None, *, is_borrowed: bool
    ) -> None:
        self.loop = loop
        self._session = session
        self._proxy = proxy
        self._is_borrowed = is_borrowed
        self._middlewares: tuple[aiohttp.ClientMiddlewareType, ...] | None = None
        if is_borrowed:
            own = session._middlewares  # noqa: SLF001  # which those of a request replace
            self._middlewares = (*own, refuse_early_answer)
        self._lifetime: AsyncGenerator[None] | None = None
        self._timer = DeadlineTimer(loop)
        self._is_closed = False

    async def close_with_loop(self) -> None:
        """Take the session over: it closes with the loop_session."""
        self._lifetime = _closing_with_its_loop(self._session)
        await anext(self._lifetime)

    async def wait_for(self, seconds: float | None, work: Awaitable[T]) -> T:
        """Await some work.

        Args:
            seconds: How long at most; None sets no bound.
            work: What to await.

        Raises:
            DeadlineError: It took longer.
            ClientClosedError: The client was closed meanwhile.
        """
        with Deadline(self._timer, math.inf if seconds is None else seconds):
            return await work
        if self._is_closed:
            raise closed_error()
        raise DeadlineError

    async def send(self, request: Request, seconds: float, attempt_timeout_in_seconds: float) -> Outcome:
        """Make one attempt.

        Args:
            request: What to send.
            seconds: How long it may take, the body included.
            attempt_timeout_in_seconds: Bounds the connect, if it is under 5 s.

        Raises:
            ClientClosedError: The client, or a borrowed session, was closed.
        """
        if self._is_closed:
            raise closed_error()
        if self._is_borrowed:
            self._check_borrowed_session(request)
        failure: Failure | None = None
        deadline = Deadline(self._timer, seconds)
        try:
            with deadline:
                return await self._exchange(request, _timeout(attempt_timeout_in_seconds))
            failure = Failure(FailureKind.TIMED_OUT)
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            failure = failure_of(error)
        except RuntimeError as error:
            if str(error) == _NO_THREAD_LEFT:
                failure = Failure(FailureKind.NOT_CONNECTED, "no thread can be started to look it up")
            elif not self._is_without_session() and not str(error).startswith(_NO_THREAD_ANY_MORE):
                raise
        except asyncio.CancelledError as error:
            clear_frames(error.__traceback__)  # which hold the request
            # A session that closes cancels those who wait for a connection, though nobody cancelled their tasks.
            if not self._is_without_session() or deadline.was_cancelled_by_others:
                raise
        if failure is None or self._is_without_session():
            raise closed_error()
        return failure

    async def _exchange(self, request: Request, timeout: aiohttp.ClientTimeout) -> Reply:
        proxy = self._proxy
        # Without what `request` wraps around it for `async with`, which costs a mint a twentieth of its time.
        response = await self._session._request(  # noqa: SLF001  # asked for at each call: tests of the caller's patch it
            "POST",
            _url(request.url),
            headers=request.headers if proxy is None else _headers_for(request, proxy),
            skip_auto_headers=request.removed_headers or None,
            allow_redirects=False,
            auto_decompress=False,
            raise_for_status=False,
            timeout=timeout,
            proxy=None if proxy is None else proxy.url,
            proxy_headers=None if proxy is None else proxy.headers,
            middlewares=self._middlewares,
        )
        # A whole body has given its connection back when it is read; any other takes it along.
        content = response.content
        try:
            body = SecretBytes(await content.readany())
            while not content.at_eof() and len(body) <= MAX_BODY_BYTES:
                body += await content.readany()
        except BaseException:
            response.close()
            raise
        if response.connection is not None:
            response.close()
        if len(response.headers.getall("Content-Length", ())) > 1:
            raise BadHttpMessage("more than one Content-Length")  # which aiohttp's parser in Python lets pass
        return Reply(response.status, response.headers, bytes(body) if len(body) <= MAX_BODY_BYTES else None)

    def _check_borrowed_session(self, request: Request) -> None:
        if self._session.auth is not None and "Authorization" in request.headers:
            raise ElevenLabsConfigError(
                "the borrowed session has auth= of its own, which cannot stand beside an Authorization header"
            )

    def _is_without_session(self) -> bool:
        return self._is_closed or self._session.closed

    async def close(self) -> None:
        """End the waits under way, and close the session if it is owned. In the loop_session's own loop."""
        self._is_closed = True
        self._timer.expire_all()
        if self._lifetime is not None:
            await self._lifetime.aclose()

    def close_in_its_loop(self) -> None:
        """Have the loop_session's own loop close it; if that loop does not run, let go of what it left."""
        if not self.loop.is_running():
            self.close_without_loop()
            return
        closing = self.close()
        try:
            asyncio.run_coroutine_threadsafe(closing, self.loop)
        except RuntimeError:  # it has ended meanwhile
            closing.close()
            self.close_without_loop()

    def close_without_loop(self) -> None:
        """Let go of a session whose loop does not run: one step of closing closes, and more would need the loop."""
        self._is_closed = True
        connector = self._session.connector
        if self._lifetime is None or connector is None:
            return
        self._session.detach()
        next(connector.close().__await__(), None)
        next(self._lifetime.aclose().__await__(), None)

    def close_after_fork(self) -> None:
        """Neither use nor close, in a forked child, what the parent goes on using."""
        connector = self._session.connector
        if self._lifetime is None or connector is None:
            return
        self._session.detach()
        # When it is collected, it would take the parent's sockets out of the epoll that both processes share.
        connector._closed = True  # noqa: SLF001  # nothing public keeps it from that

    @property
    def has_ended(self) -> bool:
        """Whether its loop has."""
        return self.loop.is_closed()


def _headers_for(request: Request, proxy: Proxy) -> Mapping[str, str]:
    # Without TLS there is no CONNECT: the request itself shows the proxy its credentials.
    return request.headers if request.url.startswith("https:") else {**request.headers, **proxy.headers}


def closed_error() -> ClientClosedError:
    """Make the error of a call that has no session any more."""
    return ClientClosedError(
        "the client is closed, or the session that it borrowed is, or the interpreter is exiting; make a new client"
    )
