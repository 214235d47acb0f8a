"""Measures contenders side by side, in short chunks and in random order, so that noise hits all alike."""

import gc
import random
from collections.abc import Callable, Mapping
from typing import TypeAlias

Chunk: TypeAlias = Callable[[], float]
"""Makes some calls, and returns the seconds for one."""


def interleave(chunks: Mapping[str, Chunk], rounds: int) -> dict[str, list[float]]:
    """Run a chunk of each contender in each round.

    Args:
        chunks: By contender.
        rounds: How many.

    Returns:
        The seconds of each chunk, by contender, in the order of the rounds.
    """
    order = list(chunks)
    seconds: dict[str, list[float]] = {name: [] for name in order}
    for chunk in chunks.values():  # this opens connections and fills caches
        chunk()
    gc.collect()
    gc.freeze()  # the collector need not look at what the libraries loaded
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            seconds[name].append(chunks[name]())
    return seconds
