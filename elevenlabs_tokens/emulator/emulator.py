"""The emulator, as users start, steer and read it."""

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, contextmanager
from threading import Lock
from typing import Self

from elevenlabs_tokens.emulator.admission import ApiKeys
from elevenlabs_tokens.emulator.app import build_app
from elevenlabs_tokens.emulator.arguments import (
    check_api_keys,
    check_boolean,
    check_clock,
    check_host,
    check_seconds,
    check_whole_number,
)
from elevenlabs_tokens.emulator.clock import ShiftedClock
from elevenlabs_tokens.emulator.control import control_routes
from elevenlabs_tokens.emulator.faults import Fault, FaultQueue, plan_fault
from elevenlabs_tokens.emulator.hosting import in_own_thread, listening
from elevenlabs_tokens.emulator.ledger import TokenLedger, TokenRecord
from elevenlabs_tokens.emulator.requests import MintRequest, RequestLog
from elevenlabs_tokens.emulator.socket_faults import SocketFault, plan_socket_fault


class Emulator:
    """A local ElevenLabs, which runs as long as the block lasts.

    `async with` serves in the running asyncio loop, `with` in a thread of its own. After the block, its tokens can
    still be read, and it can be entered again.

    Args:
        api_keys: The keys that are accepted; None accepts any key, but one must be sent. A single key needs a list,
            too: `["sk_1"]`.
        token_lifetime_in_seconds: How long an unused token is valid; 900 s at ElevenLabs.
        clock: Gives the time in seconds since the epoch; it decides when tokens expire.
        host: The address to listen on. Other machines can connect if it is not loopback.
        port: The port to listen on; 0 takes a free one.
        control: Whether programs on this machine can steer it over HTTP, under `/emulator/`.

    Raises:
        ValueError: An argument is wrong.
        OSError: On entering: it cannot listen on this host and port.
        RuntimeError: On entering: it is running already.
    """

    def __init__(
        self,
        *,
        # Not `Collection[str]`: a type checker would let a single key through, for a `str` is a collection of `str`.
        api_keys: list[str] | tuple[str, ...] | set[str] | frozenset[str] | None = None,
        token_lifetime_in_seconds: float = 900,
        clock: Callable[[], float] = time.time,
        host: str = "127.0.0.1",
        port: int = 0,
        control: bool = False,
    ) -> None:
        check_api_keys(api_keys)
        check_seconds("token_lifetime_in_seconds", token_lifetime_in_seconds, can_be_zero=False)
        check_clock(clock)
        check_host(host)
        check_whole_number("port", port, at_least=0, at_most=65535)
        check_boolean("control", control)
        self._api_keys = ApiKeys(api_keys)
        self._clock = ShiftedClock(clock)
        self._ledger = TokenLedger(lifetime_in_seconds=token_lifetime_in_seconds, clock=self._clock)
        self._requests = RequestLog(self._clock)
        self._faults = FaultQueue[Fault]()
        self._socket_faults = FaultQueue[SocketFault]()
        self._host = host
        self._port = port
        self._control = control
        self._address: str | None = None
        self._running = Lock()
        self._stop_in_loop = AsyncExitStack()
        self._stop_in_thread = ExitStack()

    @property
    def base_url(self) -> str:
        """The address where it serves HTTP; the port is in it.

        Raises:
            RuntimeError: It was not entered yet.
        """
        return f"http://{self._known_address()}"

    @property
    def websocket_base_url(self) -> str:
        """The address where it serves WebSockets; the port is in it.

        Raises:
            RuntimeError: It was not entered yet.
        """
        return f"ws://{self._known_address()}"

    @property
    def tokens(self) -> tuple[TokenRecord, ...]:
        """All tokens in minting order, with their states as of now. Any thread may read it."""
        return self._ledger.records()

    @property
    def requests(self) -> tuple[MintRequest, ...]:
        """The last 1,000 mints that came, the oldest first. Any thread may read them."""
        return self._requests.all()

    def record_of(self, token: str) -> TokenRecord:
        """Give the record of a token, with its state as of now. Any thread may call it.

        Raises:
            KeyError: The token was not minted here, or before the last reset.
        """
        return self._ledger.record_of(token)

    def advance(self, seconds: float) -> None:
        """Set the emulator's clock ahead, so that tokens expire without a wait. Any thread may call it.

        Args:
            seconds: How far, from 0 up.

        Raises:
            ValueError: `seconds` is wrong, or the clock would be more than 31 years ahead.
        """
        self._clock.advance(seconds)

    def recover(self) -> None:
        """Forget all faults that are planned, of mints and of sockets. Any thread may call it.

        Sockets that are open keep their faults.
        """
        self._faults.clear()
        self._socket_faults.clear()

    def reset(self) -> None:
        """Make it like new: no tokens, no requests, no faults, and the clock back. Any thread may call it."""
        self.recover()
        self._clock.reset()
        self._requests.reset()
        self._ledger.reset()

    def fail_next(
        self,
        times: int | None = 1,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, object] | list[object] | str | bytes | None = None,
        delay_in_seconds: float | None = None,
        disconnect: bool = False,
    ) -> None:
        """Make the next mints fail, or be late. Any thread may call it.

        Several calls queue up: the faults of the first call come first.

        Args:
            times: How many mints fail; with None, all until `recover` is called.
            status: The status code of the reply; 503 by default.
            headers: Headers of the reply; they replace the usual ones of the same name.
            body: The reply's body: a mapping or a list is sent as JSON, text and bytes as they are. Without it, the
                reply holds the error that the API usually sends with this status.
            delay_in_seconds: How long the reply takes. Alone, it makes a mint succeed late.
            disconnect: Cut the connection instead of a reply, and mint no token.

        Raises:
            ValueError: An argument is wrong, or two contradict each other.
        """
        fault = plan_fault(
            status=status, headers=headers, body=body, delay_in_seconds=delay_in_seconds, disconnect=disconnect
        )
        self._faults.add(fault, times=times)

    def fail_next_socket(
        self,
        times: int | None = 1,
        *,
        status: int | None = None,
        error: str | None = None,
        close_code: int | None = None,
        disconnect: bool = False,
        after_messages: int | None = None,
        delay_in_seconds: float | None = None,
    ) -> None:
        """Make the next WebSockets fail, or be late. Any thread may call it.

        Several calls queue up: the faults of the first call come first. Sockets that are open already are as before.

        Args:
            times: How many sockets fail; with None, all until `recover` is called.
            status: Refuse the handshake with this status code, and spend no token; 503 if no argument is given.
            error: Send the API's error frame with this error, such as `quota_exceeded`, and close the socket.
            close_code: Close the socket with this code; without it, with the usual one after an error.
            disconnect: Cut the connection.
            after_messages: How many messages the emulator sends before `error`, `close_code` or `disconnect`; 0 by
                default.
            delay_in_seconds: How late the reply to the handshake and each message are. Alone, it only slows a socket.

        Raises:
            ValueError: An argument is wrong, or two contradict each other.
        """
        fault = plan_socket_fault(
            status=status,
            error=error,
            close_code=close_code,
            disconnect=disconnect,
            after_messages=after_messages,
            delay_in_seconds=delay_in_seconds,
        )
        self._socket_faults.add(fault, times=times)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            stack.enter_context(self._running_once())
            self._address = await stack.enter_async_context(self._serve())
            self._stop_in_loop = stack.pop_all()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stop_in_loop.aclose()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._running_once())
            self._address = stack.enter_context(in_own_thread(self._serve))
            self._stop_in_thread = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop_in_thread.close()

    @contextmanager
    def _running_once(self) -> Generator[None, None, None]:
        if not self._running.acquire(blocking=False):
            raise RuntimeError("this emulator is running already: leave its block first, or make another emulator")
        try:
            yield
        finally:
            self._running.release()

    def _serve(self) -> AbstractAsyncContextManager[str]:
        app = build_app(self._ledger, self._api_keys, self._faults, self._socket_faults, self._requests)
        if self._control:
            calls = (self.fail_next, self.fail_next_socket, self.recover, self.reset, self.advance, self.record_of)
            views = {"tokens": lambda: self.tokens, "requests": lambda: self.requests}
            app.add_routes(control_routes(calls=calls, views=views))
        return listening(app, self._host, self._port)

    def _known_address(self) -> str:
        if self._address is None:
            raise RuntimeError("this emulator has no address yet: enter it first, with `with` or `async with`")
        return self._address
