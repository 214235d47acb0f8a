"""`TokenEndpoint`: the route, for any framework."""

import time
from collections.abc import Awaitable, Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsClient
from elevenlabs_tokens.endpoint.journal import log
from elevenlabs_tokens.endpoint.mint_errors import described
from elevenlabs_tokens.endpoint.origins import checked_origins
from elevenlabs_tokens.endpoint.policy import Entry, Mint, Policy, ReadBody, UserId
from elevenlabs_tokens.endpoint.rate_limits import counter
from elevenlabs_tokens.endpoint.replies import Reply, internal_error, refusal
from elevenlabs_tokens.endpoint.request import EndpointRequest
from elevenlabs_tokens.endpoint.runners import Hook, Runner
from elevenlabs_tokens.exceptions import ElevenLabsConfigError
from elevenlabs_tokens.models import checked_token_type

if TYPE_CHECKING:
    from elevenlabs_tokens.endpoint.aiohttp_web import AiohttpHandler
    from elevenlabs_tokens.endpoint.asgi import AsgiApp
    from elevenlabs_tokens.endpoint.django import DjangoView
    from elevenlabs_tokens.endpoint.wsgi import WsgiApp


class TokenEndpoint:
    """A route of your web app that gives single-use tokens to your signed-in users, and to nobody else.

    Serve it with `asgi`, `wsgi`, `aiohttp_handler` or `django_view`. A `POST` answers 201 and the token as
    `SingleUseTokenResponseModel.to_dict` gives it. Every refusal is JSON: `{"error": {"code", "message"}}`.

    Args:
        client: Mints the tokens; sync or async. The endpoint does not close it.
        authorize: Your function from an `EndpointRequest` to the id of the signed-in user (text or a number), or None
            to refuse; sync or async. What it raises is a 500.
        token_types: What the endpoint hands out; a request that does not name a type gets the first.
        allowed_origins: The origins of other pages that may ask, such as `"https://app.example"`. Pages of the route's
            own origin always may.
        rate_limit: How often each user may ask: `"10/minute"`; None for no limit. Needs the extra `limits`.
        rate_limit_storage: Where the counts are. `"memory://"` is each process's own: with more than one process, give
            the address of a Redis.
        on_minted: Your audit hook: called with the user id, the type and the API's request id (or None) before the
            token goes out; sync or async. If it fails, no token goes out.

    Raises:
        ElevenLabsConfigError: An argument cannot be used.
    """

    def __init__(
        self,
        client: AsyncElevenLabsClient | ElevenLabsClient,
        *,
        authorize: Callable[[EndpointRequest], UserId | None] | Callable[[EndpointRequest], Awaitable[UserId | None]],
        token_types: Iterable[str] = ("realtime_scribe",),
        allowed_origins: Iterable[str] = (),
        rate_limit: str | None = "10/minute",
        rate_limit_storage: str = "memory://",
        on_minted: Callable[[UserId, str, str | None], object] | None = None,
    ) -> None:
        mint, is_of_sync_client = _mint_of(client)
        self._policy = Policy(
            token_types=_checked_token_types(token_types),
            allowed_origins=checked_origins(allowed_origins),
            authorize=Hook.of("authorize", authorize),
            counter=None if rate_limit is None else counter(rate_limit, rate_limit_storage),
            mint=mint,
            is_of_sync_client=is_of_sync_client,
            on_minted=None if on_minted is None else Hook.of("on_minted", on_minted),
        )

    async def reply(self, request: EndpointRequest, read_body: ReadBody, run: Runner) -> Reply:
        """Answer a request, and log it in one line. For the adapters."""
        began = time.monotonic()
        entry = Entry()
        try:
            return await self._policy.reply(request, read_body, run, entry)
        except Exception as error:  # noqa: BLE001  # a fault of this package must not show the browser anything, either
            refused = internal_error(f"the endpoint raised {described(error)}")
            entry.outcome, entry.status, entry.reason = refused.code, refused.status, refused.reason
        finally:
            log(entry, round((time.monotonic() - began) * 1000))
        return refusal(refused)

    @cached_property
    def asgi(self) -> "AsgiApp":
        """The route as an ASGI app."""
        from elevenlabs_tokens.endpoint.asgi import AsgiApp

        return AsgiApp(self)

    @cached_property
    def wsgi(self) -> "WsgiApp":
        """The route as a WSGI app."""
        from elevenlabs_tokens.endpoint.wsgi import WsgiApp

        return WsgiApp(self)

    @cached_property
    def aiohttp_handler(self) -> "AiohttpHandler":
        """The route as a handler of aiohttp.web, to add with `app.router.add_route("*", path, handler)`."""
        from elevenlabs_tokens.endpoint.aiohttp_web import handler_of

        return handler_of(self)

    @cached_property
    def django_view(self) -> "DjangoView":
        """The route as a view of Django, under WSGI and under ASGI."""
        from elevenlabs_tokens.endpoint.django import DjangoView

        return DjangoView(self)


def _mint_of(client: object) -> tuple[Mint, bool]:
    """Give the client's method in its async form, which never blocks, and whether the client is a sync one."""
    if isinstance(client, ElevenLabsClient):
        return _mint_of(client._asynchronous)[0], True  # noqa: SLF001  # our own
    if not isinstance(client, AsyncElevenLabsClient):
        raise ElevenLabsConfigError(
            f"client must be an AsyncElevenLabsClient or an ElevenLabsClient, not {type(client).__name__}"
        )
    return lambda token_type: client.tokens.single_use.create(token_type)._with_request_id(), False  # noqa: SLF001  # our own


def _checked_token_types(token_types: object) -> tuple[str, ...]:
    if isinstance(token_types, str | bytes) or not isinstance(token_types, Iterable):
        raise ElevenLabsConfigError('token_types must be a list of types, such as ["realtime_scribe"]')
    checked = tuple(checked_token_type(token_type) for token_type in token_types)
    if not checked:
        raise ElevenLabsConfigError("token_types is empty: name at least one type")
    return checked
