"""WebSocket text frames; each message of the API is a JSON object in one of them."""

import json
from typing import cast


def read_object(frame: str) -> dict[str, object] | None:
    """Read the JSON object in a frame; None if the frame holds anything else."""
    try:
        value = json.loads(frame)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", value) if isinstance(value, dict) else None
