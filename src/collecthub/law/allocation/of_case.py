"""From a case's history to the question of its account: debts, costs, what came in and what was taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal

from collecthub.law.allocation.account import ZERO, AccountQuestion, Charged, Debt
from collecthub.law.allocation.movements import Movement
from collecthub.law.interest import Pause
from collecthub.law.limitation import LegalAct
from collecthub.law.rules import AllocationRule
from collecthub.model.booking import ledger_lines
from collecthub.model.case import RECORDED, Case
from collecthub.model.event import (
    CaseEvent,
    DirectPaymentSeen,
    HoldReleased,
    HoldSet,
    PaymentRecorded,
    PaymentReported,
)
from collecthub.model.ledger import LedgerLine, LineKind, is_for_creditor

# Holds under which no interest runs: collective settlement (Belgium: Judicial Code 1675/7) and bankruptcy. Where a
# national law is less strict the figure is too low, never too high.
STOPS_INTEREST = frozenset({"collective_settlement", "insolvency"})
_GROWS = frozenset({LineKind.INTEREST, LineKind.COMPENSATION})
_LINES_PER_EVENT = 10_000


def account_question(
    case: Case, history: Iterable[CaseEvent], until: dt.date, rule: AllocationRule
) -> AccountQuestion:
    """Everything that counts for the account of a case at the end of a day."""
    lines = [found for found in _numbered(case.currency, history) if found[2].booked_on <= until]
    movements = [_movement(place, event, line) for place, event, line in lines if _is_movement(line)]
    return AccountQuestion(
        until=until, debts=tuple(_debts(case, (line for _, _, line in lines))), movements=tuple(movements), rule=rule,
        costs=tuple(
            Charged(on=line.booked_on, amount=line.amount, reference=line.reference, basis=line.basis)
            for _, _, line in lines
            if line.kind not in _GROWS and line.kind is not LineKind.PRINCIPAL and not _lowers(line) and not is_for_creditor(line)
        ),
    )  # fmt: skip


def _numbered(currency: str, history: Iterable[CaseEvent]) -> Iterator[tuple[int, CaseEvent, LedgerLine]]:
    for event in history:
        for number, line in enumerate(ledger_lines(currency, event)):
            yield event.seq * _LINES_PER_EVENT + number, event, line


def _lowers(line: LedgerLine) -> bool:
    return line.kind in (LineKind.PAYMENT, LineKind.CREDIT, LineKind.WRITE_OFF)


def _is_movement(line: LedgerLine) -> bool:
    """Payments, and credits that belong to no claim; a credit on a claim says that it never was owed."""
    return line.kind is LineKind.PAYMENT or (_lowers(line) and not line.claim_id)


def _movement(place: int, event: CaseEvent, line: LedgerLine) -> Movement:
    fact = event.fact
    recorded = f"{RECORDED}{event.seq}" if isinstance(fact, PaymentRecorded) else ""
    return Movement(
        place=place, on=line.booked_on, amount=line.amount, claim_id=line.claim_id, reference=line.reference,
        other_ref=recorded, basis=line.basis, is_credit=line.kind is not LineKind.PAYMENT, kind=line.kind.value,
        reverses_ref=(fact.reverses_ref or "") if isinstance(fact, PaymentReported | PaymentRecorded) else "",
    )


def _debts(case: Case, lines: Iterable[LedgerLine]) -> Iterator[Debt]:
    sums: dict[str, Decimal] = {}
    for line in lines:
        if line.kind is LineKind.PRINCIPAL:
            sums[line.claim_id] = sums.get(line.claim_id, ZERO) + line.amount
        elif line.claim_id and line.kind in (LineKind.CREDIT, LineKind.WRITE_OFF):
            sums[line.claim_id] = sums.get(line.claim_id, ZERO) - line.amount
    for claim in case.claims:
        yield Debt(
            claim_id=claim.claim_id, number=claim.number, due_on=claim.due_on, principal=sums.get(claim.claim_id, ZERO)
        )


def pauses(history: Iterable[CaseEvent]) -> tuple[Pause, ...]:
    """Days on which no interest runs, from the holds of a case."""
    begun: dict[str, dt.date] = {}
    found: list[Pause] = []
    for event in history:
        fact, day = event.fact, event.occurred_at.date()
        if isinstance(fact, HoldSet) and fact.reason in STOPS_INTEREST:
            begun.setdefault(fact.reason, day)
        elif isinstance(fact, HoldReleased) and fact.reason in begun:
            found.append(Pause(from_on=begun.pop(fact.reason), to_on=day))
    return (*found, *(Pause(from_on=day) for day in begun.values()))


def acts(history: Iterable[CaseEvent]) -> tuple[LegalAct, ...]:
    """Part payments, which acknowledge the debt in many laws; a pack says whether they do.

    Suits are not counted: when they end is for a person to say, and a last day that is too early costs an alarm only.
    """
    paid = (PaymentReported, PaymentRecorded, DirectPaymentSeen)
    return tuple(
        LegalAct(act="part_payment", on=event.occurred_at.date()) for event in history if isinstance(event.fact, paid)
    )
