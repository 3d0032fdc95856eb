"""What is owed, line by line: each movement with its sign, its reason and the balance after it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from collecthub.model.ledger import LOWERS_BALANCE, LedgerLine, is_for_creditor
from collecthub.store.queries.case_file import Amounts
from collecthub.web.portal.words import label, spoken


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger line as people read it. `amount` raises (positive) or lowers what the debtor owes."""

    booked_on: dt.date
    what: str
    why: str
    amount: Decimal
    balance: Decimal
    for_creditor: bool  # a cost the creditor bears; the debtor's balance stays


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the sum."""

    name: str
    amount: Decimal


def movements(lines: Sequence[LedgerLine], claims: Mapping[str, str]) -> tuple[Movement, ...]:
    """The lines in the order they were booked, with a running balance."""
    balance = Decimal(0)
    found = []
    for line in lines:
        for_creditor = is_for_creditor(line)
        amount = -line.amount if line.kind in LOWERS_BALANCE else line.amount
        if not for_creditor:
            balance += amount
        found.append(
            Movement(
                booked_on=line.booked_on,
                what=_what(line),
                why=_why(line, claims),
                amount=amount,
                balance=balance,
                for_creditor=for_creditor,
            )
        )
    return tuple(found)


def _what(line: LedgerLine) -> str:
    word = label("line", line.kind.value)
    return f"{word}, reversed" if line.amount < 0 else word


def _why(line: LedgerLine, claims: Mapping[str, str]) -> str:
    basis = line.basis
    if "." not in basis.partition(" ")[0]:  # not the name of a rule
        basis = basis[:1].upper() + basis[1:] if " " in basis else spoken(basis)
    invoice = claims.get(line.claim_id, "")
    notes = [f"invoice {invoice}" if invoice and invoice not in basis else "", ""]
    if line.reference and line.reference not in line.basis:
        notes[1] = f"reference {line.reference}"
    return " · ".join(part for part in (basis, *notes) if part)


def parts(amounts: Amounts) -> tuple[Part, ...]:
    """The sum in its parts; those that are nothing are left out, the principal never."""
    signed = (
        ("Principal", amounts.principal),
        ("Interest", amounts.interest),
        ("Compensation", amounts.compensation),
        ("Dunning fees", amounts.dunning_fees),
        ("Costs", amounts.costs),
        ("Payments", -amounts.payments),
        ("Credits", -amounts.credits),
        ("Written off", -amounts.write_offs),
    )
    return tuple(Part(name=name, amount=amount) for name, amount in signed if amount or name == "Principal")
