"""The tables of the hub itself, for SQLite and PostgreSQL alike; those of other fields stand beside (`schema`).

Amounts are integers in the currency's minor unit (`*_minor`): exact, summable and the same on both databases.
Documents (`doc`) are JSON written by msgspec; the columns beside them exist to search and sort by.
Moments are stored as UTC.
"""

from __future__ import annotations

import sqlalchemy as sa

from collecthub.store.columns import count_column, id_column, metadata, moment_column, text_column

creditors = sa.Table(
    "creditors", metadata,
    id_column("creditor_id", key=True), text_column("name"), text_column("party"), text_column("playbook"), moment_column("created_at"),
)

users = sa.Table(
    "users", metadata,
    id_column("user_id", key=True), sa.Column("email", sa.String(320), nullable=False, unique=True), text_column("name"),
    text_column("password_hash"), text_column("role"), id_column("creditor_id", nullable=True), id_column("partner_id", nullable=True),
    moment_column("created_at"), moment_column("disabled_at"),
)

sessions = sa.Table(
    "sessions", metadata,
    id_column("session_hash", key=True), id_column("user_id"), text_column("csrf"), moment_column("created_at"), moment_column("expires_at"),
)

logins = sa.Table(  # failed logins, to slow down guessing without locking anyone out for good
    "logins", metadata,
    sa.Column("subject", sa.String(400), primary_key=True), count_column("failures"), moment_column("last_at"),
)

api_keys = sa.Table(
    "api_keys", metadata,
    id_column("key_id", key=True), sa.Column("key_hash", sa.String(64), nullable=False, unique=True), text_column("name"),
    text_column("role"), id_column("creditor_id", nullable=True), id_column("partner_id", nullable=True),
    moment_column("created_at"), moment_column("revoked_at"),
)

partners = sa.Table(
    "partners", metadata,
    id_column("partner_id", key=True), text_column("name"), text_column("role"), text_column("profile"), moment_column("created_at"),
)

connections = sa.Table(
    "connections", metadata,
    id_column("connection_id", key=True), text_column("kind"), text_column("role"), text_column("name"),
    id_column("creditor_id", nullable=True), id_column("partner_id", nullable=True),
    text_column("settings"), text_column("mode"), text_column("release"), text_column("checkpoint"),
    text_column("status"), text_column("status_detail"), moment_column("status_until"),
    text_column("cause"),  # what stopped it: `collecthub.store.connections`
    sa.Column("revision", sa.Integer, nullable=False, server_default="0"),  # of settings and secrets together
    moment_column("created_at"), moment_column("last_complete_at"), moment_column("next_due_at"),
)

secrets = sa.Table(
    "secrets", metadata,
    id_column("connection_id", key=True), sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False), moment_column("changed_at"),
)

consents = sa.Table(  # consents that were begun; `state_hash` is spent by the first answer that brings it
    "consents", metadata,
    id_column("state_hash", key=True), id_column("connection_id"), text_column("subject"), id_column("session_hash", nullable=True),
    text_column("verifier"), moment_column("begun_at", nullable=False), moment_column("expires_at", nullable=False),
    moment_column("ended_at"), text_column("outcome"), text_column("problem"), sa.Index("ix_consents_connection", "connection_id"),
)

leases = sa.Table(
    "leases", metadata,
    sa.Column("name", sa.String(160), primary_key=True), text_column("holder"), moment_column("until_at", nullable=False),
)

debtors = sa.Table(
    "debtors", metadata,
    id_column("connection_id", key=True), sa.Column("debtor_ref", sa.String(140), primary_key=True),
    id_column("creditor_id"), text_column("party"), text_column("account"), text_column("salt"), moment_column("read_at"),
    text_column("kept_address"),  # what a person entered and what the ERP had then; empty when it is the ERP's
)

invoices = sa.Table(
    "invoices", metadata,
    sa.Column("connection_id", sa.String(64), primary_key=True),
    sa.Column("item_ref", sa.String(140), primary_key=True),
    id_column("creditor_id"), sa.Column("debtor_ref", sa.String(140), nullable=False), text_column("debtor_name"),
    text_column("number"), sa.Column("kind", sa.String(12), nullable=False), sa.Column("state", sa.String(12), nullable=False),
    sa.Column("issued_on", sa.Date), sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("open_minor", sa.BigInteger, nullable=False),
    text_column("settles_ref"), text_column("group_ref"), text_column("document_ref"),
    sa.Column("dunning_level", sa.SmallInteger, nullable=False),
    sa.Column("is_blocked", sa.SmallInteger, nullable=False),
    sa.Column("dunned_on", sa.Date),  # of the reminder of that level; earlier ones: `erp_tables.own_reminders`
    text_column("text"),
    sa.Column("row_hash", sa.BigInteger, nullable=False),
    sa.Column("look_on", sa.Date),  # the date on which `open_case` must look at the row; null when settled
)
# One index for a debtor's rows and for walking the debtors to look at: every further one slows each pull.
sa.Index("ix_invoices_debtor", invoices.c.connection_id, invoices.c.debtor_ref, invoices.c.look_on)

