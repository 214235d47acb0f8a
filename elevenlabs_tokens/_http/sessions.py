"""The sessions of a client, one for each event loop that it serves."""

import asyncio
import os
import ssl
import warnings
import weakref
from collections.abc import Sequence
from functools import lru_cache

import aiohttp

from elevenlabs_tokens._forks import reset_after_fork
from elevenlabs_tokens._http.proxy import find_proxy
from elevenlabs_tokens._http.sockets import watched_socket
from elevenlabs_tokens._http.transport import LoopSession, closed_error
from elevenlabs_tokens._internals import Connector, loop_of
from elevenlabs_tokens.exceptions import ClientClosedError, ElevenLabsConfigError

MAX_CONNECTIONS = 64
"""How many connections a session holds at most. The wait for a free one counts against the attempt."""

KEPT_IDLE_IN_SECONDS = 90.0
"""How long an idle connection is kept: front ends and NATs end theirs after 240 s and more."""


@lru_cache(maxsize=8)
def _ssl_context(_certificate_file: str | None, _certificate_directory: str | None) -> ssl.SSLContext:
    """Make a TLS context that trusts what the machine trusts, once for each value of the variables that say so."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def default_ssl_context() -> ssl.SSLContext:
    """Give the TLS context that all clients of the process share, since making one takes 40 ms.

    It trusts what the machine trusts, `SSL_CERT_FILE` and `SSL_CERT_DIR` included.
    """
    return _ssl_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Give the running event loop; None where none runs."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class Sessions:
    """The sessions of a client: one for each event loop that calls it, dropped once that loop has ended.

    Args:
        base_url: Where the client's requests go.
        session: A session to borrow; None to make one for each event loop.
        ssl_context: The TLS context; None for the default one.
        proxy: The caller's proxy; None to read the environment.
        trace_configs: aiohttp's hooks into each request.
        allow_insecure_http: Whether a proxy on another machine may read the API key.

    Attributes:
        owner: The name of the client's class, for its `repr` and its warning.
        by_loop: The sessions by their event loops.
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
        # The finalizer holds `by_loop`, so the sessions live long enough to be closed when the client is dropped.
        weakref.finalize(self, _close_all, self.by_loop).atexit = False
        reset_after_fork(self)

    def _needs_tls(self, base_url: str) -> bool:
        return base_url.startswith("https:") or (self._proxy is not None and self._proxy.url.startswith("https:"))

    async def open(self) -> LoopSession:
        """Make the session of the running event loop.

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
        for loop_session in list(self.by_loop.values()):  # a copy: other threads may open sessions meanwhile
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
            if loop_of(self._borrowed) is not loop:
                raise ElevenLabsConfigError(
                    "the borrowed session belongs to another event loop; make the client in the loop that uses it, "
                    "or leave session= out"
                )
            return self._borrowed
        return aiohttp.ClientSession(
            connector=Connector(
                limit=MAX_CONNECTIONS,
                keepalive_timeout=KEPT_IDLE_IN_SECONDS,
                socket_factory=watched_socket,
                ssl=self._ssl_context or True,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=list(self._trace_configs),
        )

    async def aclose(self) -> None:
        """End the calls under way, and close every session that is not borrowed, each in its own event loop."""
        self._is_closed = True
        loop_sessions = self.by_loop.copy()
        self.by_loop.clear()
        here = loop_sessions.pop(running_loop(), None)
        _close_all(loop_sessions)
        if here is not None:
            await here.close()

    def after_fork_in_child(self) -> None:
        """Give up the parent's sessions, and leave their connections to the parent."""
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


# In a forked child, the parent's sessions stay referenced here: collecting one would close its connections.
_inherited: list[LoopSession] = []


def _close_all(loop_sessions: dict[asyncio.AbstractEventLoop | None, LoopSession]) -> None:
    for loop_session in loop_sessions.values():
        loop_session.close_in_its_loop()
