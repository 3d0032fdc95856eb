"""Money coming in: bank files, their statements and payments, and the clues by which payments find their case."""

from __future__ import annotations

from alembic import op

from collecthub.store import tables as t

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first revision makes tables as the code has them today: a fresh database has all of this already."""
    for table in (
        t.bank_accounts, t.bank_files, t.bank_statements, t.payments, t.payment_sightings, t.payment_bookings,
        t.case_clues, t.clued_cases,
    ):  # fmt: skip
        table.create(op.get_bind(), checkfirst=True)
