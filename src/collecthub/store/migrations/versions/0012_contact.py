"""Playbooks, messages to debtors and the debtor's page."""

from __future__ import annotations

from alembic import op

from collecthub.store.contact_tables import contacts, debtor_links, debtor_visits

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first revision makes tables as the code has them today: a fresh database has all of this already."""
    for table in (contacts, debtor_links, debtor_visits):
        table.create(op.get_bind(), checkfirst=True)
