"""The one table: what was measured, beside what, and whether it meets its target."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One row. `ratio` has no unit; `at_least` and `at_most` are its target."""

    name: str
    database: str = ""
    ours: str = ""
    beside: str = ""
    ratio: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    left_out: str = ""

    @property
    def target(self) -> str:
        """The target in words; empty when there is none."""
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return f"<= {self.at_most:g}" if self.at_most is not None else ""

    @property
    def verdict(self) -> str:
        """`met`, `short`, or nothing to say."""
        if self.ratio is None or not self.target:
            return ""
        is_met = self.ratio >= (self.at_least or 0) and self.ratio <= (self.at_most or self.ratio)
        return "met" if is_met else "short"


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def spread(values: Sequence[float]) -> str:
    """Lowest and highest, to see how far a median can be trusted; empty for one value."""
    return f" [{min(values):.2f}-{max(values):.2f}]" if len(values) > 1 else ""


def show(findings: Sequence[Finding]) -> None:
    """Print the table."""
    table = Table(title="collecthub bench", show_lines=False)
    for heading in ("what", "database", "ours", "beside", "ratio", "target", ""):
        table.add_column(heading, justify="right" if heading == "ratio" else "left")
    for row in findings:
        if row.left_out:
            table.add_row(row.name, row.database, f"left out: {row.left_out}", "", "", row.target, "")
            continue
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        table.add_row(row.name, row.database, row.ours, row.beside, ratio, row.target, row.verdict)
    Console(width=150).print(table)
