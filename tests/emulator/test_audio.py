import struct
from collections.abc import Callable
from itertools import pairwise

import pytest

from elevenlabs_tokens.emulator.audio import OUTPUT_FORMATS, synthesise


def test_each_format_has_the_length_that_its_name_says() -> None:
    """2.5 s are as many bytes as rate, width and bitrate say; MP3 is rounded up to whole frames."""
    pcm = {f"pcm_{rate}": rate * 5 for rate in (8000, 16000, 22050, 24000, 32000, 44100, 48000)}
    mp3 = {f"mp3_44100_{rate}": 96 * size for rate, size in ((32, 104), (64, 208), (96, 313), (128, 417), (192, 626))}
    others = {"ulaw_8000": 20_000, "alaw_8000": 20_000, "mp3_22050_32": 96 * 104, "mp3_24000_48": 105 * 144}

    assert pcm | mp3 | others == {name: len(synthesise(name, duration_in_seconds=2.5)) for name in OUTPUT_FORMATS}


def test_pcm_is_a_tone_of_440_hertz() -> None:
    """It crosses zero upwards 440 times per second, without a click between two seconds."""
    samples = struct.unpack("<32000h", synthesise("pcm_16000", duration_in_seconds=2))

    assert 880 == sum(before < 0 <= after for before, after in pairwise(samples)) + 1
    assert 8000 == max(samples)
    assert max(abs(after - before) for before, after in pairwise(samples)) < 1400


def decode_ulaw(code: int) -> int:
    code = ~code & 0xFF
    magnitude = ((code & 0xF) * 8 + 0x84 << (code >> 4 & 7)) - 0x84
    return -magnitude if code & 0x80 else magnitude


def decode_alaw(code: int) -> int:
    code ^= 0x55
    exponent, mantissa = code >> 4 & 7, code & 0xF
    magnitude = mantissa * 16 + 8 if exponent == 0 else (mantissa * 16 + 0x108) << (exponent - 1)
    return magnitude if code & 0x80 else -magnitude


@pytest.mark.parametrize(("output_format", "decode"), [("ulaw_8000", decode_ulaw), ("alaw_8000", decode_alaw)])
def test_g711_decodes_to_the_tone(output_format: str, decode: Callable[[int], int]) -> None:
    """Each decoded sample differs from the plain one by 4 % at most, or by the smallest step."""
    plain = struct.unpack("<8000h", synthesise("pcm_8000", duration_in_seconds=1))
    decoded = [decode(code) for code in synthesise(output_format, duration_in_seconds=1)]

    assert all(abs(ours - theirs) <= max(16, abs(theirs) * 0.04) for ours, theirs in zip(decoded, plain, strict=True))


@pytest.mark.parametrize(
    ("output_format", "header", "frame_size"),
    [
        ("mp3_24000_48", "fff364c0", 144),
        ("mp3_44100_32", "fffb10c0", 104),
        ("mp3_44100_64", "fffb50c0", 208),
        ("mp3_44100_96", "fffb70c0", 313),
        ("mp3_44100_128", "fffb90c0", 417),
        ("mp3_44100_192", "fffbb0c0", 626),
        ("mp3_22050_32", "fff340c0", 104),
    ],
)
def test_mp3_is_whole_silent_frames(output_format: str, header: str, frame_size: int) -> None:
    """1.01 s is 39 to 43 frames of the right rates, with nothing in them."""
    audio = synthesise(output_format, duration_in_seconds=1.01)

    assert bytes.fromhex(header).ljust(frame_size, b"\0") * (43 if "24000" in output_format else 39) == audio
