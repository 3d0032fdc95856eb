"""Ledger lines and the balance they add up to.

Every line names its legal basis and who bears it. The balance a debtor is asked for is
principal + interest + compensation + dunning fees + costs borne by the debtor - payments - credits - write-offs.
A line is two postings, one debit and one credit (`sides`), so the accounts of a case always add up to nothing.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from collecthub.errors import PermanentError
from collecthub.model.exchange import CostBearer


class LineKind(enum.StrEnum):
    """What a ledger line is for."""

    PRINCIPAL = "principal"
    INTEREST = "interest"
    COMPENSATION = "compensation"
    DUNNING_FEE = "dunning_fee"
    COST = "cost"
    VAT = "vat"  # of a cost or fee, borne as that is
    FEE = "fee"  # what the creditor pays for the collecting itself
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

    def __post_init__(self) -> None:
        if type(self.amount) is not Decimal or not self.amount.is_finite():
            raise PermanentError(
                f"{self.amount!r} cannot stand in a ledger", cure="Pass an exact, finite Decimal; a float carries no money."
            )


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """Sums per kind, in the case's currency. `creditor_costs` are outside `total`: the debtor does not owe them."""

    currency: str
    principal: Decimal = Decimal(0)
    interest: Decimal = Decimal(0)
    compensation: Decimal = Decimal(0)
    dunning_fees: Decimal = Decimal(0)
    costs: Decimal = Decimal(0)
    creditor_costs: Decimal = Decimal(0)
    payments: Decimal = Decimal(0)
    credits: Decimal = Decimal(0)
    write_offs: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        """What the debtor still owes, all in."""
        charged = self.principal + self.interest + self.compensation + self.dunning_fees + self.costs
        return charged - self.payments - self.credits - self.write_offs

    @property
    def open_principal(self) -> Decimal:
        """Principal less what was paid, credited or given up on; what the ERP should still show open."""
        return self.principal - self.payments - self.credits - self.write_offs


_BUCKETS = {
    LineKind.PRINCIPAL: "principal",
    LineKind.INTEREST: "interest",
    LineKind.COMPENSATION: "compensation",
    LineKind.DUNNING_FEE: "dunning_fees",
    LineKind.COST: "costs",
    LineKind.VAT: "costs",
    LineKind.FEE: "costs",
    LineKind.PAYMENT: "payments",
    LineKind.CREDIT: "credits",
    LineKind.WRITE_OFF: "write_offs",
}
_BORNE = frozenset({LineKind.COST, LineKind.VAT, LineKind.FEE})


def is_for_creditor(line: LedgerLine) -> bool:
    """Whether the creditor bears the line, so that the debtor's balance stays as it is."""
    return line.kind in _BORNE and line.bearer is CostBearer.CREDITOR


def _bucket(line: LedgerLine) -> str:
    return "creditor_costs" if is_for_creditor(line) else _BUCKETS[line.kind]


def sides(line: LedgerLine) -> tuple[str, str]:
    """The accounts that a line debits and credits, in this order; a negative amount turns them round.

    >>> line = LedgerLine(kind=LineKind.PAYMENT, amount=Decimal("10.00"), currency="EUR", booked_on=dt.date(2026, 1, 1))
    >>> sides(line)
    ('money received', 'debtor')
    """
    if is_for_creditor(line):
        return "creditor", f"{line.kind.value} earned"
    if line.kind is LineKind.PAYMENT:
        return "money received", "debtor"
    if line.kind in LOWERS_BALANCE:
        return f"{line.kind.value.replace('_', ' ')} given", "debtor"
    return "debtor", f"{line.kind.value.replace('_', ' ')} claimed"


def trial_balance(lines: Iterable[LedgerLine]) -> dict[str, Decimal]:
    """Every account of the lines with its debits less its credits; together they are nothing.

    >>> line = LedgerLine(kind=LineKind.PRINCIPAL, amount=Decimal("10.00"), currency="EUR",
    ...                   booked_on=dt.date(2026, 1, 1))
    >>> trial_balance([line])
    {'debtor': Decimal('10.00'), 'principal claimed': Decimal('-10.00')}
    """
    accounts: dict[str, Decimal] = {}
    for line in lines:
        debit, credit = sides(line)
        accounts[debit] = accounts.get(debit, Decimal(0)) + line.amount
        accounts[credit] = accounts.get(credit, Decimal(0)) - line.amount
    return accounts


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
