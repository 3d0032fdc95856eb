"""Papers without which no case leaves: what is signed, what ends, what waits for a signature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Response

from collecthub.engine.mandates import ENDING_TASK, FORMS, TASK, revoke, sign_mandate
from collecthub.errors import PermanentError
from collecthub.model.mandate import MandateKind, MandateState
from collecthub.store.queries.desks import list_tasks
from collecthub.store.queries.directory import papers
from collecthub.store.queries.names import creditor_names, partner_names
from collecthub.store.queries.paging import PageRequest
from collecthub.web.portal.entered import Entered, EnteredError
from collecthub.web.portal.pages import CreditorSide, Form, PageRoute, Visitor, page, redirect
from collecthub.web.portal.words import Label

router = APIRouter(prefix="/mandates", route_class=PageRoute, include_in_schema=False)
KINDS: Mapping[str, str] = {
    "agreement": "Agreement with a partner", "power_of_attorney": "Power of attorney for a partner",
    "identity_check": "Identity check of a partner", "creditor_identity": "Identity check of a creditor",
}  # fmt: skip
STATES: Mapping[MandateState, Label] = {
    MandateState.VALID: ("Valid", "good"), MandateState.EXPIRED: ("Expired", "bad"), MandateState.STALE: ("Out of date", "warn"),
    MandateState.REVOKED: ("Revoked", "quiet"), MandateState.MISSING: ("Not yet valid", "warn"),
}  # fmt: skip
TASKS_LOOKED_AT = 200
_DONE = {"signed": "The paper is kept; cases that waited for it go on.", "revoked": "The paper counts no more."}


@router.get("")
def show(visitor: CreditorSide, done: Annotated[str, Query(max_length=20)] = "") -> Response:
    """Papers of whoever looks, and what is asked of him."""
    return _page(visitor, {"kind": "power_of_attorney"}, {}, done=_DONE.get(done, ""))


@router.post("")
def sign(visitor: CreditorSide, form: Form) -> Response:
    """Keep a signed paper."""
    entered = Entered(form)
    try:
        kind = MandateKind(entered.choice("kind", KINDS))
        signed_by = entered.text("signed_by", required=True, longest=300)
        signed_on, expires_on = entered.date("signed_on"), entered.date("expires_on")
        partner_id, creditor_id = entered.text("partner_id"), entered.text("creditor_id")
        paper_form = entered.choice("form", dict.fromkeys(FORMS, ""))
        entered.check()
        with visitor.hub.work() as work:
            sign_mandate(
                work, visitor.scope, kind=kind, partner_id=partner_id or None,
                creditor_id=visitor.scope.creditor_id or creditor_id or None,
                signed_on=signed_on or visitor.hub.business_date(), expires_on=expires_on, form=paper_form,
                signed_by=signed_by,
            )  # fmt: skip
    except EnteredError as error:
        return _page(visitor, entered.given, dict(error.fields), status=422)
    except PermanentError as error:
        return _page(visitor, entered.given, {"kind": f"{error.message}. {error.cure}"}, status=422)
    return redirect("/mandates", done="signed")


@router.post("/{mandate_id}/revoke")
def end(visitor: CreditorSide, form: Form, mandate_id: str) -> Response:
    """No case leaves on it any more."""
    with visitor.hub.work() as work:
        revoke(work, visitor.scope, mandate_id, note=Entered(form).text("text"))
    return redirect("/mandates", done="revoked")


def _page(
    visitor: Visitor, given: Mapping[str, str], wrong: dict[str, str], *, done: str = "", status: int = 200
) -> Response:
    hub = visitor.hub
    with hub.database.read() as conn:
        found = papers(conn, visitor.scope, hub.business_date())
        tasks = list_tasks(conn, visitor.scope, hub.key, PageRequest(limit=TASKS_LOOKED_AT)).items
        asked = [task for task in tasks if task.kind in (TASK, ENDING_TASK)]
        partners, creditors = partner_names(conn), creditor_names(conn, visitor.scope)
    allowed = KINDS if visitor.is_operator else {"power_of_attorney": KINDS["power_of_attorney"]}
    return page(
        visitor, "mandates.html", status=status, found=found, asked=asked, partners=partners, creditors=creditors,
        kinds=allowed, states=STATES, every_kind=KINDS, forms=[(code, code.capitalize() or "Not stated") for code in FORMS], given=given,
        wrong=wrong, done=done,
    )  # fmt: skip
