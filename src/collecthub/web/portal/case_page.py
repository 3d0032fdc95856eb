"""One case on one page: parties, money, holder, history, documents, tasks and what can be done now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa
from fastapi import APIRouter, Query, Response

from collecthub.corridor.decide import REPEAT, timers
from collecthub.engine.balance import balance_at
from collecthub.engine.desk import GUARDING_HOLDS, PERSONS_HOLDS, WAITING_CREDITOR
from collecthub.engine.sensitive_desk import open_document, open_lines
from collecthub.errors import PermanentError
from collecthub.model.case import Case, Placement
from collecthub.model.clock import Timer
from collecthub.store.queries import case_file
from collecthub.store.queries.desks import list_tasks
from collecthub.store.queries.names import actor_names, creditor_names, partner_names
from collecthub.store.queries.paging import PageRequest
from collecthub.store.queries.scope import not_there
from collecthub.web.answers import download
from collecthub.web.portal.entered import EnteredError
from collecthub.web.portal.ladder import ladders
from collecthub.web.portal.money_story import movements, parts
from collecthub.web.portal.pages import Anyone, PageRoute, Visitor, page
from collecthub.web.portal.sentences import Telling, tell

router = APIRouter(route_class=PageRoute, include_in_schema=False)

# What the address says after a form -> what the page says.
DONE: Mapping[str, str] = {
    "payment": "The payment is recorded.",
    "answer": "The answer is recorded; the case goes on.",
    "note": "The note is kept.",
    "hold": "The case is paused.",
    "release": "The pause has ended.",
    "cost": "The decision is recorded; the holder hears it.",
    "withdraw": "The case is withdrawn. A holder is asked to stop and must confirm it.",
    "take-over": "The hub follows the case and sends nothing.",
    "owner": "The person in charge was changed.",
    "document": "The document is kept.",
    "opened": "The case is open.",
    "known": "This case was there already; nothing was opened twice.",
    "task": "The task is done.",
}


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A form that was not taken: which one, why, and what stood in it."""

    action: str
    message: str
    cure: str
    fields: Mapping[str, str]
    given: Mapping[str, str]


def refusal(action: str, error: PermanentError, given: Mapping[str, str]) -> Refusal:
    """What the page shows beside the form."""
    fields = error.fields if isinstance(error, EnteredError) else {}
    return Refusal(action=action, message=error.message, cure=error.cure, fields=fields, given=given)


@router.get("/cases/{case_id}")
def show(visitor: Anyone, case_id: str, done: Annotated[str, Query(max_length=20)] = "") -> Response:
    """The case as the visitor's role may see it."""
    return case_page(visitor, case_id, done=DONE.get(done, ""))


def case_page(
    visitor: Visitor, case_id: str, *, done: str = "", refused: Refusal | None = None, status: int = 200
) -> Response:
    """The whole page. Raises `NotThereError`."""
    return page(
        visitor,
        "case.html",
        status=status,
        done=done,
        refused=refused,
        wrong=refused.fields if refused else {},
        **_read(visitor, case_id),
    )


