"""What the creditor's playbook says on the cost of courts and enforcement, applied to one case."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import sqlalchemy as sa
from msgspec.structs import replace

from collecthub.engine.case_work import change_case, close_tasks
from collecthub.engine.context import Hub, Work
from collecthub.model.approval import ApprovalLimits
from collecthub.model.case import Case
from collecthub.model.facts_human import CostApprovalAsked, CostApprovalDecided
from collecthub.model.human_tasks import APPROVAL
from collecthub.model.proceeding import ANSWER_DAYS, COSTLY, ProceedingKind
from collecthub.store.connections import read_creditor
from collecthub.store.contact_tables import playbook_versions


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
    given = given_beforehand(work.conn, case, asked)
    case = change_case(hub, work, case, [replace(asked, answer_by_on=answer_by(work.now.date()))], actor=actor)
    if given is None:
        return case
    case = change_case(hub, work, case, [given], actor="hub")
    close_question(work, case.case_id, asked.reason, done_by="hub")
    return case


def close_question(work: Work, case_id: str, reason: str, *, done_by: str) -> None:
    """Take one question off the creditor's list; another one of the case stays until it is answered."""
    close_tasks(work, done_by=done_by, case_id=case_id, kind=APPROVAL, detail=reason)


def given_beforehand(conn: sa.Connection, case: Case, asked: CostApprovalAsked) -> CostApprovalDecided | None:
    """The yes that the playbook holds, with its version. What nobody can estimate may cost what is given beforehand, no more."""
    limits = cost_limits(conn, case)
    cap = limits.given_up_to if asked.estimate is None else asked.cap
    if not cap or not limits.is_given(committed(case), cap):
        return None
    return CostApprovalDecided(
        approval_id=asked.approval_id, is_given=True, cap=cap, proceeding_id=running_of(case, asked.step),
        reason=f"allowed beforehand: {_agreed_in(conn, case.creditor_id)} gives up to {limits.given_up_to}",
    )  # fmt: skip


def _agreed_in(conn: sa.Connection, creditor_id: str) -> str:
    mine = playbook_versions.c.creditor_id == creditor_id
    number = conn.scalar(sa.select(sa.func.max(playbook_versions.c.number)).where(mine))
    return f"version {number} of the playbook" if number else "the playbook agreed with the creditor's entry"


def answer_by(asked_on: dt.date) -> dt.date:
    """The day by which a creditor answers."""
    return asked_on + dt.timedelta(days=ANSWER_DAYS)


def running_of(case: Case, kind: ProceedingKind) -> str:
    """Id of the proceeding of a kind that runs, or empty: its cap is raised by what is allowed now."""
    running = case.proceedings.open_of(kind)
    return running.proceeding_id if running is not None else ""
