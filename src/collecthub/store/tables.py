"""All tables, for SQLite and PostgreSQL alike.

Amounts are integers in the currency's minor unit (`*_minor`): exact, summable and the same on both databases.
Documents (`doc`) are JSON written by msgspec; the columns beside them exist to search and sort by.
Moments are stored as UTC.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[dt.datetime]):
    """An aware moment; SQLite keeps it as UTC without zone and gets the zone back on reading."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("moments carry a time zone")
        return value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


def _id(name: str, **more: bool) -> sa.Column[str]:
    return sa.Column(name, sa.String(64), nullable=more.get("nullable", False), primary_key=more.get("key", False))


def _text(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def _moment(name: str, nullable: bool = True) -> sa.Column[dt.datetime]:
    return sa.Column(name, Moment, nullable=nullable)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


creditors = sa.Table(
    "creditors", metadata,
    _id("creditor_id", key=True), _text("name"), _text("party"), _text("playbook"), _moment("created_at"),
)

users = sa.Table(
    "users", metadata,
    _id("user_id", key=True), sa.Column("email", sa.String(320), nullable=False, unique=True), _text("name"),
    _text("password_hash"), _text("role"), _id("creditor_id", nullable=True), _id("partner_id", nullable=True),
    _moment("created_at"), _moment("disabled_at"),
)

sessions = sa.Table(
    "sessions", metadata,
    _id("session_hash", key=True), _id("user_id"), _text("csrf"), _moment("created_at"), _moment("expires_at"),
)

logins = sa.Table(  # failed logins, to slow down guessing without locking anyone out for good
    "logins", metadata,
    sa.Column("subject", sa.String(400), primary_key=True), _count("failures"), _moment("last_at"),
)

api_keys = sa.Table(
    "api_keys", metadata,
    _id("key_id", key=True), sa.Column("key_hash", sa.String(64), nullable=False, unique=True), _text("name"),
    _text("role"), _id("creditor_id", nullable=True), _id("partner_id", nullable=True),
    _moment("created_at"), _moment("revoked_at"),
)

partners = sa.Table(
    "partners", metadata,
    _id("partner_id", key=True), _text("name"), _text("role"), _text("profile"), _moment("created_at"),
)

connections = sa.Table(
    "connections", metadata,
    _id("connection_id", key=True), _text("kind"), _text("role"), _text("name"),
    _id("creditor_id", nullable=True), _id("partner_id", nullable=True),
    _text("settings"), _text("mode"), _text("release"), _text("checkpoint"),
    _text("status"), _text("status_detail"), _moment("status_until"),
    _text("cause"),  # what stopped it: `collecthub.store.connections`
    sa.Column("revision", sa.Integer, nullable=False, server_default="0"),  # of settings and secrets together
    _moment("created_at"), _moment("last_complete_at"), _moment("next_due_at"),
)

secrets = sa.Table(
    "secrets", metadata,
    _id("connection_id", key=True), sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False), _moment("changed_at"),
)

consents = sa.Table(  # consents that were begun; `state_hash` is spent by the first answer that brings it
    "consents", metadata,
    _id("state_hash", key=True), _id("connection_id"), _text("subject"), _id("session_hash", nullable=True),
    _text("verifier"), _moment("begun_at", nullable=False), _moment("expires_at", nullable=False),
    _moment("ended_at"), _text("outcome"), _text("problem"), sa.Index("ix_consents_connection", "connection_id"),
)

leases = sa.Table(
    "leases", metadata,
    sa.Column("name", sa.String(160), primary_key=True), _text("holder"), _moment("until_at", nullable=False),
)

debtors = sa.Table(
    "debtors", metadata,
    _id("connection_id", key=True), sa.Column("debtor_ref", sa.String(140), primary_key=True),
    _id("creditor_id"), _text("party"), _text("salt"), _moment("read_at"),
)

invoices = sa.Table(
    "invoices", metadata,
    sa.Column("connection_id", sa.String(64), primary_key=True),
    sa.Column("item_ref", sa.String(140), primary_key=True),
    _id("creditor_id"), sa.Column("debtor_ref", sa.String(140), nullable=False), _text("debtor_name"),
    _text("number"), sa.Column("kind", sa.String(12), nullable=False), sa.Column("state", sa.String(12), nullable=False),
    sa.Column("issued_on", sa.Date), sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("open_minor", sa.BigInteger, nullable=False),
    _text("settles_ref"), _text("group_ref"), _text("document_ref"),
    sa.Column("dunning_level", sa.SmallInteger, nullable=False),
    sa.Column("is_blocked", sa.SmallInteger, nullable=False),
    _text("text"),
    sa.Column("row_hash", sa.BigInteger, nullable=False),
    sa.Column("look_on", sa.Date),  # the date on which `open_case` must look at the row; null when settled
)
# One index for a debtor's rows and for walking the debtors to look at: every further one slows each pull.
sa.Index("ix_invoices_debtor", invoices.c.connection_id, invoices.c.debtor_ref, invoices.c.look_on)

