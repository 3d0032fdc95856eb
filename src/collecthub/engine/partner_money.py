"""A partner says at his own door what he passed on: in which cases, at which rate, less which charges and fee.

It is a transfer like those that the operator enters: the one record lies in `transfers`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.engine.context import Work
from collecthub.engine.partner_invoices import known_cases
from collecthub.engine.transfers import TransferTaken, note_transfer, taken
from collecthub.model.case import Case
from collecthub.model.contract import Side
from collecthub.model.event import CaseEvent, PaymentReported
from collecthub.model.money import round_amount
from collecthub.model.money_transfer import Transfer, TransferLine, check_transfer
from collecthub.model.partner_invoice import agreed_fees
from collecthub.store import remittance_tables as r
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases, read_histories
from collecthub.store.contracts import versions_of
from collecthub.store.queries.scope import not_there

_SOURCE = "as the partner states it"
_LAST_EVENT = 2**31 - 1
CASES_PER_READ = 200


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
    return _kept(note_transfer(work, partner_id, transfer, entered_by=f"partner:{partner_id}", is_in_cases_currency=True))


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


# --- what still waits to be passed on -------------------------------------------------------------


class HeldPayment(msgspec.Struct, frozen=True, kw_only=True):
    """Money that a partner reported as received and has not said to have passed on. `fee` is agreed on it, VAT included."""

    case_id: str
    case_number: str
    holder_ref: str
    payment_ref: str
    currency: str
    amount: Decimal
    received_on: dt.date
    fee: Decimal | None


def held_payments(conn: sa.Connection, partner_id: str) -> tuple[HeldPayment, ...]:
    """What a partner still has to pass on, in the order of its cases."""
    passed_on = {(line.case_id, line.payment_ref) for one in list_remittances(conn, partner_id) for line in one.remittance.lines}
    versions = versions_of(conn, Side.PARTNER, partner_id)
    mine = sa.select(t.messages.c.case_id).where(t.messages.c.partner_id == partner_id).distinct()
    after, found = "", list[HeldPayment]()
    while ids := list(conn.scalars(mine.where(t.messages.c.case_id > after).order_by(t.messages.c.case_id).limit(CASES_PER_READ))):
        after = ids[-1]
        cases = {case.case_id: case for case in read_cases(conn, t.cases.c.case_id.in_(ids))}
        for case_id, history in read_histories(conn, ids, _LAST_EVENT).items():
            words = (case_id, cases[case_id].number)  # whoever entered a transfer named its cases by one of them
            kept = [
                fact for fact in _received(history, partner_id) if not any((word, fact.payment_ref) in passed_on for word in words)
            ]
            if not kept:
                continue
            known = known_cases(conn, partner_id, {case_id}) if versions else {}
            for fact in kept:
                fee = agreed_fees(versions, known, [(case_id, fact.payment_ref)]) if versions else None
                found.append(_held(cases[case_id], partner_id, fact, fee))
    return tuple(found)


def _received(history: Sequence[CaseEvent], partner_id: str) -> Iterator[PaymentReported]:
    """Payments that were neither taken back nor said to be passed on when they were reported."""
    said = [
        event.fact for event in history if isinstance(event.fact, PaymentReported) and event.actor == f"partner:{partner_id}"
    ]
    taken_back = {fact.reverses_ref for fact in said if fact.reverses_ref}
    return (fact for fact in said if fact.amount > 0 and not fact.remittance_ref and fact.payment_ref not in taken_back)


def _held(case: Case, partner_id: str, fact: PaymentReported, fee: Decimal | None) -> HeldPayment:
    mine = case.placement is not None and case.placement.partner_id == partner_id
    return HeldPayment(
        case_id=case.case_id, case_number=case.number, payment_ref=fact.payment_ref, currency=case.currency,
        holder_ref=case.placement.holder_ref if case.placement and mine else "", amount=fact.amount,
        received_on=fact.received_on, fee=fee,
    )  # fmt: skip


def due_by(said: PartnerRemittance) -> Decimal:
    """What a remittance has to be by its own lines, rate, charges and fee."""
    total = sum((line.amount for line in said.lines), Decimal(0))
    return round_amount(total * said.rate, said.currency) - said.bank_charges - said.fee
