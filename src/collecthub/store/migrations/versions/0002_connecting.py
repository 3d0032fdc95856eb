"""Consents under way, why a connection is stopped, what control totals said, and the money of refused rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from collecthub.store.tables import consents

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NEW: dict[str, tuple[sa.Column[object], ...]] = {
    "connections": (
        sa.Column("cause", sa.Text, nullable=False, server_default=""),
        sa.Column("revision", sa.Integer, nullable=False, server_default="0"),
    ),
    "runs": (sa.Column("control", sa.Text, nullable=False, server_default=""),),
    "quarantine": (
        sa.Column("currency", sa.String(3), nullable=False, server_default=""),
        sa.Column("open_minor", sa.BigInteger, nullable=False, server_default="0"),
    ),
}


def upgrade() -> None:
    """The first revision makes tables as the code has them today: a fresh database has all of this already."""
    bind = op.get_bind()
    consents.create(bind, checkfirst=True)
    seen = sa.inspect(bind)
    for table, columns in _NEW.items():
        known = {column["name"] for column in seen.get_columns(table)}
        for column in columns:
            if column.name not in known:
                op.add_column(table, column)
