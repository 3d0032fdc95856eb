"""A creditor's general terms are stated once, with the time for which they hold."""

from __future__ import annotations

from alembic import op

from collecthub.store.network_tables import general_terms

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first revision makes tables as the code has them today: a fresh database has it already."""
    general_terms.create(op.get_bind(), checkfirst=True)
