"""Acts asked from elsewhere: a lawyer or agency abroad asks, hears a price, orders, and gets the certificate."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from collecthub.engine import act_desk
from collecthub.engine.act_desk import ActView, Proposal, view_of
from collecthub.engine.context import Hub, Work
from collecthub.engine.page_guard import paper_type
from collecthub.store.queries.paging import Listed
from collecthub.store.queries.scope import Scope
from collecthub.web.answers import answer, documented, documented_file, download
from collecthub.web.api.fields import Amount, Inbound, Note, Text
from collecthub.web.api.once import OnceKey, once
from collecthub.web.api.uploads import BYTES, FileName
from collecthub.web.auth import Operator, OperatorOrPartner, Peer, TheHub
from collecthub.web.problems import ProblemError
from collecthub.web.strict_json import StrictRoute

router = APIRouter(tags=["acts"], route_class=StrictRoute)
_EXCHANGE = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}


class QuoteIn(Inbound):
    """The price; without an amount that of the tariff, where it is in the data."""

    amount: Amount | None = None
    tax_amount: Amount | None = None
    note: Note = ""


class ActRefusalIn(Inbound):
    """Why not."""

    reason: Text


@router.post(
    "/partner/acts", summary="Ask for an act, or answer its price", status_code=202, openapi_extra=_EXCHANGE,
    responses=documented(Listed[ActView], 202, "Kept; what we say about it is read under `act_id`."),
)
async def ask_for_act(request: Request, hub: TheHub, scope: Peer, key: OnceKey) -> Response:
    """One exchange of the published contract: a `case_file` with the order `service` or `summons`, the addressee as its
    debtor and the documents to serve; or a `case_instruction` with `cost_approved` or `cost_refused`."""
    content = await request.body()

    def act(work: Work) -> Response:
        taken = act_desk.take_exchange(hub, work, scope.partner_id or "", content)
        return answer(Listed(items=tuple(map(view_of, taken))), 202)

    return await run_in_threadpool(once, hub, scope, key, act)


@router.get("/acts", summary="Acts asked from elsewhere", responses=documented(Listed[ActView]))
def read_acts(hub: TheHub, scope: OperatorOrPartner) -> Response:
    """A partner sees those it asked for."""
    with hub.database.read() as conn:
        return answer(Listed(items=tuple(map(view_of, act_desk.list_acts(conn, scope)))))


@router.get("/acts/{act_id}", summary="One act", responses=documented(ActView))
def read_act(hub: TheHub, scope: OperatorOrPartner, act_id: str) -> Response:
    """With its price, state and certificate."""
    with hub.database.read() as conn:
        return answer(view_of(act_desk.read_act(conn, scope, act_id)))


@router.get("/acts/{act_id}/exchange", summary="What we said, as an exchange", responses=documented_file("Case exchange in JSON."))
def read_exchange(hub: TheHub, scope: OperatorOrPartner, act_id: str) -> Response:
    """The receipt, the price, our answer, what happened and the bill: the messages that a holder of a case would send."""
    with hub.database.read() as conn:
        found = act_desk.read_act(conn, scope, act_id)
    return download(act_desk.exchange_of(hub, found), f"act-{act_id}.json")


@router.get("/acts/{act_id}/certificate", summary="The certificate", responses=documented_file("PDF or picture."))
def read_certificate(hub: TheHub, scope: OperatorOrPartner, act_id: str) -> Response:
    """The bytes that the bailiff gave."""
    with hub.database.read() as conn:
        found = act_desk.read_act(conn, scope, act_id)
    name, content = act_desk.certificate_of(hub, found)
    return download(content, name)


@router.get(
    "/acts/{act_id}/documents/{number}", summary="A document to serve", responses=documented_file("The bytes that were sent.")
)
def read_document(hub: TheHub, scope: OperatorOrPartner, act_id: str, number: str) -> Response:
    """As it came with the request, counted from 1."""
    with hub.database.read() as conn:
        found = act_desk.read_act(conn, scope, act_id)
    name, content = act_desk.document_of(hub, found, number)
    return download(content, name)


@router.get("/acts/{act_id}/proposal", summary="Rules and tariff for an act", responses=documented(Proposal))
def read_proposal(hub: TheHub, scope: Operator, act_id: str) -> Response:
    """What the law of both countries and the tariff say, with sources; unknown where they say nothing."""
    with hub.database.read() as conn:
        return answer(act_desk.propose(hub, act_desk.read_act(conn, scope, act_id), hub.business_date()))


@router.post("/acts/{act_id}/quote", summary="Price an act", responses=documented(ActView))
def quote(hub: TheHub, scope: Operator, act_id: str, body: QuoteIn, key: OnceKey) -> Response:
    """Whoever asked reads it as a question and says yes or no."""
    return once(hub, scope, key, lambda work: answer(view_of(act_desk.quote_act(
        hub, work, scope, act_id, amount=body.amount, tax_amount=body.tax_amount, note=body.note))))  # fmt: skip


@router.post("/acts/{act_id}/refusal", summary="Refuse an act", responses=documented(ActView))
def refuse(hub: TheHub, scope: Operator, act_id: str, body: ActRefusalIn, key: OnceKey) -> Response:
    """With the reason for whoever asked."""
    return once(hub, scope, key, lambda work: answer(view_of(act_desk.refuse_act(work, scope, act_id, body.reason))))


@router.post(
    "/acts/{act_id}/certificate", summary="Say that it was done, or could not be", openapi_extra=dict(BYTES),
    responses=documented(ActView),
)
async def perform(
    request: Request, hub: TheHub, scope: Operator, act_id: str, key: OnceKey,
    name: FileName,
    done_on: dt.date, is_served: bool,
    text: Annotated[str, Query(min_length=1, max_length=2000, pattern=r"^[^\x00-\x1f]+$")],
) -> Response:
    """The body is the certificate of service or non-service, as PDF or picture."""
    content = await request.body()
    if not paper_type(content):
        raise ProblemError("validation", "The certificate is no PDF, PNG or JPEG.", cure="Send the certificate's bytes.")
    return await run_in_threadpool(_perform, hub, scope, act_id, key, (name, text, done_on, is_served), content)


def _perform(
    hub: Hub, scope: Scope, act_id: str, key: tuple[str, str], what: tuple[str, str, dt.date, bool], content: bytes
) -> Response:
    name, text, done_on, is_served = what
    return once(hub, scope, key, lambda work: answer(view_of(act_desk.perform_act(
        hub, work, scope, act_id, is_served=is_served, done_on=done_on, text=text, name=name, content=content))))  # fmt: skip
