"""The emulator as its users hold it."""

import time
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, contextmanager
from threading import Lock
from typing import Self

from elevenlabs_tokens.emulator.admission import ApiKeys
from elevenlabs_tokens.emulator.app import build_app
from elevenlabs_tokens.emulator.faults import FaultQueue, plan_fault
from elevenlabs_tokens.emulator.hosting import in_own_thread, listening
from elevenlabs_tokens.emulator.ledger import TokenLedger, TokenRecord

_LONGEST_LIFETIME_IN_SECONDS = 1e9  # 31 years, so that the dates stay within the calendar
_LAST_PORT = 65535


class Emulator:
    """A local ElevenLabs, for as long as the block lasts.

    `async with` serves in the running asyncio loop, `with` in a thread of its own. It can be entered again once it has
    stopped, and still knows its tokens then.

    Args:
        api_keys: The keys that are accepted; None accepts any, but one must be sent.
        token_lifetime_in_seconds: How long a token is good for; 900 s at ElevenLabs.
        clock: Gives the time in seconds since the epoch; tokens lapse by it.
        host: The address to listen on; loopback unless told otherwise.
        port: The port to listen on; 0 takes a free one.

    Raises:
        ValueError: An argument is not what it should be.
        OSError: On entering, if it cannot listen there.
        RuntimeError: On entering, if it runs already.
    """

    def __init__(
        self,
        *,
        api_keys: Collection[str] | None = None,
        token_lifetime_in_seconds: float = 900,
        clock: Callable[[], float] = time.time,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        _check_api_keys(api_keys)
        _check_lifetime(token_lifetime_in_seconds)
        _check_clock(clock)
        _check_address(host, port)
        self._api_keys = ApiKeys(api_keys)
        self._ledger = TokenLedger(lifetime_in_seconds=token_lifetime_in_seconds, clock=clock)
        self._faults = FaultQueue()
        self._host = host
        self._port = port
        self._address: str | None = None
        self._running = Lock()
        self._leave_loop = AsyncExitStack()
        self._leave_thread = ExitStack()

    @property
    def base_url(self) -> str:
        """Where it serves HTTP.

        Raises:
            RuntimeError: It has not been entered yet.
        """
        return f"http://{self._known_address()}"

    @property
    def websocket_base_url(self) -> str:
        """Where it serves WebSockets.

        Raises:
            RuntimeError: It has not been entered yet.
        """
        return f"ws://{self._known_address()}"

    @property
    def tokens(self) -> tuple[TokenRecord, ...]:
        """Every token in the order in which they were minted, with their states as of now; from any thread."""
        return self._ledger.records()

    def fail_next(
        self,
        times: int = 1,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, object] | list[object] | str | bytes | None = None,
        delay_in_seconds: float | None = None,
        disconnect: bool = False,
    ) -> None:
        """Let the next mints fail, or be late; from any thread.

        Several calls queue up: the faults of the first come first.

        Args:
            times: How many mints it befalls.
            status: The status code of the reply; 503 if nothing else is said.
            headers: Headers of the reply, over the usual ones.
            body: The reply's body: a mapping or a list goes out as JSON, text and bytes as they are. Without it, the
                reply holds the error that the API usually sends with this status.
            delay_in_seconds: How long the reply waits; alone, it makes a good reply late.
            disconnect: The connection is cut instead of a reply, and no token is minted.

        Raises:
            ValueError: An argument is not what it should be, or two contradict each other.
        """
        fault = plan_fault(
            status=status, headers=headers, body=body, delay_in_seconds=delay_in_seconds, disconnect=disconnect
        )
        self._faults.add(fault, times=times)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            stack.enter_context(self._claim())
            self._address = await stack.enter_async_context(self._listen())
            self._leave_loop = stack.pop_all()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._leave_loop.aclose()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._claim())
            self._address = stack.enter_context(in_own_thread(self._listen))
            self._leave_thread = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._leave_thread.close()

    @contextmanager
    def _claim(self) -> Generator[None, None, None]:
        if not self._running.acquire(blocking=False):
            raise RuntimeError("this emulator runs already: enter it once at a time, or make another one")
        try:
            yield
        finally:
            self._running.release()

    def _listen(self) -> AbstractAsyncContextManager[str]:
        return listening(build_app(self._ledger, self._api_keys, self._faults), self._host, self._port)

    def _known_address(self) -> str:
        if self._address is None:
            raise RuntimeError("this emulator has no address yet: enter it first, with `with` or `async with`")
        return self._address


# A wrong argument is one kind of error, whether its type is wrong or its value: hence no `TypeError` below.


def _check_api_keys(api_keys: object) -> None:
    if api_keys is None:
        return
    # The key itself is never shown, not even one that protects nothing but a test.
    if isinstance(api_keys, str | bytes) or not isinstance(api_keys, Collection) or not api_keys:
        raise ValueError("api_keys must be a collection of keys, such as a list of one, or None to accept any key")
    if not all(isinstance(key, str) and key for key in api_keys):
        raise ValueError("api_keys must hold non-empty strings")


def _check_lifetime(lifetime: object) -> None:
    if (
        isinstance(lifetime, bool)
        or not isinstance(lifetime, int | float)
        or not 0 < lifetime <= _LONGEST_LIFETIME_IN_SECONDS
    ):
        limit = f"{_LONGEST_LIFETIME_IN_SECONDS:.0f}"
        raise ValueError(f"token_lifetime_in_seconds must be a number over 0, at most {limit}, not {lifetime!r}")


def _check_clock(clock: object) -> None:
    if not callable(clock):
        raise ValueError(f"clock must give seconds since the epoch, not {clock!r}")  # noqa: TRY004 - see above


def _check_address(host: object, port: object) -> None:
    if not (isinstance(host, str) and host):
        raise ValueError(f"host must be an address to listen on, such as 127.0.0.1, not {host!r}")
    if not (type(port) is int and 0 <= port <= _LAST_PORT):
        raise ValueError(f"port must be a whole number from 0 to {_LAST_PORT}, not {port!r}")
