import traceback

import pytest

from elevenlabs_tokens._tracebacks import clears_frames_on_error
from elevenlabs_tokens.exceptions import ElevenLabsConfigError


async def coroutine_of_a_caller() -> None:
    name = "kept"
    raise ElevenLabsConfigError(name)


@clears_frames_on_error
def run(key: str) -> None:
    """Run a caller's coroutine while a key is among the arguments."""
    assert key
    coroutine_of_a_caller().send(None)


def test_a_coroutine_of_the_caller_keeps_its_locals() -> None:
    """It may still be running; the package's own frames lose theirs."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        run("sk_hunter2")

    frames = {frame.f_code.co_name: frame.f_locals for frame, _ in traceback.walk_tb(caught.tb)}
    assert {"name": "kept"} == frames["coroutine_of_a_caller"]
    assert {} == frames["run"]
