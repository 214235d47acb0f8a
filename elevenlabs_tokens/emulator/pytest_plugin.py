"""The pytest fixtures. pytest imports this module in every suite, so it loads next to nothing."""

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


@pytest.fixture(scope="session")
def elevenlabs_session_emulator() -> "Iterator[Emulator]":
    """A local ElevenLabs in a thread of its own, one for the whole run; call its `reset()` between tests."""
    from elevenlabs_tokens.emulator import Emulator

    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def elevenlabs_environment(elevenlabs_emulator: "Emulator", monkeypatch: pytest.MonkeyPatch) -> "Emulator":
    """The emulator of this test, with `ELEVENLABS_BASE_URL` and `ELEVENLABS_API_KEY` pointing at it."""
    monkeypatch.setenv("ELEVENLABS_BASE_URL", elevenlabs_emulator.base_url)
    monkeypatch.setenv("ELEVENLABS_API_KEY", "sk_emulator")
    return elevenlabs_emulator
