"""Ledger lines that facts of money cause."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from collecthub.model import facts_money as fm
from collecthub.model.ledger import LedgerLine, LineKind

if TYPE_CHECKING:
    from collecthub.model.event import CaseEvent

LINE_OF = {
    fm.ChargeKind.INTEREST: LineKind.INTEREST,
    fm.ChargeKind.COMPENSATION: LineKind.COMPENSATION,
    fm.ChargeKind.DUNNING_FEE: LineKind.DUNNING_FEE,
    fm.ChargeKind.COST: LineKind.COST,
}


def _fixed(currency: str, fact: fm.ChargesFixed, event: CaseEvent) -> tuple[LedgerLine, ...]:
    return tuple(
        LedgerLine(
            kind=LINE_OF[item.kind], amount=item.amount, currency=currency, booked_on=item.to_on,
            basis=_basis(item), claim_id=item.claim_id, reference=item.rule, origin="hub",
        )
        for item in fact.items
    )


def _basis(item: fm.ChargeItem) -> str:
    days = f"{item.from_on} to {item.to_on}" if item.kind is fm.ChargeKind.INTEREST else f"{item.to_on}"
    return f"{item.rule}, {days}"


def _waived(currency: str, fact: fm.ChargesWaived, event: CaseEvent) -> tuple[LedgerLine, ...]:
    return tuple(
        LedgerLine(
            kind=LINE_OF[item.kind], amount=item.amount, currency=currency, booked_on=item.to_on,
            basis=f"given up: {fact.reason}", claim_id=item.claim_id, reference=item.rule, origin="hub",
        )
        for item in fact.items
    )


def _written_off(currency: str, fact: fm.WrittenOff, event: CaseEvent) -> tuple[LedgerLine, ...]:
    return (
        LedgerLine(
            kind=LineKind.WRITE_OFF, amount=fact.amount, currency=currency, booked_on=event.occurred_at.date(),
            basis=f"written off: {fact.reason}", origin="person",
        ),
    )  # fmt: skip


LINES: Mapping[type, Callable[[str, Any, CaseEvent], tuple[LedgerLine, ...]]] = {
    fm.ChargesFixed: _fixed,
    fm.ChargesWaived: _waived,
    fm.WrittenOff: _written_off,
}
