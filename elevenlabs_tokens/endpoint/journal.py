"""The one log line of a request."""

import json
import logging

from elevenlabs_tokens.endpoint.policy import Entry

logger = logging.getLogger("elevenlabs_tokens.endpoint")

_LONGEST_ID = 100


def log(entry: Entry, milliseconds: int) -> None:
    """Write the line; its fields are there for handlers that want them, too.

    A request that was answered, or refused for its own fault, is INFO; one that could not be served is an ERROR.
    """
    level = logging.ERROR if entry.status is not None and entry.status >= 500 else logging.INFO  # noqa: PLR2004  # server errors
    if not logger.isEnabledFor(level):
        return
    fields = {
        "user_id": None if entry.user_id is None else escaped(str(entry.user_id)),
        "token_type": entry.token_type,
        "outcome": entry.outcome,
        "request_id": None if entry.request_id is None else escaped(entry.request_id),
        "milliseconds": milliseconds,
    }
    reason = f": {escaped(entry.reason, longest=600)}" if entry.reason else ""
    logger.log(
        level,
        "token route: user=%s type=%s outcome=%s request_id=%s ms=%d%s",
        *(("-" if value is None else value) for value in fields.values()),
        reason,
        extra=fields,
    )


def escaped(text: str, longest: int = _LONGEST_ID) -> str:
    """Give a text as one line of ASCII, cut if it is long: nobody can forge a line of the log by their name."""
    return json.dumps(text[:longest])[1:-1].replace('\\"', '"').replace("\x7f", "\\u007f")
