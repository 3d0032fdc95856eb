"""What partners took out of the mailboxes that the hub keeps for them."""

from __future__ import annotations

import sqlalchemy as sa

from collecthub.store.columns import id_column, metadata, moment_column

mailbox_taken = sa.Table(  # one row a file that the partner removed from `in`, or moved to `in/done`
    "mailbox_taken", metadata,
    id_column("connection_id", key=True), id_column("envelope_id", key=True), moment_column("taken_at", nullable=False),
)
