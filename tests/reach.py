"""The one place where tests reach into a client for what its users do not see."""

import asyncio
from typing import Any

import aiohttp

from elevenlabs_tokens import AsyncElevenLabsClient


def loop_session_of(client: AsyncElevenLabsClient) -> Any:
    """Give what the client holds for the running loop; `Any`, because tests read its private parts."""
    return client._sessions.by_loop[asyncio.get_running_loop()]


def session_of(client: AsyncElevenLabsClient) -> aiohttp.ClientSession:
    """Give the session that the client uses in the running loop, borrowed or owned."""
    session = loop_session_of(client)._session
    assert isinstance(session, aiohttp.ClientSession)
    return session


def connector_of(client: AsyncElevenLabsClient) -> Any:
    """Give the connection pool of that session; `Any`, because tests read its private parts."""
    return session_of(client).connector
