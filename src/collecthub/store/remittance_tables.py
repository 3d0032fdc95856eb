"""Tables of money out: contracts, remittances and their payment orders, receipts, partners' transfers and invoices."""

from __future__ import annotations

import sqlalchemy as sa

from collecthub.store.columns import count_column, id_column, metadata, moment_column, text_column

contracts = sa.Table(  # one row a version; `valid_from` decides which one is in force
    "contracts", metadata,
    id_column("contract_id", key=True), sa.Column("side", sa.String(12), nullable=False), id_column("party_id"),
    sa.Column("version", sa.Integer, nullable=False), sa.Column("valid_from", sa.Date, nullable=False),
    text_column("doc"), text_column("entered_by"), moment_column("entered_at", nullable=False),
    sa.UniqueConstraint("side", "party_id", "version"),
)

remittances = sa.Table(
    "remittances", metadata,
    id_column("remittance_id", key=True), sa.Column("number", sa.String(35), nullable=False, unique=True),
    id_column("creditor_id"), sa.Column("currency", sa.String(3), nullable=False), sa.Column("state", sa.String(12), nullable=False),
    count_column("gross_minor"), count_column("fee_minor"), count_column("vat_minor"), count_column("net_minor"),
    text_column("account"), text_column("payee"), id_column("order_id", nullable=True), text_column("reason"),
    sa.Column("made_on", sa.Date, nullable=False), sa.Column("paid_on", sa.Date),
    sa.Column("debited_on", sa.Date),  # when the bank's statement showed it
    moment_column("made_at", nullable=False),
    text_column("made_by"), sa.Index("ix_remittances_creditor", "creditor_id", "made_at"), sa.Index("ix_remittances_order", "order_id"),
)

remittance_items = sa.Table(  # what a remittance is made of; released when the bank refused it
    "remittance_items", metadata,
    id_column("remittance_id", key=True), sa.Column("source", sa.String(20), primary_key=True), id_column("source_ref", key=True),
    id_column("case_id", key=True), sa.Column("seq", sa.Integer, primary_key=True), id_column("creditor_id"),
    sa.Column("received_on", sa.Date, nullable=False), count_column("amount_minor"), count_column("percent_minor"),
    count_column("fee_minor"), count_column("vat_minor"), id_column("contract_id"), text_column("rule"),
    sa.Column("is_live", sa.Boolean, nullable=False),
    # The one guard against paying money out twice, whoever runs beside whom.
    sa.Index(
        "uq_remittance_items_source", "source", "source_ref", "case_id", "seq", unique=True,
        sqlite_where=sa.text("is_live"), postgresql_where=sa.text("is_live"),
    ),
    sa.Index("ix_remittance_items_case", "case_id"),
)

payment_orders = sa.Table(  # one row a pain.001 file; its bytes are evidence
    "payment_orders", metadata,
    id_column("order_id", key=True), sa.Column("message_ref", sa.String(35), nullable=False, unique=True),
    sa.Column("sha256", sa.String(64), nullable=False), text_column("account"), count_column("payments"),
    sa.Column("pay_on", sa.Date, nullable=False), moment_column("made_at", nullable=False), text_column("made_by"),
)

receipts = sa.Table(  # cash and card; a number is never given twice and none is missing
    "receipts", metadata,
    id_column("receipt_id", key=True), sa.Column("number", sa.String(35), nullable=False, unique=True), id_column("case_id"),
    id_column("creditor_id"), text_column("seqs"),  # events of the case, as "|3|4|"
    sa.Column("means", sa.String(8), nullable=False), sa.Column("place", sa.String(12), nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False), sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("received_on", sa.Date, nullable=False), text_column("received_by"), text_column("terminal_ref"),
    id_column("document_id", nullable=True), sa.Column("reversed_on", sa.Date), text_column("reversed_by"), text_column("reason"),
    moment_column("made_at", nullable=False), sa.Index("ix_receipts_case", "case_id"), sa.Index("ix_receipts_creditor", "creditor_id"),
)

transfers = sa.Table(  # a partner passes on money of many cases in one sum, perhaps in another currency
    "transfers", metadata,
    id_column("transfer_id", key=True), id_column("partner_id"), sa.Column("reference", sa.String(140), nullable=False),
    sa.Column("state", sa.String(12), nullable=False), sa.Column("currency", sa.String(3), nullable=False),
    count_column("received_minor"), count_column("operator_minor"), id_column("payment_id", nullable=True), text_column("doc"), text_column("finding"),
    text_column("entered_by"), moment_column("entered_at", nullable=False), sa.UniqueConstraint("partner_id", "reference"),
)

partner_invoices = sa.Table(
    "partner_invoices", metadata,
    id_column("invoice_id", key=True), id_column("partner_id"), sa.Column("number", sa.String(140), nullable=False),
    sa.Column("currency", sa.String(3), nullable=False), sa.Column("issued_on", sa.Date, nullable=False),
    count_column("stated_minor"), count_column("expected_minor"), text_column("doc"), text_column("findings"),
    text_column("entered_by"), moment_column("entered_at", nullable=False), sa.UniqueConstraint("partner_id", "number"),
)

movement_reasons = sa.Table(  # why money moved on the client account that is no debtor's and no remittance
    "movement_reasons", metadata,
    id_column("payment_id", key=True), sa.Column("reason", sa.String(12), nullable=False), text_column("note"),
    text_column("said_by"), moment_column("said_at", nullable=False),
)

direct_fees = sa.Table(  # fees on what debtors paid to their creditors themselves, over the life of a case
    "direct_fees", metadata,
    id_column("case_id", key=True), sa.Column("seq", sa.Integer, primary_key=True), id_column("creditor_id"),
    count_column("amount_minor"), count_column("percent_minor"), count_column("fee_minor"), count_column("vat_minor"),
    id_column("contract_id"), sa.Column("charged_on", sa.Date, nullable=False), sa.Index("ix_direct_fees_creditor", "creditor_id"),
)

TABLES = (
    contracts, remittances, remittance_items, payment_orders, receipts, transfers, partner_invoices, movement_reasons,
    direct_fees,
)  # fmt: skip
