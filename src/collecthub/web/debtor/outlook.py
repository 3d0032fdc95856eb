"""What lies ahead of a debtor: his plan part by part, or what becomes of his file if nothing is paid."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.engine.charging import reckon
from collecthub.engine.context import Hub
from collecthub.law.contact_course import next_on, waits
from collecthub.model.case import Case
from collecthub.model.plan import PlanState
from collecthub.store.queries.plans import PlanView, plan_view

LATER = dt.timedelta(days=14)


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """`will_be` is owed on `later_on` by law, None where nothing grows; `next_on` the day of the next step, if one is agreed."""

    later_on: dt.date
    will_be: Decimal | None
    per_day: Decimal
    next_on: dt.date | None
    is_handover: bool


class ShownPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that holds or waits for an answer; `next_amount` is still to be paid of the next part, None while it waits."""

    plan: PlanView
    next_amount: Decimal | None


def shown_plan(case: Case) -> ShownPlan | None:
    """The plan that a debtor keeps or proposed; None where he has none to go by."""
    plan, view = case.plan, plan_view(case)
    if plan is None or view is None or not (plan.is_running or plan.state is PlanState.PROPOSED):
        return None
    due = sum((one.amount for one in plan.instalments[: plan.met + 1]), Decimal(0))
    return ShownPlan(plan=view, next_amount=due - view.paid if plan.is_running and plan.next_instalment else None)


def outlook(hub: Hub, conn: sa.Connection, case: Case, asked: Decimal) -> Outlook:
    """The outlook of an open case, seen from today. What the law does not say is left out, never guessed."""
    today = hub.business_date()
    later_on = today + LATER
    then = reckon(hub, conn, case, later_on)
    is_known = not any(claim.problem for claim in then.account.claims)  # a rate that nobody knows yet would make the figure too low
    contact = case.contact
    step_on = next_on(case, contact) if contact is not None and any(waits(case)) else None
    return Outlook(
        later_on=later_on, will_be=then.account.total if is_known and then.account.total > asked else None, per_day=then.per_day,
        next_on=max(step_on, today + dt.timedelta(days=1)) if step_on else None,
        is_handover=contact is not None and contact.next_step is None,
    )
