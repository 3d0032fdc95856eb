"""What comparisons of the books said, and which limitation alarms were given."""

from __future__ import annotations

from alembic import op

from collecthub.store import money_tables as m

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first revision makes tables as the code has them today: a fresh database has all of this already."""
    for table in (m.reconciliations, m.limitation_watch):
        table.create(op.get_bind(), checkfirst=True)
