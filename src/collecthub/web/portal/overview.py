"""The start page: what is open, what came in, what waits for somebody."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from collecthub.store.queries.dashboard import OpenAmounts, alarms, open_amounts, recovered_by_month
from collecthub.store.queries.desks import list_tasks
from collecthub.store.queries.paging import PageRequest
from collecthub.web.portal.pages import Anyone, PageRoute, page, redirect

router = APIRouter(route_class=PageRoute, include_in_schema=False)
COUNTRIES_SHOWN, TASKS_SHOWN = 8, 5


@router.get("/")
def show(visitor: Anyone, currency: Annotated[str, Query(max_length=3)] = "") -> Response:
    """Amounts of one currency at a time; sums over currencies would be guesses."""
    if visitor.is_partner:
        return redirect("/cases")
    hub, scope, today = visitor.hub, visitor.scope, visitor.hub.business_date()
    with hub.database.read() as conn:
        every = open_amounts(conn, scope, today)
        chosen = _chosen(every, currency)
        months = recovered_by_month(conn, scope, chosen.currency if chosen else currency or "EUR", today)
        counts = alarms(conn, scope, hub.now())
        tasks = list_tasks(conn, scope, hub.key, PageRequest(limit=TASKS_SHOWN))
    return page(
        visitor,
        "overview.html",
        every=every,
        chosen=chosen,
        months=months,
        alarms=counts,
        tasks=tasks,
        countries_shown=COUNTRIES_SHOWN,
        currency=chosen.currency if chosen else "EUR",
    )


def _chosen(every: tuple[OpenAmounts, ...], currency: str) -> OpenAmounts | None:
    return next((entry for entry in every if entry.currency == currency), every[0] if every else None)
