"""The pytest fixture `elevenlabs_emulator`. pytest imports this module in every suite, so it loads next to nothing."""

from collections.abc import Iterator

import pytest

TYPE_CHECKING = False  # known to type checkers; `typing` takes milliseconds to load
if TYPE_CHECKING:
    from elevenlabs_tokens.emulator import Emulator


@pytest.fixture
def elevenlabs_emulator() -> "Iterator[Emulator]":
    """A local ElevenLabs in a thread of its own, new for each test; it accepts any API key."""
    from elevenlabs_tokens.emulator import Emulator

    with Emulator() as emulator:
        yield emulator
