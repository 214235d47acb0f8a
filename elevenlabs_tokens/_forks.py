"""What a forked child must reset: the parent's other threads are gone in it, but the locks that they held are not."""

import os
from typing import Protocol
from weakref import WeakSet


class ForkAware(Protocol):
    """An object whose state is wrong in a forked child."""

    def after_fork_in_child(self) -> None:
        """Make the state right again. Called in the child, before any other code runs."""


_aware: "WeakSet[ForkAware]" = WeakSet()


def reset_after_fork(thing: ForkAware) -> None:
    """Call the object's `after_fork_in_child` in every forked child, for as long as the object lives."""
    _aware.add(thing)


def _reset_all() -> None:
    for thing in list(_aware):
        thing.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)
