"""Every route of a case side by side, and the choice of another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Response

from collecthub.engine.comparing import compare_routes
from collecthub.engine.transfer import ask_transfer
from collecthub.errors import PermanentError
from collecthub.store.queries.case_file import read_owned_case
from collecthub.store.queries.scope import NotThereError
from collecthub.web.portal.entered import Entered
from collecthub.web.portal.pages import CreditorSide, Form, PageRoute, Visitor, page, redirect
from collecthub.web.portal.words import Label
from collecthub.web.problems import ProblemError

router = APIRouter(route_class=PageRoute, include_in_schema=False)
STANDINGS: Mapping[str, Label] = {
    "possible": ("Possible", "good"), "unknown": ("A person must look", "warn"), "rejected": ("Not possible", "quiet"),
}  # fmt: skip


@router.get("/cases/{case_id}/routes")
def show(visitor: CreditorSide, case_id: str, done: Annotated[str, Query(max_length=20)] = "") -> Response:
    """Ranked, with the reason for or against each."""
    return _page(visitor, case_id, done="The case is on its way to the route you chose." if done else "")


@router.post("/cases/{case_id}/routes")
def choose(visitor: CreditorSide, form: Form, case_id: str) -> Response:
    """Send the case by another route; who has it is stopped first."""
    entered = Entered(form)
    seen = entered.given.get("version", "")
    try:
        with visitor.hub.work() as work:
            ask_transfer(
                visitor.hub, work, visitor.scope, case_id, reason="chosen", partner_id=entered.text("partner_id"),
                route=entered.text("route"), expected_version=int(seen) if seen.isdecimal() else None,
            )  # fmt: skip
    except NotThereError as error:
        raise ProblemError("not-found") from error
    except PermanentError as error:
        return _page(visitor, case_id, wrong=error, status=422)
    return redirect(f"/cases/{case_id}/routes", done="chosen")


def _page(
    visitor: Visitor, case_id: str, *, done: str = "", wrong: PermanentError | None = None, status: int = 200
) -> Response:
    with visitor.hub.database.read() as conn:
        case = read_owned_case(conn, visitor.scope, case_id)
        told = compare_routes(visitor.hub, conn, visitor.scope, case_id, visitor.hub.business_date())
    free = case.is_open and case.status.value != "recalling"
    return page(
        visitor, "routes.html", status=status, case=case, told=told, standings=STANDINGS, done=done, wrong=wrong,
        may_choose=free,
    )  # fmt: skip
