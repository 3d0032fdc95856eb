"""Who a debtor is across creditors; watched registers; requests of persons."""

from __future__ import annotations

from alembic import op

from collecthub.store.human_tables import TABLES

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first revision makes tables as the code has them today: a fresh database has all of this already."""
    for table in TABLES:
        table.create(op.get_bind(), checkfirst=True)
