"""Every test that the pages on faults and scenarios name is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "connectors" / "faults.md"
NAMED = sorted(set(re.findall(r"`((?:tests|plugins)/[\w/]+\.py)::(\w+)`", PAGE.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("path", sorted({path for path, _ in NAMED}))
def test_the_tests_that_the_page_names_exist(path: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    known = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert {name for of, name in NAMED if of == path} <= known


def test_every_scenario_has_a_test() -> None:
    rows = PAGE.read_text(encoding="utf-8").partition("# The fifteen acceptance scenarios")[2]
    numbers = [int(number) for number in re.findall(r"^\| (\d+) \|.*`(?:tests|plugins)/", rows, re.MULTILINE)]
    assert numbers == list(range(1, 16))
