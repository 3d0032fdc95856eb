"""Papers, score and monthly balances on the partner's page."""

from __future__ import annotations

import datetime as dt

from fastapi import APIRouter, Response
from starlette.datastructures import FormData

from collecthub.engine.page_guard import Paper
from collecthub.engine.partner_balances import (
    Balance,
    Sums,
    compare,
    list_balances,
    open_balance,
    read_balance,
    sign_balance,
)
from collecthub.engine.partner_papers import AGREEMENT, ATTORNEY, bring_licence, list_papers, sign_paper
from collecthub.engine.partner_score import answer_score, partner_score
from collecthub.errors import PermanentError
from collecthub.formats.form_words import FormError, told
from collecthub.formats.partner_form import form_amount
from collecthub.store.connections import read_profiles
from collecthub.store.queries.scope import NotThereError
from collecthub.web.partner.pages import Guest, GuestForm, GuestRoute, TheGuest, back, page, text_of
from collecthub.web.uploads import uploaded

router = APIRouter(prefix="/p/{token}", route_class=GuestRoute, include_in_schema=False)
_TEXTS = {AGREEMENT: "agreement", ATTORNEY: "attorney"}


@router.get("/papers")
def papers(guest: TheGuest, done: str = "") -> Response:
    """The licence, and the two texts to sign."""
    return _papers(guest, done=bool(done))


def _papers(guest: Guest, *, done: bool = False, problem: str = "", status: int = 200) -> Response:
    with guest.hub.database.read() as conn:
        found = list_papers(conn, guest.visit.partner_id)
        home = next((one.home for one in read_profiles(conn) if one.partner_id == guest.visit.partner_id), "")
    signed = {paper.kind: paper for paper in reversed(found)}
    return page(guest, "papers.html", status=status, papers=found, signed=signed, texts=_TEXTS, home=home, done=done, problem=problem)


@router.post("/documents")
def upload_licence(guest: TheGuest, form: GuestForm) -> Response:
    """A PDF or a picture; a person looks at it."""
    sent, until = uploaded(form) or Paper("", b""), text_of(form, "expires_on", 10)
    try:
        expires_on = dt.date.fromisoformat(until) if until else None
        with guest.hub.work() as work:
            bring_licence(
                guest.hub, work, guest.visit.scope, name=sent.name, content=sent.content, language=guest.visit.language,
                expires_on=expires_on,
            )
    except (PermanentError, ValueError):
        return _papers(guest, problem=guest.speech.say("wrong_file"), status=422)
    return back(guest, "/papers")


@router.post("/papers")
def sign(guest: TheGuest, form: GuestForm) -> Response:
    """Sign what was read, in the language in which it was read."""
    kind, name = text_of(form, "kind", 30), text_of(form, "name", 140)
    if kind not in _TEXTS or not name or text_of(form, "agree", 5) != "yes":
        return _papers(guest, problem=guest.speech.say("must_sign"), status=422)
    with guest.hub.work() as work:
        sign_paper(
            guest.hub, work, guest.visit.scope, kind=kind, text=guest.speech.say(f"{_TEXTS[kind]}_text"), signed_by=name,
            language=guest.visit.language,
        )
    return back(guest, "/papers")


@router.get("/score")
def score(guest: TheGuest, done: str = "") -> Response:
    """The score, where it comes from, what is overdue, and room for an answer."""
    with guest.hub.database.read() as conn:
        found = partner_score(conn, guest.visit.scope, guest.visit.partner_id, guest.hub.now())
    return page(guest, "score.html", found=found, done=bool(done))


@router.post("/score")
def answer(guest: TheGuest, form: GuestForm) -> Response:
    """An answer to the score, seen by everybody who looks at it."""
    text = text_of(form, "words", 2000)
    if text:
        with guest.hub.work() as work:
            answer_score(work, guest.visit.partner_id, text=text, actor=guest.visit.scope.subject)
    return back(guest, "/score", done=bool(text))


@router.get("/balances")
def balances(guest: TheGuest, done: str = "") -> Response:
    """This month's list, filled in from our books, and those of the months before."""
    with guest.hub.work() as work:
        open_balance(guest.hub, work, guest.visit.partner_id, f"{guest.hub.business_date():%Y-%m}")
    return _balances(guest, done=bool(done))


def _balances(guest: Guest, *, done: bool = False, problem: str = "", status: int = 200) -> Response:
    with guest.hub.database.read() as conn:
        found = list_balances(conn, guest.hub.evidence, guest.visit.partner_id)
    return page(guest, "balances.html", status=status, balances=found, done=done, problem=problem)


@router.post("/balances/{balance_id}")
def sign_list(guest: TheGuest, form: GuestForm, balance_id: str) -> Response:
    """The partner's figures, and its name under the list."""
    name = text_of(form, "name", 140)
    if not name or text_of(form, "agree", 5) != "yes":
        return _balances(guest, problem=guest.speech.say("must_sign"), status=422)
    try:
        _sign_list(guest, form, balance_id, name)
    except NotThereError:
        raise
    except FormError as error:
        return _balances(guest, problem=told(error, guest.visit.language), status=422)
    except PermanentError:
        return _balances(guest, problem=guest.speech.say("signed_before"), status=422)
    return back(guest, "/balances")


def _sign_list(guest: Guest, form: FormData, balance_id: str, name: str) -> None:
    with guest.hub.work() as work:
        known = read_balance(work.conn, guest.hub.evidence, guest.visit.partner_id, balance_id)
        theirs = _their_books(form, known)
        compare(guest.hub, work, guest.visit.partner_id, balance_id, theirs)
        sign_balance(
            guest.hub, work, guest.visit.partner_id, balance_id, signed_by=name, remark=text_of(form, "words", 2000)
        )


def _their_books(form: FormData, known: Balance) -> dict[str, Sums]:
    """What the partner wrote beside our figures; a field left as it was says the same as ours."""
    def figure(name: str, case_id: str, ours: str) -> str:
        return text_of(form, f"{name}:{case_id}", 30) or ours

    return {
        line.case_id: Sums(**{
            name: form_amount(figure(name, line.case_id, str(getattr(line.ours, name)))) for name in Sums.__struct_fields__
        })
        for line in known.comparison.lines
    }
