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

playbook_versions = sa.Table(  # what was agreed with a creditor, every version as it was written
    "playbook_versions", metadata,
    id_column("creditor_id", key=True), sa.Column("number", sa.Integer, primary_key=True),
    text_column("content"), moment_column("agreed_at", nullable=False), text_column("agreed_by"), text_column("note"),
    sa.Column("agreed_with", sa.Text, nullable=False, server_default=""),  # who of the other side, and on which day
    sa.Column("agreed_on", sa.Date),
)

playbook_proposals = sa.Table(  # what one side proposes to the other; `side` is who proposed: operator or creditor
    "playbook_proposals", metadata,
    id_column("creditor_id", key=True), sa.Column("number", sa.Integer, primary_key=True),
    text_column("content"), text_column("note"), text_column("side"), text_column("proposed_by"),
    moment_column("proposed_at", nullable=False),
    text_column("state"),  # open, agreed, declined; replaced by a later one of the same side
    moment_column("decided_at"), text_column("decided_by"), text_column("reason"), sa.Column("version", sa.Integer),
)

debtor_links = sa.Table(  # a debtor's page: the address, and the code that opens it
    "debtor_links", metadata,
    id_column("case_id", key=True), sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("code_hash", sa.String(64), nullable=False), sa.Column("sealed", sa.LargeBinary, nullable=False),
    count_column("tries"), moment_column("tried_at"), moment_column("created_at"), moment_column("revoked_at"),
)

debtor_visits = sa.Table(  # a browser that gave the code; `role` is helper, or empty for the debtor himself
    "debtor_visits", metadata,
    sa.Column("visit_hash", sa.String(64), primary_key=True), id_column("case_id"), text_column("csrf"), text_column("role"),
    moment_column("expires_at", nullable=False), sa.Index("ix_debtor_visits_end", "expires_at"),
)

debtor_helpers = sa.Table(  # who helps a debtor: an address and a code of his own, that show less
    "debtor_helpers", metadata,
    id_column("case_id", key=True), text_column("name"),
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True), sa.Column("code_hash", sa.String(64), nullable=False),
    count_column("tries"), moment_column("tried_at"), moment_column("created_at", nullable=False), moment_column("ends_at", nullable=False),
)

absences = sa.Table(  # who is away and who looks after his cases; the tenant is empty for the operator's own people
    "absences", metadata,
    sa.Column("tenant", sa.String(64), primary_key=True), sa.Column("owner", sa.String(320), primary_key=True),
    sa.Column("covered_by", sa.String(320), nullable=False), sa.Column("until_on", sa.Date, nullable=False),
    text_column("set_by"), moment_column("set_at", nullable=False),
)
