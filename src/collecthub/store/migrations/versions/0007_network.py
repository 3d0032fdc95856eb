"""Feasibility checks on the case row; mandates."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from collecthub.store import network_tables as n
from collecthub.store.tables import cases

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first revision makes tables as the code has them today: a fresh database has all of this already."""
    bind = op.get_bind()
    n.mandates.create(bind, checkfirst=True)
    seen = sa.inspect(bind)
    if "checked" not in {column["name"] for column in seen.get_columns("cases")}:
        op.add_column("cases", sa.Column("checked", sa.String(24), nullable=False, server_default=""))
    if "ix_cases_checked" not in {index["name"] for index in seen.get_indexes("cases")}:
        next(index for index in cases.indexes if index.name == "ix_cases_checked").create(bind)
