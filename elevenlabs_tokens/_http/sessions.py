"""The sessions of a client, one for each event loop that it serves."""

import asyncio
import os
import ssl
import sys
import warnings
import weakref
from collections.abc import Sequence
from functools import lru_cache

import aiohttp

from elevenlabs_tokens._forks import watch_for_forks
from elevenlabs_tokens._http.connector import Connector, NoCookies, WholeRequest
from elevenlabs_tokens._http.proxy import find_proxy
from elevenlabs_tokens._http.transport import LoopSession, closed_error
from elevenlabs_tokens.exceptions import ClientClosedError, ElevenLabsConfigError

MAX_CONNECTIONS = 64
"""What a session holds at most; waiting for a free one counts against the attempt."""


@lru_cache(maxsize=8)
def _ssl_context(_certificate_file: str | None, _certificate_directory: str | None) -> ssl.SSLContext:
    """Make the TLS context that trusts what the machine trusts; one for each value of the variables read."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def default_ssl_context() -> ssl.SSLContext:
    """Give the process's TLS context, after `SSL_CERT_FILE` and `SSL_CERT_DIR`; made once, for it costs 40 ms."""
    return _ssl_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


if sys.version_info >= (3, 12):
    running_loop = asyncio._get_running_loop  # noqa: SLF001  # exported, for all its name; None where none runs
else:

    def running_loop() -> asyncio.AbstractEventLoop | None:
        """Give the running loop, by the hook that it has set: asking asyncio for it costs a system call."""
        loop = getattr(sys.get_asyncgen_hooks().firstiter, "__self__", None)
        return loop if isinstance(loop, asyncio.AbstractEventLoop) else asyncio._get_running_loop()  # noqa: SLF001


class Sessions:
    """The loop_sessions of a client, made as its event loops come and dropped as they end.

    Attributes:
        owner: The name of the client's class, for what it says of itself.
        loop_sessions: By their event loops.
    """

    owner = "AsyncElevenLabsClient"

    def __init__(
        self,
        base_url: str,
        *,
        session: aiohttp.ClientSession | None,
        ssl_context: ssl.SSLContext | None,
        proxy: str | None,
        trace_configs: Sequence[aiohttp.TraceConfig],
        allow_insecure_http: bool,
    ) -> None:
        _check_types(session, ssl_context, trace_configs)
        if session is not None and (ssl_context is not None or proxy is not None or trace_configs):
            raise ElevenLabsConfigError(
                "ssl, proxy and trace_configs cannot stand beside session: a borrowed session keeps its own"
            )
        self._borrowed = session
        self._proxy = None
        if session is None:
            self._proxy = find_proxy(base_url, proxy, allow_insecure_http=allow_insecure_http)
        self._ssl_context = ssl_context
        if session is None and ssl_context is None and self._needs_tls(base_url):
            self._ssl_context = default_ssl_context()
        self._trace_configs = trace_configs
        self.by_loop: dict[asyncio.AbstractEventLoop | None, LoopSession] = {}
        self._is_closed = False
        # Held by what runs when the client is dropped, and so not collected with it, in whatever order.
        weakref.finalize(self, _close_all, self.by_loop).atexit = False
        watch_for_forks(self)

    def _needs_tls(self, base_url: str) -> bool:
        return base_url.startswith("https:") or (self._proxy is not None and self._proxy.url.startswith("https:"))

    async def open(self) -> LoopSession:
        """Make a loop_session for the running loop.

        Raises:
            ClientClosedError: The client is closed.
            ElevenLabsConfigError: No asyncio loop is running, or the borrowed session belongs to another.
        """
        loop = running_loop()
        if loop is None:
            raise ElevenLabsConfigError(
                "AsyncElevenLabsClient needs a running asyncio loop; use ElevenLabsClient in sync code, and under trio "
                "in a thread of its own (trio.to_thread.run_sync)"
            )
        self._check_open()
        for loop_session in list(self.by_loop.values()):  # a copy, for other threads open loop_sessions meanwhile
            if loop_session.has_ended and self.by_loop.pop(loop_session.loop, None) is not None:
                loop_session.close_without_loop()
        is_borrowed = self._borrowed is not None
        loop_session = LoopSession(loop, self._session(loop), self._proxy, is_borrowed=is_borrowed)
        if not is_borrowed:
            await loop_session.close_with_loop()
        self.by_loop[loop] = loop_session
        try:
            self._check_open()  # another thread may have closed it meanwhile
        except ClientClosedError:
            await self.aclose()
            raise
        return loop_session

    def _check_open(self) -> None:
        if self._is_closed:
            raise closed_error()

    def _session(self, loop: asyncio.AbstractEventLoop) -> aiohttp.ClientSession:
        if self._borrowed is not None:
            if self._borrowed._loop is not loop:  # noqa: SLF001  # its public `loop` warns of deprecation
                raise ElevenLabsConfigError(
                    "the borrowed session belongs to another event loop; make the client in the loop that uses it, "
                    "or leave session= out"
                )
            return self._borrowed
        return aiohttp.ClientSession(
            connector=Connector(limit=MAX_CONNECTIONS, ssl=self._ssl_context or True),
            cookie_jar=NoCookies(),
            request_class=WholeRequest,
            trace_configs=list(self._trace_configs),
        )

    async def aclose(self) -> None:
        """End the calls under way and close all sessions that are owned: this loop's here, the others' in theirs."""
        self._is_closed = True
        loop_sessions = self.by_loop.copy()
        self.by_loop.clear()
        here = loop_sessions.pop(running_loop(), None)
        _close_all(loop_sessions)
        if here is not None:
            await here.close()

    def after_fork_in_child(self) -> None:
        """Leave the parent's sockets to the parent."""
        for loop_session in self.by_loop.values():
            loop_session.close_after_fork()
        _inherited.extend(self.by_loop.values())
        self.by_loop.clear()

    def __del__(self) -> None:
        if getattr(self, "by_loop", None) and self._borrowed is None:
            warnings.warn(
                f"an {self.owner} was dropped without being closed; use it in an (async) with block, or close it",
                ResourceWarning,
                source=self,
                stacklevel=1,
            )


def _check_types(session: object, ssl_context: object, trace_configs: object) -> None:
    if session is not None and not isinstance(session, aiohttp.ClientSession):
        raise ElevenLabsConfigError("session must be an aiohttp.ClientSession")
    if ssl_context is not None and not isinstance(ssl_context, ssl.SSLContext):
        raise ElevenLabsConfigError("ssl must be an ssl.SSLContext; verification cannot be turned off")
    are_traces = isinstance(trace_configs, Sequence) and all(isinstance(t, aiohttp.TraceConfig) for t in trace_configs)
    if not are_traces:
        raise ElevenLabsConfigError("trace_configs must be a sequence of aiohttp.TraceConfig")


# What belongs to the parent of a forked child stays referenced, for what is collected is closed.
_inherited: list[LoopSession] = []


def _close_all(loop_sessions: dict[asyncio.AbstractEventLoop | None, LoopSession]) -> None:
    for loop_session in loop_sessions.values():
        loop_session.close_in_its_loop()
