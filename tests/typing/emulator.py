"""Which keys the type checkers let an emulator accept: read by them, and never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from elevenlabs_tokens import emulator
from elevenlabs_tokens.emulator import Emulator


def make_emulators() -> None:
    """Give keys in each of the ways that work, and in one that does not."""
    for api_keys in (["sk_1"], ("sk_1", "sk_2"), {"sk_1"}, frozenset({"sk_1"}), None):
        Emulator(api_keys=api_keys)

    # A single key is wrong. A type checker that let it through would complain about an `ignore` that it does not need.
    Emulator(api_keys="sk_1")  # type: ignore[arg-type]  # the point
    # So is a misspelt name, though the package loads its names when they are asked for.
    emulator.Emulater()  # type: ignore[attr-defined]  # the point
