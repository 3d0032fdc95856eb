"""The first schema, taken from the tables as they are before the first release."""

from __future__ import annotations

from alembic import op

from collecthub.store.schema import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table. The revisions after the first release spell their changes out."""
    metadata.create_all(op.get_bind())
