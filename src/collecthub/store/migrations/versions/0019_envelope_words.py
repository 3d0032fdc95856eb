"""The words of an envelope are found again after its bytes are sealed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first revision makes tables as the code has them today: a fresh database has the column already."""
    seen = sa.inspect(op.get_bind())
    if "words_sha256" not in {known["name"] for known in seen.get_columns("envelopes")}:
        op.add_column("envelopes", sa.Column("words_sha256", sa.Text, nullable=False, server_default=""))
