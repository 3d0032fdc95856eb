"""Invoices of partners: each is checked against his contract and his own reports, line by line."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from collecthub.engine.partner_invoices import take_invoice
from collecthub.model.partner_invoice import CheckedInvoice
from collecthub.store.queries.paging import Listed
from collecthub.store.queries.partner_invoices import CheckedPartnerInvoice, list_partner_invoices
from collecthub.web.answers import answer, documented
from collecthub.web.auth import Operator, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(tags=["money out"], route_class=StrictRoute)
Word = Annotated[str, Query(max_length=64)]
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("/partner-invoices", summary="List partners' invoices", responses=documented(Listed[CheckedPartnerInvoice]))
def read_all(hub: TheHub, scope: Operator, partner_id: Word = "") -> Response:
    """With what each asks, what was agreed, and why a line deviates."""
    with hub.database.read() as conn:
        return answer(Listed(items=list_partner_invoices(conn, partner_id)))


@router.post("/partner-invoices", summary="Check an invoice", openapi_extra=_BODY, responses=documented(CheckedInvoice))
async def check(request: Request, hub: TheHub, scope: Operator, partner_id: Word) -> Response:
    """The body is the invoice as JSON, as `collecthub contract check-invoice` takes it. The same one counts once."""
    content = await request.body()
    return answer(await run_in_threadpool(take_invoice, hub, scope, partner_id, content))
