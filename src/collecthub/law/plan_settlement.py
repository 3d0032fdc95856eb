"""The detailed settlement of a case in instalments: what was owed, what came in, and the interest of the law until a day.

Every payment ends the interest on what it paid: money that names a claim lowers that claim, the rest the oldest claims
first. The order in which the governing law settles costs and interest is the ledger's; here nothing is booked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from collecthub.errors import PermanentError
from collecthub.law.interest import InterestQuestion, Reduction
from collecthub.law.late_payment import LatePayment, late_payment
from collecthub.law.rules import CountryLaw
from collecthub.model.event import Claim
from collecthub.model.ledger import LOWERS_BALANCE, LedgerLine, LineKind


class ClaimSettled(msgspec.Struct, frozen=True, kw_only=True):
    """One claim: its principal, what was paid on it, what remains, and its interest until the day."""

    number: str
    due_on: dt.date
    principal: Decimal
    paid: Decimal
    open: Decimal
    interest: Decimal
    interest_until: dt.date
    basis: str
    problem: str = ""


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """The settlement on a day. `interest` is what the law grants; whether it is asked, the creditor decides."""

    until: dt.date
    currency: str
    claims: tuple[ClaimSettled, ...]
    received: tuple[tuple[dt.date, Decimal, str], ...]
    principal: Decimal
    paid: Decimal
    other: Decimal  # costs, compensation and interest that stand in the ledger already
    open: Decimal  # without interest that nobody booked
    interest: Decimal


def plan_settlement(
    law: CountryLaw, claims: Sequence[Claim], lines: Sequence[LedgerLine], *, segment: str, currency: str, until: dt.date
) -> Settlement:
    """The settlement of a case from its ledger lines. Where the law cannot answer for a claim, the claim says why."""
    ordered = sorted(claims, key=lambda claim: (claim.due_on, claim.claim_id))
    owed = {claim.claim_id: _sum(lines, LineKind.PRINCIPAL, claim.claim_id) for claim in ordered}
    down = {claim_id: list[Reduction]() for claim_id in owed}
    received = [line for line in lines if line.kind in LOWERS_BALANCE and line.booked_on <= until]
    left = dict(owed)
    for line in sorted(received, key=lambda line: (not line.claim_id, line.booked_on)):
        _apply(line, left, down)
    settled = tuple(
        _settled(law, claim, owed[claim.claim_id], down[claim.claim_id], segment, currency, until) for claim in ordered
    )
    principal, paid = sum(owed.values(), Decimal(0)), sum((line.amount for line in received), Decimal(0))
    charges = (LineKind.INTEREST, LineKind.COMPENSATION, LineKind.COST)
    other = sum((line.amount for line in lines if line.kind in charges and line.bearer == "debtor"), Decimal(0))
    return Settlement(
        until=until, currency=currency, claims=settled, principal=principal, paid=paid, other=other,
        open=principal + other - paid, interest=sum((one.interest for one in settled), Decimal(0)),
        received=tuple((line.booked_on, line.amount, line.basis) for line in received),
    )  # fmt: skip


def _sum(lines: Sequence[LedgerLine], kind: LineKind, claim_id: str) -> Decimal:
    return sum((line.amount for line in lines if line.kind is kind and line.claim_id == claim_id), Decimal(0))


def _apply(line: LedgerLine, left: dict[str, Decimal], down: dict[str, list[Reduction]]) -> None:
    rest = line.amount
    for claim_id in [line.claim_id] if line.claim_id in left else list(left):
        part = min(rest, left[claim_id]) if rest > 0 else rest
        if part:
            left[claim_id] -= part
            down[claim_id].append(Reduction(on=line.booked_on, amount=part))
        rest -= part
        if rest == 0:
            return


def _settled(
    law: CountryLaw, claim: Claim, principal: Decimal, reductions: Sequence[Reduction], segment: str, currency: str,
    until: dt.date,
) -> ClaimSettled:  # fmt: skip
    question = InterestQuestion(
        segment=segment, principal=principal, due_on=claim.due_on, until=until, currency=currency,
        reductions=tuple(sorted(reductions, key=lambda one: one.on)), may_stop_early=True,
    )  # fmt: skip
    late: LatePayment | None = None
    problem = ""
    try:
        late = late_payment(law, question) if until > claim.due_on else None
    except PermanentError as error:
        problem = error.message
    paid = sum((one.amount for one in reductions), Decimal(0))
    return ClaimSettled(
        number=claim.number, due_on=claim.due_on, principal=principal, paid=paid, open=principal - paid,
        interest=late.interest if late else Decimal(0), interest_until=late.until if late else until,
        basis=late.rule if late else "", problem=problem,
    )  # fmt: skip
