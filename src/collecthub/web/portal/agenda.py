"""The handler's agenda: one list for everything that waits for a person; and who is calling, on one screen."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

import msgspec
import sqlalchemy as sa
from fastapi import APIRouter, Query, Response
from starlette.datastructures import FormData

from collecthub.corridor.decide import timers
from collecthub.engine import agenda_desk
from collecthub.engine.absence import end_absence, set_absence
from collecthub.engine.charging import reckon
from collecthub.errors import PermanentError
from collecthub.model.agenda import AgendaItem, Click
from collecthub.model.case import Case
from collecthub.model.clock import Timer
from collecthub.model.human_tasks import APPROVAL
from collecthub.store.queries.absences import read_absences
from collecthub.store.queries.agenda import DOMESTIC, INTERNATIONAL, AgendaFilter, agenda_page
from collecthub.store.queries.case_file import read_owned_case, timeline
from collecthub.store.queries.cases import CaseFilter, list_cases
from collecthub.store.queries.names import actor_names, creditor_names, partner_names
from collecthub.store.queries.paging import PageRequest
from collecthub.web.portal.entered import Entered
from collecthub.web.portal.pages import CreditorSide, Form, PageRoute, Visitor, page, redirect
from collecthub.web.portal.sentences import Sentence, Telling, tell

router = APIRouter(route_class=PageRoute, include_in_schema=False)
AT_ONCE = 200
QUEUES = (("", "Everything"), (DOMESTIC, "Domestic"), (INTERNATIONAL, "International"))
CLICKS = {Click.DONE: "Done", Click.AGREE: "Agree to it", Click.READ_AGAIN: "Read it again"}
DID = {Click.DONE: "Taken off the list.", Click.AGREE: "The plan holds.", Click.READ_AGAIN: "It is read again in a moment."}
CALLERS, EVENTS = 5, 3
# Nobody who calls asks about these.
BETWEEN_MACHINES = frozenset({"creditor_told", "amendment_queued", "amendment_sent", "amendment_acknowledged"})
Word = Annotated[str, Query(max_length=200)]
Cursor = Annotated[str, Query(max_length=2000)]


@router.get("/agenda")
def show_agenda(
    visitor: CreditorSide, owner: Word = "", queue: Word = "", kind: Word = "", cursor: Cursor = "", done: Word = ""
) -> Response:
    """Everything that waits, the most urgent first; of one person and whom he covers, of one queue, or of one kind."""
    return _agenda(visitor, {"owner": owner.strip(), "queue": queue, "kind": kind}, cursor=cursor, done=done)


def _agenda(
    visitor: Visitor, given: Mapping[str, str], *, cursor: str = "", done: str = "", problem: PermanentError | None = None
) -> Response:
    now, wanted = visitor.hub.now(), AgendaFilter(**given)
    with visitor.hub.database.read() as conn:
        found = agenda_page(conn, visitor.scope, visitor.hub.key, now, wanted, PageRequest(cursor=cursor))
        creditors = creditor_names(conn, visitor.scope)
        away = read_absences(conn, visitor.scope, now.date())
    return page(
        visitor, "agenda.html", status=422 if problem else 200, found=found, given=given, cursor=cursor, now=now,
        creditors=creditors, done=_said(done), away=away, problem=problem, queues=QUEUES, clicks=CLICKS, place_of=place_of,
    )  # fmt: skip


def place_of(item: AgendaItem) -> str:
    """The page on which an item is worked."""
    match item.source:
        case "quarantine":
            return f"/quarantine/{item.item_id}"
        case "payment":
            return f"/payments/{item.item_id}"
        case "request":
            return f"/debtors/{item.identity_id}#do-{item.kind}"
    if item.case_id:
        return f"/cases/{item.case_id}{'/course#do-decide-approval' if item.kind == APPROVAL else ''}"
    if item.kind == "playbook_proposed":
        return f"/creditors/{item.creditor_id}/playbook#proposed"
    return "/twins" if item.kind == "twin" else "/acts" if item.kind.startswith("act_") else "/tasks"


def _said(done: str) -> str:
    """What is told of an act: a word for one, "went-stayed" for many."""
    if done in tuple(DID):
        return DID[Click(done)]
    went, _, stayed = done.partition("-")
    if not (went.isascii() and went.isdigit() and stayed.isascii() and stayed.isdigit()):
        return ""
    left = f" {int(stayed)} end by a decision and stay: open them." if int(stayed) else ""
    return f"Taken off the list: {int(went)}.{left}"


_EVERYTHING: Mapping[str, str] = {"owner": "", "queue": "", "kind": ""}


@router.post("/agenda/owner")
def hand_over(visitor: CreditorSide, form: Form) -> Response:
    """Put somebody in charge of the cases of the chosen tasks, in one go."""
    try:
        entered = Entered(form)
        owner = entered.text("owner", required=True, longest=200)
        entered.check()
        with visitor.hub.work() as work:
            agenda_desk.give(visitor.hub, work, visitor.scope, _chosen(form), owner)
    except PermanentError as error:
        return _agenda(visitor, _EVERYTHING, problem=error)
    return redirect("/agenda", owner=owner)


@router.post("/agenda/absence")
def go_away(visitor: CreditorSide, form: Form) -> Response:
    """Somebody is away until a day, and who looks after his cases; or he is back."""
    entered = Entered(form)
    try:
        owner = entered.text("owner", required=True, longest=200)
        if entered.given.get("back"):
            with visitor.hub.work() as work:
                end_absence(work, visitor.scope, owner)
            return redirect("/agenda")
        covered_by, until_on = entered.text("covered_by", required=True, longest=200), entered.date("until_on", required=True)
        entered.check()
        assert until_on is not None, "checked"
        with visitor.hub.work() as work:
            set_absence(work, visitor.scope, owner=owner, covered_by=covered_by, until_on=until_on)
    except PermanentError as error:
        return _agenda(visitor, _EVERYTHING, problem=error)
    return redirect("/agenda", owner=covered_by)


@router.post("/agenda/done")
def finish(visitor: CreditorSide, form: Form) -> Response:
    """Take the chosen tasks off the list, in one go; what ends by a decision stays."""
    with visitor.hub.work() as work:
        went, stayed = agenda_desk.finish(work, visitor.scope, _chosen(form))
    return redirect("/agenda", done=f"{went}-{stayed}")


@router.post("/agenda/act")
def act(visitor: CreditorSide, form: Form) -> Response:
    """What is proposed for one item, where one click is safe; else it says what to look at first."""
    source, _, item_id = str(form.get("item", "")).partition("/")
    try:
        with visitor.hub.work() as work:
            click = agenda_desk.act_on(visitor.hub, work, visitor.scope, source, item_id[:64])
    except PermanentError as error:
        return _agenda(visitor, _EVERYTHING, problem=error)
    return redirect("/agenda", done=click.value)


def _chosen(form: FormData) -> list[str]:
    return [str(value) for value in form.getlist("task")][:AT_ONCE]


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """A case as somebody who takes a call needs it. `asked` stands in messages and on the debtor's page; `by_law` is today's."""

    case: Case
    asked: Decimal
    by_law: Decimal
    holder: str
    next_step: Timer | None
    last: tuple[Sentence, ...]


@router.get("/caller")
def show_caller(visitor: CreditorSide, q: Word = "") -> Response:
    """Who is calling: by phone number, name or reference, with balance, last events and what comes next; open cases first."""
    with visitor.hub.database.read() as conn:
        callers = [_caller(visitor, conn, case_id) for case_id in _called(visitor, conn, q)]
    return page(visitor, "caller.html", q=q, callers=callers, most=CALLERS)


def _called(visitor: Visitor, conn: sa.Connection, q: str) -> list[str]:
    found: list[str] = []
    for is_open in (True, False) if q.strip() else ():
        wanted = CaseFilter(q=spoken_reference(q), is_open=is_open)
        found += [one.case_id for one in list_cases(conn, visitor.scope, visitor.hub.key, wanted, PageRequest(limit=CALLERS)).items]
    return found[:CALLERS]


def _caller(visitor: Visitor, conn: sa.Connection, case_id: str) -> Caller:
    case = read_owned_case(conn, visitor.scope, case_id)
    partners = partner_names(conn)
    telling = Telling(currency=case.currency, claims={claim.claim_id: claim.number for claim in case.claims}, partners=partners)
    heard = [entry for entry in timeline(conn, visitor.scope, case_id) if entry.kind not in BETWEEN_MACHINES][-EVENTS:]
    actors = actor_names(conn, [entry.actor for entry in heard if isinstance(entry.actor, str)])
    return Caller(
        case=case, asked=case.balance.total, by_law=reckon(visitor.hub, conn, case, visitor.hub.business_date()).account.total,
        holder=case.placement.partner_name if case.placement and case.placement.is_out else "",
        next_step=min(timers(case), key=lambda timer: timer.due_at, default=None), last=tell(heard, telling, actors),
    )  # fmt: skip


def spoken_reference(text: str) -> str:
    """What a caller says as the search finds it: a phone number by its last eight digits, anything else as it is.

    >>> spoken_reference("+32 470/12.34.56"), spoken_reference("F-77"), spoken_reference("2026 001")
    ('70123456', 'F-77', '2026 001')
    """
    digits = "".join(char for char in text if char.isdigit())
    is_number = len(digits) >= 8 and all(char in "0123456789+-/.() " for char in text.strip())
    return digits[-8:] if is_number else text.strip()
