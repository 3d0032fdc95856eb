"""Tables of money's upkeep: what each comparison of the books said, and which limitation alarms were given."""

from __future__ import annotations

import sqlalchemy as sa

from collecthub.store.columns import count_column, id_column, metadata, moment_column, text_column

reconciliations = sa.Table(
    "reconciliations", metadata,
    id_column("reconciliation_id", key=True), moment_column("compared_at", nullable=False), text_column("asked_by"),
    count_column("debtors"), count_column("cases"), count_column("differences"), text_column("doc"),
    sa.Index("ix_reconciliations_compared", "compared_at"),
)  # fmt: skip

limitation_watch = sa.Table(  # the cases that were looked at, and on which day the next alarm of each is due
    "limitation_watch", metadata,
    id_column("case_id", key=True), sa.Column("version", sa.Integer, nullable=False), sa.Column("next_on", sa.Date),
    sa.Column("limitation_on", sa.Date), sa.Index("ix_limitation_watch_next", "next_on"),
)  # fmt: skip
