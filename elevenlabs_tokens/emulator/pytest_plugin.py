"""The fixture `elevenlabs_emulator`; known to pytest by the entry point, so it loads nothing until it is used."""

from collections.abc import Iterator

import pytest

TYPE_CHECKING = False  # known to type checkers; `typing` takes milliseconds to load
if TYPE_CHECKING:
    from elevenlabs_tokens.emulator.emulator import Emulator


@pytest.fixture
def elevenlabs_emulator() -> "Iterator[Emulator]":
    """A local ElevenLabs in a thread of its own, fresh for each test; accepts any API key."""
    from elevenlabs_tokens.emulator.emulator import Emulator

    with Emulator() as emulator:
        yield emulator
