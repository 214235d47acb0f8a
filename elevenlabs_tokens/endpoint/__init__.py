"""A token route for one's own web app, safe without being asked: `TokenEndpoint`.

Its names are loaded when they are first asked for.
"""

TYPE_CHECKING = False  # known to type checkers; `typing` takes milliseconds to load
if TYPE_CHECKING:
    from elevenlabs_tokens.endpoint.endpoint import TokenEndpoint
    from elevenlabs_tokens.endpoint.request import EndpointRequest

__all__ = ["EndpointRequest", "TokenEndpoint"]

# Hidden from type checkers: to them, a module with a `__getattr__` has every attribute, misspelt ones too.
if not TYPE_CHECKING:
    from elevenlabs_tokens._lazy import lazy_names

    __getattr__, __dir__ = lazy_names(globals(), {"EndpointRequest": "request", "TokenEndpoint": "endpoint"})