def _read(visitor: Visitor, case_id: str) -> dict[str, Any]:
    scope = visitor.scope
    with visitor.hub.database.read() as conn:
        view = case_file.case_detail(conn, scope, case_id, visitor.hub.now())
        case = case_file.read_owned_case(conn, scope, case_id)
        history = case_file.timeline(conn, scope, case_id)
        sheet = case_file.balance_sheet(conn, scope, case_id)
        values: dict[str, Any] = {
            "documents": case_file.documents(conn, scope, case_id),
            "grown": balance_at(visitor.hub, conn, scope, case_id, visitor.hub.now().date()),
            "ladders": ladders(
                case_file.messages(conn, scope, case_id), history, _placements(case), visitor.hub.now()
            ),
            "tasks": _tasks(conn, visitor, case_id),
            "partners": partner_names(conn),
        }
        actors = [] if visitor.is_partner else [
            *(str(entry.actor) for entry in history), *(hold.set_by for hold in case.holds),
            *(str(document.added_by) for document in values["documents"]),
        ]  # fmt: skip
        values["actors"] = actor_names(conn, actors)
        values["creditor_name"] = (
            "" if visitor.is_partner else creditor_names(conn, scope).get(case.creditor_id, "")
        )
    claims = {claim.claim_id: claim.number for claim in case.claims}
    telling = Telling(currency=case.currency, claims=claims, partners=values["partners"])
    return {
        **values,
        "case": view,
        "erp_of": {one.claim_id: one for one in view.erp.invoices},
        "sentences": tell(history, telling, values["actors"]),
        "movements": movements(sheet.lines, claims),
        "parts": parts(view.balance),
        "waits": _waits(visitor, case),
        "may": _possible(visitor, case),
        "holds_to_set": sorted(PERSONS_HOLDS - {hold.reason for hold in case.holds}),
        "guarding": GUARDING_HOLDS,
        "question": _question(case, history),
        "now": visitor.hub.now(),
    }


def _tasks(conn: sa.Connection, visitor: Visitor, case_id: str) -> tuple[Any, ...]:
    if visitor.is_partner:
        return ()
    return list_tasks(conn, visitor.scope, visitor.hub.key, PageRequest(limit=50), "open", case_id).items


def _placements(case: Case) -> tuple[Placement, ...]:
    return (*case.past_placements, *((case.placement,) if case.placement is not None else ()))


def _waits(visitor: Visitor, case: Case) -> tuple[Timer, ...]:
    """What somebody is told of when its time is over; what the hub does by itself then is not told."""
    told = (timer for timer in timers(case) if not timer.kind.startswith(REPEAT))
    return () if visitor.is_partner else tuple(sorted(told, key=lambda timer: timer.due_at))


def _possible(visitor: Visitor, case: Case) -> frozenset[str]:
    """The forms that make sense now; the desk decides again when one is sent."""
    if visitor.is_partner:
        return frozenset()
    found = {"note", "document"}
    if visitor.is_operator:
        found.add("owner")
    if case.is_open:
        found |= {"payment", "hold", "withdraw"}
        out = case.placement is not None and case.placement.is_out
        found.add("cost" if out else "take-over")
        if case.held_for(WAITING_CREDITOR):
            found.add("answer")
    return frozenset(found)


def _question(case: Case, history: tuple[case_file.TimelineEntry, ...]) -> str:
    """What the holder asked last, if an answer is waited for."""
    if not case.held_for(WAITING_CREDITOR):
        return ""
    asked = next(
        (
            str(entry.fact.get("text", "")) for entry in reversed(history)
            if entry.kind in ("instruction_received", "status_reported") and entry.fact.get("text")
        ),
        "",
    )  # fmt: skip
    noted = next((hold.note for hold in case.holds if hold.reason == WAITING_CREDITOR), "")
    return noted or asked


@router.get("/cases/{case_id}/sold")
def read_sold(visitor: Anyone, case_id: str, purpose: Annotated[str, Query(max_length=300)] = "") -> Response:
    """What was sold on sensitive claims, for a stated purpose, which is logged."""
    found = open_lines(visitor.hub, visitor.scope, case_id, purpose)
    with visitor.hub.database.read() as conn:
        case = case_file.case_detail(conn, visitor.scope, case_id, visitor.hub.now())
    numbers = {claim.claim_id: claim.number for claim in case.claims}
    return page(visitor, "sold.html", case=case, found=found, numbers=numbers, purpose=purpose)


@router.get("/cases/{case_id}/documents/{document_id}")
def read_document(
    visitor: Anyone, case_id: str, document_id: str, purpose: Annotated[str, Query(max_length=300)] = ""
) -> Response:
    """The document, to save; one of a sensitive claim for a stated purpose, which is logged."""
    view = open_document(visitor.hub, visitor.scope, document_id, purpose)
    if view.case_id != case_id:
        raise not_there("document", document_id)
    return download(visitor.hub.evidence.read(view.sha256), view.name)
