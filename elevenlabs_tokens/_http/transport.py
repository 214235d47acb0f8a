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

from elevenlabs_tokens._http.deadlines import Deadline, DeadlineTimer
from elevenlabs_tokens._http.failures import failure_of
from elevenlabs_tokens._http.proxy import Proxy
from elevenlabs_tokens._http.wire import CONNECTED, MAX_BODY_BYTES, Failure, FailureKind, Outcome, Reply, Request
from elevenlabs_tokens._internals import (
    NO_THREAD_AT_EXIT,
    NO_THREAD_LEFT,
    auth_of,
    close_without_waiting,
    connect,
    mark_as_closed,
    middlewares_of,
    refuse_early_answer,
    request_of,
    says,
)
from elevenlabs_tokens._secrets import SecretBytes
from elevenlabs_tokens.exceptions import ClientClosedError, ElevenLabsConfigError

T = TypeVar("T")

LONGEST_CONNECT_IN_SECONDS = 5.0
"""For connecting, TLS included."""


@lru_cache(maxsize=64)
def _timeout(attempt_timeout_in_seconds: float) -> aiohttp.ClientTimeout:
    """Limit the connecting alone: a `Deadline` limits the attempt as a whole, the reading of the body included."""
    connect = min(LONGEST_CONNECT_IN_SECONDS, attempt_timeout_in_seconds)
    # Without the threshold, aiohttp would round a timeout of over 5 s up to whole seconds.
    return aiohttp.ClientTimeout(total=None, sock_connect=connect, ceil_threshold=math.inf)


@lru_cache(maxsize=64)
def _url(url: str) -> URL:
    return URL(url, encoded=True)


class DeadlineError(Exception):
    """The `api_key` callable gave no key in time; an attempt that is too slow is a `Failure` instead."""


async def _closing_with_its_loop(session: aiohttp.ClientSession) -> AsyncGenerator[None]:
    """Close the session when this generator is closed or dropped, or when its event loop ends.

    An event loop that ends closes the async generators that were begun in it, while it can still run what they await.
    """
    try:
        yield
    finally:
        await session.close()


