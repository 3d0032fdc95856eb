"""Notices before the due day."""

from __future__ import annotations

from alembic import op

from collecthub.store.notice_tables import due_notices, noticed_items

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first revision makes tables as the code has them today: a fresh database has all of this already."""
    for table in (due_notices, noticed_items):
        table.create(op.get_bind(), checkfirst=True)
