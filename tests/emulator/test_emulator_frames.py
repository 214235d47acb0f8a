import pytest

from elevenlabs_tokens.emulator.frames import read_object


def test_a_frame_holds_one_object() -> None:
    """An object is read as it is."""
    assert {"text": " "} == read_object('{"text": " "}')


@pytest.mark.parametrize("frame", ["", "{", "[]", "null", '"text"', "[" * 100_000, "9" * 5000])
def test_anything_else_is_no_object(frame: str) -> None:
    """Broken, too deep, too long, or another kind of JSON."""
    assert read_object(frame) is None
