"""Acts that a lawyer or agency abroad asks for, on its own page: ask, hear the price, order, fetch the certificate."""

from __future__ import annotations

import datetime as dt

from fastapi import APIRouter, Response

from collecthub.engine import act_desk
from collecthub.engine.act_form import AskedAct, answer_price, ask_by_form
from collecthub.errors import PermanentError, QuarantineError
from collecthub.formats.form_words import FormError, told
from collecthub.formats.partner_form import form_amount
from collecthub.model.act import ACTS, ActState
from collecthub.model.exchange import CaseAcknowledgement
from collecthub.store.queries.scope import NotThereError
from collecthub.web.answers import download
from collecthub.web.partner.pages import Guest, GuestForm, GuestRoute, TheGuest, back, page, text_of
from collecthub.web.uploads import uploaded

router = APIRouter(prefix="/p/{token}/acts", route_class=GuestRoute, include_in_schema=False)
# What must be filled in, with the longest text of each; the rest may stay empty.
_NEEDED = {
    "kind": 20, "reference": 140, "on_behalf_of": 200, "from_country": 2, "addressee": 200, "street": 200, "city": 100,
    "country": 2, "amount": 30, "currency": 3, "due_on": 10, "language": 2,
}  # fmt: skip
_MAY = {"postcode": 20, "manner": 500, "is_person": 3}


@router.get("")
def acts(guest: TheGuest, done: str = "") -> Response:
    """Everything that was asked for, newest first, and the form for the next."""
    return _page(guest, {}, done=bool(done))


@router.post("")
def ask(guest: TheGuest, form: GuestForm) -> Response:
    """The form becomes a case file of the exchange with one order."""
    given = {name: text_of(form, name, longest).replace("\n", " ") for name, longest in (_NEEDED | _MAY).items()}
    paper = uploaded(form)
    if paper is None or any(not given[name] for name in _NEEDED):
        return _not_asked(guest, given, guest.speech.say("missing_fields"))
    try:
        asked = _asked(given)
        with guest.hub.work() as work:
            ask_by_form(guest.hub, work, guest.visit.partner_id, asked, paper)
    except FormError as error:
        return _not_asked(guest, given, told(error, guest.visit.language))
    except (PermanentError, QuarantineError):
        return _not_asked(guest, given, guest.speech.say("act_wrong"))
    except ValueError:
        return _not_asked(guest, given, guest.speech.say("missing_fields"))
    return back(guest, "/acts")


@router.post("/{act_id}")
def answer(guest: TheGuest, form: GuestForm, act_id: str) -> Response:
    """Yes or no to a price; what was already answered is shown as it stands."""
    chosen, quoted = text_of(form, "answer", 10), text_of(form, "quote", 64)
    with guest.hub.work() as work:
        found = act_desk.read_act(work.conn, guest.visit.scope, act_id)
        is_open = found.state is ActState.QUOTED and found.quote is not None and found.quote.message_id == quoted
        if not is_open or chosen not in ("yes", "no"):
            return _page(guest, {}, problem=guest.speech.say("changed"), status=409)
        answer_price(work, guest.visit.partner_id, found, is_approved=chosen == "yes")
    return back(guest, "/acts")


@router.get("/{act_id}/certificate")
def certificate(guest: TheGuest, act_id: str) -> Response:
    """The certificate of service or non-service."""
    with guest.hub.database.read() as conn:
        found = act_desk.read_act(conn, guest.visit.scope, act_id)
    if found.certificate is None:
        raise NotThereError(f"act {act_id} has no certificate yet")
    name, content = act_desk.certificate_of(guest.hub, found)
    return download(content, name)


def _asked(given: dict[str, str]) -> AskedAct:
    upper = {name: given[name].upper() for name in ("country", "from_country", "currency")}
    return AskedAct(
        kind=given["kind"], reference=given["reference"], on_behalf_of=given["on_behalf_of"], from_country=upper["from_country"],
        addressee=given["addressee"], is_person=given["is_person"] == "yes", street=given["street"], postcode=given["postcode"],
        city=given["city"], country=upper["country"], amount=form_amount(given["amount"]), currency=upper["currency"],
        due_on=dt.date.fromisoformat(given["due_on"]), language=given["language"].lower(), manner=given["manner"],
    )  # fmt: skip


def _not_asked(guest: Guest, given: dict[str, str], why: str) -> Response:
    return _page(guest, given, problem=guest.speech.say("not_asked", why=why), status=422)


def _page(guest: Guest, given: dict[str, str], *, done: bool = False, problem: str = "", status: int = 200) -> Response:
    with guest.hub.database.read() as conn:
        found = act_desk.list_acts(conn, guest.visit.scope)
    reasons = {
        act.act_id: said.reason for act in found for said in act.messages
        if isinstance(said, CaseAcknowledgement) and said.reason
    }  # fmt: skip
    return page(
        guest, "acts.html", status=status, acts=found, reasons=reasons, kinds=ACTS, given=given, done=done, problem=problem
    )
