"""Minting, in as few words as a test needs."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Unpack

from elevenlabs_tokens import AsyncElevenLabsClient, RequestOptionsDict


async def mint(
    client: AsyncElevenLabsClient,
    token_type: str = "realtime_scribe",  # noqa: S107  # a type is no password
    **options: Unpack[RequestOptionsDict],
) -> str:
    """Mint with some request options, and give the token's text."""
    return (await client.tokens.single_use.create(token_type, request_options=options)).token


async def mint_once(client: AsyncElevenLabsClient, **options: Unpack[RequestOptionsDict]) -> str:
    """Mint, and close the client."""
    async with client:
        return await mint(client, **options)


async def outcome_of(call: Awaitable[str]) -> tuple[str | type[BaseException], float]:
    """Give the token, or the class of the error, and how many seconds it took."""
    began = monotonic()
    try:
        async with asyncio.timeout(20):  # so that the test fails instead of hanging
            outcome: str | type[BaseException] = await call
    except Exception as error:  # noqa: BLE001  # whatever comes out is what is tested
        outcome = type(error)
    return outcome, monotonic() - began


async def until(holds: Callable[[], bool]) -> None:
    """Wait until the condition holds, 10 s at most."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110  # neither tells when it has done it
            await asyncio.sleep(0.001)
