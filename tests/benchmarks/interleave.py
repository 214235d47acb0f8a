"""Contenders measured side by side: short chunks, in an order drawn anew each round, so that noise meets all alike."""

import gc
import random
from collections.abc import Callable, Mapping
from typing import TypeAlias

Chunk: TypeAlias = Callable[[], float]
"""Makes some calls, and gives the seconds that one took."""


def interleave(chunks: Mapping[str, Chunk], rounds: int) -> dict[str, list[float]]:
    """Run a chunk of each contender in each round.

    Args:
        chunks: By contender.
        rounds: How many.

    Returns:
        What each chunk gave, by contender, round by round.
    """
    order = list(chunks)
    seconds: dict[str, list[float]] = {name: [] for name in order}
    for chunk in chunks.values():  # connections open, caches fill
        chunk()
    gc.collect()
    gc.freeze()  # what the libraries brought along is no contender's garbage
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            seconds[name].append(chunks[name]())
    return seconds
