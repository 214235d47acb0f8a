"""Audio in the API's output formats: a tone in PCM and G.711, silence in MP3, whose codec is too large to have here."""

import math
import struct
from collections.abc import Iterable
from functools import cache

_TONE_IN_HERTZ = 440  # a second holds whole periods, so one second can follow another without a click
_AMPLITUDE = 8000  # a quarter of full scale

# MP3 frame headers hold the bitrate as an index. Sample rates from 32 kHz up are MPEG-1, those of half are MPEG-2.
_MPEG1_BITRATES = {32: 1, 64: 5, 96: 7, 128: 9, 192: 11}
_MPEG2_BITRATES = {32: 4, 48: 6}
_MP3_RATE_INDEXES = {44100: 0, 22050: 0, 24000: 1}

OUTPUT_FORMATS = (
    "mp3_22050_32",
    "mp3_24000_48",
    *(f"mp3_44100_{kilobits}" for kilobits in _MPEG1_BITRATES),
    *(f"pcm_{rate}" for rate in (8000, 16000, 22050, 24000, 32000, 44100, 48000)),
    "ulaw_8000",
    "alaw_8000",
)
REFUSED_FORMATS = tuple(f"opus_48000_{kilobits}" for kilobits in (32, 64, 96, 128, 192))
"""Formats of the API that the emulator does not make."""


def synthesise(output_format: str, *, duration_in_seconds: float) -> bytes:
    """Make audio; the same arguments always give the same bytes.

    Args:
        output_format: One of `OUTPUT_FORMATS`: 16-bit little-endian PCM, G.711 or MP3; all mono.
        duration_in_seconds: The length; MP3 is rounded up to whole frames.
    """
    codec, rate, *bitrate = output_format.split("_")
    if codec == "mp3":
        return _silent_mp3(int(rate), int(bitrate[0]), duration_in_seconds)
    second = _second_of_tone(codec, int(rate))
    samples = round(duration_in_seconds * int(rate))
    size = samples * (len(second) // int(rate))
    return (second * (size // len(second) + 1))[:size]


@cache
def _second_of_tone(codec: str, rate: int) -> bytes:
    samples = [round(_AMPLITUDE * math.sin(2 * math.pi * _TONE_IN_HERTZ * index / rate)) for index in range(rate)]
    if codec == "pcm":
        return struct.pack(f"<{rate}h", *samples)
    return _ulaw(samples) if codec == "ulaw" else _alaw(samples)


def _ulaw(samples: Iterable[int]) -> bytes:
    """Encode 16-bit samples in G.711 mu-law: a sign bit, 3 bits of exponent, 4 of mantissa, all inverted."""

    def encode(sample: int) -> int:
        magnitude = abs(sample) + 0x84
        exponent = magnitude.bit_length() - 8
        mantissa = magnitude >> (exponent + 3) & 0xF
        return ~((0x80 if sample < 0 else 0) | exponent << 4 | mantissa) & 0xFF

    return bytes(map(encode, samples))


def _alaw(samples: Iterable[int]) -> bytes:
    """Encode 16-bit samples in G.711 A-law: a sign bit, 3 bits of exponent, 4 of mantissa; every other bit inverted."""

    def encode(sample: int) -> int:
        magnitude = sample if sample >= 0 else ~sample
        exponent = max(magnitude.bit_length() - 8, 0)
        mantissa = magnitude >> (max(exponent, 1) + 3) & 0xF
        return ((0x80 if sample >= 0 else 0) | exponent << 4 | mantissa) ^ 0x55

    return bytes(map(encode, samples))


def _silent_mp3(rate: int, kilobits: int, duration_in_seconds: float) -> bytes:
    """Repeat an MP3 frame whose bytes after the header are all zeros, which a decoder plays as silence."""
    is_mpeg1 = rate >= 32000  # noqa: PLR2004 - the lowest rate of MPEG-1
    samples_per_frame = 1152 if is_mpeg1 else 576
    bitrate_index = (_MPEG1_BITRATES if is_mpeg1 else _MPEG2_BITRATES)[kilobits]
    # Sync word, version and layer; bitrate, sample rate and no padding; one channel.
    rates = bitrate_index << 4 | _MP3_RATE_INDEXES[rate] << 2
    header = bytes((0xFF, 0xFB if is_mpeg1 else 0xF3, rates, 0xC0))
    frame_size = samples_per_frame // 8 * kilobits * 1000 // rate
    frames = math.ceil(duration_in_seconds * rate / samples_per_frame)
    return header.ljust(frame_size, b"\0") * frames
