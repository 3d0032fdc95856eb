"""Which messages a payment plan brings, and by what the debtor can be told: pure, for the line and its runner."""

from __future__ import annotations

from collections.abc import Mapping

from collecthub.model import facts_human as fh
from collecthub.model.case import Case
from collecthub.model.contact import Channel
from collecthub.model.event import CaseEvent
from collecthub.model.history_human import settled
from collecthub.model.human_course import missing
from collecthub.model.ids import derived_id
from collecthub.model.plan import PlanState
from collecthub.paper.plan_text import PlanWord

# The fact that brings a message -> the kind of its task, and the words. The task's kind is the step's name in the line.
MESSAGES: Mapping[type, tuple[str, PlanWord]] = {
    fh.PlanAgreed: ("plan_confirmation", PlanWord.CONFIRMATION),
    fh.InstalmentMissed: ("plan_reminder", PlanWord.REMINDER),
    fh.PlanHalfway: ("plan_encouragement", PlanWord.HALFWAY),
    fh.PlanStatementDue: ("plan_statement", PlanWord.STATEMENT),
}
STEPS: Mapping[str, PlanWord] = dict(MESSAGES.values())


def message_row(case: Case, event: CaseEvent) -> dict[str, object] | None:
    """The row in line for a fact that the debtor should hear of, without its channel."""
    found = MESSAGES.get(type(event.fact))
    if found is None:
        return None
    return {
        "contact_id": derived_id(case.case_id, "plan", str(event.seq)), "case_id": case.case_id,
        "creditor_id": case.creditor_id, "step": found[0], "tone": "", "state": "queued",
    }  # fmt: skip


def channels_of(case: Case) -> tuple[Channel, ...]:
    """By what the debtor can be reached in writing, the cheapest first."""
    by = ((Channel.EMAIL, case.debtor.email), (Channel.LETTER, case.debtor.address.lines and case.debtor.address.city))
    lost = case.contact.lost if case.contact else ()
    return tuple(one for one, address in by if address and one not in lost and one.value not in case.unwanted)


def is_wanted(case: Case, step: str) -> bool:
    """Whether the message still says something true: a reminder that was paid, or a plan that ended, is not told."""
    plan = case.plan
    if plan is None or not case.is_open or not plan.is_running or case.balance.total <= 0:
        return False
    if STEPS[step] is PlanWord.REMINDER:
        return plan.state is PlanState.LATE and missing(plan, settled(case)) > 0
    return True