runs = sa.Table(
    "runs", metadata,
    _id("run_id", key=True), _id("connection_id"), _moment("started_at"), _moment("ended_at"), _text("state"),
    _count("pages"), _count("rows"), _count("changed"), _count("refused"), _text("amounts"), _text("problem"),
    _text("control"),  # what the ERP's own totals said: `collecthub.store.runs`
    sa.Index("ix_runs_connection", "connection_id", "started_at"),
)

cases = sa.Table(
    "cases", metadata,
    _id("case_id", key=True), sa.Column("number", sa.String(32), nullable=False, unique=True),
    _id("creditor_id"), _id("connection_id"), sa.Column("debtor_ref", sa.String(140), nullable=False),
    _text("debtor_name"), _text("debtor_country"), sa.Column("currency", sa.String(3), nullable=False),
    _text("segment"), sa.Column("status", sa.String(16), nullable=False),
    sa.Column("phase", sa.String(16), nullable=False), _text("outcome"), _text("route"),
    _id("partner_id", nullable=True), _text("holder_ref"), _text("holds"), _text("owner"),
    sa.Column("principal_minor", sa.BigInteger, nullable=False),
    sa.Column("total_minor", sa.BigInteger, nullable=False),
    sa.Column("recovered_minor", sa.BigInteger, nullable=False),
    sa.Column("oldest_due_on", sa.Date), _moment("opened_at"), _moment("changed_at"),
    sa.Column("version", sa.Integer, nullable=False), _text("search"), _text("doc"),
    sa.Index("ix_cases_creditor", "creditor_id", "case_id"),
    sa.Index("ix_cases_opened", "opened_at", "case_id"),
    sa.Index("ix_cases_creditor_opened", "creditor_id", "opened_at", "case_id"),
    sa.Index("ix_cases_partner_opened", "partner_id", "opened_at", "case_id"),
    sa.Index("ix_cases_creditor_debtor", "creditor_id", "debtor_ref"),
    sa.Index("ix_cases_creditor_name", "creditor_id", "debtor_name"),
    sa.Index("ix_cases_debtor", "connection_id", "debtor_ref", "currency"),
    sa.Index("ix_cases_status", "status", "case_id"),
    sa.Index("ix_cases_total", "total_minor", "case_id"),
    sa.Index(  # the overview's sums, answered from the index alone
        "ix_cases_overview", "creditor_id", "status", "currency", "phase", "debtor_country", "oldest_due_on",
        "total_minor", "principal_minor",
    ),
    sa.Index("ix_cases_partner", "partner_id", "case_id"),
)

events = sa.Table(
    "events", metadata,
    _id("case_id", key=True), sa.Column("seq", sa.Integer, primary_key=True), _id("creditor_id"),
    _text("kind"), _moment("occurred_at", nullable=False), _moment("recorded_at", nullable=False),
    _text("actor"), _text("doc"), sa.Column("hash", sa.String(64), nullable=False),
    sa.Index("ix_events_recorded", "creditor_id", "recorded_at"),
)

ledger_lines = sa.Table(
    "ledger_lines", metadata,
    _id("case_id", key=True), sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True), _id("creditor_id"), _text("kind"), _text("bearer"),
    sa.Column("amount_minor", sa.BigInteger, nullable=False), sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("booked_on", sa.Date, nullable=False), _text("basis"), _text("claim_id"), _text("reference"),
    _text("origin"), sa.Index("ix_ledger_booked", "creditor_id", "booked_on"),
)

messages = sa.Table(  # what the hub says to a partner, one row a message
    "messages", metadata,
    _id("message_id", key=True), _id("case_id"), _id("creditor_id"), _id("partner_id"), _id("connection_id"),
    _text("kind"), sa.Column("state", sa.String(16), nullable=False), _text("doc"),
    _id("envelope_id", nullable=True), _moment("queued_at", nullable=False), _text("problem"),
    sa.Index("ix_messages_queue", "connection_id", "state", "queued_at"), sa.Index("ix_messages_case", "case_id"),
    sa.Index("ix_messages_envelope", "envelope_id"),
)

envelopes = sa.Table(
    "envelopes", metadata,
    _id("envelope_id", key=True), _id("connection_id"), _id("partner_id"), _text("name"), _text("media_type"),
    sa.Column("sha256", sa.String(64), nullable=False), _count("size"),
    sa.Column("state", sa.String(16), nullable=False), _text("intent"), _count("attempts"),
    _moment("next_attempt_at"), _moment("created_at", nullable=False), _moment("sent_at"),
    _text("receipt_ref"), _text("problem"), sa.Index("ix_envelopes_state", "connection_id", "state"),
)

