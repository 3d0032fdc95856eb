"""What a sending waits for, and when a message may leave."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from collecthub.store.columns import Moment

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NEW: dict[str, sa.Column[object]] = {
    "envelopes": sa.Column("waits_for", sa.Text, nullable=False, server_default=""),
    "messages": sa.Column("next_attempt_at", Moment, nullable=True),
}


def upgrade() -> None:
    """The first revision makes tables as the code has them today: a fresh database has all of this already."""
    seen = sa.inspect(op.get_bind())
    for table, column in _NEW.items():
        if column.name not in {known["name"] for known in seen.get_columns(table)}:
            op.add_column(table, column)
