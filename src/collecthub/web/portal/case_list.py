"""The case list: one search box, filters, one indexed page at a time."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from collecthub.errors import PermanentError
from collecthub.store.queries.cases import CaseFilter, CaseSummary, list_cases
from collecthub.store.queries.names import creditor_names, partner_names
from collecthub.store.queries.paging import Listed, PageRequest
from collecthub.web.portal.pages import Anyone, PageRoute, Visitor, page

router = APIRouter(route_class=PageRoute, include_in_schema=False)
SORTS = {
    "-opened_at": "Newest first", "opened_at": "Oldest first", "-changed_at": "Last changed first",
    "-total": "Largest amount first", "debtor_name": "Debtor A to Z", "number": "Case number",
}  # fmt: skip
Word = Annotated[str, Query(max_length=140)]


@router.get("/cases")
def show(
    visitor: Anyone,
    q: Word = "",
    status: Word = "",
    phase: Word = "",
    country: Word = "",
    hold: Word = "",
    creditor: Word = "",
    partner: Word = "",
    currency: Word = "",
    segment: Word = "",
    is_open: Word = "",
    sort: Word = "-opened_at",
    cursor: Annotated[str, Query(max_length=2000)] = "",
) -> Response:
    """Cases of the visitor's scope; what the list does not offer is said above it."""
    given = {
        "q": q.strip(), "status": status, "phase": phase, "country": country.strip().upper(), "hold": hold,
        "creditor": creditor, "partner": partner, "currency": currency.strip().upper(), "segment": segment,
        "is_open": is_open, "sort": sort if sort in SORTS else "-opened_at",
    }  # fmt: skip
    problem, found = None, Listed[CaseSummary](items=())
    try:
        found = _read(visitor, given, cursor)
    except PermanentError as error:
        problem = error
    with visitor.hub.database.read() as conn:
        creditors, partners = creditor_names(conn, visitor.scope), partner_names(conn)
    narrowed = {name: value for name, value in given.items() if value and name not in ("q", "sort")}
    return page(
        visitor,
        "cases.html",
        status=422 if problem else 200,
        found=found,
        given=given,
        problem=problem,
        sorts=SORTS,
        creditors=creditors,
        partners=partners,
        cursor=cursor,
        narrowed=narrowed,
    )


def _read(visitor: Visitor, given: dict[str, str], cursor: str) -> Listed[CaseSummary]:
    plain = CaseFilter(is_open={"yes": True, "no": False}.get(given["is_open"]))
    texts = {name: value for name, value in given.items() if name not in ("sort", "is_open")}
    wanted = msgspec.structs.replace(plain, **texts)
    with visitor.hub.database.read() as conn:
        return list_cases(
            conn, visitor.scope, visitor.hub.key, wanted, PageRequest(cursor=cursor), given["sort"]
        )