attempts = sa.Table(
    "attempts", metadata,
    _id("envelope_id", key=True), sa.Column("attempt", sa.Integer, primary_key=True),
    _moment("started_at", nullable=False), _text("intent"), _moment("ended_at"), _text("outcome"), _text("detail"),
)

inbox = sa.Table(  # what came in, untouched, one row a file or call
    "inbox", metadata,
    _id("inbox_id", key=True), _id("connection_id"), sa.Column("remote_ref", sa.String(400), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False), _text("media_type"), _text("headers"), _count("size"),
    sa.Column("state", sa.String(16), nullable=False), _text("problem"), _moment("received_at", nullable=False),
    _moment("recorded_at"), _moment("answered_at"), sa.UniqueConstraint("connection_id", "remote_ref", "sha256"),
    sa.Index("ix_inbox_answered", "answered_at", "connection_id"),
)

seen = sa.Table(  # message ids that had their effect; a repeat has none
    "seen", metadata,
    _id("connection_id", key=True), sa.Column("message_id", sa.String(140), primary_key=True),
    _id("inbox_id"), _moment("recorded_at", nullable=False),
)

quarantine = sa.Table(
    "quarantine", metadata,
    _id("quarantine_id", key=True), _id("creditor_id", nullable=True), _id("connection_id"),
    _text("source"), _text("reference"), _text("code"), _text("reason"),
    sa.Column("sha256", sa.String(64), nullable=False), _id("case_id", nullable=True),
    sa.Column("state", sa.String(12), nullable=False), _moment("created_at", nullable=False),
    _moment("resolved_at"), _text("resolution"),
    sa.Column("currency", sa.String(3), nullable=False, server_default=""),  # of a refused row, while it is refused
    sa.Column("open_minor", sa.BigInteger, nullable=False, server_default="0"),
    sa.UniqueConstraint("connection_id", "reference", "sha256", "code"),
)

reports = sa.Table(  # case events that wait to be told to the creditor's side
    "reports", metadata,
    _id("report_id", key=True), _id("connection_id"), _id("creditor_id"), _id("case_id"),
    sa.Column("seq", sa.Integer, nullable=False), _text("kind"), sa.Column("state", sa.String(12), nullable=False),
    _count("attempts"), _moment("next_attempt_at"), _moment("queued_at", nullable=False), _moment("done_at"),
    _text("receipt_ref"), _text("problem"), sa.Index("ix_reports_queue", "connection_id", "state", "queued_at"),
)

tasks = sa.Table(
    "tasks", metadata,
    _id("task_id", key=True), _id("creditor_id", nullable=True), _id("case_id", nullable=True),
    _id("connection_id", nullable=True), _text("kind"), _text("title"), _text("detail"), _text("owner"),
    _moment("due_at"), sa.Column("state", sa.String(12), nullable=False), _moment("created_at", nullable=False),
    _moment("done_at"), _text("done_by"), sa.Index("ix_tasks_state", "state", "due_at"),
)

timers = sa.Table(
    "timers", metadata,
    _id("case_id", key=True), sa.Column("kind", sa.String(40), primary_key=True), _id("creditor_id"),
    _text("owner"), _moment("due_at", nullable=False), sa.Index("ix_timers_due", "due_at"),
)

documents = sa.Table(
    "documents", metadata,
    _id("document_id", key=True), _id("case_id"), _id("creditor_id"), _text("name"), _text("kind"),
    _text("media_type"), sa.Column("sha256", sa.String(64), nullable=False), _count("size"),
    _text("added_by"), _moment("created_at", nullable=False), sa.Index("ix_documents_case", "case_id"),
)

mappings = sa.Table(
    "mappings", metadata,
    _id("mapping_id", key=True), _id("creditor_id"), _text("name"), _text("doc"), _moment("created_at"),
)

idempotency = sa.Table(
    "idempotency", metadata,
    sa.Column("subject", sa.String(140), primary_key=True), sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False), sa.Column("status", sa.Integer, nullable=False),
    _text("headers"), sa.Column("body", sa.LargeBinary, nullable=False), _moment("created_at", nullable=False),
)

