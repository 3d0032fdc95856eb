"""What the facts of the human part do to a case."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from collecthub.model import event as ev
from collecthub.model import facts_human as fh
from collecthub.model.case import Case, Hold
from collecthub.model.codes import Phase
from collecthub.model.objection import Complaint, Dispute, DisputeState, NonPayment
from collecthub.model.plan import Plan, PlanState
from collecthub.model.proceeding import COSTLY, HOLD_OF, Approval, Proceeding, ProceedingKind, first_state
from collecthub.model.solvency import Overruling

replace = msgspec.structs.replace
APPROVAL_HOLD = "approval_requested"  # until the creditor said yes or no to the cost of a court or of enforcement
PLAN_HOLD, DISPUTE_HOLD, COMPLAINT_HOLD, UNCONFIRMED = "plan", "dispute", "complaint", "payment_unconfirmed"


def settled(case: Case) -> Decimal:
    """What was paid, credited or given up on so far: what instalments are met with."""
    return case.balance.payments + case.balance.credits + case.balance.write_offs


def _held(case: Case, reason: str, event: ev.CaseEvent, note: str, until_on: dt.date | None = None) -> Case:
    others = tuple(hold for hold in case.holds if hold.reason != reason)
    hold = Hold(reason=reason, note=note, since_at=event.occurred_at, until_on=until_on, set_by=event.actor)
    return replace(case, holds=(*others, hold))


def _freed(case: Case, reason: str) -> Case:
    return replace(case, holds=tuple(hold for hold in case.holds if hold.reason != reason))


# --- who can pay ------------------------------------------------------------------------------------


def _scored(case: Case, fact: fh.DebtorScored, event: ev.CaseEvent) -> Case:
    return replace(case, solvency=replace(case.solvency, score=fact.score))


def _overruled(case: Case, fact: fh.ScoreOverruled, event: ev.CaseEvent) -> Case:
    said = Overruling(band=fact.band, reason=fact.reason, by=event.actor, on=event.occurred_at.date())
    overruled = replace(case, solvency=replace(case.solvency, overruling=said))
    return _contest_answered(overruled, fact.reason, event) if case.solvency.contested else overruled


def _contested(case: Case, fact: fh.ScoreContested, event: ev.CaseEvent) -> Case:
    return replace(case, solvency=replace(case.solvency, contested=fact.text, answer_by_on=fact.answer_by_on))


def _kept(case: Case, fact: fh.ContestAnswered, event: ev.CaseEvent) -> Case:
    return _contest_answered(case, fact.text, event)


def _contest_answered(case: Case, text: str, event: ev.CaseEvent) -> Case:
    answered = replace(
        case.solvency, contested="", answer_by_on=None, answer=text, answered_on=event.occurred_at.date()
    )
    return replace(case, solvency=answered)


def _checked(case: Case, fact: fh.SolvencyChecked, event: ev.CaseEvent) -> Case:
    return replace(case, solvency=replace(case.solvency, checks=(*case.solvency.checks, fact.check)))


# --- plans ------------------------------------------------------------------------------------------


def _proposed(case: Case, fact: fh.PlanProposed, event: ev.CaseEvent) -> Case:
    plan = Plan(
        plan_id=fact.plan_id, instalments=fact.instalments, proposed_by=fact.proposed_by,
        proposed_at=event.occurred_at, exceeded=fact.exceeded, note=fact.note,
    )  # fmt: skip
    return replace(case, plan=plan)


def _on_plan(case: Case, plan_id: str, **changes: Any) -> Case:
    if case.plan is None or case.plan.plan_id != plan_id:
        return case  # a late word on a plan that a newer one replaced
    return replace(case, plan=replace(case.plan, **changes))


def _agreed(case: Case, fact: fh.PlanAgreed, event: ev.CaseEvent) -> Case:
    agreed = _on_plan(
        case, fact.plan_id, state=PlanState.AGREED, agreements=fact.agreements, agreed_at=event.occurred_at,
        settled_before=settled(case),
    )  # fmt: skip
    return _held(agreed, PLAN_HOLD, event, "a payment plan was agreed")


def _refused(case: Case, fact: fh.PlanRefused, event: ev.CaseEvent) -> Case:
    return _on_plan(case, fact.plan_id, state=PlanState.REFUSED, note=fact.reason)


def _met(case: Case, fact: fh.InstalmentMet, event: ev.CaseEvent) -> Case:
    return _on_plan(case, fact.plan_id, met=fact.number, state=PlanState.AGREED, missed_at=None)


def _reversed(case: Case, fact: fh.InstalmentReversed, event: ev.CaseEvent) -> Case:
    return _on_plan(case, fact.plan_id, met=fact.number - 1)


def _missed(case: Case, fact: fh.InstalmentMissed, event: ev.CaseEvent) -> Case:
    return _on_plan(case, fact.plan_id, state=PlanState.LATE, missed_at=event.occurred_at)


def _halfway(case: Case, fact: fh.PlanHalfway, event: ev.CaseEvent) -> Case:
    return _on_plan(case, fact.plan_id, is_halfway_told=True)


def _statement(case: Case, fact: fh.PlanStatementDue, event: ev.CaseEvent) -> Case:
    return _on_plan(case, fact.plan_id, is_statement_due=True)


def _broken(case: Case, fact: fh.PlanBroken, event: ev.CaseEvent) -> Case:
    broken = _on_plan(case, fact.plan_id, state=PlanState.BROKEN, note=fact.reason)
    return _held(broken, PLAN_HOLD, event, "the plan was broken; the handler decides", fact.decide_by_on)


def _completed(case: Case, fact: fh.PlanCompleted, event: ev.CaseEvent) -> Case:
    return _freed(_on_plan(case, fact.plan_id, state=PlanState.COMPLETED), PLAN_HOLD)


def _ended(case: Case, fact: fh.PlanEnded, event: ev.CaseEvent) -> Case:
    return _freed(_on_plan(case, fact.plan_id, state=PlanState.ENDED, note=fact.reason), PLAN_HOLD)


# --- objections -------------------------------------------------------------------------------------


def _credited(case: Case) -> Decimal:
    return case.balance.credits + case.balance.write_offs


def _disputed(case: Case, fact: fh.DisputeRaised, event: ev.CaseEvent) -> Case:
    dispute = Dispute(
        dispute_id=fact.dispute_id, claim_id=fact.claim_id, amount=fact.amount, ground=fact.ground,
        raised_at=event.occurred_at, credited_before=_credited(case),
    )  # fmt: skip
    said = replace(case.objections, disputes=(*case.objections.disputes, dispute), reason=NonPayment.DISAGREES)
    return _hold_whole(replace(case, objections=said), event)


def _hold_whole(case: Case, event: ev.CaseEvent) -> Case:
    """The case rests while nothing undisputed is left; an undisputed rest goes on."""
    is_open = any(one.is_open or one.state is DisputeState.TO_COURT for one in case.objections.disputes)
    if is_open and case.demanded <= 0 and not case.held_for(DISPUTE_HOLD):
        return _held(case, DISPUTE_HOLD, event, "everything that is open is disputed")
    if not is_open or case.demanded > 0:
        return _freed(case, DISPUTE_HOLD)
    return case


def _on_dispute(case: Case, dispute_id: str, **changes: Any) -> Case:
    disputes = tuple(
        replace(one, **changes) if one.dispute_id == dispute_id else one for one in case.objections.disputes
    )
    return replace(case, objections=replace(case.objections, disputes=disputes))


def _evidence_asked(case: Case, fact: fh.EvidenceAsked, event: ev.CaseEvent) -> Case:
    return _on_dispute(case, fact.dispute_id, state=DisputeState.EVIDENCE_ASKED, evidence_due_on=fact.due_on)


def _evidence_given(case: Case, fact: fh.EvidenceGiven, event: ev.CaseEvent) -> Case:
    return _on_dispute(case, fact.dispute_id, state=DisputeState.EVIDENCE_GIVEN, evidence_due_on=None)


def _decided(case: Case, fact: fh.DisputeDecided, event: ev.CaseEvent) -> Case:
    decided = _on_dispute(
        case, fact.dispute_id, state=fact.decision, upheld=fact.upheld, evidence_due_on=None, answer=fact.reason,
        decided_on=event.occurred_at.date(),
    )  # fmt: skip
    return _hold_whole(decided, event)


def _complained(case: Case, fact: fh.ComplaintFiled, event: ev.CaseEvent) -> Case:
    complaint = Complaint(
        complaint_id=fact.complaint_id, text=fact.text, filed_at=event.occurred_at, answer_by_on=fact.answer_by_on
    )
    said = replace(case.objections, complaints=(*case.objections.complaints, complaint))
    return _held(replace(case, objections=said), COMPLAINT_HOLD, event, "a complaint waits for its answer")


def _answered(case: Case, fact: fh.ComplaintAnswered, event: ev.CaseEvent) -> Case:
    complaints = tuple(
        replace(one, answered_at=event.occurred_at, answer=fact.text) if one.complaint_id == fact.complaint_id else one
        for one in case.objections.complaints
    )
    answered = replace(case, objections=replace(case.objections, complaints=complaints))
    return answered if any(one.answered_at is None for one in complaints) else _freed(answered, COMPLAINT_HOLD)


def _explained(case: Case, fact: fh.NonPaymentExplained, event: ev.CaseEvent) -> Case:
    said = replace(case, objections=replace(case.objections, reason=fact.reason))
    if fact.reason is NonPayment.ALREADY_PAID:
        return _held(said, UNCONFIRMED, event, fact.note or "the debtor says that he paid")
    return said


def _hardship(case: Case, fact: fh.HardshipFound, event: ev.CaseEvent) -> Case:
    return _held(case, fact.hardship.value, event, fact.note, fact.until_on)


# --- proceedings ------------------------------------------------------------------------------------


def _approval_asked(case: Case, fact: fh.CostApprovalAsked, event: ev.CaseEvent) -> Case:
    asked = Approval(
        approval_id=fact.approval_id, kind=fact.step, estimate=fact.estimate, cap=fact.cap, reason=fact.reason,
        asked_at=event.occurred_at, cost_ref=fact.cost_ref, answer_by_on=fact.answer_by_on,
    )  # fmt: skip
    return replace(case, proceedings=replace(case.proceedings, approvals=(*case.proceedings.approvals, asked)))


def _approval_decided(case: Case, fact: fh.CostApprovalDecided, event: ev.CaseEvent) -> Case:
    spent_by = fact.proceeding_id if fact.is_given else ""
    decided = _on_approval(
        case, fact.approval_id, is_given=fact.is_given, cap=fact.cap, decided_at=event.occurred_at, proceeding_id=spent_by
    )
    decided = _freed(decided, APPROVAL_HOLD)  # whoever is to leave is asked about anew; one that still waits is held again
    found = decided.proceedings.of(spent_by)
    if found is None:
        return decided
    return _on_proceeding(decided, spent_by, cost_cap=(found.cost_cap or Decimal(0)) + fact.cap)


def _on_approval(case: Case, approval_id: str, **changes: Any) -> Case:
    approvals = tuple(
        replace(one, **changes) if one.approval_id == approval_id else one for one in case.proceedings.approvals
    )
    return replace(case, proceedings=replace(case.proceedings, approvals=approvals))


def _on_proceeding(case: Case, proceeding_id: str, **changes: Any) -> Case:
    changed = tuple(replace(one, **changes) if one.proceeding_id == proceeding_id else one for one in case.proceedings.all)
    return replace(case, proceedings=replace(case.proceedings, all=changed))


def charged(case: Case, bearer_id: str, cost: Decimal) -> Case:
    """A holder's cost counts against the proceeding, or the approval for the next one, that leaves room for it."""
    running, given = case.proceedings.of(bearer_id), case.proceedings.approval(bearer_id)
    if running is not None:
        return _on_proceeding(case, bearer_id, cost_spent=running.cost_spent + cost)
    return _on_approval(case, bearer_id, cost_spent=given.cost_spent + cost) if given is not None else case


