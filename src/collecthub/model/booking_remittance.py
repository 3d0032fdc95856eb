"""Ledger lines that facts of money out cause: the fee and its VAT, borne by the creditor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from collecthub.model import facts_remittance as fr
from collecthub.model.exchange import CostBearer
from collecthub.model.ledger import LedgerLine, LineKind

if TYPE_CHECKING:
    from collecthub.model.event import CaseEvent


def _passed_on(currency: str, fact: fr.MoneyPassedOn, event: CaseEvent) -> tuple[LedgerLine, ...]:
    """A fee in another currency than the case's stands in the remittance alone: a ledger has one currency."""
    if fact.currency != currency:
        return ()
    return tuple(
        LedgerLine(
            kind=kind, amount=amount, currency=currency, booked_on=event.occurred_at.date(), bearer=CostBearer.CREDITOR,
            basis=fact.rule, reference=fact.remittance_number, origin="hub",
        )
        for kind, amount in ((LineKind.FEE, fact.fee), (LineKind.VAT, fact.vat))
        if amount
    )


LINES: Mapping[type, Callable[[str, Any, CaseEvent], tuple[LedgerLine, ...]]] = {fr.MoneyPassedOn: _passed_on}
