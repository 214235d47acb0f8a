"""Text frames of a WebSocket, each of which holds one JSON object."""

import json
from typing import cast


def read_object(frame: str) -> dict[str, object] | None:
    """Read the JSON object in a frame; None if there is none."""
    try:
        value = json.loads(frame)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", value) if isinstance(value, dict) else None
