"""Secrets that do not show: a masked `str`, and the removal of a secret from data that came back."""

import re
import sys
from collections.abc import Callable, Mapping
from functools import cached_property, wraps
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from typing import Any, ParamSpec, TypeVar

from elevenlabs_tokens.exceptions import ElevenLabsError

P = ParamSpec("P")
T = TypeVar("T")

MASK = "***"

# A frame of the caller's own that goes on, having only told of the error, would end if it were cleared.
_MAY_GO_ON = CO_COROUTINE | CO_GENERATOR | CO_ASYNC_GENERATOR
_NOT_THE_CALLERS = sys.stdlib_module_names | {"elevenlabs_tokens"}

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


def forgetful(function: Callable[P, T]) -> Callable[P, T]:
    """Have no traceback show what a function was given: it may be a secret that nothing has wrapped yet.

    What the package raises, a RecursionError and an interrupt are cleared of all locals on their way here. Other
    errors, such as those of the caller's own callables, keep theirs, but for the function's own.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            del args, kwargs
            is_callers = isinstance(error, Exception) and not isinstance(error, ElevenLabsError | RecursionError)
            step = error.__traceback__ and error.__traceback__.tb_next
            while step is not None:  # in this frame, for a RecursionError leaves no room for another
                frame = step.tb_frame
                package = frame.f_globals.get("__name__", "").partition(".")[0]
                if package in _NOT_THE_CALLERS or not frame.f_code.co_flags & _MAY_GO_ON:
                    try:  # noqa: SIM105  # for the same reason
                        frame.clear()
                    except RuntimeError:  # it runs on
                        pass
                step = None if is_callers else step.tb_next
            raise

    return call


def made_forgetfully(kind: type[T]) -> type[T]:
    """Have no traceback show what an object is made of."""
    setattr(kind, "__init__", forgetful(kind.__init__))  # noqa: B010  # a type checker lets no method be assigned
    return kind
