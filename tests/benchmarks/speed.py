"""How fast a call is on an open connection: this package beside other ways to mint a token."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from unittest.mock import patch

from attrs import define, field

from benchmarks.chunks import async_chunks, sync_chunks
from benchmarks.contenders import (
    AGAIN,
    ASYNC,
    BARE,
    BARE_SYNC,
    BEFORE,
    OURS,
    REQUESTS,
    SYNC,
    VENDOR,
    bare_aiohttp,
    ours,
)
from benchmarks.figures import Figure, Target, Times, Timing, ratio, timings
from benchmarks.interleave import Chunk, interleave
from benchmarks.server import Server

ASYNC_ONE = "async, one caller"
ASYNC_MANY = "async, 64 callers"
SYNC_ONE = "sync, one caller"
SYNC_MANY = "sync, 16 threads"
HTTPS_ONE = "async over https, one caller"
HTTPS_MANY = "async over https, 64 callers"
UVLOOP = "on uvloop"
ORJSON = "with orjson"

Pairs = Sequence[tuple[str, Target | Callable[[Times], Target] | None]]


def nearly_as_bare_aiohttp(times: Times) -> Target:
    """Give the target against the vendor's SDK: whoever builds on aiohttp cannot be faster than aiohttp."""
    return Target(">=", 0.95 * ratio(times, BARE, VENDOR).median, f"0.95 of {BARE}")


@define
class Speed:
    """The measurements of speed, and their results.

    Attributes:
        rounds: How many rounds each measure has.
        timings: All contenders'.
        figures: This package's, against those that matter.
    """

    rounds: int
    timings: list[Timing] = field(factory=list)
    figures: list[Figure] = field(factory=list)

    def measure(self, http: Server, https: Server) -> None:
        self._async(http.base_url)
        self._sync(http.base_url)
        self._https(https)
        self._on_uvloop(http.base_url)
        self._with_orjson(http.base_url)

    def _compare(self, measure: str, chunks: dict[str, Chunk], subject: str, base: str, against: Pairs) -> None:
        times = interleave(chunks, self.rounds)
        self.timings += timings(measure, times, base)
        against = [*against, (BEFORE, None)] if BEFORE in times else against
        for name, given in against:
            target = given(times) if callable(given) else given
            self.figures.append(Figure(measure, name, "ratio", ratio(times, subject, name), target))

    def _async(self, base_url: str) -> None:
        with async_chunks(ASYNC, base_url, callers=1, calls=100) as chunks:
            self._compare(ASYNC_ONE, chunks, OURS, BARE, [(BARE, Target(">=", 1.0)), (VENDOR, nearly_as_bare_aiohttp)])
        with async_chunks(ASYNC, base_url, callers=64, calls=640) as chunks:
            self._compare(ASYNC_MANY, chunks, OURS, BARE, [(BARE, Target(">=", 1.0)), (VENDOR, Target(">=", 16.0))])

    def _sync(self, base_url: str) -> None:
        against = [(BARE_SYNC, Target(">=", 0.45)), (REQUESTS, Target(">=", 2.2)), (VENDOR, Target(">=", 2.2))]
        with sync_chunks(SYNC, base_url, threads=1, calls=100) as chunks:
            self._compare(SYNC_ONE, chunks, OURS, BARE_SYNC, against)
        with sync_chunks(SYNC, base_url, threads=16, calls=320) as chunks:
            self._compare(SYNC_MANY, chunks, OURS, BARE_SYNC, [(BARE_SYNC, Target(">=", 0.65)), (VENDOR, None)])

    def _https(self, server: Server) -> None:
        bare = partial(bare_aiohttp, ssl_context=server.ssl_context)
        contenders = {BARE: bare, AGAIN: bare, OURS: partial(ours, ssl_context=server.ssl_context)}
        for measure, callers, calls in ((HTTPS_ONE, 1, 100), (HTTPS_MANY, 64, 640)):
            with async_chunks(contenders, server.base_url, callers=callers, calls=calls) as chunks:
                self._compare(measure, chunks, OURS, BARE, [(BARE, None)])

    def _on_uvloop(self, base_url: str) -> None:
        import uvloop

        for measure, callers, calls in ((ASYNC_ONE, 1, 100), (ASYNC_MANY, 64, 640)):
            with (
                async_chunks({OURS: ours, AGAIN: ours}, base_url, callers=callers, calls=calls) as chunks,
                async_chunks(
                    {UVLOOP: ours}, base_url, callers=callers, calls=calls, loop_factory=uvloop.new_event_loop
                ) as uvloop_chunks,
            ):
                self._compare(f"{measure}, {UVLOOP}", chunks | uvloop_chunks, UVLOOP, OURS, [(OURS, None)])

    def _with_orjson(self, base_url: str) -> None:
        with async_chunks({OURS: ours, AGAIN: ours, ORJSON: ours}, base_url, callers=1, calls=100) as chunks:
            chunks[ORJSON] = _with_orjson(chunks[ORJSON])
            self._compare(f"{ASYNC_ONE}, {ORJSON}", chunks, ORJSON, OURS, [(OURS, None)])


def _with_orjson(chunk: Chunk) -> Chunk:
    """Parse replies with orjson, with fewer checks than the package makes: orjson cannot gain more than this."""
    import orjson

    from elevenlabs_tokens._http import decipher

    parse: Callable[[bytes], Any] = orjson.loads

    def patched() -> float:
        with patch.object(decipher, "_parse", parse):
            return chunk()

    return patched
