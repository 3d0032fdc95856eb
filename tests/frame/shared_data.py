"""Third-party files that may not be copied into this repository: real portfolios, vendors' schemas, rate tables."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder `data` of `$COLLECTHUB_SHARED`, or of a folder `shared` that lies beside the checkout."""
    shared = os.environ.get("COLLECTHUB_SHARED")
    folder = (Path(shared) if shared else _CHECKOUT.parent / "shared") / "data"
    if not folder.is_dir():
        pytest.skip("shared data not present: put it beside the checkout or name it in COLLECTHUB_SHARED")
    return folder
