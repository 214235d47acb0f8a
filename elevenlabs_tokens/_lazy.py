"""Packages whose names are loaded when they are first asked for."""

TYPE_CHECKING = False  # known to type checkers; `typing` takes milliseconds to load
if TYPE_CHECKING:
    from collections.abc import Callable


def lazy_names(
    namespace: "dict[str, object]", module_of: "dict[str, str]"
) -> "tuple[Callable[[str], object], Callable[[], list[str]]]":
    """Make the `__getattr__` and the `__dir__` of a package.

    Args:
        namespace: The package's `globals()`; each name is stored there when it is loaded.
        module_of: For each name, the module of the package that defines it.
    """
    package = str(namespace["__name__"])

    def load(name: str) -> object:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"{package}.{module_of[name]}"), name)
        namespace[name] = value
        return value

    return load, lambda: sorted({*namespace, *module_of})
