"""A call from end to end, under one deadline: build the request, send it as often as needed, decipher the reply."""

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from functools import lru_cache
from typing import Any, TypeVar

from elevenlabs_tokens._http.clock import Clock
from elevenlabs_tokens._http.decipher import Structure, decipher
from elevenlabs_tokens._http.explain import Exchange
from elevenlabs_tokens._http.retry import RetryBudget, decide, is_retried
from elevenlabs_tokens._http.sessions import Sessions, running_loop
from elevenlabs_tokens._http.transport import DeadlineError, LoopSession
from elevenlabs_tokens._http.wire import Request, RequestTemplate
from elevenlabs_tokens._secrets import Secret
from elevenlabs_tokens.environments import websocket_base_url
from elevenlabs_tokens.exceptions import ElevenLabsConfigError, ElevenLabsError, ElevenLabsTimeoutError
from elevenlabs_tokens.options import API_KEY_VARIABLE, ApiKey, CallSettings, RequestOptions, checked_api_key

T = TypeVar("T")


class Pipeline:
    """Makes the calls of one client.

    Args:
        base_url: The API's base URL, checked.
        settings: The client's defaults.
        sessions: The client's sessions.

    Attributes:
        base_url: The API's base URL.
        websocket_base_url: The base URL of its sockets.
        clock: The source of time and chance.
    """

    def __init__(self, base_url: str, settings: CallSettings, sessions: Sessions) -> None:
        self.base_url = base_url
        self.websocket_base_url = websocket_base_url(base_url)
        self._sessions = sessions
        self.clock = Clock()
        self._settings = settings
        self._usual_request = _usual_requests(base_url, settings)
        self._budget = RetryBudget()

    def post(
        self,
        path: str,
        options: RequestOptions | None,
        structure: Structure[T],
    ) -> Coroutine[Any, Any, tuple[T, Exchange]]:
        """Check a call, and give the coroutine that makes it.

        Args:
            path: The path, checked; it begins with a slash.
            options: The options of this call.
            structure: Makes the model from the JSON of a success.

        Returns:
            A coroutine of the model, and of the exchange that the model was read from.

        Raises:
            ElevenLabsConfigError: The call has no API key.
        """
        settings = self._settings if options is None else self._settings.merged(options)
        if settings.api_key is None:
            raise _missing_key_error()
        return self._call(path, settings, settings.api_key, structure)

    async def connect(self) -> None:
        """Open a connection for the next call, by the same attempts and under the same deadline as a call.

        Raises:
            ElevenLabsConfigError: The client has no API key.
            ElevenLabsError: As a call that cannot connect.
        """
        if self._settings.api_key is None:
            raise _missing_key_error()
        await self._call("", self._settings, self._settings.api_key, _nothing, connects_only=True)

    async def _call(
        self,
        path: str,
        settings: CallSettings,
        key_source: ApiKey,
        structure: Structure[T],
        *,
        connects_only: bool = False,
    ) -> tuple[T, Exchange]:
        clock = self.clock
        began = now = clock.now()
        deadline = began + settings.timeout_in_seconds
        loop_session = self._sessions.by_loop.get(running_loop()) or await self._sessions.open()
        if settings is self._settings and (connects_only or isinstance(key_source, Secret)):
            request = self._usual_request(path)
        else:
            api_key = await _key_from(key_source, loop_session, settings)
            now = clock.now()
            if now >= deadline:
                raise _key_timeout_error(settings)
            request = RequestTemplate.of(settings).request(f"{self.base_url}{path}", api_key)

        retries_taken, has_retried_at_once = 0, False
        while True:
            sent_at = clock.wall_clock()
            seconds = min(settings.attempt_timeout_in_seconds, deadline - now)
            outcome = await loop_session.send(
                request, seconds, settings.attempt_timeout_in_seconds, connects_only=connects_only
            )
            now = clock.now()
            if not is_retried(outcome):
                break
            wait = decide(
                outcome,
                attempt=retries_taken,
                max_retries=settings.max_retries,
                seconds_left=deadline - now,
                wall_clock=clock.wall_clock(),
                draw=clock.draw(),
                has_retried_at_once=has_retried_at_once,
            )
            if wait is None or not self._budget.withdraw():
                break
            if wait:
                await loop_session.wait_for(None, clock.sleep(wait))
            else:
                has_retried_at_once = True
            retries_taken += 1
            now = clock.now()

        exchange = Exchange(request, outcome, retries_taken, sent_at, clock.wall_clock(), now - began)
        result = decipher(exchange, structure)
        if isinstance(result, ElevenLabsError):
            try:
                raise result
            finally:
                del result  # its traceback refers to this frame: deleting the name avoids a reference cycle
        self._budget.deposit(after_retry=retries_taken > 0)
        return result, exchange


def _nothing(_document: Any, _sent_at: float) -> None:
    """Make the model of a call that only opens a connection."""


def _missing_key_error() -> ElevenLabsConfigError:
    return ElevenLabsConfigError(
        f"there is no API key: set {API_KEY_VARIABLE} before the client is made, or give api_key="
    )


def _usual_requests(base_url: str, settings: CallSettings) -> Callable[[str], Request]:
    """Give a function from a path to its request with the client's own options; it keeps the requests that it made."""
    template = RequestTemplate.of(settings)
    api_key = settings.api_key if isinstance(settings.api_key, Secret) else Secret()

    @lru_cache(maxsize=16)
    def request(path: str) -> Request:
        return template.request(f"{base_url}{path}", api_key)

    return request


async def _key_from(source: ApiKey, loop_session: LoopSession, settings: CallSettings) -> Secret:
    try:
        return checked_api_key(
            await _ask(source, loop_session, settings.timeout_in_seconds) if callable(source) else source
        )
    except DeadlineError:
        pass
    raise _key_timeout_error(settings)


def _key_timeout_error(settings: CallSettings) -> ElevenLabsTimeoutError:
    return ElevenLabsTimeoutError(
        f"the api_key callable gave no key in {settings.timeout_in_seconds:g} s, so nothing was sent; make it faster, "
        "or allow more with timeout_in_seconds"
    )


async def _ask(source: Callable[[], str | Awaitable[str]], loop_session: LoopSession, seconds: float) -> str:
    answer = source()
    return await loop_session.wait_for(seconds, answer) if inspect.isawaitable(answer) else answer
