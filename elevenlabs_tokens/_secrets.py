"""Secrets that do not show: a masked `str`, and the removal of a secret from data that came back."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

MASK = "***"

_DEEPEST = 100
_SHORTEST = 4
"""Of what is looked for: a shorter key is a test's, and a part of every other word."""


class Secret(str):  # noqa: SLOT000  # its dict keeps what is cached
    """A `str` whose `repr` is masked, so that a traceback that shows locals does not show it.

    It formats, compares and encodes as the text that it is: the mask is for `repr` alone.
    """

    def __repr__(self) -> str:
        return repr(MASK)

    @cached_property
    def _forms(self) -> re.Pattern[str]:
        characters = (f"(?:{re.escape(c)}|%(?i:{ord(c):02x}))" if not c.isalnum() else c for c in str(self))
        return re.compile("".join(characters))

    def scrub_text(self, text: str) -> str:
        """Replace the secret, plain or percent-encoded, by `***`."""
        return self._forms.sub(MASK, text) if len(self) >= _SHORTEST else text

    def scrub(self, document: Any, depth: int = _DEEPEST) -> Any:
        """Replace the secret by `***` in every text of a JSON document, names included.

        Raises:
            RecursionError: The document is nested too deeply to walk.
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
    """Bytes on their way in, which may hold a token: masked in their `repr`."""

    def __repr__(self) -> str:
        return repr(MASK)


def masked(_: object) -> str:
    """Stand in for a value in the `repr` of an attrs class."""
    return repr(MASK)
