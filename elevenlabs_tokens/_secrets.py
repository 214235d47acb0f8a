"""Keeps secrets out of sight: text with a masked `repr`, and the removal of a key from what the API sent back."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

MASK = "***"

_MOST_LEVELS = 100
_SHORTEST_KEY = 4
"""Shorter keys are not looked for. They are used only in tests, and would be found in the middle of common words."""


class Secret(str):  # noqa: SLOT000  # the cached pattern is kept in its `__dict__`
    """A `str` whose `repr` is masked, so that tracebacks that show local variables do not show it.

    Only the `repr` is masked. In all else, such as formatting, comparing and encoding, it is the text itself.
    """

    def __repr__(self) -> str:
        return repr(MASK)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        characters = (f"(?:{re.escape(c)}|%(?i:{ord(c):02x}))" if not c.isalnum() else c for c in str(self))
        return re.compile("".join(characters))

    def is_in(self, text: str) -> bool:
        """Tell whether the secret is in a text, plain or percent-encoded."""
        return len(self) >= _SHORTEST_KEY and self._pattern.search(text) is not None

    def scrub_text(self, text: str) -> str:
        """Replace the secret, plain or percent-encoded, by `***`."""
        return self._pattern.sub(MASK, text) if len(self) >= _SHORTEST_KEY else text

    def scrub(self, document: Any, depth: int = _MOST_LEVELS) -> Any:
        """Replace the secret by `***` in every text of a JSON document, also in the names of objects.

        Raises:
            RecursionError: The document has more than `depth` levels.
        """
        if not depth:
            raise RecursionError
        if isinstance(document, str):
            return self.scrub_text(document)
        if isinstance(document, list):
            return [self.scrub(item, depth - 1) for item in document]
        if isinstance(document, Mapping):
            return {self.scrub_text(name): self.scrub(item, depth - 1) for name, item in document.items()}
        return document


class SecretBytes(bytearray):
    """Bytes that are being received and may contain a token. Their `repr` is masked."""

    def __repr__(self) -> str:
        return repr(MASK)


def masked(_: object) -> str:
    """Give the text that stands for a secret field in the `repr` of an attrs class."""
    return repr(MASK)
