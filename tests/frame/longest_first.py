"""The long proofs begin first: one that began last would keep one worker busy while the others have nothing left."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All other tests keep their order."""
    items.sort(key=lambda item: item.get_closest_marker("crash") is None)
