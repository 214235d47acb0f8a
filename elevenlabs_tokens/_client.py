"""The client: what it is made with, and how long it lives."""

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

    One client serves many tasks, event loops and threads, and may be made before any loop runs.
    Close it when the application ends: `async with`, or `await client.aclose()`.

    Args:
        api_key: The API key, or a callable, sync or async, that is asked for it once a call; a sync one runs on
            the event loop and must not block. If None, `ELEVENLABS_API_KEY`, read now; without either, each call
            must bring a key.
        environment: The region of the API.
        base_url: Another address of the API, which wins over `environment`.
        timeout_in_seconds: For a whole call: connects, attempts and the waits between them.
        attempt_timeout_in_seconds: For one attempt, the reading of the reply included.
        max_retries: Attempts after the first, 0 to 10.
        headers: Extra headers for every call; a value of None removes one of the package's own.
        session: A session to borrow: it is never closed here, serves only the event loop that it was made in, and
            keeps its own connections, TLS, proxy, cookies and traces.
        ssl: A TLS context. If None, one that trusts what the machine does, `SSL_CERT_FILE` and `SSL_CERT_DIR`
            included.
        proxy: An http or https proxy. If None, `HTTPS_PROXY` less `NO_PROXY`, read now.
        trace_configs: aiohttp's hooks into each request.
        allow_insecure_http: Whether `base_url` may be `http:` on another machine, or by way of a proxy there, where
            anyone in between can read the API key.

    Attributes:
        tokens: The tokens of the API.

    Raises:
        ElevenLabsConfigError: An argument, or a variable of the environment, cannot work.
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

    async def aclose(self) -> None:
        """Close the client: calls under way end with `ClientClosedError`, and no other can be made."""
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
