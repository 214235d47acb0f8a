"""Who may open a socket. The rules are the same for all sockets; the words of a refusal are not."""

import asyncio
from typing import Any, NamedTuple

import pytest

from frontend import KEY_HEADER, SPEECH_TO_TEXT, TEXT_TO_DIALOGUE, TEXT_TO_SPEECH, Conversation, Frontend
from frozen import FrozenTime

pytestmark = pytest.mark.anyio


class Route(NamedTuple):
    path: str
    query: str
    """What carries the token."""
    token_type: str
    last_message: dict[str, Any]
    """What a client sends to make the emulator end the connection."""
    opened: dict[str, Any]
    """What is in the first message of a connection that is admitted."""
    refusal: Conversation
    wrong_type: Conversation
    """How a token of the type `batch_scribe` is refused."""


def speech_error(error: str, message: str) -> Conversation:
    return [{"message": message, "error": error, "code": 1008}], 1008, error


def speech_route(path: str, last_message: dict[str, Any], opened: dict[str, Any], token_type: str) -> Route:
    return Route(
        path=path,
        query="?single_use_token=",
        token_type=token_type,
        last_message=last_message,
        opened=opened,
        refusal=speech_error("authentication_required", "You must be authenticated to use this endpoint."),
        wrong_type=speech_error(
            "invalid_token_type", f"Token type mismatch: expected '{token_type}', got 'batch_scribe'."
        ),
    )


BAD_KEY_HEADER = {"xi-api-key": "sk_bad"}
AUTH_ERROR = {"message_type": "auth_error", "error": "You must be authenticated to use this endpoint."}
ROUTES = [
    Route(
        path=SPEECH_TO_TEXT,
        query="?token=",
        token_type="realtime_scribe",
        last_message={},
        opened={"message_type": "session_started"},
        refusal=([AUTH_ERROR], 1000, ""),
        wrong_type=([AUTH_ERROR], 1000, ""),
    ),
    speech_route(TEXT_TO_SPEECH, {"text": ""}, {"isFinal": True}, "tts_websocket"),
    speech_route(
        TEXT_TO_SPEECH.replace("/stream", "/multi-stream"),
        {"text": 1},
        {"error": "invalid_input_message"},
        "tts_websocket",
    ),
    speech_route(TEXT_TO_DIALOGUE, {"voices": ["ada"], "close_socket": True}, {"is_final": True}, "ttd_websocket"),
]


class Visitor:
    """A frontend at one of the routes."""

    def __init__(self, frontend: Frontend, route: Route) -> None:
        self.frontend = frontend
        self.route = route

    async def mint(self) -> str:
        return await self.frontend.mint(self.route.token_type)

    async def attempt(self, token: str | None = None, **headers: str) -> str:
        """Try to open a connection, and tell what came of it."""
        query = "" if token is None else self.route.query + token
        ending = await self.frontend.converse(self.route.path + query, self.route.last_message, headers=headers)
        if ending == self.route.refusal:
            return "refused"
        return "opened" if self.route.opened.items() <= ending[0][0].items() else repr(ending)

    def states(self) -> list[str]:
        return [record.state for record in self.frontend.emulator.tokens]


@pytest.fixture(params=ROUTES, ids=lambda route: route.path)
def visitor(frontend: Frontend, request: pytest.FixtureRequest) -> Visitor:
    return Visitor(frontend, request.param)


async def test_a_token_opens_one_connection(visitor: Visitor) -> None:
    """The first connection spends it; the second is accepted and then refused."""
    token = await visitor.mint()

    assert "opened" == await visitor.attempt(token)
    assert ["spent"] == visitor.states()
    assert "refused" == await visitor.attempt(token)


async def test_an_expired_token_is_refused(visitor: Visitor, frozen_time: FrozenTime) -> None:
    """It expires 900 s after the mint."""
    token = await visitor.mint()
    frozen_time.advance(900)

    assert "refused" == await visitor.attempt(token)
    assert ["expired"] == visitor.states()


async def test_a_token_of_another_type_is_refused_unspent(visitor: Visitor) -> None:
    """It can still open what it is for."""
    token = await visitor.frontend.mint("batch_scribe")
    route = visitor.route

    assert route.wrong_type == await visitor.frontend.converse(route.path + route.query + token)
    assert ["fresh"] == visitor.states()


async def test_of_200_racing_connections_one_wins(visitor: Visitor) -> None:
    """All are accepted, and all but one are refused."""
    token = await visitor.mint()
    outcomes = await asyncio.gather(*(visitor.attempt(token) for _ in range(200)))

    assert ["opened", *["refused"] * 199] == sorted(outcomes)


async def test_a_key_in_the_header_opens_it_too(visitor: Visitor) -> None:
    """A bad key does not, and no key does not either."""
    assert "opened" == await visitor.attempt(**KEY_HEADER)
    assert "refused" == await visitor.attempt(**BAD_KEY_HEADER)
    assert "refused" == await visitor.attempt()


async def test_a_token_alone_decides(visitor: Visitor) -> None:
    """A good key does not help a bad token, not even an empty one; a bad key does no harm to a good token."""
    assert "refused" == await visitor.attempt("undefined", **KEY_HEADER)
    assert "refused" == await visitor.attempt("", **KEY_HEADER)
    assert "opened" == await visitor.attempt(await visitor.mint(), **BAD_KEY_HEADER)


async def test_browsers_of_any_origin_may_connect(visitor: Visitor) -> None:
    """The page that holds the token is never of the emulator's own origin."""
    assert "opened" == await visitor.attempt(await visitor.mint(), Origin="https://example.com")
