"""What must begin anew in a forked child, where the other threads, and what they held, are no more."""

import os
from typing import Protocol
from weakref import WeakSet


class ForkAware(Protocol):
    """Something that a forked child cannot use as it was."""

    def after_fork_in_child(self) -> None:
        """Begin anew. In the child, before anything else runs."""


_aware: "WeakSet[ForkAware]" = WeakSet()


def watch_for_forks(thing: ForkAware) -> None:
    """Have a thing told in every forked child, as long as it lives."""
    _aware.add(thing)


def _tell_all() -> None:
    for thing in list(_aware):
        thing.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_tell_all)
