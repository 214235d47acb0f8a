"""The async client: what it is made with, and how it is closed."""

import ssl
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

import aiohttp

from elevenlabs_tokens._http.pipeline import Pipeline
from elevenlabs_tokens._http.sessions import Sessions
from elevenlabs_tokens._tokens import AsyncTokensClient
from elevenlabs_tokens._tracebacks import clears_frames_on_error
from elevenlabs_tokens.environments import ElevenLabsEnvironment, checked_address
from elevenlabs_tokens.options import ApiKey, CallSettings, key_or_environment


class AsyncElevenLabsClient:
    """Mints tokens for frontends, from async code.

    Example::

        async with AsyncElevenLabsClient() as client:
            token = await client.tokens.single_use.create("realtime_scribe")
            url = token.connect_url(model_id="scribe_v2_realtime")  # for one user's frontend

    One client serves many tasks, event loops and threads, and can be made before an event loop runs.
    Close it when the application ends: use `async with`, or `await client.aclose()`.

    Args:
        api_key: The API key, or a callable that returns it. A callable is asked once for each mint, however often
            that mint is retried. It may be async; a sync one runs in the event loop, so it must not block. If None,
            the variable `ELEVENLABS_API_KEY`, read now. Without that too, each call must bring a key in its
            `request_options`.
        environment: The region of the API.
        base_url: Another address of the API. If None, the variable `ELEVENLABS_BASE_URL`, read now; a variable that
            is empty counts as unset. Both win over `environment`.
        timeout_in_seconds: The longest that a whole call may take: all attempts, and the waits between them.
        attempt_timeout_in_seconds: The longest that one attempt may take, from connecting to the end of the reply.
        max_retries: How many attempts may follow the first, from 0 to 10.
        headers: Extra headers for every call. The value None removes one of the headers that the package sends.
        session: A session of your own to send with. The client never closes it, and uses its connections, TLS, proxy,
            cookies and traces. It works only in the event loop in which it was made.
        ssl: A TLS context. If None, the client trusts what this machine trusts, and reads `SSL_CERT_FILE` and
            `SSL_CERT_DIR`.
        proxy: The URL of an http or https proxy. If None, the variable `HTTPS_PROXY`, unless `NO_PROXY` names the
            host; both are read now.
        trace_configs: aiohttp's hooks, which are called at each step of a request.
        allow_insecure_http: Whether the base URL may be `http:` on another machine, or go through a proxy on another
            machine. Whoever is between could then read the API key.

    Attributes:
        tokens: The tokens of the API.

    Raises:
        ElevenLabsConfigError: An argument or an environment variable cannot be used.
    """

    @clears_frames_on_error
    def __init__(
        self,
        *,
        api_key: ApiKey | None = None,
        environment: ElevenLabsEnvironment = ElevenLabsEnvironment.PRODUCTION,
        base_url: str | None = None,
        timeout_in_seconds: float = 30.0,
        attempt_timeout_in_seconds: float = 10.0,
        max_retries: int = 2,
        headers: Mapping[str, str | None] | None = None,
        session: aiohttp.ClientSession | None = None,
        ssl: ssl.SSLContext | None = None,
        proxy: str | None = None,
        trace_configs: Sequence[aiohttp.TraceConfig] = (),
        allow_insecure_http: bool = False,
    ) -> None:
        settings = CallSettings(
            timeout_in_seconds=timeout_in_seconds,
            attempt_timeout_in_seconds=attempt_timeout_in_seconds,
            max_retries=max_retries,
            api_key=key_or_environment(api_key),
            headers=headers,
        )
        address = checked_address(environment, base_url, allow_insecure_http=allow_insecure_http)
        self._sessions = Sessions(
            address,
            session=session,
            ssl_context=ssl,
            proxy=proxy,
            trace_configs=trace_configs,
            allow_insecure_http=allow_insecure_http,
        )
        self._pipeline = Pipeline(address, settings, self._sessions)
        self.tokens = AsyncTokensClient(self._pipeline)

    async def connect(self) -> None:
        """Open a connection ahead, so that the next mint costs one round trip; no request is sent.

        For start-up, and for the moment when a user is about to speak. TLS and a proxy's CONNECT are done with; the
        connection is kept for 90 s. Where one is open already, nothing is done. The API key is not tried out.

        Raises:
            ElevenLabsConfigError: There is no API key.
            ClientClosedError: The client is closed.
            ElevenLabsTLSError: The other side could not be trusted. Never retried.
            ElevenLabsTimeoutError: No connection in time.
            ElevenLabsConnectionError: No connection after the last attempt.
        """
        await self._pipeline.connect()

    async def aclose(self) -> None:
        """Close the client: calls under way end with `ClientClosedError`, and so does every later call."""
        await self._sessions.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<{self._sessions.owner} of {self._pipeline.base_url}>"
