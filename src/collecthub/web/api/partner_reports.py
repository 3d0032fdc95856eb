"""The partner's API, second part: what happened in a case. Every report becomes a message of the published exchange."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, Field
from starlette.concurrency import run_in_threadpool

from collecthub.engine.context import Hub, Work
from collecthub.engine.held_case import held_case
from collecthub.engine.partner_batches import take_batch
from collecthub.engine.partner_desk import ReportState, report_state
from collecthub.model.exchange import (
    CaseReturn,
    CaseStatusUpdate,
    CostBearer,
    CostStatement,
    InboundMessage,
    PaymentReport,
)
from collecthub.model.partner_words import Instalment, dispute_report, plan_report, sequence_at
from collecthub.store.queries.scope import Scope
from collecthub.web.answers import answer, documented
from collecthub.web.api.fields import Amount, Currency, Inbound, Note, Text
from collecthub.web.api.once import OnceKey, once
from collecthub.web.api.partner_cases import TAKEN, Code, HolderRef, say, statement_id
from collecthub.web.auth import Peer, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(prefix="/partner", tags=["partner"], route_class=StrictRoute)
CostType = Literal["bailiff_act", "court_fee", "lawyer_fee", "collection_fee", "other"]


class StatusReportIn(Inbound):
    """What happened, in a code of your vocabulary. Without `sequence` the moment decides which report is newer."""

    status_code: Code
    text: Note = ""
    occurred_at: AwareDatetime
    sequence: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None
    next_deadline_on: dt.date | None = None


class CostIn(Inbound):
    """A cost that you charge, and who bears it."""

    cost_ref: HolderRef
    cost_type: CostType
    currency: Currency
    amount: Amount
    tax_amount: Amount = Decimal(0)
    bearer: CostBearer
    occurred_on: dt.date
    legal_basis: Annotated[str, Field(max_length=300)] = ""


class ReceivedIn(Inbound):
    """Money that you received (positive), or gave back (negative, with `reverses_ref`)."""

    payment_ref: HolderRef
    currency: Currency
    amount: Amount
    received_on: dt.date
    reverses_ref: Annotated[str, Field(max_length=140)] = ""
    remittance_ref: Annotated[str, Field(max_length=140)] = ""


class InstalmentIn(Inbound):
    """One instalment: its day and its amount."""

    due_on: dt.date
    amount: Amount


class ReportedPlanIn(Inbound):
    """A payment plan that you agreed with the debtor, or that he proposes."""

    currency: Currency
    instalments: Annotated[tuple[InstalmentIn, ...], Field(min_length=1, max_length=120)]
    is_agreed: bool
    text: Note = ""
    occurred_at: AwareDatetime


class ReportedDisputeIn(Inbound):
    """The debtor disputes the claim; `disputed_amount` when it is a part of it."""

    text: Text
    currency: Currency
    disputed_amount: Amount | None = None
    occurred_at: AwareDatetime


class ReturnIn(Inbound):
    """You end your work on the case: a close code of your vocabulary and what is left."""

    close_code: Code
    currency: Currency
    remaining: Amount
    occurred_on: dt.date
    text: Note = ""


def _report(
    hub: Hub, scope: Scope, case_id: str, key: tuple[str, str], message: InboundMessage
) -> Response:
    def act(work: Work) -> Response:
        held_case(work, scope, case_id)
        return say(hub, work, scope, message.message_id, message)

    return once(hub, scope, key, act)


@router.post("/cases/{case_id}/status-reports", summary="Report what happened", status_code=202, responses=TAKEN)
def report_status(hub: TheHub, scope: Peer, case_id: str, body: StatusReportIn, key: OnceKey) -> Response:
    """A code that is in no table waits for a person; everything else in the report goes on."""
    number = sequence_at(body.occurred_at) if body.sequence is None else body.sequence
    return _report(hub, scope, case_id, key, CaseStatusUpdate(
        message_id=statement_id(scope, key), case_id=case_id, sequence=number, status_code=body.status_code,
        text=body.text, occurred_at=body.occurred_at, next_deadline_on=body.next_deadline_on))  # fmt: skip


@router.post("/cases/{case_id}/costs", summary="Charge a cost", status_code=202, responses=TAKEN)
def report_cost(hub: TheHub, scope: Peer, case_id: str, body: CostIn, key: OnceKey) -> Response:
    """The same `cost_ref` counts once."""
    return _report(hub, scope, case_id, key, CostStatement(
        message_id=statement_id(scope, key), case_id=case_id, **body.model_dump()))  # fmt: skip


@router.post("/cases/{case_id}/receipts", summary="Report money received", status_code=202, responses=TAKEN)
def report_payment(hub: TheHub, scope: Peer, case_id: str, body: ReceivedIn, key: OnceKey) -> Response:
    """The same `payment_ref` counts once."""
    return _report(hub, scope, case_id, key, PaymentReport(
        message_id=statement_id(scope, key), case_id=case_id, **body.model_dump()))  # fmt: skip


@router.post("/cases/{case_id}/plans", summary="Report a payment plan", status_code=202, responses=TAKEN)
def report_plan(hub: TheHub, scope: Peer, case_id: str, body: ReportedPlanIn, key: OnceKey) -> Response:
    """An agreed plan pauses the case; what is paid is reported as it comes in."""
    parts = [Instalment(due_on=one.due_on, amount=one.amount) for one in body.instalments]
    return _report(hub, scope, case_id, key, plan_report(
        case_id, statement_id(scope, key), body.occurred_at, currency=body.currency, instalments=parts,
        is_agreed=body.is_agreed, text=body.text))  # fmt: skip


@router.post("/cases/{case_id}/disputes", summary="Report a dispute", status_code=202, responses=TAKEN)
def report_dispute(hub: TheHub, scope: Peer, case_id: str, body: ReportedDisputeIn, key: OnceKey) -> Response:
    """The case rests until the creditor has looked at it."""
    return _report(hub, scope, case_id, key, dispute_report(
        case_id, statement_id(scope, key), body.occurred_at, text=body.text, disputed=body.disputed_amount,
        currency=body.currency))  # fmt: skip


@router.post("/cases/{case_id}/return", summary="Return the case", status_code=202, responses=TAKEN)
def give_back(hub: TheHub, scope: Peer, case_id: str, body: ReturnIn, key: OnceKey) -> Response:
    """Ends the placement."""
    return _report(hub, scope, case_id, key, CaseReturn(
        message_id=statement_id(scope, key), case_id=case_id, **body.model_dump()))  # fmt: skip


_EXCHANGE = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object", "description": "An `Exchange` of the published case exchange."}}},
    }
}


@router.post(
    "/exchanges", summary="Report on many cases at once", status_code=202, responses=TAKEN, openapi_extra=_EXCHANGE
)
async def report_many(request: Request, hub: TheHub, scope: Peer, key: OnceKey) -> Response:
    """An exchange as published, at most 20 MB. A bad message stops none of its neighbours; a report on a case that is
    not here yet is kept and counted when the case is."""
    content = await request.body()
    return await run_in_threadpool(
        lambda: once(hub, scope, key, lambda work: answer(
            take_batch(hub, work, scope.partner_id or "", statement_id(scope, key), content), 202)))  # fmt: skip


@router.get("/reports/{report_id}", summary="What became of a report", responses=documented(ReportState))
def read_report(hub: TheHub, scope: Peer, report_id: str) -> Response:
    """`received`, `recorded` or `quarantined`; `problem` names what was not understood."""
    with hub.database.read() as conn:
        return answer(report_state(conn, scope.partner_id or "", report_id))