runs = sa.Table(
    "runs", metadata,
    id_column("run_id", key=True), id_column("connection_id"), moment_column("started_at"), moment_column("ended_at"), text_column("state"),
    count_column("pages"), count_column("rows"), count_column("changed"), count_column("refused"), text_column("amounts"), text_column("problem"),
    text_column("control"),  # what the ERP's own totals said: `collecthub.store.runs`
    sa.Index("ix_runs_connection", "connection_id", "started_at"),
)

cases = sa.Table(
    "cases", metadata,
    id_column("case_id", key=True), sa.Column("number", sa.String(32), nullable=False, unique=True),
    id_column("creditor_id"), id_column("connection_id"), sa.Column("debtor_ref", sa.String(140), nullable=False),
    text_column("debtor_name"), text_column("debtor_country"), sa.Column("currency", sa.String(3), nullable=False),
    text_column("segment"), sa.Column("status", sa.String(16), nullable=False),
    sa.Column("phase", sa.String(16), nullable=False), text_column("outcome"), text_column("route"),
    id_column("partner_id", nullable=True), text_column("holder_ref"), text_column("holds"), text_column("owner"),
    sa.Column("principal_minor", sa.BigInteger, nullable=False),
    sa.Column("total_minor", sa.BigInteger, nullable=False),
    sa.Column("recovered_minor", sa.BigInteger, nullable=False),
    sa.Column("oldest_due_on", sa.Date), moment_column("opened_at"), moment_column("changed_at"),
    sa.Column("version", sa.Integer, nullable=False), text_column("search"), text_column("doc"),
    sa.Column("checked", sa.String(24), nullable=False, server_default=""),  # rules and facts of the last feasibility check
    sa.Index("ix_cases_creditor", "creditor_id", "case_id"),
    sa.Index("ix_cases_checked", "checked", "creditor_id", "case_id"),
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
    id_column("case_id", key=True), sa.Column("seq", sa.Integer, primary_key=True), id_column("creditor_id"),
    text_column("kind"), moment_column("occurred_at", nullable=False), moment_column("recorded_at", nullable=False),
    text_column("actor"), text_column("doc"), sa.Column("hash", sa.String(64), nullable=False),
    sa.Index("ix_events_recorded", "creditor_id", "recorded_at"),
)

ledger_lines = sa.Table(
    "ledger_lines", metadata,
    id_column("case_id", key=True), sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True), id_column("creditor_id"), text_column("kind"), text_column("bearer"),
    sa.Column("amount_minor", sa.BigInteger, nullable=False), sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("booked_on", sa.Date, nullable=False), text_column("basis"), text_column("claim_id"), text_column("reference"),
    text_column("origin"), sa.Index("ix_ledger_booked", "creditor_id", "booked_on"),
)

messages = sa.Table(  # what the hub says to a partner, one row a message
    "messages", metadata,
    id_column("message_id", key=True), id_column("case_id"), id_column("creditor_id"), id_column("partner_id"), id_column("connection_id"),
    text_column("kind"), sa.Column("state", sa.String(16), nullable=False), text_column("doc"),
    id_column("envelope_id", nullable=True), moment_column("queued_at", nullable=False), text_column("problem"),
    moment_column("next_attempt_at"),  # a new case that waits for the partner's office to open
    sa.Index("ix_messages_queue", "connection_id", "state", "queued_at"), sa.Index("ix_messages_case", "case_id"),
    sa.Index("ix_messages_envelope", "envelope_id"),
)

envelopes = sa.Table(
    "envelopes", metadata,
    id_column("envelope_id", key=True), id_column("connection_id"), id_column("partner_id"), text_column("name"), text_column("media_type"),
    sa.Column("sha256", sa.String(64), nullable=False), count_column("size"),
    sa.Column("state", sa.String(16), nullable=False), text_column("intent"), count_column("attempts"),
    moment_column("next_attempt_at"), moment_column("created_at", nullable=False), moment_column("sent_at"),
    text_column("receipt_ref"), text_column("problem"), text_column("waits_for"),  # line, hours, partner, answer
    text_column("words_sha256"),  # of the exchange itself, while `sha256` is that of what leaves
    sa.Index("ix_envelopes_state", "connection_id", "state"),
)

