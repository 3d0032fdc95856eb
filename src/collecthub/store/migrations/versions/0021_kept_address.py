"""An address that a person entered stays beside the one that the ERP had then."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first revision makes tables as the code has them today: a fresh database has the column already."""
    seen = sa.inspect(op.get_bind())
    if "kept_address" not in {known["name"] for known in seen.get_columns("debtors")}:
        op.add_column("debtors", sa.Column("kept_address", sa.Text, nullable=False, server_default=""))
