"""Every route of a case side by side, and the choice of another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Response

from collecthub.engine.comparing import compare_routes
from collecthub.engine.court_ways import Costs, choose_way, is_court_way
from collecthub.engine.transfer import ask_transfer
from collecthub.errors import PermanentError
from collecthub.model.route_option import NONE
from collecthub.store.queries.case_file import read_owned_case
from collecthub.store.queries.scope import NotThereError
from collecthub.web.portal.entered import Entered
from collecthub.web.portal.pages import CreditorSide, Form, PageRoute, Visitor, page, redirect
from collecthub.web.portal.words import Label

router = APIRouter(route_class=PageRoute, include_in_schema=False)
STANDINGS: Mapping[str, Label] = {
    "possible": ("Possible", "good"), "unknown": ("A person must look", "warn"), "rejected": ("Not possible", "quiet"),
}  # fmt: skip


DONE = {
    "chosen": "The case is on its way to the route you chose.",
    "approval": "Chosen. It begins when its cost is allowed and nothing stands against it: see the tasks of the case.",
    "left": "Nothing more is spent on it, and whoever has it is stopped. Write it off, or choose another way.",
    "begun": "The cost is allowed: the proceeding is open, and who files it gets the case.",
}


@router.get("/cases/{case_id}/routes")
def show(visitor: CreditorSide, case_id: str, done: Annotated[str, Query(max_length=20)] = "") -> Response:
    """Ranked, with the reason for or against each."""
    return _page(visitor, case_id, done=DONE.get(done, ""))


@router.post("/cases/{case_id}/routes")
def choose(visitor: CreditorSide, form: Form, case_id: str) -> Response:
    """Send the case by another route; who has it is stopped first."""
    entered = Entered(form)
    seen = entered.given.get("version", "")
    version, partner_id, route = int(seen) if seen.isdecimal() else None, entered.text("partner_id"), entered.text("route")
    try:
        with visitor.hub.work() as work:
            if is_court_way(route):
                currency = read_owned_case(work.conn, visitor.scope, case_id).currency
                costs = Costs(entered.amount("estimate", currency), entered.amount("cap", currency))
                reason = entered.text("reason")
                entered.check()
                changed = choose_way(
                    visitor.hub, work, visitor.scope, case_id, way=route, costs=costs, partner_id=partner_id, reason=reason,
                    expected_version=version,
                )  # fmt: skip
                return redirect(f"/cases/{case_id}/routes", done="approval" if changed.court_way else "begun")
            ask_transfer(
                visitor.hub, work, visitor.scope, case_id, reason="chosen", text=entered.text("reason"), partner_id=partner_id,
                route=route, expected_version=version,
            )  # fmt: skip
    except NotThereError:
        raise
    except PermanentError as error:
        return _page(visitor, case_id, wrong=error, status=422)
    return redirect(f"/cases/{case_id}/routes", done="left" if route == NONE else "chosen")


def _page(
    visitor: Visitor, case_id: str, *, done: str = "", wrong: PermanentError | None = None, status: int = 200
) -> Response:
    with visitor.hub.database.read() as conn:
        case = read_owned_case(conn, visitor.scope, case_id)
        told = compare_routes(visitor.hub, conn, visitor.scope, case_id, visitor.hub.business_date())
    free = case.is_open and case.status.value != "recalling"
    return page(
        visitor, "routes.html", status=status, case=case, told=told, standings=STANDINGS, done=done, wrong=wrong,
        may_choose=free, court_ways=[one.route for one in told.routes if is_court_way(one.route)],
    )  # fmt: skip
