"""The course of plans, objections and proceedings: what follows at once, what is waited for, what a wait's end means.

Pure: `follows` needs no clock, `waits` names the moments, `over` says which facts a moment brings.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from collecthub.model import facts_human as fh
from collecthub.model.case import Case
from collecthub.model.clock import Timer
from collecthub.model.event import HoldSet
from collecthub.model.history_human import DISPUTE_HOLD, settled
from collecthub.model.objection import DisputeState
from collecthub.model.plan import DECISION_DAYS, GRACE_DAYS, REMINDER_DAYS, STATEMENT_DAYS, Plan, PlanState
from collecthub.model.proceeding import NEAR_DAYS, Proceeding

LATE, BROKEN, STATEMENT = "plan:late", "plan:broken", "plan:statement"
PROPOSAL_DAYS = 7  # a debtor who proposed a plan is answered within a week


def follows(case: Case) -> tuple[fh.HumanFact | HoldSet, ...]:
    """What the money that came in means for a plan or a dispute; empty when everything is noted."""
    return (*_plan_follows(case), *_dispute_follows(case))


def _dispute_follows(case: Case) -> tuple[HoldSet, ...]:
    """Once the undisputed part is settled, only what is disputed is left: the case rests until it is decided."""
    waits_for_decision = any(one.is_open or one.state is DisputeState.TO_COURT for one in case.objections.disputes)
    if not waits_for_decision or case.demanded > 0 or case.owed_here <= 0 or case.held_for(DISPUTE_HOLD):
        return ()
    return (HoldSet(reason=DISPUTE_HOLD, note="everything that is still open is disputed"),)


def _plan_follows(case: Case) -> tuple[fh.HumanFact, ...]:
    plan = case.plan
    if plan is None or not plan.is_running:
        return ()
    covered = plan.covered(settled(case))
    if covered < plan.met:
        return tuple(fh.InstalmentReversed(plan_id=plan.plan_id, number=n) for n in range(plan.met, covered, -1))
    facts: list[fh.HumanFact] = [
        fh.InstalmentMet(plan_id=plan.plan_id, number=one.number, amount=one.amount)
        for one in plan.instalments[plan.met : covered]
    ]
    if covered == len(plan.instalments):
        facts.append(fh.PlanCompleted(plan_id=plan.plan_id))
    elif not plan.is_halfway_told and plan.is_halfway(settled(case), case.currency):
        facts.append(fh.PlanHalfway(plan_id=plan.plan_id, paid=plan.paid(settled(case))))
    return tuple(facts)


def waits(case: Case) -> Iterator[Timer]:
    """The waits of an open case in this field, each with its owner."""
    if case.plan is not None:
        yield from _plan_waits(case.plan)
    for dispute in case.objections.disputes:
        if dispute.is_open and dispute.evidence_due_on is not None:
            yield _timer(f"evidence:{dispute.dispute_id[:12]}", dispute.evidence_due_on, "creditor", "evidence is missing")
    for complaint in case.objections.complaints:
        if complaint.answered_at is None:
            title = "the complaint must be answered"
            yield _timer(f"complaint:{complaint.complaint_id[:12]}", complaint.answer_by_on, "operator", title)
    if case.solvency.contested and case.solvency.answer_by_on is not None:
        title = "the debtor who contests his score must be answered"
        yield _timer("score_contested:late", case.solvency.answer_by_on, "operator", title)
    for asked in case.proceedings.approvals:
        if asked.decided_at is None and asked.answer_by_on is not None:
            title = f"the creditor has not answered on the cost of the {asked.kind.value} step: ask him again"
            yield _timer(f"approval_late:{asked.approval_id[:12]}", asked.answer_by_on, "operator", title)
    for one in case.proceedings.all:
        if one.is_open:
            yield from _proceeding_waits(one)


def _proceeding_waits(one: Proceeding) -> Iterator[Timer]:
    """The time limit, a word a week before it where so much time was left, or the end of a month's silence."""
    short = one.proceeding_id[:12]
    if one.deadline_on is None:
        title = f"nothing was heard of the {one.kind.value.replace('_', ' ')} proceeding for a month: ask how it stands"
        yield _timer(f"proceeding_quiet:{short}", one.quiet_on, "operator", title)
        return
    near_on = one.deadline_on - dt.timedelta(days=NEAR_DAYS)
    if near_on > (one.moved_on or one.began_on):
        yield _timer(f"proceeding_near:{short}", near_on, "operator", f"by {one.deadline_on}: {one.deadline_for}")
    yield _timer(f"proceeding:{short}", one.deadline_on, "operator", one.deadline_for)


def _plan_waits(plan: Plan) -> Iterator[Timer]:
    awaited, last = plan.next_instalment, plan.instalments[-1]
    if plan.state is PlanState.PROPOSED:
        answer_on = plan.proposed_at.date() + dt.timedelta(days=PROPOSAL_DAYS)
        yield _timer("plan_unanswered", answer_on, "operator", "a proposed plan waits for an answer")
    if plan.state is PlanState.AGREED and awaited is not None:
        late_on = awaited.due_on + dt.timedelta(days=GRACE_DAYS + 1)
        yield _timer(LATE, late_on, "operator", f"instalment {awaited.number} is due")
    if plan.state is PlanState.LATE and plan.missed_at is not None:
        due_at = plan.missed_at + dt.timedelta(days=REMINDER_DAYS)
        yield Timer(kind=BROKEN, due_at=due_at, owner="operator", title="the free reminder of the plan runs out")
    if plan.is_running and not plan.is_statement_due:
        statement_on = last.due_on - dt.timedelta(days=STATEMENT_DAYS)
        yield _timer(STATEMENT, statement_on, "operator", "the settlement before the last instalment is due")


def _timer(kind: str, on: dt.date, owner: str, title: str) -> Timer:
    return Timer(kind=kind, due_at=dt.datetime.combine(on, dt.time(), dt.UTC), owner=owner, title=title)


def over(case: Case, timer: Timer) -> tuple[fh.HumanFact, ...]:
    """The facts that the end of a wait brings; none where only a person is told."""
    plan = case.plan
    if plan is None or not plan.is_running:
        return ()
    awaited = plan.next_instalment
    lacking = missing(plan, settled(case))
    if timer.kind == LATE and plan.state is PlanState.AGREED and awaited is not None:
        return (
            fh.InstalmentMissed(plan_id=plan.plan_id, number=awaited.number, due_on=awaited.due_on, missing=lacking),
        )
    if timer.kind == BROKEN and plan.state is PlanState.LATE and awaited is not None:
        reason = f"instalment {awaited.number} of {awaited.due_on} was not paid after the free reminder"
        decide_by = timer.due_at.date() + dt.timedelta(days=DECISION_DAYS)
        return (fh.PlanBroken(plan_id=plan.plan_id, reason=reason, decide_by_on=decide_by),)
    if timer.kind == STATEMENT and not plan.is_statement_due:
        remaining = plan.total - plan.paid(settled(case))
        last_due_on = plan.instalments[-1].due_on
        return (fh.PlanStatementDue(plan_id=plan.plan_id, last_due_on=last_due_on, remaining=remaining),)
    return ()


def missing(plan: Plan, settled_now: Decimal) -> Decimal:
    """What is lacking of the instalment that is waited for."""
    due = sum((one.amount for one in plan.instalments[: plan.met + 1]), Decimal(0))
    return max(Decimal(0), due - plan.paid(settled_now))
