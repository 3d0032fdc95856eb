"""A partner's invoice beside what was agreed and what he himself reported. Pure; every deviation names both figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from collecthub.errors import PermanentError
from collecthub.model.contract import HUNDRED, Contract, FeeFacts, in_force
from collecthub.model.fee import ZERO, FeesBefore, fee_on
from collecthub.model.money import round_amount


class InvoiceLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line: a fee on a payment, or a cost. `reference` is the one under which the partner reported it."""

    case: str
    kind: Literal["fee", "cost"]
    reference: str
    amount: Decimal
    vat: Decimal = Decimal(0)


class PartnerInvoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An invoice as the partner states it; amounts without VAT, which stands beside them."""

    number: str
    issued_on: dt.date
    currency: str
    lines: tuple[InvoiceLine, ...]

    @property
    def stated(self) -> Decimal:
        """What is asked, VAT included."""
        return sum((line.amount + line.vat for line in self.lines), ZERO)


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """What the partner reported in a case: a payment or a cost, in the order in which he did."""

    kind: Literal["fee", "cost"]
    reference: str
    amount: Decimal
    vat: Decimal
    on: dt.date
    cost_type: str = ""


class KnownCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case as the check sees it. `invoiced` are references that an earlier invoice contained."""

    facts: FeeFacts
    reported: tuple[Reported, ...]
    invoiced: frozenset[str] = frozenset()


class InvoiceFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A line that is not as agreed: what is asked and what is right, both with VAT."""

    line: int
    case: str
    stated: Decimal
    expected: Decimal
    reason: str


class CheckedInvoice(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome. `expected` is what the invoice should ask."""

    number: str
    currency: str
    stated: Decimal
    expected: Decimal
    findings: tuple[InvoiceFinding, ...]


def check_invoice(invoice: PartnerInvoice, versions: Sequence[Contract], cases: Mapping[str, KnownCase]) -> CheckedInvoice:
    """Compare every line with the contract in force when the money came in or the cost arose."""
    findings: list[InvoiceFinding] = []
    total, seen = ZERO, set[tuple[str, str, str]]()
    for place, line in enumerate(invoice.lines, 1):
        known = cases.get(line.case)
        key = (line.case, line.kind, line.reference)
        if key in seen:
            expected, reason = ZERO, f"{line.reference} stands in this invoice twice"
        else:
            expected, reason = _expected(invoice, line, versions, known)
        seen.add(key)
        total += expected
        stated = line.amount + line.vat
        if stated != expected:
            findings.append(
                InvoiceFinding(line=place, case=line.case, stated=stated, expected=expected, reason=reason or "differs from the agreement")
            )
    return CheckedInvoice(
        number=invoice.number, currency=invoice.currency, stated=invoice.stated, expected=total, findings=tuple(findings)
    )


def _expected(
    invoice: PartnerInvoice, line: InvoiceLine, versions: Sequence[Contract], known: KnownCase | None
) -> tuple[Decimal, str]:
    if known is None:
        return ZERO, "the partner never had this case"
    if known.facts.currency != invoice.currency:
        return ZERO, f"the case is in {known.facts.currency}, the invoice in {invoice.currency}"
    if f"{line.kind}:{line.reference}" in known.invoiced:
        return ZERO, f"{line.reference} was invoiced before"
    found = next((one for one in known.reported if (one.kind, one.reference) == (line.kind, line.reference)), None)
    if found is None:
        return ZERO, f"{line.reference} was never reported in this case"
    contract = in_force(versions, found.on)
    if contract is None:
        return ZERO, f"no contract was in force on {found.on.isoformat()}"
    try:
        return _fee(line, versions, known) if line.kind == "fee" else _cost(found, contract, invoice.currency)
    except PermanentError as error:
        return ZERO, error.message


def _fee(line: InvoiceLine, versions: Sequence[Contract], known: KnownCase) -> tuple[Decimal, str]:
    """The fee on one payment, after those that the partner reported before it in the same case."""
    for reference, total, rule in _fees(versions, known):
        if reference == line.reference:
            return total, rule
    return ZERO, f"{line.reference} was never reported in this case"


def _fees(versions: Sequence[Contract], known: KnownCase) -> Iterator[tuple[str, Decimal, str]]:
    before = FeesBefore()
    for one in known.reported:
        contract = in_force(versions, one.on) if one.kind == "fee" else None
        if contract is None:
            continue
        fee = fee_on(contract, known.facts, one.amount, before)
        before = FeesBefore(
            collected=before.collected + one.amount, by_percent=before.by_percent + fee.by_percent, fees=before.fees + fee.amount
        )
        yield one.reference, fee.total, fee.rule


def agreed_fees(versions: Sequence[Contract], cases: Mapping[str, KnownCase], payments: Sequence[tuple[str, str]]) -> Decimal:
    """The fees with VAT that the grid grants on payments, each named by its case and the partner's reference."""
    by_case = {word: {reference: total for reference, total, _ in _fees(versions, known)} for word, known in cases.items()}
    return sum((by_case.get(word, {}).get(reference, ZERO) for word, reference in payments), ZERO)


def _cost(found: Reported, contract: Contract, currency: str) -> tuple[Decimal, str]:
    row = next((row for row in contract.terms.costs if (row.cost_type, row.currency) == (found.cost_type, currency)), None)
    if row is None:
        return ZERO, f"no price for {found.cost_type} in {currency} was agreed in {contract.name}"
    amount = min(found.amount, row.amount_most)
    vat = found.vat if amount == found.amount else round_amount(amount * contract.terms.vat_percent / HUNDRED, currency)
    return amount + vat, f"{found.cost_type} was reported as {found.amount}, agreed is {row.amount_most} at most ({contract.name})"
