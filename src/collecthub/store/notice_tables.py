"""Tables of notices before the due day: no case exists yet, so they stand by books and debtor."""

from __future__ import annotations

import sqlalchemy as sa

from collecthub.store.columns import count_column, id_column, metadata, moment_column, text_column

due_notices = sa.Table(  # one row per message; `policy` is the agreed policy as JSON, as it was when the row was made
    "due_notices", metadata,
    id_column("notice_id", key=True), id_column("books_id"), id_column("creditor_id"),
    sa.Column("debtor_ref", sa.String(140), nullable=False), sa.Column("currency", sa.String(3), nullable=False),
    text_column("policy"), text_column("step"), text_column("channel"), text_column("tone"),
    sa.Column("connection_id", sa.String(64), nullable=False, server_default=""),  # of the channel
    text_column("state"),  # queued, attempting, in_doubt, sent, withdrawn, failed, returned, answered
    text_column("intent"), count_column("attempts"), moment_column("queued_at"), moment_column("next_attempt_at"),
    moment_column("sent_at"), text_column("sha256"), text_column("receipt_ref"), text_column("problem"),
    sa.Index("ix_due_notices_line", "connection_id", "state", "queued_at"),
)

noticed_items = sa.Table(  # which invoice was told by which step: the key makes it once
    "noticed_items", metadata,
    id_column("books_id", key=True), sa.Column("item_ref", sa.String(140), primary_key=True),
    sa.Column("step", sa.String(140), primary_key=True), id_column("notice_id"),
    sa.Index("ix_noticed_items_notice", "notice_id"),
)
