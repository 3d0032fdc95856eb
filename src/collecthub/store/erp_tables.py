"""Tables of what an ERP says beyond the open amount: what was sold, its own reminders, documents yet to come."""

from __future__ import annotations

import sqlalchemy as sa

from collecthub.store.columns import count_column, id_column, metadata, moment_column, text_column

invoice_lines = sa.Table(  # what was sold, of the invoices that entered a case; `lines` is JSON
    "invoice_lines", metadata,
    id_column("connection_id", key=True), sa.Column("item_ref", sa.String(140), primary_key=True),
    id_column("creditor_id"), text_column("lines"), moment_column("read_at", nullable=False),
)

own_reminders = sa.Table(  # reminders of the creditor's own that a later one took the place of: rows are only added
    "own_reminders", metadata,
    id_column("connection_id", key=True), sa.Column("item_ref", sa.String(140), primary_key=True),
    sa.Column("dunned_on", sa.Date, primary_key=True), sa.Column("level", sa.SmallInteger, primary_key=True),
    id_column("creditor_id"),
    text_column("channel"), sa.Column("fee_minor", sa.BigInteger),  # known of an uploaded one only
    text_column("sha256"),  # of the file that told it
)

wanted_papers = sa.Table(  # invoices of a case whose document the ERP did not have, and when it is asked again
    "wanted_papers", metadata,
    id_column("connection_id", key=True), sa.Column("item_ref", sa.String(140), primary_key=True),
    id_column("creditor_id"), id_column("case_id"), count_column("tries"), moment_column("next_attempt_at", nullable=False),
    sa.Index("ix_wanted_papers_due", "next_attempt_at", "connection_id"),
)
