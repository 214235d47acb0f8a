"""The fixture of tests that run with a session of the client's own, and with one that it borrows."""

from collections.abc import AsyncIterator

import aiohttp
import pytest


@pytest.fixture(params=["owned", "borrowed"])
async def session_to_borrow(request: pytest.FixtureRequest) -> AsyncIterator[aiohttp.ClientSession | None]:
    """Give None, for a client that makes its own session, and then a session of one connection, which stays open."""
    if request.param == "owned":
        yield None
        return
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        yield session
        assert not session.closed
