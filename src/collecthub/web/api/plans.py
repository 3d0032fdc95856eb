"""Payment plans of a case: read, propose, agree, refuse, end."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import Field

from collecthub.engine import plan_desk
from collecthub.law.plan_settlement import Settlement
from collecthub.store.queries.case_file import read_owned_case
from collecthub.store.queries.plans import PlanView, plan_view
from collecthub.web.answers import Done, answer, documented
from collecthub.web.api.fields import Amount, Inbound, Note, Text
from collecthub.web.api.once import OnceKey, SeenVersion, done, once
from collecthub.web.auth import CreditorSide, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(prefix="/cases/{case_id}/plan", tags=["payment plans"], route_class=StrictRoute)
DONE = documented(Done, description="The change is recorded.")


class CasePlan(msgspec.Struct, frozen=True, kw_only=True):
    """The newest plan of a case, if there is one."""

    case_id: str
    plan: PlanView | None


class PlanIn(Inbound):
    """How many months, or how much a month; `first_on` is two weeks ahead by default."""

    instalments: Annotated[int, Field(ge=1, le=120)] | None = None
    capacity: Amount | None = None
    first_on: dt.date | None = None
    is_by_debtor: bool = False
    note: Note = ""


class AgreementIn(Inbound):
    """`reason` is needed where the plan is beyond the limits."""

    reason: Note = ""


class ReasonIn(Inbound):
    """Why."""

    reason: Text


@router.get("", summary="Read the newest plan", responses=documented(CasePlan))
def read_plan(hub: TheHub, scope: CreditorSide, case_id: str) -> Response:
    """Its instalments and how far it has come."""
    with hub.database.read() as conn:
        case = read_owned_case(conn, scope, case_id)
    return answer(CasePlan(case_id=case_id, plan=plan_view(case)))


@router.get("/settlement", summary="Overview and detailed settlement", responses=documented(Settlement))
def read_settlement(
    hub: TheHub, scope: CreditorSide, case_id: str,
    until: Annotated[dt.date | None, Query(description="By default the day of the last instalment.")] = None,
) -> Response:
    """What was owed, what came in, and the interest that the law grants, claim by claim."""
    with hub.database.read() as conn:
        return answer(plan_desk.read_settlement(hub, conn, scope, case_id, until))


@router.post("/propose", summary="Propose a plan", responses=DONE)
def propose_plan(
    hub: TheHub, scope: CreditorSide, case_id: str, body: PlanIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """It binds nobody until it is agreed; what a person must decide is said with it."""
    return once(hub, scope, key, lambda work: done(
        plan_desk.propose_plan(hub, work, scope, case_id, count=body.instalments, capacity=body.capacity,
                               first_on=body.first_on, by_debtor=body.is_by_debtor, note=body.note,
                               expected_version=seen)))  # fmt: skip


@router.post("/agree", summary="Agree to the proposed plan", responses=DONE)
def agree_plan(
    hub: TheHub, scope: CreditorSide, case_id: str, body: AgreementIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """As long as it is kept, nobody chases."""
    return once(hub, scope, key, lambda work: done(
        plan_desk.agree_plan(hub, work, scope, case_id, reason=body.reason, expected_version=seen)))  # fmt: skip


@router.post("/refuse", summary="Refuse the proposed plan", responses=DONE)
def refuse_plan(
    hub: TheHub, scope: CreditorSide, case_id: str, body: ReasonIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """A person says no, and why."""
    return once(hub, scope, key, lambda work: done(
        plan_desk.refuse_plan(hub, work, scope, case_id, reason=body.reason, expected_version=seen)))  # fmt: skip


@router.post("/end", summary="End a running or broken plan", responses=DONE)
def end_plan(
    hub: TheHub, scope: CreditorSide, case_id: str, body: ReasonIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """Collection goes on."""
    return once(hub, scope, key, lambda work: done(
        plan_desk.end_plan(hub, work, scope, case_id, reason=body.reason, expected_version=seen)))  # fmt: skip
