"""The fixture of the tests of sync calls."""

from collections.abc import Iterator

import pytest

from elevenlabs_tokens import ElevenLabsClient
from frozen import KEY, FrozenTime
from scripted import ScriptedApi


@pytest.fixture
def sync_client(api: ScriptedApi, frozen_time: FrozenTime) -> Iterator[ElevenLabsClient]:
    """Give a sync client of the scripted server, with a frozen clock."""
    with ElevenLabsClient(api_key=KEY, base_url=api.base_url) as open_client:
        open_client._asynchronous._pipeline.clock = frozen_time.clock()
        yield open_client
