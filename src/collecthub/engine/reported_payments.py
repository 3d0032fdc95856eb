"""What a partner reported as paid: the event of the case that a line of his transfer or invoice speaks of."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.model.event import PaymentReported
from collecthub.store import tables as t
from collecthub.store.case_log import read_events
from collecthub.store.queries.scope import not_there


class ReportedPayment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment as its partner reported it, and the event in which he did."""

    case_id: str
    creditor_id: str
    seq: int
    amount: Decimal
    currency: str
    received_on: dt.date


def reported_payment(conn: sa.Connection, partner_id: str, named: str, payment_ref: str) -> ReportedPayment | None:
    """The payment that a partner reported under a reference in the case of this number or id, or nothing.

    Raises `NotThereError` for a case that there is not.
    """
    is_it = (t.cases.c.number == named) | (t.cases.c.case_id == named)
    case = conn.execute(sa.select(t.cases.c.case_id, t.cases.c.creditor_id, t.cases.c.currency).where(is_it)).first()
    if case is None:
        raise not_there("case", named)
    for event in read_events(conn, case.case_id):
        fact = event.fact
        if isinstance(fact, PaymentReported) and fact.payment_ref == payment_ref and event.actor == f"partner:{partner_id}":
            return ReportedPayment(
                case_id=case.case_id, creditor_id=case.creditor_id, seq=event.seq, amount=fact.amount, currency=case.currency,
                received_on=fact.received_on,
            )  # fmt: skip
    return None