peer_outbox = sa.Table(  # what this hub, as the holder of somebody else's case, says back to that hub
    "peer_outbox", metadata,
    sa.Column("position", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    _id("partner_id"), _id("exchange_id"), _text("doc"), _moment("created_at", nullable=False),
    sa.Index("ix_peer_outbox_partner", "partner_id", "position"),
)

audit = sa.Table(
    "audit", metadata,
    sa.Column("position", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    _moment("at", nullable=False), _text("actor"), _text("action"), _text("subject"), _text("detail"),
    sa.Column("previous_hash", sa.String(64), nullable=False), sa.Column("hash", sa.String(64), nullable=False),
)

wakes = sa.Table(  # jobs that wait in line; a job takes its row away when it starts, so that each waits once
    "wakes", metadata,
    sa.Column("job", sa.String(40), primary_key=True), sa.Column("target", sa.String(140), primary_key=True),
)

workers = sa.Table(
    "workers", metadata,
    _id("executor_id", key=True), _text("host"), _count("pid"), _moment("beat_at", nullable=False),
)

facts = sa.Table(  # single values about this hub: its id, the fence after a restore, the case counter
    "facts", metadata,
    sa.Column("name", sa.String(80), primary_key=True), _text("value"),
)

# --- money coming in ------------------------------------------------------------------------------

bank_accounts = sa.Table(  # whose account it is; without a creditor it is the operator's client account
    "bank_accounts", metadata,
    _id("account_id", key=True), sa.Column("number", sa.String(40), nullable=False, index=True),
    _id("creditor_id", nullable=True), _moment("created_at", nullable=False),
)

bank_files = sa.Table(
    "bank_files", metadata,
    _id("file_id", key=True), _id("creditor_id", nullable=True), sa.Column("sha256", sa.String(64), nullable=False),
    _text("name"), sa.Column("state", sa.String(12), nullable=False), _text("kinds"), _count("statements"),
    _count("transactions"), _count("fresh"), _text("problem"), _text("imported_by"),
    _moment("imported_at", nullable=False), sa.Index("ix_bank_files_at", "imported_at", "file_id"),
)

bank_statements = sa.Table(
    "bank_statements", metadata,
    _id("statement_id", key=True), _id("file_id"), _id("account_id"), _id("creditor_id", nullable=True),
    _text("kind"), _text("statement_ref"), _text("sequence"), _text("currency"),
    sa.Column("opening_minor", sa.BigInteger), sa.Column("closing_minor", sa.BigInteger),
    sa.Column("opened_on", sa.Date), sa.Column("closed_on", sa.Date), _count("transactions"), _text("finding"),
    sa.Index("ix_bank_statements_file", "file_id"),
    sa.Index("ix_bank_statements_account", "account_id", "closed_on"),
)

payments = sa.Table(  # one row a movement on an account, however many files show it
    "payments", metadata,
    _id("payment_id", key=True), _id("file_id"), _id("account_id"), _id("creditor_id", nullable=True),
    sa.Column("kind", sa.String(12), nullable=False), sa.Column("state", sa.String(12), nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),  # below zero: money that went out
    sa.Column("currency", sa.String(3), nullable=False), sa.Column("booked_on", sa.Date, nullable=False),
    sa.Column("entry_ref", sa.String(80), nullable=False, server_default=""), _id("case_id", nullable=True),
    _count("score"), _text("doc"), _text("proposal"), _text("note"), _text("decided_by"), _moment("decided_at"),
    sa.Index("ix_payments_money", "account_id", "amount_minor", "booked_on"),
    sa.Index("ix_payments_entry", "account_id", "entry_ref"),
    sa.Index("ix_payments_state", "state", "payment_id"),
    sa.Index("ix_payments_creditor", "creditor_id", "state", "payment_id"),
)

payment_sightings = sa.Table(  # other files that show the same movement
    "payment_sightings", metadata,
    _id("payment_id", key=True), _id("file_id", key=True), sa.Column("kind", sa.String(12), nullable=False),
    _text("place"),
)

payment_bookings = sa.Table(  # which event of which case a payment became, or was known by before
    "payment_bookings", metadata,
    _id("payment_id", key=True), _id("case_id", key=True), sa.Column("seq", sa.Integer, primary_key=True),
    _id("creditor_id"), sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("is_known", sa.Boolean, nullable=False),  # the ERP or a partner had said it: nothing was booked again
    _id("undone_by", nullable=True), _moment("booked_at", nullable=False),
    sa.Index("ix_payment_bookings_case", "case_id", "seq"),
)

case_clues = sa.Table(  # what a payment may carry: references, invoice numbers, names
    "case_clues", metadata,
    sa.Column("clue", sa.String(200), primary_key=True), _id("case_id", key=True), _id("creditor_id"),
    sa.Index("ix_case_clues_case", "case_id"),
)

clued_cases = sa.Table(  # the version of each case whose clues are in the table
    "clued_cases", metadata,
    _id("case_id", key=True), sa.Column("version", sa.Integer, nullable=False),
)
