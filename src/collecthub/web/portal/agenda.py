"""The handler's agenda: one list for everything that waits for a person; and who is calling, on one screen."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from collecthub.corridor.decide import timers
from collecthub.engine.upkeep import complete_task
from collecthub.model.case import Case
from collecthub.model.clock import Timer
from collecthub.store.case_log import from_minor
from collecthub.store.queries.agenda import read_agenda
from collecthub.store.queries.case_file import read_owned_case, timeline
from collecthub.store.queries.cases import CaseFilter, list_cases
from collecthub.store.queries.names import actor_names, creditor_names, partner_names
from collecthub.store.queries.paging import PageRequest
from collecthub.web.portal.pages import CreditorSide, Form, PageRoute, page, redirect
from collecthub.web.portal.sentences import Sentence, Telling, tell

router = APIRouter(route_class=PageRoute, include_in_schema=False)
SHOWN = 200
CALLERS, EVENTS = 5, 3
Word = Annotated[str, Query(max_length=200)]


@router.get("/agenda")
def show_agenda(visitor: CreditorSide, owner: Word = "", done: Word = "") -> Response:
    """Everything that waits, the most urgent first."""
    now = visitor.hub.now()
    with visitor.hub.database.read() as conn:
        found = read_agenda(conn, visitor.scope, now, owner=owner)
        creditors = creditor_names(conn, visitor.scope)
    stakes = {item.item_id: from_minor(item.stake_minor, item.currency) for item in found[:SHOWN] if item.currency}
    return page(
        visitor, "agenda.html", items=found[:SHOWN], total=len(found), stakes=stakes, creditors=creditors, now=now,
        owner=owner, done=int(done) if done.isascii() and done.isdigit() else 0,
    )


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