_PHASES = {
    ProceedingKind.JUDICIAL: Phase.JUDICIAL, ProceedingKind.UNDISPUTED: Phase.JUDICIAL,
    ProceedingKind.ENFORCEMENT: Phase.ENFORCEMENT, ProceedingKind.MONITORING: Phase.MONITORING,
}  # fmt: skip


def _begun(case: Case, fact: fh.ProceedingBegun, event: ev.CaseEvent) -> Case:
    # Histories from before approvals were spent name none: it began with the newest that was left.
    given = case.proceedings.approval(fact.approval_id) or case.proceedings.approval_for(fact.proceeding)
    begun = Proceeding(
        proceeding_id=fact.proceeding_id, kind=fact.proceeding, state=first_state(fact.proceeding),
        began_on=fact.began_on, authority=fact.authority, reference=fact.reference, deadline_on=fact.deadline_on,
        deadline_for=fact.deadline_for, cost_cap=fact.cost_cap if fact.proceeding in COSTLY else None,
        cost_spent=given.cost_spent if given is not None else Decimal(0),
    )  # fmt: skip
    spent = _on_approval(case, given.approval_id, proceeding_id=fact.proceeding_id) if given is not None else case
    changed = replace(
        spent, proceedings=replace(spent.proceedings, all=(*case.proceedings.all, begun)),
        phase=_PHASES.get(fact.proceeding, case.phase),
    )  # fmt: skip
    hold = HOLD_OF.get(fact.proceeding)
    return _held(changed, hold, event, fact.authority) if hold else changed


