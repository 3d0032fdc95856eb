"""The whole schema: every field's tables in one metadata. A new module of tables is named here, and nowhere else."""

from __future__ import annotations

import sqlalchemy as sa

from collecthub.store import (
    columns,
    contact_tables,
    erp_tables,
    human_tables,
    mailbox_tables,
    money_tables,
    network_tables,
    notice_tables,
    partner_tables,
    remittance_tables,
    tables,
)

MODULES = (
    tables, money_tables, contact_tables, erp_tables, mailbox_tables, partner_tables, remittance_tables, network_tables,
    human_tables, notice_tables,
)  # fmt: skip
metadata: sa.MetaData = columns.metadata
