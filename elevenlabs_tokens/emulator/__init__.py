"""A local ElevenLabs for tests and demos: it mints single-use tokens, opens its sockets with them, and refuses them.

Its names are loaded when they are first asked for: pytest imports this package in every test suite, for its plugin, and
a suite that does not use the plugin must not pay for aiohttp.
"""

TYPE_CHECKING = False  # known to type checkers; `typing` takes milliseconds to load
if TYPE_CHECKING:
    from elevenlabs_tokens.emulator.emulator import Emulator
    from elevenlabs_tokens.emulator.ledger import TokenRecord
    from elevenlabs_tokens.emulator.requests import MintRequest

__all__ = ["Emulator", "MintRequest", "TokenRecord"]

# Hidden from type checkers: to them, a module with a `__getattr__` has every attribute, misspelt ones too.
if not TYPE_CHECKING:
    from elevenlabs_tokens._lazy import lazy_names

    __getattr__, __dir__ = lazy_names(
        globals(), {"Emulator": "emulator", "MintRequest": "requests", "TokenRecord": "ledger"}
    )
