"""The collector of circles walks as seldom as in the product, and never through what was there when the tests began.

A test process holds the modules of the whole product; walking through them was a seventh of its time.
"""

from __future__ import annotations

from collecthub.engine.memory import spare_what_is_there, walk_seldom

walk_seldom()


def pytest_collection_finish() -> None:
    """Everything is imported, and no test has made anything yet."""
    spare_what_is_there()
