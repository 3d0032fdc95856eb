"""Acts asked from elsewhere: what waits, the rules of both countries and the tariff, price, refusal and certificate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query, Response

from collecthub.engine import act_desk
from collecthub.engine.context import Work
from collecthub.engine.page_guard import Paper
from collecthub.errors import PermanentError
from collecthub.model.act import ActState
from collecthub.store.queries.names import partner_names
from collecthub.web.answers import download
from collecthub.web.portal.countries import EVIDENCE
from collecthub.web.portal.entered import Entered, EnteredError
from collecthub.web.portal.pages import Form, Operator, PageRoute, Visitor, page, redirect
from collecthub.web.portal.words import Label
from collecthub.web.uploads import uploaded

router = APIRouter(prefix="/acts", route_class=PageRoute, include_in_schema=False)
STATES: Mapping[ActState, Label] = {
    ActState.ASKED: ("Waits for a price", "warn"), ActState.QUOTED: ("Price sent", "info"),
    ActState.ORDERED: ("To be done", "warn"), ActState.DONE: ("Done", "good"), ActState.FAILED: ("Could not be served", "bad"),
    ActState.REFUSED: ("Refused by us", "quiet"), ActState.WITHDRAWN: ("Price not accepted", "quiet"),
}  # fmt: skip
_SERVED = {"yes": "It was served", "no": "It could not be served"}
_DONE = {
    "quoted": "The price is sent; whoever asked says yes or no.", "refused": "The refusal is sent with its reason.",
    "certified": "The certificate is kept, and the bill is sent.",
}  # fmt: skip
_WAITS_FIRST = (ActState.ASKED, ActState.ORDERED)


@router.get("")
def show(visitor: Operator) -> Response:
    """What waits for us comes first, then the newest."""
    with visitor.hub.database.read() as conn:
        found = act_desk.list_acts(conn, visitor.scope)
        partners = partner_names(conn)
    ordered = sorted(found, key=lambda act: act.state not in _WAITS_FIRST)
    return page(visitor, "acts.html", acts=ordered, partners=partners, states=STATES)


@router.get("/{act_id}")
def show_one(visitor: Operator, act_id: str, done: Annotated[str, Query(max_length=20)] = "") -> Response:
    """One request: who is to receive what, by which rules, at what price."""
    return _page(visitor, act_id, {}, {}, done=_DONE.get(done, ""))


@router.get("/{act_id}/documents/{number}")
def read_document(visitor: Operator, act_id: str, number: str) -> Response:
    """A document to serve, as it came."""
    with visitor.hub.database.read() as conn:
        found = act_desk.read_act(conn, visitor.scope, act_id)
    name, content = act_desk.document_of(visitor.hub, found, number)
    return download(content, name)


@router.get("/{act_id}/certificate")
def read_certificate(visitor: Operator, act_id: str) -> Response:
    """The certificate that the bailiff gave."""
    with visitor.hub.database.read() as conn:
        found = act_desk.read_act(conn, visitor.scope, act_id)
    name, content = act_desk.certificate_of(visitor.hub, found)
    return download(content, name)


@router.post("/{act_id}/quote")
def quote(visitor: Operator, form: Form, act_id: str) -> Response:
    """The tariff's price when no amount is entered."""
    entered = Entered(form)
    with visitor.hub.database.read() as conn:
        currency = act_desk.read_act(conn, visitor.scope, act_id).request.currency
    amount, tax = (_amount(entered, name, currency) for name in ("amount", "tax_amount"))
    note = entered.text("note", longest=2000)

    def act(work: Work) -> None:
        act_desk.quote_act(visitor.hub, work, visitor.scope, act_id, amount=amount, tax_amount=tax, note=note)

    return _do(visitor, act_id, entered, "quoted", act)


@router.post("/{act_id}/refusal")
def refuse(visitor: Operator, form: Form, act_id: str) -> Response:
    """We do not do it, and why."""
    entered = Entered(form)
    reason = entered.text("reason", required=True, longest=2000)
    return _do(
        visitor, act_id, entered, "refused", lambda work: act_desk.refuse_act(work, visitor.scope, act_id, reason)
    )


@router.post("/{act_id}/certificate")
def certify(visitor: Operator, form: Form, act_id: str) -> Response:
    """What happened, with the certificate of service or non-service."""
    entered = Entered(form)
    is_served = entered.choice("served", _SERVED) == "yes"
    done_on = entered.date("done_on", required=True) or visitor.hub.business_date()
    text = entered.text("text", required=True, longest=2000)
    paper = uploaded(form) or Paper("certificate", b"")

    def act(work: Work) -> None:
        act_desk.perform_act(
            visitor.hub, work, visitor.scope, act_id, is_served=is_served, done_on=done_on, text=text, name=paper.name,
            content=paper.content,
        )

    return _do(visitor, act_id, entered, "certified", act)


def _amount(entered: Entered, name: str, currency: str) -> Decimal | None:
    return entered.amount(name, currency) if entered.given.get(name, "").strip() else None


def _do(visitor: Visitor, act_id: str, entered: Entered, done: str, act: Callable[[Work], object]) -> Response:
    """One step in one transaction; what is wrong is said on the page, with what was typed."""
    try:
        entered.check()
        with visitor.hub.work() as work:
            act(work)
    except EnteredError as error:
        return _page(visitor, act_id, entered.given, dict(error.fields), status=422)
    except PermanentError as error:
        return _page(visitor, act_id, entered.given, {"": f"{error.message}. {error.cure}"}, status=422)
    return redirect(f"/acts/{act_id}", done=done)


def _page(
    visitor: Visitor, act_id: str, given: Mapping[str, str], wrong: dict[str, str], *, done: str = "", status: int = 200
) -> Response:
    hub = visitor.hub
    with hub.database.read() as conn:
        found = act_desk.read_act(conn, visitor.scope, act_id)
        partners = partner_names(conn)
    return page(
        visitor, "act.html", status=status, act=found, asked_by=partners.get(found.partner_id, found.partner_id),
        proposal=act_desk.propose(hub, found, hub.business_date()), states=STATES, evidence=EVIDENCE, served=_SERVED,
        given=given, wrong=wrong, done=done,
    )  # fmt: skip
