"""Tables of contact with debtors."""

from __future__ import annotations

import sqlalchemy as sa

from collecthub.store.columns import count_column, id_column, metadata, moment_column, text_column

contacts = sa.Table(  # one row per step of a case: what is to be said, what became of it
    "contacts", metadata,
    id_column("contact_id", key=True), id_column("case_id"), id_column("creditor_id"), text_column("channel"), text_column("step"),
    text_column("tone"),
    sa.Column("connection_id", sa.String(64), nullable=False, server_default=""),  # empty while there is none for its channel
    text_column("state"),  # queued, attempting, in_doubt, sent, withdrawn, failed, with_person
    text_column("intent"),  # the last note of an attempt that may have reached the outside
    count_column("attempts"), moment_column("queued_at"), moment_column("next_attempt_at"), moment_column("sent_at"),
    text_column("sha256"), text_column("receipt_ref"), text_column("problem"),
    sa.Index("ix_contacts_line", "connection_id", "state", "queued_at"), sa.Index("ix_contacts_case", "case_id"),
)
