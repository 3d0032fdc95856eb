"""Clocks and owners of every rung of a dispatch."""

from __future__ import annotations

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first revision makes tables as the code has them today: a fresh database has all of this already."""
