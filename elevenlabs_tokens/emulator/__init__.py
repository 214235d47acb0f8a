"""A local ElevenLabs for tests and demos: it mints, spends, expires and refuses single-use tokens.

Nothing heavy is loaded before a name of this package is first asked for, so that a test suite which merely has the
pytest plugin installed pays next to nothing.
"""

TYPE_CHECKING = False  # known to type checkers; `typing` takes milliseconds to load
if TYPE_CHECKING:
    from elevenlabs_tokens.emulator.emulator import Emulator
    from elevenlabs_tokens.emulator.ledger import TokenRecord

__all__ = ["Emulator", "TokenRecord"]

# Hidden from type checkers: a module with a `__getattr__` has every attribute to them, misspelt ones too.
if not TYPE_CHECKING:
    _HOMES = {"Emulator": "emulator", "TokenRecord": "ledger"}

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