class LoopSession:
    """A session in its event loop, and the deadlines under way in it.

    Args:
        loop: The event loop.
        session: Made by the package, or borrowed.
        proxy: The proxy of its requests; None for a borrowed session, which has its own.
        is_borrowed: Whether the session belongs to the caller, and so is never closed here.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, session: aiohttp.ClientSession, proxy: Proxy | None, *, is_borrowed: bool
    ) -> None:
        self.loop = loop
        self._session = session
        self._proxy = proxy
        self._proxy_url = None if proxy is None else proxy.url
        self._proxy_headers = None if proxy is None else proxy.headers
        self._is_borrowed = is_borrowed
        self._middlewares = (*middlewares_of(session), refuse_early_answer) if is_borrowed else None
        self._lifetime: AsyncGenerator[None] | None = None
        self._timer = DeadlineTimer(loop)
        self._is_closed = False

    async def arrange_closing(self) -> None:
        """Arrange that the session is closed when this object is, or at the latest when its event loop ends."""
        self._lifetime = _closing_with_its_loop(self._session)
        await anext(self._lifetime)

    async def wait_for(self, seconds: float | None, work: Awaitable[T]) -> T:
        """Await some work.

        Args:
            seconds: At most how long; None: no limit, but closing the client still ends the wait.
            work: What to await.

        Raises:
            DeadlineError: It took longer.
            ClientClosedError: The client was closed meanwhile.
        """
        with Deadline(self._timer, math.inf if seconds is None else seconds):
            return await work
        # Reached only if the deadline expired: it swallows the cancellation that it made.
        if self._is_closed:
            raise closed_error()
        raise DeadlineError

    async def send(
        self, request: Request, seconds: float, attempt_timeout_in_seconds: float, *, connects_only: bool = False
    ) -> Outcome:
        """Make one attempt.

        Args:
            request: What to send.
            seconds: How long it may take, the reading of the body included.
            attempt_timeout_in_seconds: Limits the connecting, if it is under 5 s.
            connects_only: Whether to open a connection and send nothing; an idle one that is open will do.

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
                exchange = self._connect if connects_only else self._exchange
                return await exchange(request, _timeout(attempt_timeout_in_seconds))
            failure = Failure(FailureKind.TIMED_OUT)
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            failure = failure_of(error)
        except RuntimeError as error:
            failure = self._failure_without_a_thread(error)
        except asyncio.CancelledError as error:
            clear_frames(error.__traceback__)  # they hold the request, and so the key
            # aiohttp cancels the tasks that wait for a connection when their session closes: they get "closed" instead.
            if not self._is_without_session() or deadline.was_cancelled_by_others:
                raise
        if failure is None or self._is_without_session():
            raise closed_error()
        return failure

    def _failure_without_a_thread(self, error: RuntimeError) -> Failure | None:
        """Interpret a `RuntimeError`: looking up a host needs a thread, and Python could not start one.

        Returns:
            A failed connect where there are too many threads; None where the client or the interpreter is closing.

        Raises:
            RuntimeError: It means something else, and is raised again.
        """
        if says(error, NO_THREAD_LEFT):
            return Failure(FailureKind.NOT_CONNECTED, "no thread can be started to look it up")
        if self._is_without_session() or says(error, NO_THREAD_AT_EXIT):
            return None
        raise error

    async def _connect(self, request: Request, timeout: aiohttp.ClientTimeout) -> Reply:
        await connect(
            self._session,
            _url(request.url),
            timeout=timeout,
            proxy=self._proxy_url,
            proxy_headers=self._proxy_headers,
        )
        return CONNECTED

    async def _exchange(self, request: Request, timeout: aiohttp.ClientTimeout) -> Reply:
        proxy = self._proxy
        response = await request_of(self._session)(
            "POST",
            _url(request.url),
            headers=request.headers if proxy is None else _headers_for(request, proxy),
            skip_auto_headers=request.removed_headers or None,
            allow_redirects=False,
            auto_decompress=False,
            raise_for_status=False,
            timeout=timeout,
            middlewares=self._middlewares,
            proxy=self._proxy_url,
            proxy_headers=self._proxy_headers,
        )
        # If the body was read to its end, the connection is back in the pool. If not, closing the response closes it.
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
        if len(response.headers.getall("Content-Length", default=())) > 1:
            raise BadHttpMessage("more than one Content-Length")  # aiohttp's parser in Python lets this pass
        return Reply(response.status, response.headers, bytes(body) if len(body) <= MAX_BODY_BYTES else None)

    def _check_borrowed_session(self, request: Request) -> None:
        if auth_of(self._session) is not None and "Authorization" in request.headers:
            raise ElevenLabsConfigError(
                "the borrowed session has auth= of its own, which cannot be combined with an Authorization header; "
                "give one of them"
            )

    def _is_without_session(self) -> bool:
        return self._is_closed or self._session.closed

    async def close(self) -> None:
        """End the calls under way, and close the session unless it is borrowed. To be called in its event loop."""
        self._is_closed = True
        self._timer.expire_all()
        if self._lifetime is not None:
            await self._lifetime.aclose()

    def start_closing(self) -> None:
        """Start closing, from any thread: in its event loop if that runs, else directly. This does not wait."""
        if not self.loop.is_running():
            self.close_without_loop()
            return
        closing = self.close()
        try:
            asyncio.run_coroutine_threadsafe(closing, self.loop)
        except RuntimeError:  # the loop has ended meanwhile
            closing.close()
            self.close_without_loop()

    def close_without_loop(self) -> None:
        """Close a session whose event loop does not run."""
        self._is_closed = True
        connector = self._session.connector
        if self._lifetime is None or connector is None:  # without a lifetime, the session is borrowed
            return
        self._session.detach()
        close_without_waiting(connector)
        next(self._lifetime.aclose().__await__(), None)

    def close_after_fork(self) -> None:
        """In a forked child, give the session up without closing the connections: the parent goes on using them."""
        connector = self._session.connector
        if self._lifetime is None or connector is None:
            return
        self._session.detach()
        mark_as_closed(connector)

    @property
    def has_ended(self) -> bool:
        """Whether its event loop is closed."""
        return self.loop.is_closed()


def _headers_for(request: Request, proxy: Proxy) -> Mapping[str, str]:
    # Without TLS there is no CONNECT: the proxy reads its credentials from the request itself.
    return request.headers if request.url.startswith("https:") else {**request.headers, **proxy.headers}


def closed_error() -> ClientClosedError:
    """Make the error of a call whose client has no session any more."""
    return ClientClosedError(
        "the client is closed, or the session that it borrowed is, or the interpreter is exiting; make a new client"
    )
