"""Subscriptions, deliveries, personal links and the score of partners."""

from __future__ import annotations

from alembic import op

from collecthub.store import partner_tables as p

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first revision makes tables as the code has them today: a fresh database has all of this already."""
    for table in (
        p.partner_links, p.partner_visits, p.partner_papers, p.partner_balances, p.partner_answers,
        p.partner_reminders, p.webhook_attempts,
    ):  # fmt: skip
        table.create(op.get_bind(), checkfirst=True)
