"""The requests to the emulator, one line each on standard error."""

import json
import logging
from typing import cast

from elevenlabs_tokens.cli.program import note
from elevenlabs_tokens.emulator.journal import FIELDS, LOGGER


def show_requests(*, as_json: bool) -> None:
    """Print a line for each request from now on, for people or as JSON."""
    handler = _Notes()
    handler.setFormatter(_JsonLines() if as_json else logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        note(self.format(record))


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(
            {"time": record.created, **dict(zip(FIELDS, cast("tuple[str, ...]", record.args), strict=True))}
        )
