"""Tables of who a debtor is: identities above the creditors' own numbers, registers that are watched, people's requests."""

from __future__ import annotations

import sqlalchemy as sa

from collecthub.store.columns import id_column, metadata, moment_column, text_column

identities = sa.Table(  # one debtor, however many books know him
    "identities", metadata,
    id_column("identity_id", key=True), sa.Column("number", sa.String(32), nullable=False, unique=True),
    sa.Column("ogm", sa.String(12), nullable=False, index=True),  # the digits of his one payment reference in Belgium
    sa.Column("spread", sa.String(16), nullable=False),  # how one payment is divided
    sa.Column("capacity_minor", sa.BigInteger), sa.Column("currency", sa.String(3), nullable=False, server_default=""),
    sa.Column("capacity_on", sa.Date), moment_column("created_at", nullable=False),
)

identity_members = sa.Table(  # a debtor of one connection's books, and whose identity it is
    "identity_members", metadata,
    id_column("connection_id", key=True), sa.Column("debtor_ref", sa.String(140), primary_key=True),
    id_column("creditor_id"), id_column("identity_id"),
    sa.Column("digest", sa.String(64), nullable=False),  # of the party that was compared
    text_column("evidence"), moment_column("compared_at", nullable=False),
    sa.Index("ix_identity_members_identity", "identity_id"),
)

identity_keys = sa.Table(  # hashed: by what candidates are found
    "identity_keys", metadata,
    sa.Column("key", sa.String(40), primary_key=True), id_column("connection_id", key=True),
    sa.Column("debtor_ref", sa.String(140), primary_key=True),
    sa.Index("ix_identity_keys_debtor", "connection_id", "debtor_ref"),
)

identity_twins = sa.Table(  # two debtors of the books that may be one: a person decides
    "identity_twins", metadata,
    id_column("twin_id", key=True), id_column("first_connection_id"), sa.Column("first_ref", sa.String(140), nullable=False),
    id_column("second_connection_id"), sa.Column("second_ref", sa.String(140), nullable=False),
    id_column("creditor_id", nullable=True),  # whose twin it is; empty across creditors, where only the operator sees it
    text_column("evidence"), sa.Column("state", sa.String(12), nullable=False),  # open, merged, not_same
    moment_column("found_at", nullable=False), moment_column("decided_at"), text_column("decided_by"), text_column("reason"),
    sa.Index("ix_identity_twins_state", "state", "found_at"),
    sa.Index("ix_identity_twins_first", "first_connection_id", "first_ref"),
    sa.Index("ix_identity_twins_second", "second_connection_id", "second_ref"),
)

identity_moves = sa.Table(  # who was joined to whom, by whom and why: every move can be taken back
    "identity_moves", metadata,
    id_column("move_id", key=True), id_column("connection_id"), sa.Column("debtor_ref", sa.String(140), nullable=False),
    id_column("from_identity_id"), id_column("to_identity_id"), text_column("actor"), text_column("reason"),
    moment_column("moved_at", nullable=False),
    sa.Index("ix_identity_moves_debtor", "connection_id", "debtor_ref"),
)

register_notices = sa.Table(  # what an insolvency register published
    "register_notices", metadata,
    id_column("connection_id", key=True), sa.Column("notice_ref", sa.String(140), primary_key=True),
    sa.Column("register_key", sa.String(40), nullable=False), sa.Column("name_key", sa.String(200), nullable=False),
    text_column("doc"), sa.Column("state", sa.String(12), nullable=False),  # matched, possible, nobody
    moment_column("received_at", nullable=False),
    sa.Index("ix_register_notices_register", "register_key"), sa.Index("ix_register_notices_name", "name_key"),
)

person_requests = sa.Table(  # a person asks what is held on him, or to be erased
    "person_requests", metadata,
    id_column("request_id", key=True), id_column("identity_id"), sa.Column("kind", sa.String(12), nullable=False),
    sa.Column("state", sa.String(12), nullable=False),  # open, answered, refused, done
    moment_column("asked_at", nullable=False), sa.Column("answer_by_on", sa.Date, nullable=False),
    moment_column("decided_at"), text_column("decided_by"), text_column("reason"), text_column("sha256"),
    sa.Index("ix_person_requests_identity", "identity_id"), sa.Index("ix_person_requests_state", "state", "answer_by_on"),
)

TABLES = (
    identities, identity_members, identity_keys, identity_twins, identity_moves, register_notices, person_requests,
)  # fmt: skip
