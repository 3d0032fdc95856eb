"""Ledger lines and the balance they add up to.

Every line names its legal basis and who bears it. The balance a debtor is asked for is
principal + interest + compensation + costs borne by the debtor - payments - credits - write-offs.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from collecthub.model.exchange import CostBearer


class LineKind(enum.StrEnum):
    """What a ledger line is for."""

    PRINCIPAL = "principal"
    INTEREST = "interest"
    COMPENSATION = "compensation"
    COST = "cost"
    PAYMENT = "payment"
    CREDIT = "credit"
    WRITE_OFF = "write_off"


LOWERS_BALANCE = frozenset({LineKind.PAYMENT, LineKind.CREDIT, LineKind.WRITE_OFF})


class LedgerLine(msgspec.Struct, frozen=True, kw_only=True):
    """One movement. `amount` is positive in its natural direction; a reversal is the same line negative."""

    kind: LineKind
    amount: Decimal
    currency: str
    booked_on: dt.date
    bearer: CostBearer = CostBearer.DEBTOR
    basis: str = ""  # the rule or document the line rests on
    claim_id: str = ""
    reference: str = ""  # theirs: payment, cost or credit note number
    origin: str = "erp"  # erp, partner, hub, person


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """Sums per kind, in the case's currency. `creditor_costs` are outside `total`: the debtor does not owe them."""

    currency: str
    principal: Decimal = Decimal(0)
    interest: Decimal = Decimal(0)
    compensation: Decimal = Decimal(0)
    costs: Decimal = Decimal(0)
    creditor_costs: Decimal = Decimal(0)
    payments: Decimal = Decimal(0)
    credits: Decimal = Decimal(0)
    write_offs: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        """What the debtor still owes, all in."""
        charged = self.principal + self.interest + self.compensation + self.costs
        return charged - self.payments - self.credits - self.write_offs

    @property
    def open_principal(self) -> Decimal:
        """Principal less what was paid, credited or given up on; what the ERP should still show open."""
        return self.principal - self.payments - self.credits - self.write_offs


def _bucket(line: LedgerLine) -> str:
    if line.kind is LineKind.COST and line.bearer is CostBearer.CREDITOR:
        return "creditor_costs"
    return {
        LineKind.PRINCIPAL: "principal",
        LineKind.INTEREST: "interest",
        LineKind.COMPENSATION: "compensation",
        LineKind.COST: "costs",
        LineKind.PAYMENT: "payments",
        LineKind.CREDIT: "credits",
        LineKind.WRITE_OFF: "write_offs",
    }[line.kind]


def add_lines(balance: Balance, lines: Iterable[LedgerLine]) -> Balance:
    """The balance after the lines.

    >>> start = Balance(currency="EUR")
    >>> line = LedgerLine(kind=LineKind.PRINCIPAL, amount=Decimal("10.00"), currency="EUR",
    ...                   booked_on=dt.date(2026, 1, 1))
    >>> add_lines(start, [line]).total
    Decimal('10.00')
    """
    for line in lines:
        name = _bucket(line)
        balance = msgspec.structs.replace(balance, **{name: getattr(balance, name) + line.amount})
    return balance
