"""Minting, in as few words as a test needs."""

from typing import Unpack

from elevenlabs_tokens import AsyncElevenLabsClient, RequestOptionsDict


async def mint(
    client: AsyncElevenLabsClient,
    token_type: str = "realtime_scribe",  # noqa: S107  # a type is no password
    **options: Unpack[RequestOptionsDict],
) -> str:
    """Mint with some request options, and give the token's text."""
    return (await client.tokens.single_use.create(token_type, request_options=options)).token
