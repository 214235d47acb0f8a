"""Checks of the arguments that users give to the emulator.

A wrong argument is always a `ValueError` that names it, whether its type is wrong or its value.
"""

from collections.abc import Collection

_MOST_SECONDS = 1e9  # 31 years: dates stay within the calendar


def check_api_keys(api_keys: object) -> None:
    """Check that these are keys, or None. The error never shows a key, not even one that protects only a test."""
    if api_keys is None:
        return
    # A string is a collection too, of characters.
    if isinstance(api_keys, str | bytes) or not isinstance(api_keys, Collection) or not api_keys:
        raise ValueError('api_keys must be a list, tuple or set of keys, such as ["sk_1"], or None to accept any key')
    if not all(isinstance(key, str) and key for key in api_keys):
        raise ValueError("api_keys must hold non-empty strings")


def check_boolean(name: str, value: object) -> None:
    """Check that this is True or False."""
    if type(value) is not bool:
        raise ValueError(f"{name} must be True or False, not {value!r}")


def check_clock(clock: object) -> None:
    """Check that the clock is a function."""
    if not callable(clock):
        raise ValueError(f"clock must be a function that gives seconds since the epoch, not {clock!r}")  # noqa: TRY004 - see above


def check_host(host: object) -> None:
    """Check that the host is a string; only starting the emulator shows whether it can listen there."""
    if not (isinstance(host, str) and host):
        raise ValueError(f"host must be an address to listen on, such as 127.0.0.1, not {host!r}")


def check_whole_number(name: str, value: object, *, at_least: int, at_most: int | None = None) -> None:
    """Check a whole number; True and False are not numbers here."""
    if type(value) is not int or value < at_least or (at_most is not None and value > at_most):
        bounds = f", {at_least} or more" if at_most is None else f" from {at_least} to {at_most}"
        raise ValueError(f"{name} must be a whole number{bounds}, not {value!r}")


def check_seconds(name: str, value: object, *, can_be_zero: bool) -> None:
    """Check a duration in seconds."""
    is_duration = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _MOST_SECONDS
    if not is_duration or (value == 0 and not can_be_zero):
        bounds = "from 0 to" if can_be_zero else "over 0 and up to"
        raise ValueError(f"{name} must be a number {bounds} {_MOST_SECONDS:.0f}, not {value!r}")
