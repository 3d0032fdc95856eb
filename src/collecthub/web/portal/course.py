"""The course of a case on one page: who can pay, the plan, what the debtor objects to, and proceedings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from collecthub.engine.desk import VersionError
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.store.queries.case_file import read_owned_case
from collecthub.store.queries.plans import plan_view
from collecthub.store.queries.scope import NotThereError
from collecthub.web.portal.case_page import Refusal, refusal
from collecthub.web.portal.course_forms import ACTIONS, FORMS, Filled
from collecthub.web.portal.entered import Entered
from collecthub.web.portal.pages import CreditorSide, Form, PageRoute, Visitor, page, redirect
from collecthub.web.problems import ProblemError

router = APIRouter(route_class=PageRoute, include_in_schema=False)
PARTS: Mapping[str, str] = {
    "score": "Who can pay", "plan": "Payment plan", "objections": "Objections and hardship", "proceedings": "Proceedings",
}  # fmt: skip


@router.get("/cases/{case_id}/course")
def show(visitor: CreditorSide, case_id: str, done: Annotated[str, Query(max_length=20)] = "") -> Response:
    """Everything of the human part of one case, with what can be done now."""
    return _page(visitor, case_id, done=FORMS[done].title if done in FORMS else "")


def _page(
    visitor: Visitor, case_id: str, *, done: str = "", refused: Refusal | None = None, status: int = 200
) -> Response:
    with visitor.hub.database.read() as conn:
        case = read_owned_case(conn, visitor.scope, case_id)
    return page(visitor, "course.html", status=status, done=done, refused=refused, **_values(case))


def _values(case: Case) -> dict[str, Any]:
    possible = {action: form for action, form in FORMS.items() if form.is_possible(case)}
    return {
        "case": case,
        "plan": plan_view(case),
        "parts": PARTS,
        "forms": possible,
        "choices": {action: form.choices(case) for action, form in possible.items()},
        "invoices": {claim.claim_id: claim.number for claim in case.claims},
    }


@router.post("/cases/{case_id}/course/{action}")
def act(visitor: CreditorSide, form: Form, case_id: str, action: str) -> Response:
    """Do it, or show the page again with what was wrong beside the form."""
    do = ACTIONS.get(action)
    if do is None:
        raise ProblemError("not-found")
    entered = Entered(form)
    with visitor.hub.database.read() as conn:
        currency = read_owned_case(conn, visitor.scope, case_id).currency
    version = entered.given.get("version", "")
    seen = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else None
    try:
        with visitor.hub.work() as work:
            do(
                Filled(
                    hub=visitor.hub, work=work, scope=visitor.scope, case_id=case_id, currency=currency,
                    entered=entered, seen=seen,
                )
            )  # fmt: skip
    except NotThereError:
        raise
    except PermanentError as error:
        status = 412 if isinstance(error, VersionError) else 422
        return _page(visitor, case_id, refused=refusal(action, error, entered.given), status=status)
    return redirect(f"/cases/{case_id}/course", done=action)
