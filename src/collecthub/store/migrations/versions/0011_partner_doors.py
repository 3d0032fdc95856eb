"""Subscriptions, deliveries, personal links and the score of partners."""

from __future__ import annotations

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first revision makes tables as the code has them today: a fresh database has all of this already."""
