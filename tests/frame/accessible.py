"""Whether a page can be used by everybody, as axe-core judges it (named in COLLECTHUB_AXE; CI installs it)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

_AXE = os.environ.get("COLLECTHUB_AXE", "")
_RUN = "async () => { const found = await axe.run(document, {resultTypes: ['violations']}); return [found.passes.length, found.violations]; }"
_SERIOUS = ("serious", "critical")


@pytest.fixture
def barriers() -> Callable[[Page], list[str]]:
    """Call it with a page for what is serious there: the rule, and where."""
    if not _AXE:
        pytest.skip("COLLECTHUB_AXE names no axe.min.js of the Node.js package axe-core")
    script = Path(_AXE).read_text(encoding="utf-8")

    def find(page: Page) -> list[str]:
        page.evaluate(f"() => {{ {script} }}")
        passed, violations = page.evaluate(_RUN)
        assert passed > 5, "the judge saw nothing"
        return [
            f"{one['id']}: {node['html'][:120]}"
            for one in violations
            if one["impact"] in _SERIOUS
            for node in one["nodes"]
        ]

    return find