attempts = sa.Table(
    "attempts", metadata,
    id_column("envelope_id", key=True), sa.Column("attempt", sa.Integer, primary_key=True),
    moment_column("started_at", nullable=False), text_column("intent"), moment_column("ended_at"), text_column("outcome"), text_column("detail"),
)

inbox = sa.Table(  # what came in, untouched, one row a file or call
    "inbox", metadata,
    id_column("inbox_id", key=True), id_column("connection_id"), sa.Column("remote_ref", sa.String(400), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False), text_column("media_type"), text_column("headers"), count_column("size"),
    sa.Column("state", sa.String(16), nullable=False), text_column("problem"), moment_column("received_at", nullable=False),
    moment_column("recorded_at"), moment_column("answered_at"), sa.UniqueConstraint("connection_id", "remote_ref", "sha256"),
    sa.Index("ix_inbox_answered", "answered_at", "connection_id"),
)

seen = sa.Table(  # message ids that had their effect; a repeat has none
    "seen", metadata,
    id_column("connection_id", key=True), sa.Column("message_id", sa.String(140), primary_key=True),
    id_column("inbox_id"), moment_column("recorded_at", nullable=False),
)

quarantine = sa.Table(
    "quarantine", metadata,
    id_column("quarantine_id", key=True), id_column("creditor_id", nullable=True), id_column("connection_id"),
    text_column("source"), text_column("reference"), text_column("code"), text_column("reason"),
    sa.Column("sha256", sa.String(64), nullable=False), id_column("case_id", nullable=True),
    sa.Column("state", sa.String(12), nullable=False), moment_column("created_at", nullable=False),
    moment_column("resolved_at"), text_column("resolution"),
    sa.Column("currency", sa.String(3), nullable=False, server_default=""),  # of a refused row, while it is refused
    sa.Column("open_minor", sa.BigInteger, nullable=False, server_default="0"),
    sa.UniqueConstraint("connection_id", "reference", "sha256", "code"),
)

reports = sa.Table(  # case events that wait to be told to the creditor's side
    "reports", metadata,
    id_column("report_id", key=True), id_column("connection_id"), id_column("creditor_id"), id_column("case_id"),
    sa.Column("seq", sa.Integer, nullable=False), text_column("kind"), sa.Column("state", sa.String(12), nullable=False),
    count_column("attempts"), moment_column("next_attempt_at"), moment_column("queued_at", nullable=False), moment_column("done_at"),
    text_column("receipt_ref"), text_column("problem"), sa.Index("ix_reports_queue", "connection_id", "state", "queued_at"),
)

tasks = sa.Table(
    "tasks", metadata,
    id_column("task_id", key=True), id_column("creditor_id", nullable=True), id_column("case_id", nullable=True),
    id_column("connection_id", nullable=True), text_column("kind"), text_column("title"), text_column("detail"), text_column("owner"),
    moment_column("due_at"), sa.Column("state", sa.String(12), nullable=False), moment_column("created_at", nullable=False),
    moment_column("done_at"), text_column("done_by"), sa.Index("ix_tasks_state", "state", "due_at"),
)

timers = sa.Table(
    "timers", metadata,
    id_column("case_id", key=True), sa.Column("kind", sa.String(40), primary_key=True), id_column("creditor_id"),
    text_column("owner"), moment_column("due_at", nullable=False), sa.Index("ix_timers_due", "due_at"),
)

documents = sa.Table(
    "documents", metadata,
    id_column("document_id", key=True), id_column("case_id"), id_column("creditor_id"), text_column("name"), text_column("kind"),
    text_column("media_type"), sa.Column("sha256", sa.String(64), nullable=False), count_column("size"),
    text_column("added_by"), moment_column("created_at", nullable=False), sa.Index("ix_documents_case", "case_id"),
)

mappings = sa.Table(
    "mappings", metadata,
    id_column("mapping_id", key=True), id_column("creditor_id"), text_column("name"), text_column("doc"), moment_column("created_at"),
)

idempotency = sa.Table(
    "idempotency", metadata,
    sa.Column("subject", sa.String(140), primary_key=True), sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False), sa.Column("status", sa.Integer, nullable=False),
    text_column("headers"), sa.Column("body", sa.LargeBinary, nullable=False), moment_column("created_at", nullable=False),
)

