"""A payment plan as people and programs read it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from collecthub.model.case import Case
from collecthub.model.history_human import settled


class InstalmentView(msgspec.Struct, frozen=True, kw_only=True):
    """One instalment and whether it is paid."""

    number: int
    due_on: dt.date
    amount: Decimal
    is_met: bool


class PlanView(msgspec.Struct, frozen=True, kw_only=True):
    """The plan, what came in on it, and what was agreed."""

    case_id: str
    plan_id: str
    state: str
    currency: str
    total: Decimal
    paid: Decimal
    proposed_by: str
    agreed_at: dt.datetime | None
    exceeded: tuple[str, ...]
    agreements: tuple[str, ...]
    note: str
    instalments: tuple[InstalmentView, ...]


def plan_view(case: Case) -> PlanView | None:
    """The newest plan of a case, or None."""
    plan = case.plan
    if plan is None:
        return None
    return PlanView(
        case_id=case.case_id, plan_id=plan.plan_id, state=plan.state.value, currency=case.currency, total=plan.total,
        paid=plan.paid(settled(case)) if plan.agreed_at else Decimal(0), proposed_by=plan.proposed_by,
        agreed_at=plan.agreed_at, exceeded=plan.exceeded, agreements=plan.agreements, note=plan.note,
        instalments=tuple(
            InstalmentView(number=one.number, due_on=one.due_on, amount=one.amount, is_met=one.number <= plan.met)
            for one in plan.instalments
        ),
    )  # fmt: skip