def _moved(case: Case, fact: fh.ProceedingMoved, event: ev.CaseEvent) -> Case:
    found = case.proceedings.of(fact.proceeding_id)
    if found is None:
        return case
    changed = _on_proceeding(
        case, fact.proceeding_id, state=fact.state, deadline_on=fact.deadline_on, deadline_for=fact.deadline_for,
        cost_spent=found.cost_spent + fact.cost, moved_on=fact.acted_on,
    )  # fmt: skip
    moved = changed.proceedings.all
    held = {HOLD_OF[one.kind] for one in moved if one.is_open and one.kind in HOLD_OF}
    freed = {HOLD_OF[one.kind] for one in moved if one.kind in HOLD_OF and one.proceeding_id == fact.proceeding_id} - held
    for reason in freed:
        changed = _freed(changed, reason)
    return _taken_up(changed) if found.kind is ProceedingKind.MONITORING and freed else changed


def _told(case: Case, fact: fh.PlanMessageSent, event: ev.CaseEvent) -> Case:
    return replace(case, told_on=event.occurred_at.date()) if fact.tells_of_data and case.told_on is None else case


def _taken_up(case: Case) -> Case:
    """A case that waited for better times goes on where it stood before a court, else amicably."""
    running = (_PHASES[one.kind] for one in reversed(case.proceedings.all) if one.is_open and one.kind in COSTLY)
    return replace(case, phase=next(running, Phase.AMICABLE))


