"""The exchange with partners: what they took out of the mailboxes at the hub."""

from __future__ import annotations

from alembic import op

from collecthub.store.mailbox_tables import mailbox_taken

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first revision makes tables as the code has them today: a fresh database has all of this already."""
    mailbox_taken.create(op.get_bind(), checkfirst=True)
