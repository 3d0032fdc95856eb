"""Every version of what was agreed with a creditor."""

from __future__ import annotations

from alembic import op

from collecthub.store.contact_tables import playbook_versions

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first revision makes tables as the code has them today: a fresh database has all of this already."""
    playbook_versions.create(op.get_bind(), checkfirst=True)
