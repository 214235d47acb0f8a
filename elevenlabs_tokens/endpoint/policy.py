"""Every rule of the token route, once, in the order in which they are asked.

Nothing here knows a framework: a request comes in, a reply goes out, and all waiting is the runner's.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from attrs import define, frozen

from elevenlabs_tokens.endpoint import bodies
from elevenlabs_tokens.endpoint.mint_errors import described, refusal_of
from elevenlabs_tokens.endpoint.origins import judge
from elevenlabs_tokens.endpoint.rate_limits import STORAGE_TIMEOUT_IN_SECONDS, Counter
from elevenlabs_tokens.endpoint.replies import RefusedError, Reply, internal_error, preflight, refusal, token_reply
from elevenlabs_tokens.endpoint.request import EndpointRequest
from elevenlabs_tokens.endpoint.runners import Hook, Runner
from elevenlabs_tokens.models import SingleUseTokenResponseModel

Minted = tuple[SingleUseTokenResponseModel, str | None]
"""A token, and the API's name for the request that brought it."""

Mint = Callable[[str], Coroutine[Any, Any, Minted]]
ReadBody = Callable[[], Awaitable[bytes]]
"""Gives the body, or 16 KiB and a byte of it. Raises `TimeoutError`; `EOFError` or `OSError` where it breaks off."""

UserId = str | int


@define
class Entry:
    """What the log says of a request."""

    outcome: str = "left"
    user_id: UserId | None = None
    token_type: str | None = None
    request_id: str | None = None
    status: int | None = None
    reason: str = ""


@frozen(eq=False, repr=False)
class Policy:
    """The rules of one endpoint.

    Attributes:
        token_types: What it hands out.
        allowed_origins: The origins of other pages that may ask, in their normal form.
        authorize: The app's function from a request to a user id.
        counter: Counts the requests of each user; None: no limit.
        mint: Gives the coroutine that mints.
        is_of_sync_client: Whether that is a sync client's.
        on_minted: The app's audit hook.
    """

    token_types: tuple[str, ...]
    allowed_origins: frozenset[str]
    authorize: Hook
    counter: Counter | None
    mint: Mint
    is_of_sync_client: bool
    on_minted: Hook | None

    async def reply(self, request: EndpointRequest, read_body: ReadBody, run: Runner, entry: Entry) -> Reply:
        """Answer a request, and note in the entry what the log has to say."""
        origin = judge(request, self.allowed_origins)
        try:
            _check_method(request, is_allowed_origin=origin.allowed_origin is not None)
            if request.method == "OPTIONS":
                entry.outcome = "preflight"
                reply = preflight()
            else:
                if not origin.passes:
                    raise _foreign()
                reply = await self._hand_out(request, read_body, run, entry)
                entry.outcome = "minted"
        except RefusedError as error:
            entry.outcome, entry.reason = error.code, error.reason
            entry.request_id = error.request_id or entry.request_id
            reply = refusal(error)
            if error.status == 405:  # noqa: PLR2004  # "method not allowed"
                reply = reply.with_headers([("Allow", "POST, OPTIONS")])
        entry.status = reply.status
        if origin.allowed_origin is not None:
            reply = reply.with_headers(_cross_origin_headers(origin.allowed_origin))
        return reply.without_body() if request.method == "HEAD" else reply

    async def _hand_out(self, request: EndpointRequest, read_body: ReadBody, run: Runner, entry: Entry) -> Reply:
        announced = bodies.check_announced_size(request.headers)
        user_id = entry.user_id = await self._user_id(request, run)
        body = b"" if announced == 0 else await _read(read_body)
        bodies.check_size(body, announced)
        content_type = request.headers.get("content-type", "")
        token_type = entry.token_type = bodies.requested_type(body, content_type, self.token_types)
        await self._check_rate(str(user_id), run)
        token, entry.request_id = await self._minted(token_type, run)
        if self.on_minted is not None:
            await _call(run, self.on_minted, user_id, token_type, entry.request_id)
        return token_reply(token.to_dict())

    async def _user_id(self, request: EndpointRequest, run: Runner) -> UserId:
        user_id = await _call(run, self.authorize, request)
        if user_id is None or user_id is False:
            raise RefusedError(401, "not_signed_in", "Sign in first.")
        if user_id is True or not isinstance(user_id, str | int) or user_id == "":
            raise internal_error(
                f"authorize returned {'an empty string' if user_id == '' else type(user_id).__name__}; return the "
                "user's id (text or a number), or None to refuse"
            )
        try:
            str(user_id).encode()
        except ValueError:  # half a surrogate pair, or a number of more digits than Python writes
            raise internal_error("authorize returned an id that cannot be encoded") from None
        return user_id

    async def _check_rate(self, user_id: str, run: Runner) -> None:
        if self.counter is None:
            return
        problem = ""
        seconds = 0.0
        try:
            hit = self.counter.hit(user_id)
            seconds = await run.wait(hit, STORAGE_TIMEOUT_IN_SECONDS) if isinstance(hit, Future) else hit
        except Exception as error:  # noqa: BLE001  # each storage has errors of its own
            problem = type(error).__name__
        if problem:
            raise RefusedError(
                503,
                "limiter_unavailable",
                "The server cannot count requests at the moment. Try again later.",
                retry_after_in_seconds=1,
                reason=f"the storage of the rate limit failed ({problem})",
            )
        if seconds:
            raise RefusedError(
                429, "rate_limited", "Too many requests. Try again later.", retry_after_in_seconds=seconds
            )

    async def _minted(self, token_type: str, run: Runner) -> Minted:
        if run.is_cancelled:  # a hook swallowed the cancellation
            raise asyncio.CancelledError
        try:
            return await run.mint(self.mint(token_type), is_of_sync_client=self.is_of_sync_client)
        except BaseException as error:
            if _is_from_outside(error, run):
                raise
            refused = refusal_of(error)  # an api_key callable may raise anything
        raise refused


async def _call(run: Runner, hook: Hook, *args: object) -> object:
    """Call one of the app's functions; whatever it raises is a fault of the app's."""
    try:
        return await run.hook(hook, *args)
    except BaseException as error:
        if _is_from_outside(error, run):
            raise
        what = described(error)  # `sys.exit` in a hook must not end the server
    advice = "; return None to refuse a user" if hook.name == "authorize" else ""
    raise internal_error(f"{hook.name} raised {what}{advice}")


def _is_from_outside(error: BaseException, run: Runner) -> bool:
    """Tell whether an error ends the request and is not the app's: Ctrl-C, or a cancellation by somebody else."""
    is_cancelled = isinstance(error, asyncio.CancelledError) and run.is_cancelled
    return is_cancelled or isinstance(error, KeyboardInterrupt | GeneratorExit)


async def _read(read_body: ReadBody) -> bytes:
    try:
        return await read_body()
    except TimeoutError:
        refused = bodies.too_slow()
    except (EOFError, OSError):
        refused = bodies.cut_off()
    raise refused


def _check_method(request: EndpointRequest, *, is_allowed_origin: bool) -> None:
    if request.method == "OPTIONS" and not is_allowed_origin:
        raise _foreign()
    if request.method not in ("POST", "OPTIONS"):
        raise RefusedError(
            405,
            "method_not_allowed",
            "Use POST: what GET gives may be prefetched, cached and logged, and each token opens one connection only.",
        )


def _foreign() -> RefusedError:
    return RefusedError(403, "foreign_origin", "Pages of this origin may not ask for tokens.")


def _cross_origin_headers(origin: str) -> tuple[tuple[str, str], ...]:
    return (
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Expose-Headers", "Retry-After"),
        ("Vary", "Origin"),
    )
