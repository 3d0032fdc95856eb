"""Court, enforcement and insolvency proceedings of a case: approvals, beginnings, acts."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from collecthub.engine import court_ways
from collecthub.engine import proceeding_desk as desk
from collecthub.engine.claim_filing import claim_archive
from collecthub.model.proceeding import Approval, Proceeding, ProceedingKind
from collecthub.store.queries.case_file import read_owned_case
from collecthub.web.answers import Done, answer, documented, documented_file, download
from collecthub.web.api.fields import Amount, Id, Inbound, Line, Note, Ref, Text
from collecthub.web.api.once import OnceKey, SeenVersion, done, once
from collecthub.web.auth import CreditorSide, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(prefix="/cases/{case_id}/proceedings", tags=["proceedings"], route_class=StrictRoute)
DONE = documented(Done, description="The change is recorded.")
NOUGHT = Decimal(0)


class ProceedingView(msgspec.Struct, frozen=True, kw_only=True):
    """A proceeding and what can be recorded next."""

    proceeding: Proceeding
    next_acts: tuple[str, ...]


class CaseProceedings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of this kind in a case."""

    case_id: str
    proceedings: tuple[ProceedingView, ...]
    approvals: tuple[Approval, ...]


class ApprovalIn(Inbound):
    """A costly step: what it is expected to cost and the most it may."""

    kind: ProceedingKind
    estimate: Amount
    cap: Amount
    reason: Text


class ApprovalDecisionIn(Inbound):
    """Yes or no to what was asked for last; `cap` may be lower."""

    is_given: bool
    cap: Amount | None = None
    reason: Note = ""


class ProceedingIn(Inbound):
    """A proceeding that begins, or that was heard of; `due_on` is a time limit that the court itself set."""

    kind: ProceedingKind
    began_on: dt.date | None = None
    due_on: dt.date | None = None
    authority: Line = ""
    reference: Ref = ""


class ActIn(Inbound):
    """An act of a proceeding: its day, what it brought and what it cost; `due_on` is the day that was named with it."""

    proceeding_id: Id
    act: Ref
    acted_on: dt.date | None = None
    due_on: dt.date | None = None
    note: Note = ""
    amount: Amount | None = None
    cost: Amount = NOUGHT


@router.get("", summary="Read proceedings and approvals", responses=documented(CaseProceedings))
def read_proceedings(hub: TheHub, scope: CreditorSide, case_id: str) -> Response:
    """Each with its state, its deadline and the acts that can follow."""
    with hub.database.read() as conn:
        found = read_owned_case(conn, scope, case_id).proceedings
    shown = tuple(ProceedingView(proceeding=one, next_acts=one.acts) for one in found.all)
    return answer(CaseProceedings(case_id=case_id, proceedings=shown, approvals=found.approvals))


@router.get("/claim-file", summary="Download the claim in an insolvency", responses=documented_file("The archive, to save."))
def read_claim_file(
    hub: TheHub, scope: CreditorSide, case_id: str,
    preference: Annotated[str, Query(max_length=300, description="The preference that is claimed; empty for none.")] = "",
    goods: Annotated[list[str] | None, Query(max_length=50, description="Goods to be returned.")] = None,
    purpose: Annotated[str, Query(max_length=300, description="What sensitive papers are enclosed for.")] = "",
) -> Response:  # fmt: skip
    """Paper, data and enclosures of the insolvency that runs, as of now."""
    name, content = claim_archive(
        hub, scope, case_id, preference=preference, goods=tuple(goods or ()), purpose=purpose
    )
    return download(content, name)


@router.post("/approvals", summary="Ask the creditor to allow a cost", responses=DONE)
def ask_approval(
    hub: TheHub, scope: CreditorSide, case_id: str, body: ApprovalIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """Nothing that costs begins without it."""
    return once(hub, scope, key, lambda work: done(
        desk.ask_approval(hub, work, scope, case_id, kind=body.kind, estimate=body.estimate, cap=body.cap,
                          reason=body.reason, expected_version=seen)))  # fmt: skip


@router.post("/approval-decisions", summary="Allow or refuse the cost", responses=DONE)
def decide_approval(
    hub: TheHub, scope: CreditorSide, case_id: str, body: ApprovalDecisionIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """The cap holds for the whole proceeding."""
    return once(hub, scope, key, lambda work: done(
        court_ways.decide_approval(hub, work, scope, case_id, is_given=body.is_given, cap=body.cap, reason=body.reason,
                             expected_version=seen)))  # fmt: skip


@router.post("/begin", summary="Begin a proceeding", responses=DONE)
def begin(
    hub: TheHub, scope: CreditorSide, case_id: str, body: ProceedingIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """What costs needs its approval and a fresh solvency check; an insolvency holds the case."""
    return once(hub, scope, key, lambda work: done(
        desk.begin_proceeding(hub, work, scope, case_id, kind=body.kind, began_on=body.began_on,
                              authority=body.authority, reference=body.reference, due_on=body.due_on,
                              expected_version=seen)))  # fmt: skip


@router.post("/acts", summary="Record an act", responses=DONE)
def record_act(hub: TheHub, scope: CreditorSide, case_id: str, body: ActIn, key: OnceKey, seen: SeenVersion) -> Response:
    """An act that cannot follow, comes too soon or goes beyond the cap is refused."""
    return once(hub, scope, key, lambda work: done(
        desk.move_proceeding(hub, work, scope, case_id, proceeding_id=body.proceeding_id, act=body.act,
                             acted_on=body.acted_on, note=body.note, amount=body.amount, cost=body.cost,
                             due_on=body.due_on, expected_version=seen)))  # fmt: skip
