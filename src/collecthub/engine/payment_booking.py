"""A payment becomes facts of its case, and a returned one undoes exactly these."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import sqlalchemy as sa

from collecthub.engine.case_work import change_case, locked_case
from collecthub.engine.context import Hub, Work
from collecthub.errors import PermanentError
from collecthub.model.case import RECORDED, Case
from collecthub.model.event import (
    CaseReopened,
    ClaimReopened,
    DirectPaymentSeen,
    Fact,
    NoteAdded,
    PaymentRecorded,
    RemittanceBooked,
)
from collecthub.store import payments as p
from collecthub.store import tables as t
from collecthub.store.case_log import from_minor, read_event, read_events

ZERO = Decimal(0)
_ADD_BOOKINGS = sa.insert(t.payment_bookings)


def book(
    hub: Hub, work: Work, payment: p.StoredPayment, case: Case, amount: Decimal, *, actor: str, invoice: str = ""
) -> Case:
    """Record a payment in its case: one fact per invoice that it settles, as the ERP will book it.

    `invoice` is settled before others, like one that the payment names itself.

    The ERP's later figures are matched to these facts one by one (`Case.unmatched`), so the money counts once.
    """
    note = f"bank statement {payment.transaction.statement_ref}, {payment.transaction.place}".replace("statement ,", "file,")
    parts = portions(case, amount, f"{payment.transaction.text} {invoice}")
    ref = payment.transaction.bank_ref or payment.transaction.end_to_end_ref
    facts = [
        PaymentRecorded(amount=part, paid_on=payment.booked_on, note=note, payment_ref=ref, origin="bank") for part in parts
    ]
    before = case.version
    changed = change_case(hub, work, case, facts, actor=actor)
    work.later(
        _ADD_BOOKINGS,
        [
            p.booking_row(payment, case.case_id, case.creditor_id, before + place, part, work.now, is_known=False)
            for place, part in enumerate(parts, 1)
        ],
    )
    return changed


def portions(case: Case, amount: Decimal, text: str = "") -> tuple[Decimal, ...]:
    """The amount split over the invoices it settles: one of exactly that sum, else those named, else the oldest first.

    What is left beyond the invoices (interest, costs) is a portion of its own.
    """
    open_claims = _unpaid(case)
    if any(open_amount == amount for _, open_amount in open_claims):
        return (amount,)
    open_claims.sort(key=lambda claim: claim[0] not in text)
    parts: list[Decimal] = []
    left = amount
    for _, open_amount in open_claims:
        if left <= 0:
            break
        parts.append(min(open_amount, left))
        left -= parts[-1]
    return (*parts, left) if left > 0 else tuple(parts)


def _unpaid(case: Case) -> list[tuple[str, Decimal]]:
    """Invoices, oldest due first, without those that payments known here but not in the ERP settle."""
    settled = [amount for _, amount in case.unmatched]
    found = []
    for claim in sorted(case.claims, key=lambda claim: (claim.due_on, claim.number)):
        if claim.open_amount in settled:
            settled.remove(claim.open_amount)
        elif claim.open_amount > 0:
            found.append((claim.number, claim.open_amount))
    return found


def tie(work: Work, payment: p.StoredPayment, case: Case, seq: int) -> None:
    """The case knew this money before: note that the movement is that event, and book nothing."""
    row = p.booking_row(
        payment, case.case_id, case.creditor_id, seq, payment.transaction.amount, work.now, is_known=True
    )
    work.later(_ADD_BOOKINGS, [row])


# --- undoing --------------------------------------------------------------------------------------


def undo(hub: Hub, work: Work, original: p.StoredPayment, returned: p.StoredPayment, *, actor: str) -> str:
    """Take back what a payment had become, because the bank took the money back. Returns the case, or nothing.

    Raises `PermanentError` for money that a partner had reported: that partner takes it back itself.
    """
    mine = (t.payment_bookings.c.payment_id == original.payment_id) & t.payment_bookings.c.undone_by.is_(None)
    rows = work.conn.execute(sa.select(t.payment_bookings).where(mine).order_by(t.payment_bookings.c.seq)).all()
    for case_id in dict.fromkeys(row.case_id for row in rows):
        case = locked_case(work, case_id)
        parts = [(row.seq, from_minor(row.amount_minor, original.currency)) for row in rows if row.case_id == case_id]
        change_case(hub, work, case, _undoing(work, case, parts, returned), actor=actor)
    work.conn.execute(sa.update(t.payment_bookings).where(mine).values(undone_by=returned.payment_id))
    return str(rows[0].case_id) if rows else ""


def _undoing(
    work: Work, case: Case, parts: Sequence[tuple[int, Decimal]], returned: p.StoredPayment
) -> tuple[Fact, ...]:
    reason = returned.transaction.return_reason
    facts: list[Fact] = [] if case.is_open else [CaseReopened(reason="the bank took the payment back")]
    facts.append(NoteAdded(text=f"the bank took a payment back{f': {reason}' if reason else ''}"))
    for seq, amount in parts:
        facts += taken_back(work, case, seq, amount, returned.booked_on, returned.transaction.bank_ref, "bank")
    return tuple(facts)


def taken_back(
    work: Work, case: Case, seq: int, amount: Decimal, on: dt.date, payment_ref: str, origin: str
) -> list[Fact]:
    """The facts that take back the money of one event of a case.

    The claim asks for it again, at once; when the ERP reopens it too, its figure is the same already. What the ERP had
    not booked yet is no longer expected from it. Raises `PermanentError` for money that a partner reported.
    """
    reference = f"{RECORDED}{seq}"
    if any(ref == reference for ref, _ in case.unmatched):
        return [PaymentRecorded(amount=-amount, paid_on=on, payment_ref=payment_ref, reverses_ref=reference, origin=origin)]
    event = read_event(work.conn, case.case_id, seq)
    fact = event.fact if event is not None else None
    if isinstance(fact, DirectPaymentSeen):
        return [ClaimReopened(claim_id=fact.claim_id, amount=amount)]
    if not isinstance(fact, PaymentRecorded):
        raise PermanentError(
            f"the money in case {case.number} was reported by its holder", reference=case.case_id,
            cure="Ask the holder to report the reversal; then set the returned payment aside.",
        )
    booked = (
        event.fact.claim_id
        for event in read_events(work.conn, case.case_id)
        if isinstance(event.fact, RemittanceBooked) and event.fact.payment_ref == reference
    )
    return [ClaimReopened(claim_id=next(booked, _claim_for(case, amount)), amount=amount)]


def _claim_for(case: Case, amount: Decimal) -> str:
    exact = next((claim for claim in case.claims if claim.open_amount == amount), None)
    oldest = min(case.claims, key=lambda claim: (claim.due_on, claim.number))
    return (exact or oldest).claim_id