peer_outbox = sa.Table(  # what this hub, as the holder of somebody else's case, says back to that hub
    "peer_outbox", metadata,
    sa.Column("position", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    id_column("partner_id"), id_column("exchange_id"), text_column("doc"), moment_column("created_at", nullable=False),
    sa.Index("ix_peer_outbox_partner", "partner_id", "position"),
)

audit = sa.Table(
    "audit", metadata,
    sa.Column("position", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    moment_column("at", nullable=False), text_column("actor"), text_column("action"), text_column("subject"), text_column("detail"),
    sa.Column("previous_hash", sa.String(64), nullable=False), sa.Column("hash", sa.String(64), nullable=False),
)

wakes = sa.Table(  # jobs that wait in line; a job takes its row away when it starts, so that each waits once
    "wakes", metadata,
    sa.Column("job", sa.String(40), primary_key=True), sa.Column("target", sa.String(140), primary_key=True),
)

workers = sa.Table(
    "workers", metadata,
    id_column("executor_id", key=True), text_column("host"), count_column("pid"), moment_column("beat_at", nullable=False),
)

facts = sa.Table(  # single values about this hub: its id, the fence after a restore, the case counter
    "facts", metadata,
    sa.Column("name", sa.String(80), primary_key=True), text_column("value"),
)

# --- money coming in ------------------------------------------------------------------------------

bank_accounts = sa.Table(  # whose account it is; without a creditor it is the operator's client account
    "bank_accounts", metadata,
    id_column("account_id", key=True), sa.Column("number", sa.String(40), nullable=False, index=True),
    id_column("creditor_id", nullable=True), moment_column("created_at", nullable=False),
)

bank_files = sa.Table(
    "bank_files", metadata,
    id_column("file_id", key=True), id_column("creditor_id", nullable=True), sa.Column("sha256", sa.String(64), nullable=False),
    text_column("name"), sa.Column("state", sa.String(12), nullable=False), text_column("kinds"), count_column("statements"),
    count_column("transactions"), count_column("fresh"), text_column("problem"), text_column("imported_by"),
    moment_column("imported_at", nullable=False), sa.Index("ix_bank_files_at", "imported_at", "file_id"),
)

bank_statements = sa.Table(
    "bank_statements", metadata,
    id_column("statement_id", key=True), id_column("file_id"), id_column("account_id"), id_column("creditor_id", nullable=True),
    text_column("kind"), text_column("statement_ref"), text_column("sequence"), text_column("currency"),
    sa.Column("opening_minor", sa.BigInteger), sa.Column("closing_minor", sa.BigInteger),
    sa.Column("opened_on", sa.Date), sa.Column("closed_on", sa.Date), count_column("transactions"), text_column("finding"),
    sa.Index("ix_bank_statements_file", "file_id"),
    sa.Index("ix_bank_statements_account", "account_id", "closed_on"),
)

payments = sa.Table(  # one row a movement on an account, however many files show it
    "payments", metadata,
    id_column("payment_id", key=True), id_column("file_id"), id_column("account_id"), id_column("creditor_id", nullable=True),
    sa.Column("kind", sa.String(12), nullable=False), sa.Column("state", sa.String(12), nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),  # below zero: money that went out
    sa.Column("currency", sa.String(3), nullable=False), sa.Column("booked_on", sa.Date, nullable=False),
    sa.Column("entry_ref", sa.String(80), nullable=False, server_default=""), id_column("case_id", nullable=True),
    count_column("score"), text_column("doc"), text_column("proposal"), text_column("note"), text_column("decided_by"), moment_column("decided_at"),
    sa.Index("ix_payments_money", "account_id", "amount_minor", "booked_on"),
    sa.Index("ix_payments_entry", "account_id", "entry_ref"),
    sa.Index("ix_payments_state", "state", "payment_id"),
    sa.Index("ix_payments_creditor", "creditor_id", "state", "payment_id"),
)

payment_sightings = sa.Table(  # other files that show the same movement
    "payment_sightings", metadata,
    id_column("payment_id", key=True), id_column("file_id", key=True), sa.Column("kind", sa.String(12), nullable=False),
    text_column("place"),
)

payment_bookings = sa.Table(  # which event of which case a payment became, or was known by before
    "payment_bookings", metadata,
    id_column("payment_id", key=True), id_column("case_id", key=True), sa.Column("seq", sa.Integer, primary_key=True),
    id_column("creditor_id"), sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("is_known", sa.Boolean, nullable=False),  # the ERP or a partner had said it: nothing was booked again
    id_column("undone_by", nullable=True), moment_column("booked_at", nullable=False),
    sa.Index("ix_payment_bookings_case", "case_id", "seq"),
)

case_clues = sa.Table(  # what a payment may carry: references, invoice numbers, names
    "case_clues", metadata,
    sa.Column("clue", sa.String(200), primary_key=True), id_column("case_id", key=True), id_column("creditor_id"),
    sa.Index("ix_case_clues_case", "case_id"),
)

clued_cases = sa.Table(  # the version of each case whose clues are in the table
    "clued_cases", metadata,
    id_column("case_id", key=True), sa.Column("version", sa.Integer, nullable=False),
)
