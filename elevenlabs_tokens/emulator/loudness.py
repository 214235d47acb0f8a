"""How long and how loud the audio is that a client sends."""

import math
import sys
from array import array
from operator import mul
from typing import Literal

from attrs import define

Codec = Literal["pcm", "ulaw"]

_FULL_SCALE = 32768
_QUIETEST_IN_DECIBELS = -96.0  # the smallest sample of 16 bits
# From quiet to loud: up to this level, in decibels of full scale, audio is called so. Speech is usually "audio".
_NAMES = ((-60.0, "silence"), (-40.0, "quiet audio"), (-10.0, "audio"), (0.0, "loud audio"))


def _decode_ulaw(code: int) -> int:
    code = ~code & 0xFF
    return ((code & 0xF) * 8 + 0x84 << (code >> 4 & 7)) - 0x84


_ULAW_SQUARES = [_decode_ulaw(code) ** 2 for code in range(256)]


@define
class Sound:
    """Audio that comes in pieces, as long and as loud as all of them; the pieces themselves are not kept.

    Attributes:
        codec: `pcm` (16 bits, little-endian) or `ulaw`; mono.
        rate: Samples per second.
        samples: How many samples came.
        energy: The sum of their squares.
    """

    codec: Codec
    rate: int
    samples: int = 0
    energy: int = 0

    def add(self, audio: bytes) -> None:
        """Add a piece; half a sample at its end is dropped."""
        if self.codec == "ulaw":
            self.samples += len(audio)
            self.energy += sum(map(_ULAW_SQUARES.__getitem__, audio))
            return
        values = array("h", audio[: len(audio) // 2 * 2])
        if sys.byteorder == "big":
            values.byteswap()
        self.samples += len(values)
        self.energy += sum(map(mul, values, values))

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.samples / self.rate

    @property
    def decibels(self) -> float:
        """Its loudness (root mean square) in decibels: 0 is full scale, -96 the quietest."""
        if not self.energy:
            return _QUIETEST_IN_DECIBELS
        return 10 * math.log10(self.energy / self.samples / _FULL_SCALE**2)

    def transcript(self) -> str:
        """Give its transcript: the same audio always has the same one."""
        name = next(name for level, name in _NAMES if self.decibels <= level)
        return f"emulated transcript of {self.seconds:.1f} s of {name}"
