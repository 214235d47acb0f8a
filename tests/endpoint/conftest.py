"""The order of the tests of the table."""

import pytest


def _adapter_of(item: pytest.Item) -> str:
    callspec = getattr(item, "callspec", None)
    return getattr(callspec.params.get("adapter"), "name", "") if callspec else ""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of an adapter together, so that not every process of pytest-xdist starts its server."""
    items.sort(key=_adapter_of)
