"""One side proposes a version of the playbook, the other agrees or declines."""

from __future__ import annotations

from alembic import op

from collecthub.store.contact_tables import playbook_proposals

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first revision makes tables as the code has them today: a fresh database has it already."""
    playbook_proposals.create(op.get_bind(), checkfirst=True)
