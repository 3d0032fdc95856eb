"""Every test that the pages on promises, faults and scenarios name is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "connectors" / "faults.md"
PROMISES = PAGE.with_name("delivery.md")
TEST = re.compile(r"`((?:tests|plugins)/[\w/]+\.py)::(\w+)`")
NAMED = sorted({found for page in (PAGE, PROMISES) for found in TEST.findall(page.read_text(encoding="utf-8"))})


@pytest.mark.parametrize("path", sorted({path for path, _ in NAMED}))
def test_the_tests_that_the_page_names_exist(path: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    known = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert {name for of, name in NAMED if of == path} <= known


def test_every_kind_of_partner_has_tests_of_its_promise() -> None:
    rows = [row for row in PROMISES.read_text(encoding="utf-8").splitlines() if row.startswith("| ")][1:]
    assert [row for row in rows if not TEST.search(row)] == []
    assert {"sftp_batch", "soap_exchange", "hmcts_sdt"} <= set(re.findall(r"^\| `(\w+)` \|", "\n".join(rows), re.MULTILINE))


def test_every_scenario_has_a_test() -> None:
    rows = PAGE.read_text(encoding="utf-8").partition("# The fifteen acceptance scenarios")[2]
    numbers = [int(number) for number in re.findall(r"^\| (\d+) \|.*`(?:tests|plugins)/", rows, re.MULTILINE)]
    assert numbers == list(range(1, 16))
