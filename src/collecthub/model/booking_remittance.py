"""Ledger lines that facts of money out cause: fees, their VAT and charges on the way, borne by the creditor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from collecthub.model import facts_remittance as fr
from collecthub.model.exchange import CostBearer
from collecthub.model.ledger import LedgerLine, LineKind

TRANSFER = "transfer"  # origin of what was taken off before the money arrived

if TYPE_CHECKING:
    from collecthub.model.event import CaseEvent


def _borne(
    currency: str, of: str, event: CaseEvent, parts: tuple[tuple[LineKind, Decimal], ...], *, rule: str, reference: str, origin: str
) -> tuple[LedgerLine, ...]:
    """What the creditor bears. A fee in another currency than the case's stands in its paper alone: a ledger has one."""
    if of != currency:
        return ()
    return tuple(
        LedgerLine(
            kind=kind, amount=amount, currency=currency, booked_on=event.occurred_at.date(), bearer=CostBearer.CREDITOR,
            basis=rule, reference=reference, origin=origin,
        )
        for kind, amount in parts
        if amount
    )  # fmt: skip


def _passed_on(currency: str, fact: fr.MoneyPassedOn, event: CaseEvent) -> tuple[LedgerLine, ...]:
    parts = ((LineKind.FEE, fact.fee), (LineKind.VAT, fact.vat))
    return _borne(currency, fact.currency, event, parts, rule=fact.rule, reference=fact.remittance_number, origin="hub")


def _came_net(currency: str, fact: fr.MoneyCameNet, event: CaseEvent) -> tuple[LedgerLine, ...]:
    parts = ((LineKind.FEE, fact.fee), (LineKind.COST, fact.charges))
    return _borne(currency, fact.currency, event, parts, rule=fact.rule, reference=fact.transfer_ref, origin=TRANSFER)


def _fee(currency: str, fact: fr.FeeCharged, event: CaseEvent) -> tuple[LedgerLine, ...]:
    parts = ((LineKind.FEE, fact.fee), (LineKind.VAT, fact.vat))
    return _borne(currency, fact.currency, event, parts, rule=fact.rule, reference=fact.reference, origin="hub")


LINES: Mapping[type, Callable[[str, Any, CaseEvent], tuple[LedgerLine, ...]]] = {
    fr.MoneyPassedOn: _passed_on,
    fr.MoneyCameNet: _came_net,
    fr.FeeCharged: _fee,
}
