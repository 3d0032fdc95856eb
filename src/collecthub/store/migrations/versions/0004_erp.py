"""What the ERP says beyond the open amount: the debtor's account, lines, own reminders, documents yet to come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from collecthub.store.erp_tables import invoice_lines, own_reminders, wanted_papers

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first revision makes tables as the code has them today: a fresh database has all of this already."""
    bind = op.get_bind()
    for table in (invoice_lines, own_reminders, wanted_papers):
        table.create(bind, checkfirst=True)
    seen = sa.inspect(bind)
    for name, column in (
        ("debtors", sa.Column("account", sa.Text, nullable=False, server_default="")),
        ("invoices", sa.Column("dunned_on", sa.Date)),
    ):
        if column.name not in {known["name"] for known in seen.get_columns(name)}:
            op.add_column(name, column)