HANDLERS: Mapping[type, Callable[[Case, Any, ev.CaseEvent], Case]] = {
    fh.DebtorScored: _scored,
    fh.ScoreOverruled: _overruled,
    fh.ScoreContested: _contested,
    fh.ContestAnswered: _kept,
    fh.SolvencyChecked: _checked,
    fh.PlanProposed: _proposed,
    fh.PlanAgreed: _agreed,
    fh.PlanRefused: _refused,
    fh.InstalmentMet: _met,
    fh.InstalmentReversed: _reversed,
    fh.InstalmentMissed: _missed,
    fh.PlanHalfway: _halfway,
    fh.PlanStatementDue: _statement,
    fh.PlanMessageSent: _told,
    fh.PlanBroken: _broken,
    fh.PlanCompleted: _completed,
    fh.PlanEnded: _ended,
    fh.DisputeRaised: _disputed,
    fh.EvidenceAsked: _evidence_asked,
    fh.EvidenceGiven: _evidence_given,
    fh.DisputeDecided: _decided,
    fh.ComplaintFiled: _complained,
    fh.ComplaintAnswered: _answered,
    fh.NonPaymentExplained: _explained,
    fh.HardshipFound: _hardship,
    fh.CostApprovalAsked: _approval_asked,
    fh.CostApprovalDecided: _approval_decided,
    fh.ProceedingBegun: _begun,
    fh.ProceedingMoved: _moved,
}
HISTORY_ONLY = frozenset({fh.ReferralMade})
