"""Tracebacks that show no secret: the frames that held one are cleared before an error leaves the package."""

import sys
from collections.abc import Callable
from functools import wraps
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from typing import ParamSpec, TypeVar

from elevenlabs_tokens.exceptions import ElevenLabsError

P = ParamSpec("P")
T = TypeVar("T")

# Clearing the frame of a coroutine or a generator ends it. One of the caller's own may only have raised the error
# somewhere on its way, and go on afterwards: leave it alone.
_SUSPENDS = CO_COROUTINE | CO_GENERATOR | CO_ASYNC_GENERATOR
_NOT_THE_CALLERS = sys.stdlib_module_names | {"elevenlabs_tokens"}


def clears_frames_on_error(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function so that no traceback shows its arguments: one may be a secret that nothing has masked yet.

    When the function raises an error of the package, a `RecursionError` or an interrupt, every frame below it loses
    its locals. Any other error comes from the caller's own code, such as an `api_key` callable: then only the frame of
    the function itself is cleared, and the caller can still debug their own.
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
                if package in _NOT_THE_CALLERS or not frame.f_code.co_flags & _SUSPENDS:
                    try:  # noqa: SIM105  # for the same reason
                        frame.clear()
                    except RuntimeError:  # it runs on
                        pass
                step = None if is_callers else step.tb_next
            raise

    return call


def clears_frames_on_init_error(kind: type[T]) -> type[T]:
    """Decorate a class so that no traceback shows the arguments of its `__init__`."""
    setattr(kind, "__init__", clears_frames_on_error(kind.__init__))  # noqa: B010  # a type checker lets no method be assigned
    return kind
