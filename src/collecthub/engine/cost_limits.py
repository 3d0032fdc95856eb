"""What the creditor's playbook says on the cost of courts and enforcement, applied to one case."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa

from collecthub.engine.case_work import change_case, close_tasks
from collecthub.engine.context import Hub, Work
from collecthub.model.approval import ApprovalLimits
from collecthub.model.case import Case
from collecthub.model.facts_human import CostApprovalAsked, CostApprovalDecided
from collecthub.model.proceeding import COSTLY, ProceedingKind
from collecthub.store.connections import read_creditor

_BEFOREHAND = "allowed beforehand: the playbook gives up to"


def cost_limits(conn: sa.Connection, case: Case) -> ApprovalLimits:
    """What was agreed with the case's creditor."""
    creditor = read_creditor(conn, case.creditor_id)
    return creditor.playbook.approval if creditor else ApprovalLimits()


def committed(case: Case) -> Decimal:
    """What the costly steps of a case have cost or may still cost: caps of what runs or waits, what was spent on the rest."""
    begun = [one for one in case.proceedings.all if one.kind in COSTLY]
    running = sum(((one.cost_cap or Decimal(0)) if one.is_open else one.cost_spent for one in begun), Decimal(0))
    return running + sum((one.cap for one in case.proceedings.approvals if one.is_unspent), Decimal(0))


def ask_and_give(hub: Hub, work: Work, case: Case, asked: CostApprovalAsked, *, actor: str) -> Case:
    """Ask the creditor to allow a cost; what his playbook gives beforehand is allowed at once."""
    limits, already = cost_limits(work.conn, case), committed(case)
    case = change_case(hub, work, case, [asked], actor=actor)
    if not limits.is_given(already, asked.cap):
        return case
    given = CostApprovalDecided(
        approval_id=asked.approval_id, is_given=True, cap=asked.cap, reason=f"{_BEFOREHAND} {limits.given_up_to}",
        proceeding_id=running_of(case, asked.step),
    )  # fmt: skip
    case = change_case(hub, work, case, [given], actor="hub")
    close_tasks(work, done_by="hub", case_id=case.case_id, kind="approval")
    return case


def running_of(case: Case, kind: ProceedingKind) -> str:
    """Id of the proceeding of a kind that runs, or empty: its cap is raised by what is allowed now."""
    running = case.proceedings.open_of(kind)
    return running.proceeding_id if running is not None else ""
