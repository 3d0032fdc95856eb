"""Do all books agree? The last comparison of ERPs, hub and partners, and a new one on demand."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from collecthub.engine.book_comparison import JOB, last_comparison
from collecthub.store.connections import read_connections
from collecthub.web.portal.pages import Form, Operator, PageRoute, page, redirect

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/reconciliation")
def show(visitor: Operator, done: Annotated[str, Query(max_length=20)] = "") -> Response:
    """What the last comparison said."""
    with visitor.hub.database.read() as conn:
        last = last_comparison(conn)
        names = {row.connection_id: row.name for row in read_connections(conn)}
    asked = "The books are compared; look again in a moment." if done == "asked" else ""
    return page(visitor, "reconciliation.html", last=last, names=names, done=asked)


@router.post("/reconciliation")
def ask(visitor: Operator, form: Form) -> Response:
    """Compare now."""
    with visitor.hub.work() as work:
        work.wake(JOB, visitor.scope.subject)
    return redirect("/reconciliation", done="asked")
