"""What a case has borne by law on a day, and what of it becomes lines of its ledger.

The account is computed anew from the history each time (`collecthub.law.allocation`); the ledger holds what was fixed
when something needed it. What was fixed and what has grown since always add up to the account.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_law import governing, law_or_reason
from collecthub.engine.context import Hub, Work
from collecthub.law.allocation.account import Account, ClaimAccount, Growth, account
from collecthub.law.allocation.growth import LawGrowth, NoGrowth
from collecthub.law.allocation.of_case import account_question, pauses
from collecthub.law.allocation.orders import order_for
from collecthub.law.basis import Matter
from collecthub.law.governing import Governing
from collecthub.law.late_payment import LatePayment
from collecthub.law.of_history import reminded
from collecthub.law.rules import CountryLaw
from collecthub.model import event as ev
from collecthub.model.case import Case
from collecthub.model.charging import ChargePolicy, Charging
from collecthub.model.facts_money import ChargeItem, ChargeKind, Charges, ChargesFixed, ChargesWaived
from collecthub.store.case_log import read_events
from collecthub.store.connections import read_creditor

ZERO = Decimal(0)
_ONE = dt.timedelta(days=1)
_YEAR = 365 * 100
# What makes the charges of a case final up to that day, and why.
_NEEDS: dict[type, str] = {
    ev.CaseSent: "hand_over", ev.DirectPaymentSeen: "payment", ev.PaymentReported: "payment",
    ev.PaymentRecorded: "payment", ev.ClaimReopened: "payment", ev.CaseClosed: "closing",
}  # fmt: skip


class Reckoning(msgspec.Struct, frozen=True, kw_only=True):
    """The account of a case on a day, the law it was made with, and what it grows by on the next day.

    `per_day` has four decimals; the sum of many days is rounded once, so it is a guide and no amount to ask for.
    """

    account: Account
    governing: Governing
    charging: Charging
    per_day: Decimal
    notes: tuple[str, ...] = ()


def reckon(
    hub: Hub, conn: sa.Connection, case: Case, until: dt.date, history: Sequence[ev.CaseEvent] | None = None
) -> Reckoning:
    """The account of a case at the end of a day. What the law does not answer is a note, never an error."""
    creditor = read_creditor(conn, case.creditor_id)
    policy = creditor.playbook.charges if creditor else ChargePolicy()
    governs = governing(case, creditor)
    law, problem = law_or_reason(hub, governs.country)
    first_due = min((claim.due_on for claim in case.claims), default=until)
    matter = Matter(segment=case.segment, contract_on=first_due, default_on=first_due + _ONE)
    told = read_events(conn, case.case_id) if history is None else history
    question = account_question(case, told, until, order_for(law, matter, until, policy.allocation))
    found = account(question, _growth(case, law, policy, told, problem, until))
    return Reckoning(
        account=found, governing=governs, charging=policy.charging, per_day=_per_day(found.claims, case),
        notes=tuple(dict.fromkeys(_notes(found, problem))),
    )  # fmt: skip


def _growth(
    case: Case, law: CountryLaw | None, policy: ChargePolicy, history: Sequence[ev.CaseEvent], problem: str, until: dt.date
) -> Growth:
    if policy.charging is Charging.NONE:
        return NoGrowth("the creditor asks for the principal only")
    if law is None:
        return NoGrowth(problem)
    kept, charges = None, case.charges
    if charges is not None and charges.is_over and not case.is_open and until >= charges.until:
        kept = {claim.claim_id: _kept(charges, claim.claim_id) for claim in case.claims}
    return LawGrowth(
        law=law, segment=case.segment, currency=case.currency, reminded=reminded(history), pauses=pauses(history), kept=kept
    )


def _kept(charges: Charges, claim_id: str) -> tuple[Decimal, Decimal]:
    return charges.fixed_of(claim_id, ChargeKind.INTEREST), charges.fixed_of(claim_id, ChargeKind.COMPENSATION)


def _per_day(claims: Iterable[ClaimAccount], case: Case) -> Decimal:
    if not case.is_open:
        return ZERO
    grows = sum((claim.open_principal * _percent(claim.late) for claim in claims), ZERO) / _YEAR
    return max(grows, ZERO).quantize(Decimal("0.0001"))


def _percent(late: LatePayment | None) -> Decimal:
    return late.segments[-1].rate_percent if late and late.segments else ZERO


def _notes(found: Account, problem: str) -> Iterator[str]:
    yield from filter(None, (problem, found.rule.note))
    for claim in found.claims:
        if claim.problem and claim.problem != problem:
            yield claim.problem
        if claim.late:
            yield from claim.late.notes


# --- what becomes a line of the ledger ------------------------------------------------------------


def fixed_charges(case: Case, found: Account, reason: str) -> ChargesFixed | None:
    """What has grown since charges were fixed last, as a fact; None when nothing has."""
    items = tuple(item for claim in found.claims for item in _items(case, claim, found.until))
    return ChargesFixed(until=found.until, reason=reason, items=items) if items else None


def _items(case: Case, claim: ClaimAccount, until: dt.date) -> Iterator[ChargeItem]:
    for kind, amount in ((ChargeKind.INTEREST, claim.interest), (ChargeKind.COMPENSATION, claim.compensation)):
        before = case.charges.fixed_of(claim.claim_id, kind) if case.charges else ZERO
        if amount != before:
            since = case.charges.until + _ONE if before and case.charges else None
            yield _item(claim, kind, amount - before, since, until)


def _item(
    claim: ClaimAccount, kind: ChargeKind, amount: Decimal, since: dt.date | None, until: dt.date
) -> ChargeItem:
    late = claim.late
    interest = tuple(dict.fromkeys(part.rule for part in late.segments)) if late else ()
    others = tuple(rule.id for rule in late.rules if rule.id not in interest) if late else ()
    return ChargeItem(
        kind=kind, claim_id=claim.claim_id, amount=amount, from_on=min(since or (late.start_on if late else until), until),
        to_on=until, rule="; ".join(interest if kind is ChargeKind.INTEREST else others),
        rule_version=late.rule_version if late else None, source=late.source if late else "",
        evidence=late.evidence.value if late else "",
    )  # fmt: skip


def charges_that_follow(hub: Hub, work: Work, case: Case, events: Sequence[ev.CaseEvent]) -> tuple[ev.Fact, ...]:
    """The charges that facts just recorded make final, where the playbook books them; and what is given up at the end."""
    reasons = [_NEEDS[type(event.fact)] for event in events if type(event.fact) in _NEEDS]
    if not reasons:
        return ()
    creditor = read_creditor(work.stored, case.creditor_id)
    policy = creditor.playbook.charges if creditor else ChargePolicy()
    if policy.charging is Charging.NONE or (policy.charging is Charging.SHOWN and not _was_told(case)):
        return ()
    found = reckon(hub, work.stored, case, work.now.date(), work.history(case.case_id)).account
    fixed = fixed_charges(case, found, reasons[-1])
    is_over = reasons[-1] == "closing" and case.balance.open_principal <= 0 and not policy.keeps_rest
    waived = _waiver(case, found) if is_over and not case.is_open else None
    return tuple(fact for fact in (fixed, waived) if fact is not None)


def _was_told(case: Case) -> bool:
    """Whether interest or compensation entered the ledger before, because somebody was told of it."""
    return case.charges is not None and any(part.kind is not ChargeKind.DUNNING_FEE for part in case.charges.fixed)


def _waiver(case: Case, found: Account) -> ChargesWaived | None:
    items = tuple(
        ChargeItem(
            kind=kind, claim_id=claim_id, amount=-amount, from_on=found.until, to_on=found.until, rule="playbook"
        )
        for claim_id, kind, amount in _left_over(case, found)
    )
    return ChargesWaived(reason="the principal was paid, and the creditor lets the rest go", items=items) if items else None


def _left_over(case: Case, found: Account) -> Iterator[tuple[str, ChargeKind, Decimal]]:
    """What is owed at the end, as charges: a payment of the principal settled charges first, so principal is open."""
    owed = found.total
    for claim in found.claims:
        for kind, amount in ((ChargeKind.INTEREST, claim.interest), (ChargeKind.COMPENSATION, claim.compensation)):
            part = min(amount, max(owed, ZERO))
            owed -= part
            if part:
                yield claim.claim_id, kind, part
    fees = min(case.balance.dunning_fees, max(owed, ZERO))
    if fees:
        yield "", ChargeKind.DUNNING_FEE, fees
