"""What facts of money do to a case."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from collecthub.model import facts_money as fm

if TYPE_CHECKING:
    from collecthub.model.case import Case
    from collecthub.model.event import CaseEvent

replace = msgspec.structs.replace


def _fixed(case: Case, fact: fm.ChargesFixed, event: CaseEvent) -> Case:
    return replace(case, charges=_added(case.charges, fact.items, fact.until, is_over=False))


def _waived(case: Case, fact: fm.ChargesWaived, event: CaseEvent) -> Case:
    until = max((item.to_on for item in fact.items), default=event.occurred_at.date())
    return replace(case, charges=_added(case.charges, fact.items, until, is_over=True))


def _added(before: fm.Charges | None, items: Iterable[fm.ChargeItem], until: dt.date, *, is_over: bool) -> fm.Charges:
    sums = {(part.claim_id, part.kind): part.amount for part in before.fixed} if before else {}
    for item in items:
        key = (item.claim_id, item.kind)
        sums[key] = sums.get(key, Decimal(0)) + item.amount
    fixed = tuple(fm.ChargesSoFar(claim_id=key[0], kind=key[1], amount=amount) for key, amount in sums.items())
    return fm.Charges(until=max(until, before.until) if before else until, fixed=fixed, is_over=is_over)


def _written_off(case: Case, fact: fm.WrittenOff, event: CaseEvent) -> Case:
    return replace(case, unmatched=(*case.unmatched, (f"{fm.WRITTEN_OFF}{event.seq}", fact.amount)))


def _nature(case: Case, fact: fm.ClaimNatureSet, event: CaseEvent) -> Case:
    named = dict(case.natures)
    named.update(dict.fromkeys(fact.claim_ids or (claim.claim_id for claim in case.claims), fact.nature))
    return replace(case, natures=tuple(sorted(named.items())))


HANDLERS: Mapping[type, Callable[[Case, Any, CaseEvent], Case]] = {
    fm.ChargesFixed: _fixed,
    fm.ChargesWaived: _waived,
    fm.WrittenOff: _written_off,
    fm.ClaimNatureSet: _nature,
}
HISTORY_ONLY = frozenset({fm.StatementIssued, fm.ChargeRefused})
