"""Replies of any bytes, over a real socket: each gives the token that is in it, or one of the package's errors."""

import asyncio
import gc
import json
from hashlib import sha256
from itertools import count
from time import monotonic
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsError
from frozen import KEY
from scripted import Act, Step
from swarm import Swarm

TIME_LIMIT_IN_SECONDS = 14.0
"""For all examples of one kind of reply."""

# Replies are generated with this placeholder; each example replaces it with a new token.
PLACEHOLDER = b"sutkn_" + b"0" * 16
BODY = json.dumps({"token": PLACEHOLDER.decode()}).encode()


def whole(head: bytes, body: bytes = BODY) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (head, len(body), body)


def chunked(*chunks: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(
        b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b"")
    )


VALID = [
    whole(b"200 OK"),
    whole(b"201 \r\nConnection: close"),
    whole(b"100 Continue\r\n\r\nHTTP/1.1 200 OK"),
    chunked(BODY),
    chunked(BODY[:9], BODY[9:20], BODY[20:]),
    b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
    whole(b"429 Too Many Requests\r\nRetry-After: 1", b'{"detail": []}'),
    whole(b"401 Unauthorized\r\nContent-Type: application/json", b'{"detail": {"status": "invalid_api_key"}}'),
    whole(b"302 Found\r\nLocation: /", b""),
]

PIECES = st.one_of(
    st.binary(max_size=8),
    st.sampled_from(
        [
            *(b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\0", b" ", b":", b";", b",", b"-1", b"0", b"ffffffffffffffff"),
            *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 101 Switching Protocols\r\n", b"HTTP/1.1 204 None\r\n", b"HTTP/9.9 "),
            *(b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"Content-Length: 99999999999999999999\r\n"),
            *(b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip\r\n", b"Content-Encoding: gzip\r\n"),
            *(b"Upgrade: websocket\r\nConnection: upgrade\r\n", b"Connection: close\r\n", b" folded\r\n", b"\xff\xfe"),
            *(b"X: " + b"y" * 9000 + b"\r\n", b"Set-Cookie: a=b\r\n", b"[" * 9000, b'"', b"\\", b"null", b"1e999"),
            PLACEHOLDER,
            BODY,
        ]
    ),
)


def mutated(replies: list[bytes], cuts: list[tuple[int, int, bytes]]) -> bytes:
    """Replace bytes by pieces, in some places."""
    mutant = b"".join(replies)
    for where, length, piece in cuts:
        start = where % (len(mutant) + 1)
        mutant = mutant[:start] + piece + mutant[start + length :]
    return mutant


REPLIES = {
    "arbitrary": st.binary(max_size=300),
    "of pieces": st.lists(PIECES, max_size=12).map(b"".join),
    "after a good beginning": st.builds(
        bytes.__add__, st.sampled_from([b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\n", VALID[3][:50]]), st.binary(max_size=200)
    ),
    "mutated": st.builds(
        mutated,
        st.lists(st.sampled_from(VALID), min_size=1, max_size=2),
        st.lists(st.tuples(st.integers(0, 400), st.integers(0, 12), PIECES), max_size=4),
    ),
}


def holds(raw: bytes, token: str) -> bool:
    """Tell whether a token's bytes are in a reply, in this order: chunks may separate them, escapes may hide them."""
    left = iter(raw)
    return b"\\u" in raw or all(byte in left for byte in token.encode())


@pytest.mark.promise(row=19)
@pytest.mark.parametrize("kind", REPLIES)
def test_any_bytes_for_a_reply(kind: str) -> None:
    """No call hangs, raises another exception, gives another call's token or makes the event loop complain."""
    numbers, complaints = count(), list[Any]()
    script: list[Step] = []
    until = monotonic() + TIME_LIMIT_IN_SECONDS

    async def call(client: AsyncElevenLabsClient) -> str | None:
        try:
            async with asyncio.timeout(5):
                return (await client.tokens.single_use.create("realtime_scribe")).token
        except ElevenLabsError:
            return None

    with asyncio.Runner() as runner:
        runner.get_loop().set_exception_handler(lambda _, context: complaints.append(context))
        api = runner.run(Swarm(lambda: script).__aenter__())
        client = AsyncElevenLabsClient(
            api_key=KEY, base_url=api.base_url, attempt_timeout_in_seconds=0.03, max_retries=0
        )

        @settings(deadline=None)
        @given(drawn=REPLIES[kind], stays_open=st.booleans())
        def try_one(drawn: bytes, *, stays_open: bool) -> None:
            if monotonic() > until:
                return
            raw = drawn.replace(PLACEHOLDER, PLACEHOLDER[:6] + sha256(b"%d" % next(numbers)).hexdigest()[:16].encode())
            script[:] = [raw, *([] if stays_open else [Act.CLOSE])]
            token = runner.run(call(client))
            assert token is None or holds(raw, token), (raw, token)

        try_one()
        runner.run(client.aclose())
        runner.run(api.__aexit__(None, None, None))
    gc.collect()

    assert [] == complaints
