"""Helpers of debtors, absences of handlers, and what an uploaded reminder tells beyond its day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from collecthub.store.contact_tables import absences, debtor_helpers

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_NEW: tuple[tuple[str, sa.Column[object]], ...] = (
    ("own_reminders", sa.Column("channel", sa.Text, nullable=False, server_default="")),
    ("own_reminders", sa.Column("fee_minor", sa.BigInteger, nullable=True)),
    ("own_reminders", sa.Column("sha256", sa.Text, nullable=False, server_default="")),
    ("debtor_visits", sa.Column("role", sa.Text, nullable=False, server_default="")),
)


def upgrade() -> None:
    """The first revision makes tables as the code has them today: a fresh database has all of this already."""
    for table in (debtor_helpers, absences):
        table.create(op.get_bind(), checkfirst=True)
    seen = sa.inspect(op.get_bind())
    for name, column in _NEW:
        if column.name not in {known["name"] for known in seen.get_columns(name)}:
            op.add_column(name, column)
