"""Invoices of partners as they were checked: what each asks, what was agreed, and the lines that deviate."""

from __future__ import annotations

import datetime as dt

import msgspec
import sqlalchemy as sa

from collecthub.model.partner_invoice import CheckedInvoice
from collecthub.store import remittance_tables as r
from collecthub.store import tables as t
from collecthub.wire.decoders import decoder

MOST = 200


class CheckedPartnerInvoice(msgspec.Struct, frozen=True, kw_only=True):
    """One invoice with the outcome of its check; `checked` holds both sums with VAT and every finding."""

    invoice_id: str
    partner_id: str
    partner_name: str
    issued_on: dt.date
    checked: CheckedInvoice
    entered_by: str
    entered_at: dt.datetime


def list_partner_invoices(conn: sa.Connection, partner_id: str = "") -> tuple[CheckedPartnerInvoice, ...]:
    """The newest invoices first, of one partner or of all. For the operator only: whoever calls has checked that."""
    mine = r.partner_invoices
    query = sa.select(mine, t.partners.c.name).outerjoin(t.partners, t.partners.c.partner_id == mine.c.partner_id)
    if partner_id:
        query = query.where(mine.c.partner_id == partner_id)
    rows = conn.execute(query.order_by(mine.c.entered_at.desc(), mine.c.invoice_id).limit(MOST))
    return tuple(
        CheckedPartnerInvoice(
            invoice_id=row.invoice_id, partner_id=row.partner_id, partner_name=row.name or row.partner_id, issued_on=row.issued_on,
            checked=decoder(CheckedInvoice).decode(row.findings), entered_by=row.entered_by, entered_at=row.entered_at,
        )
        for row in rows
    )  # fmt: skip
