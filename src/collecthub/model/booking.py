"""Which ledger lines a fact causes. One function per kind of fact, one table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from collecthub.model import booking_money, booking_remittance
from collecthub.model import event as ev
from collecthub.model.ledger import LedgerLine, LineKind


def ledger_lines(currency: str, event: ev.CaseEvent) -> tuple[LedgerLine, ...]:
    """The ledger lines a fact causes in a case that is kept in `currency`."""
    fact = event.fact
    if isinstance(fact, ev.CaseOpened):
        return _opening_lines(fact, event)
    maker = _LINES.get(type(fact))
    return maker(currency, fact, event) if maker else ()


def _opening_lines(fact: ev.CaseOpened, event: ev.CaseEvent) -> tuple[LedgerLine, ...]:
    lines = [_principal_line(claim, fact.currency, event) for claim in fact.claims]
    if fact.credits:
        lines.append(
            LedgerLine(
                kind=LineKind.CREDIT,
                amount=fact.credits,
                currency=fact.currency,
                booked_on=event.occurred_at.date(),
                basis="credits and payments on account at opening",
                origin=fact.origin,
            )
        )
    return tuple(lines)


def _principal_line(claim: ev.Claim, currency: str, event: ev.CaseEvent) -> LedgerLine:
    return LedgerLine(
        kind=LineKind.PRINCIPAL,
        amount=claim.open_amount,
        currency=currency,
        booked_on=event.occurred_at.date(),
        basis=f"invoice {claim.number}",
        claim_id=claim.claim_id,
        reference=claim.number,
    )


def _line(
    currency: str, kind: LineKind, amount: Decimal, on: dt.date, **more: Any
) -> tuple[LedgerLine, ...]:
    return (LedgerLine(kind=kind, amount=amount, currency=currency, booked_on=on, **more),)


def _lines_claim_added(currency: str, fact: ev.ClaimAdded, event: ev.CaseEvent) -> tuple[LedgerLine, ...]:
    return (_principal_line(fact.claim, currency, event),)


def _lines_reopened(currency: str, fact: ev.ClaimReopened, event: ev.CaseEvent) -> tuple[LedgerLine, ...]:
    # A reopened claim is money that came back out: the payment line is reversed, the principal stays.
    return _line(
        currency, LineKind.PAYMENT, -fact.amount, event.occurred_at.date(),
        claim_id=fact.claim_id, basis="payment or clearing reversed in the ERP",
    )


def _lines_direct(currency: str, fact: ev.DirectPaymentSeen, event: ev.CaseEvent) -> tuple[LedgerLine, ...]:
    return _line(
        currency, LineKind.PAYMENT, fact.amount, fact.paid_on,
        claim_id=fact.claim_id, basis="payment to the creditor, as booked in the ERP",
    )


def _lines_credit(currency: str, fact: ev.CreditSeen, event: ev.CaseEvent) -> tuple[LedgerLine, ...]:
    return _line(
        currency, LineKind.CREDIT, fact.amount, event.occurred_at.date(),
        claim_id=fact.claim_id, basis=fact.reason,
    )


def _lines_cost(currency: str, fact: ev.CostReported, event: ev.CaseEvent) -> tuple[LedgerLine, ...]:
    more = {
        "bearer": fact.bearer, "basis": fact.legal_basis or fact.cost_type, "reference": fact.cost_ref,
        "origin": "partner",
    }
    cost = _line(currency, LineKind.COST, fact.amount, fact.occurred_on, **more)
    tax = _line(currency, LineKind.VAT, fact.tax_amount, fact.occurred_on, **more) if fact.tax_amount else ()
    return (*cost, *tax)


def _lines_payment(currency: str, fact: ev.PaymentReported, event: ev.CaseEvent) -> tuple[LedgerLine, ...]:
    return _line(
        currency, LineKind.PAYMENT, fact.amount, fact.received_on,
        reference=fact.payment_ref, basis="payment to the holder of the case", origin="partner",
    )


def _lines_recorded(currency: str, fact: ev.PaymentRecorded, event: ev.CaseEvent) -> tuple[LedgerLine, ...]:
    return _line(
        currency, LineKind.PAYMENT, fact.amount, fact.paid_on,
        reference=fact.payment_ref or "", basis=_RECORDED_BASIS.get(fact.origin or "person", "payment"),
        origin=fact.origin or "person",
    )


_RECORDED_BASIS = {
    "person": "payment to the creditor, as a person recorded it",
    "bank": "payment on the account, as the bank shows it",
    "cash": "cash, with a receipt",
    "card": "card, with a receipt",
}


_LINES: dict[type, Callable[[str, Any, ev.CaseEvent], tuple[LedgerLine, ...]]] = {
    ev.ClaimAdded: _lines_claim_added,
    ev.ClaimReopened: _lines_reopened,
    ev.DirectPaymentSeen: _lines_direct,
    ev.CreditSeen: _lines_credit,
    ev.CostReported: _lines_cost,
    ev.PaymentReported: _lines_payment,
    ev.PaymentRecorded: _lines_recorded,
    **booking_money.LINES,
    **booking_remittance.LINES,
}
