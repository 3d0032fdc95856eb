"""Money out: contracts, fees, remittances, receipts, client money."""

from __future__ import annotations

from alembic import op

from collecthub.store.remittance_tables import TABLES

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first revision makes tables as the code has them today: a fresh database has all of this already."""
    for table in TABLES:
        table.create(op.get_bind(), checkfirst=True)
