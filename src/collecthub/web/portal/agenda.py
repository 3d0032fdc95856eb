"""The handler's agenda: one list for everything that waits for a person; and who is calling, on one screen."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from collecthub.corridor.decide import timers
from collecthub.engine.absence import end_absence, set_absence
from collecthub.engine.desk import assign_owner
from collecthub.engine.upkeep import complete_task
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.model.clock import Timer
from collecthub.store.case_log import from_minor
from collecthub.store.queries.absences import read_absences
from collecthub.store.queries.agenda import DOMESTIC, INTERNATIONAL, cases_of_tasks, read_agenda
from collecthub.store.queries.case_file import read_owned_case, timeline
from collecthub.store.queries.cases import CaseFilter, list_cases
from collecthub.store.queries.names import actor_names, creditor_names, partner_names
from collecthub.store.queries.paging import PageRequest
from collecthub.web.portal.entered import Entered
from collecthub.web.portal.pages import CreditorSide, Form, PageRoute, Visitor, page, redirect
from collecthub.web.portal.sentences import Sentence, Telling, tell

router = APIRouter(route_class=PageRoute, include_in_schema=False)
SHOWN = 200
QUEUES = (("", "Everything"), (DOMESTIC, "Domestic"), (INTERNATIONAL, "International"))
CALLERS, EVENTS = 5, 3
Word = Annotated[str, Query(max_length=200)]


@router.get("/agenda")
def show_agenda(visitor: CreditorSide, owner: Word = "", queue: Word = "", done: Word = "") -> Response:
    """Everything that waits, the most urgent first; of one person and whom he covers, or of one queue."""
    return _agenda(visitor, owner=owner, queue=queue, done=int(done) if done.isascii() and done.isdigit() else 0)


def _agenda(
    visitor: Visitor, *, owner: str = "", queue: str = "", done: int = 0, problem: PermanentError | None = None
) -> Response:
    now = visitor.hub.now()
    with visitor.hub.database.read() as conn:
        found = read_agenda(conn, visitor.scope, now, owner=owner, queue=queue)
        creditors = creditor_names(conn, visitor.scope)
        away = read_absences(conn, visitor.scope, now.date())
    stakes = {item.item_id: from_minor(item.stake_minor, item.currency) for item in found[:SHOWN] if item.currency}
    return page(
        visitor, "agenda.html", status=422 if problem else 200, items=found[:SHOWN], total=len(found), stakes=stakes,
        creditors=creditors, now=now, owner=owner, queue=queue, done=done, away=away, problem=problem, queues=QUEUES,
    )  # fmt: skip


@router.post("/agenda/owner")
def hand_over(visitor: CreditorSide, form: Form) -> Response:
    """Put somebody in charge of the cases of the chosen tasks, in one go."""
    chosen = [str(value) for value in form.getlist("task")][:SHOWN]
    try:
        entered = Entered(form)
        owner = entered.text("owner", required=True, longest=200)
        entered.check()
        with visitor.hub.work() as work:
            for case_id in cases_of_tasks(work.conn, visitor.scope, chosen):
                assign_owner(visitor.hub, work, visitor.scope, case_id, owner=owner)
    except PermanentError as error:
        return _agenda(visitor, problem=error)
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
        return _agenda(visitor, problem=error)
    return redirect("/agenda", owner=covered_by)


@router.post("/agenda/done")
def finish(visitor: CreditorSide, form: Form) -> Response:
    """Take the chosen tasks off the list, in one go."""
    chosen = [str(value) for value in form.getlist("task")][:SHOWN]
    with visitor.hub.work() as work:
        for task_id in chosen:
            complete_task(work, visitor.scope, task_id)
    return redirect("/agenda", done=str(len(chosen)))


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """A case as somebody who takes a call needs it."""

    case: Case
    balance: Decimal
    next_step: Timer | None
    last: tuple[Sentence, ...]


@router.get("/caller")
def show_caller(visitor: CreditorSide, q: Word = "") -> Response:
    """Who is calling: by phone number, name or reference, with balance, last events and what comes next."""
    callers: list[Caller] = []
    with visitor.hub.database.read() as conn:
        found = list_cases(
            conn, visitor.scope, visitor.hub.key, CaseFilter(q=spoken_reference(q)), PageRequest(limit=CALLERS)
        ) if q.strip() else None  # fmt: skip
        partners = partner_names(conn)
        for one in found.items if found else ():
            case = read_owned_case(conn, visitor.scope, one.case_id)
            telling = Telling(
                currency=case.currency, claims={claim.claim_id: claim.number for claim in case.claims}, partners=partners
            )
            entries = timeline(conn, visitor.scope, case.case_id)[-EVENTS:]
            step = min(timers(case), key=lambda timer: timer.due_at, default=None)
            callers.append(
                Caller(
                    case=case, balance=case.balance.total, next_step=step,
                    last=tell(entries, telling, actor_names(conn, [entry.actor for entry in entries if isinstance(entry.actor, str)])),
                )
            )
    return page(visitor, "caller.html", q=q, callers=callers)


def spoken_reference(text: str) -> str:
    """What a caller says as the search finds it: a phone number by its last eight digits, anything else as it is.

    >>> spoken_reference("+32 470/12.34.56"), spoken_reference("F-77"), spoken_reference("2026 001")
    ('70123456', 'F-77', '2026 001')
    """
    digits = "".join(char for char in text if char.isdigit())
    is_number = len(digits) >= 8 and all(char in "0123456789+-/.() " for char in text.strip())
    return digits[-8:] if is_number else text.strip()
