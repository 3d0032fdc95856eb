"""What people do about a payment plan: propose, agree, refuse, end, and read the settlement.

Inside the caller's transaction, with the scope of whoever asks, as everything in `collecthub.engine.desk`.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import sqlalchemy as sa

from collecthub.engine.case_work import change_case, close_tasks
from collecthub.engine.context import Hub, Work
from collecthub.engine.desk import case_for
from collecthub.errors import PermanentError
from collecthub.law.plan_settlement import Settlement, plan_settlement
from collecthub.model.case import Case
from collecthub.model.facts_human import PlanAgreed, PlanEnded, PlanProposed, PlanRefused
from collecthub.model.ids import derived_id
from collecthub.model.plan import Plan, PlanLimits, PlanState, agreements, exceeded, instalments_for, split
from collecthub.store.case_log import read_lines
from collecthub.store.connections import read_creditor
from collecthub.store.queries.case_file import read_owned_case
from collecthub.store.queries.scope import Role, Scope

FIRST_AFTER_DAYS = 14


def propose_plan(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, count: int | None = None, capacity: Decimal | None = None,
    first_on: dt.date | None = None, by_debtor: bool = False, note: str = "", expected_version: int | None = None,
) -> Case:  # fmt: skip
    """A plan of `count` months, or of as many as the debtor's capacity asks for. It binds nobody until it is agreed.

    Raises `PermanentError` without either and without a scored capacity: what somebody can pay is never guessed.
    """
    case = case_for(work, scope, case_id, expected_version)
    _free_for_plan(case)
    total = case.balance.total - case.objections.withheld(case.balance.credits + case.balance.write_offs)
    known = capacity if capacity is not None else case.solvency.score.capacity if case.solvency.score else None
    if count is None and known is None:
        raise PermanentError(
            f"nobody knows what the debtor of case {case.number} can pay in a month",
            cure="Say how many instalments, or how much a month.",
        )
    months = count if count is not None else instalments_for(total, known or Decimal(0))
    if not 1 <= months <= 120:
        raise PermanentError(f"a plan of {months} months cannot be kept", cure="Choose 1 to 120 instalments.")
    today = work.now.date()
    begins = first_on or today + dt.timedelta(days=FIRST_AFTER_DAYS)
    if begins <= today:
        raise PermanentError(f"{begins} is no day ahead", cure="Choose a later day for the first instalment.")
    parts = split(total, months, begins, case.currency)
    fact = PlanProposed(
        plan_id=derived_id(case.case_id, str(case.version), "plan"), instalments=parts,
        proposed_by="debtor" if by_debtor else "creditor" if scope.role is Role.CREDITOR else "operator",
        exceeded=exceeded(parts, limits_of(work.conn, case), today), note=note,
    )  # fmt: skip
    return change_case(hub, work, case, [fact], actor=scope.subject)


def limits_of(conn: sa.Connection, case: Case) -> PlanLimits:
    """What the case's creditor agreed to in his playbook."""
    creditor = read_creditor(conn, case.creditor_id)
    return creditor.playbook.plans if creditor else PlanLimits()


def _free_for_plan(case: Case) -> None:
    if not case.is_open:
        raise PermanentError(f"case {case.number} is closed", cure="There is nothing to pay in instalments.")
    if case.plan is not None and case.plan.is_running:
        raise PermanentError(f"case {case.number} has a running plan", cure="End it before another one is proposed.")


def _plan(case: Case, *states: PlanState) -> Plan:
    if case.plan is None or case.plan.state not in states:
        found = case.plan.state.value if case.plan else "not there"
        raise PermanentError(
            f"the plan of case {case.number} is {found}", cure=f"It has to be {' or '.join(states)} for this."
        )
    return case.plan


def agree_plan(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, reason: str = "", expected_version: int | None = None
) -> Case:
    """The proposed plan holds from now on. Beyond the limits only a person agrees, and says why."""
    case = case_for(work, scope, case_id, expected_version)
    plan = _plan(case, PlanState.PROPOSED)
    _free_for_plan(case)
    beyond = exceeded(plan.instalments, limits_of(work.conn, case), work.now.date())
    if beyond and not reason.strip():
        raise PermanentError(
            f"the plan of case {case.number} is beyond what was agreed with the creditor: {'; '.join(beyond)}",
            cure="Propose another one, or give the reason why it is right here.",
        )
    fact = PlanAgreed(plan_id=plan.plan_id, agreements=agreements(plan, case.currency), reason=reason.strip())
    agreed = change_case(hub, work, case, [fact], actor=scope.subject)
    _close(work, scope, case, "plan_proposed", "plan_unanswered", "propose_plan")
    return agreed


def refuse_plan(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, reason: str, expected_version: int | None = None
) -> Case:
    """A person says no, and why."""
    case = case_for(work, scope, case_id, expected_version)
    plan = _plan(case, PlanState.PROPOSED)
    refused = change_case(hub, work, case, [PlanRefused(plan_id=plan.plan_id, reason=reason)], actor=scope.subject)
    _close(work, scope, case, "plan_proposed", "plan_unanswered")
    return refused


def end_plan(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, reason: str, expected_version: int | None = None
) -> Case:
    """A person ends a running or broken plan; collection goes on."""
    case = case_for(work, scope, case_id, expected_version)
    plan = _plan(case, PlanState.AGREED, PlanState.LATE, PlanState.BROKEN)
    ended = change_case(hub, work, case, [PlanEnded(plan_id=plan.plan_id, reason=reason)], actor=scope.subject)
    _close(work, scope, case, "plan_broken", "plan_reminder")
    return ended


def _close(work: Work, scope: Scope, case: Case, *kinds: str) -> None:
    for kind in kinds:
        close_tasks(work, done_by=scope.subject, case_id=case.case_id, kind=kind)


def read_settlement(
    hub: Hub, conn: sa.Connection, scope: Scope, case_id: str, until: dt.date | None = None
) -> Settlement:
    """Overview and settlement by the law of the creditor's country, until the last instalment by default."""
    case = read_owned_case(conn, scope, case_id)
    creditor = read_creditor(conn, case.creditor_id)
    country = (creditor.party.country if creditor else "") or case.debtor.country
    last = case.plan.instalments[-1].due_on if case.plan else hub.business_date()
    return plan_settlement(
        hub.plugins.country_law(country), case.claims, read_lines(conn, case_id), segment=case.segment,
        currency=case.currency, until=until or last,
    )  # fmt: skip
