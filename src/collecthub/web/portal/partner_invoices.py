"""Invoices of partners in the portal: taken as a file, checked at once, each deviation with both figures."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from collecthub.engine.partner_invoices import take_invoice
from collecthub.errors import PermanentError
from collecthub.store.queries.names import partner_names
from collecthub.store.queries.partner_invoices import list_partner_invoices
from collecthub.web.portal.pages import Form, Operator, PageRoute, Visitor, page, redirect

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/partner-invoices")
def show(visitor: Operator, done: Annotated[str, Query(max_length=20)] = "") -> Response:
    """What partners asked for, newest first."""
    return _page(visitor, done="The invoice is checked." if done == "checked" else "")


def _page(visitor: Visitor, *, done: str = "", problem: PermanentError | None = None) -> Response:
    with visitor.hub.database.read() as conn:
        found = list_partner_invoices(conn)
        partners = partner_names(conn)
    return page(
        visitor, "partner_invoices.html", status=422 if problem else 200, found=found, partners=partners, done=done, problem=problem
    )


@router.post("/partner-invoices")
async def take(visitor: Operator, form: Form) -> Response:
    """Check an invoice that comes as a file."""
    given, partner_id = form.get("file"), str(form.get("partner_id", ""))
    if not isinstance(given, UploadFile) or not given.filename or not partner_id:
        problem = PermanentError("No partner or no file was chosen", cure="Choose both.")
        return await run_in_threadpool(partial(_page, visitor, problem=problem))
    content = await given.read()
    try:
        await run_in_threadpool(take_invoice, visitor.hub, visitor.scope, partner_id, content)
    except PermanentError as error:
        return await run_in_threadpool(partial(_page, visitor, problem=error))
    return redirect("/partner-invoices", done="checked")
