"""A partner says at his own door what he passed on: in which cases, at which rate, less which charges and fee.

It is a transfer like those that the operator enters: the one record lies in `transfers`.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.engine.context import Work
from collecthub.engine.transfers import TransferTaken, note_transfer, taken
from collecthub.model.money_transfer import Transfer, TransferLine, check_transfer
from collecthub.store import remittance_tables as r
from collecthub.store import tables as t
from collecthub.store.queries.scope import not_there

_SOURCE = "as the partner states it"


class RemittedLine(msgspec.Struct, frozen=True, kw_only=True):
    """Money of one payment within a remittance, in the case's currency."""

    case_id: str
    payment_ref: str
    amount: Decimal


class PartnerRemittance(msgspec.Struct, frozen=True, kw_only=True):
    """What a partner says it paid. `rate` is how much of `currency` one unit of `case_currency` is, on `rate_on`.

    `amount` = sum of the lines x rate - `bank_charges` - `fee`, all of the last three in `currency`.
    """

    remittance_ref: str
    currency: str
    amount: Decimal
    paid_on: dt.date
    case_currency: str
    rate: Decimal = Decimal(1)
    rate_on: dt.date | None = None
    bank_charges: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)
    lines: tuple[RemittedLine, ...]


class KeptRemittance(msgspec.Struct, frozen=True, kw_only=True):
    """A remittance as it is kept; `finding` says what does not add up, and is then on a person's list.

    `state` is announced until the sum is seen on the client account, then arrived.
    """

    remittance_id: str
    remittance: PartnerRemittance
    state: str = "announced"
    finding: str = ""
    created_at: dt.datetime


def take_remittance(work: Work, partner_id: str, said: PartnerRemittance) -> KeptRemittance:
    """Keep what a partner says it passed on. The same reference with the same figures is kept once.

    Raises `PermanentError` for a known reference with other figures, and `NotThereError` for cases that were never its.
    """
    for case_id in dict.fromkeys(line.case_id for line in said.lines):
        was_its = sa.select(t.messages.c.case_id).where(t.messages.c.case_id == case_id, t.messages.c.partner_id == partner_id)
        if work.conn.scalar(was_its.limit(1)) is None:
            raise not_there("case", case_id)
    transfer = Transfer(
        reference=said.remittance_ref, currency=said.case_currency, amount=sum((line.amount for line in said.lines), Decimal(0)),
        received_currency=said.currency, received=said.amount, rate=said.rate, rate_on=said.rate_on or said.paid_on,
        rate_source=_SOURCE, charges=said.bank_charges, fee=said.fee, paid_on=said.paid_on,
        lines=tuple(TransferLine(case=line.case_id, payment_ref=line.payment_ref, amount=line.amount) for line in said.lines),
    )  # fmt: skip
    check_transfer(transfer)
    return _kept(note_transfer(work, partner_id, transfer, entered_by=f"partner:{partner_id}"))


def _kept(found: TransferTaken) -> KeptRemittance:
    one = found.transfer
    remittance = PartnerRemittance(
        remittance_ref=one.reference, currency=one.received_currency, amount=one.received,
        paid_on=one.paid_on or found.entered_at.date(), case_currency=one.currency, rate=one.rate, rate_on=one.rate_on,
        bank_charges=one.charges, fee=one.fee,
        lines=tuple(RemittedLine(case_id=line.case, payment_ref=line.payment_ref, amount=line.amount) for line in one.lines),
    )  # fmt: skip
    return KeptRemittance(
        remittance_id=found.transfer_id, remittance=remittance, state=found.state, finding="; ".join(found.findings),
        created_at=found.entered_at,
    )  # fmt: skip


def list_remittances(conn: sa.Connection, partner_id: str) -> tuple[KeptRemittance, ...]:
    """What a partner passed on, newest first, whoever entered it."""
    query = sa.select(r.transfers).where(r.transfers.c.partner_id == partner_id)
    return tuple(_kept(taken(row)) for row in conn.execute(query.order_by(r.transfers.c.entered_at.desc()).limit(500)))
