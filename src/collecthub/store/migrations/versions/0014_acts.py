"""Acts that partners elsewhere ask for here."""

from __future__ import annotations

from alembic import op

from collecthub.store.network_tables import acts

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first revision makes tables as the code has them today: a fresh database has all of this already."""
    acts.create(op.get_bind(), checkfirst=True)
