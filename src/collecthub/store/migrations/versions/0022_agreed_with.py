"""A version of a playbook says with whom it was agreed, and when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first revision makes tables as the code has them today: a fresh database has the columns already."""
    known = {one["name"] for one in sa.inspect(op.get_bind()).get_columns("playbook_versions")}
    if "agreed_with" not in known:
        op.add_column("playbook_versions", sa.Column("agreed_with", sa.Text, nullable=False, server_default=""))
        op.add_column("playbook_versions", sa.Column("agreed_on", sa.Date))
