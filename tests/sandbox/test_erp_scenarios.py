"""Every scenario of the ERP connectors has tests that bear its number, and the pages name tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
_ROW = re.compile(r"^\| (X\d+) .*$", re.MULTILINE)
_TEST = re.compile(r"`([\w/.]+)::(\w+)`")


def named() -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for page in ("erp_exact.md", "erp_sap.md"):
        for row in _ROW.finditer((CHECKOUT / "docs" / "connectors" / page).read_text(encoding="utf-8")):
            found.setdefault(row[1], []).extend(_TEST.findall(row[0]))
    return found


def test_every_scenario_has_a_test() -> None:
    assert named().keys() == {f"X{number}" for number in range(1, 23)}
    assert all(named().values())


def test_every_named_test_exists() -> None:
    missing = [
        f"{scenario}: {path}::{name}"
        for scenario, tests in named().items()
        for path, name in tests
        if f"def {name}(" not in (CHECKOUT / path).read_text(encoding="utf-8")
    ]
    assert missing == []
