"""Change a case: append facts, then let the clock decide what follows, all in the caller's transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeGuard

import msgspec
import sqlalchemy as sa

from collecthub.corridor.act import act
from collecthub.corridor.decide import decide, timers
from collecthub.engine.charging import charges_that_follow
from collecthub.engine.contact_line import course_that_follows, queue_contact, queue_plan_message
from collecthub.engine.context import Hub, Work
from collecthub.errors import CollecthubError, PermanentError
from collecthub.model.case import Case
from collecthub.model.clock import Place
from collecthub.model.contact import BELOW_MINIMUM
from collecthub.model.event import (
    AmendmentQueued,
    CaseClosed,
    CaseEvent,
    CaseOpened,
    DocumentAdded,
    Fact,
    HoldReleased,
    HoldSet,
    InstructionQueued,
    RouteChosen,
)
from collecthub.model.facts_human import ProceedingBegun
from collecthub.model.facts_money import ClaimNatureSet
from collecthub.model.facts_network import CircumstancesStated
from collecthub.model.human_tasks import MOOT_AT_THE_END, SCORE_JOB, need_of
from collecthub.model.ids import derived_id, new_id
from collecthub.model.party import Party
from collecthub.ports import CaseReporter
from collecthub.registers import ConnectorRole
from collecthub.store import tables as t
from collecthub.store.connections import ConnectionRow

CASE_FILE, AMENDMENT, INSTRUCTION = "case_file", "amendment", "instruction"


def change_case(
    hub: Hub,
    work: Work,
    case: Case | None,
    facts: Sequence[Fact],
    *,
    actor: str,
    case_id: str = "",
    debtor: Party | None = None,
    occurred_at: dt.datetime | None = None,
) -> Case:
    """Record facts, carry out what follows from them, and leave the right timers, messages and jobs behind."""
    known_id = case.case_id if case is not None else case_id or new_id()
    was_checked = case is not None and case.feasibility is not None
    waited = timers(case) if case is not None else ()
    case, events = work.book.append(
        case, facts, case_id=known_id, actor=actor, now=work.now, occurred_at=occurred_at, debtor=debtor
    )
    written = list(events)
    while wanted := [step for step in decide(case) if not isinstance(step, Place)]:
        more = act(case, wanted[0], derived_id(case.case_id, str(case.version), "amendment"))
        case, events = work.book.append(case, more, case_id=known_id, actor="hub", now=work.now)
        written += events
    if following := (*course_that_follows(work, case, written), *charges_that_follow(hub, work, case, written)):
        case, events = work.book.append(case, following, case_id=known_id, actor="hub", now=work.now)
        written += events
    for event in written:
        _queue_message(work, case, event)
        queue_contact(hub, work, case, event)
        queue_plan_message(hub, work, case, event)
        work.told.append((case, event))
        _open_need(work, case, event)
    _queue_reports(hub, work, case, written)
    if any(isinstance(event.fact, CaseClosed) for event in written):
        for kind in MOOT_AT_THE_END:
            close_tasks(work, done_by="hub", case_id=known_id, kind=kind)
    if any(isinstance(event.fact, HoldReleased) and event.fact.reason == BELOW_MINIMUM for event in written):
        close_tasks(work, done_by=written[0].actor, case_id=known_id, kind=BELOW_MINIMUM)
    now_waited = timers(case)
    if now_waited != waited:
        for timer in waited:
            if timer.due_at <= work.now and timer not in now_waited:  # what its alarm asked for has come
                close_tasks(work, done_by="hub", case_id=case.case_id, kind=timer.kind)
        _set_timers(work, case)
    if any(isinstance(step, Place) for step in decide(case)):
        work.wake("place", case.creditor_id)
    elif isinstance(written[0].fact, CaseOpened):
        work.wake("check", case.creditor_id)  # a case that is placed is checked and scored on that way
        work.wake(SCORE_JOB, case.creditor_id)
    if debtor is not None:
        work.wake("identify", case.creditor_id)
    if was_checked and (debtor is not None or any(_tells_the_checks(event.fact) for event in written)):
        work.wake("recheck", case.case_id)
    return case


# What the checks of feasibility look at, beside the debtor: the case is checked anew.
_CHECKED_DATA = (DocumentAdded, CircumstancesStated, ClaimNatureSet, ProceedingBegun)
_CHECKED_HOLDS = frozenset({"insolvency", "collective_settlement", "dispute"})


def _tells_the_checks(fact: Fact) -> bool:
    return isinstance(fact, _CHECKED_DATA) or (isinstance(fact, HoldSet | HoldReleased) and fact.reason in _CHECKED_HOLDS)


def locked_case(work: Work, case_id: str) -> Case:
    """The case, locked until the transaction ends. Raises `PermanentError` when there is none."""
    work.hold([case_id])
    case = work.book.held(case_id)
    if case is None:
        raise PermanentError(f"there is no case {case_id}", cure="See `collecthub case list`.")
    return case


# --- messages to partners -------------------------------------------------------------------------


def _queue_message(work: Work, case: Case, event: CaseEvent) -> None:
    """A fact that a partner must hear becomes a message in line; its words are composed when it leaves."""
    fact = event.fact
    match fact:
        case RouteChosen():
            kind, message_id = CASE_FILE, derived_id(fact.placement_id, CASE_FILE)
        case AmendmentQueued():
            kind, message_id = AMENDMENT, fact.message_id
        case InstructionQueued():
            kind, message_id = INSTRUCTION, fact.message_id
        case _:
            return
    if case.placement is None:
        return
    connection_id = partner_connection(work, case.placement.partner_id)
    row: dict[str, object] = {
        "message_id": message_id, "case_id": case.case_id, "creditor_id": case.creditor_id,
        "partner_id": case.placement.partner_id, "connection_id": connection_id, "kind": kind, "state": "queued",
        "doc": msgspec.json.encode(fact).decode(), "queued_at": work.now,
    }
    work.later(_ADD_MESSAGES, [row])
    work.wake("dispatch", connection_id)


def partner_connection(work: Work, partner_id: str) -> str:
    """The connection by which a partner is reached. Raises `PermanentError` when there is none."""
    for row in work.connections_of(t.connections.c.partner_id, partner_id):
        if row.role == ConnectorRole.PARTNER.value:
            return row.connection_id
    raise PermanentError(f"partner {partner_id} has no connection", cure="Add one with `collecthub connection add`.")


# --- reports to the creditor's side ---------------------------------------------------------------


def _queue_reports(hub: Hub, work: Work, case: Case, events: Sequence[CaseEvent]) -> None:
    for row in (*work.connections_of(t.connections.c.creditor_id, case.creditor_id), *_partner_lines(work, case)):
        if row.role == ConnectorRole.ERP.value and row.connection_id != case.connection_id:
            continue  # an ERP is told about its own cases only
        wanted, problem = _wanted(hub, row, {event.kind for event in events})
        rows: list[dict[str, object]] = [
            {
                "report_id": derived_id(row.connection_id, case.case_id, str(event.seq)),
                "connection_id": row.connection_id, "creditor_id": case.creditor_id, "case_id": case.case_id,
                "seq": event.seq, "kind": event.kind, "state": "queued", "queued_at": work.now, "problem": problem,
            }
            for event in events
            if event.kind in wanted
        ]
        if rows:
            work.later(_ADD_REPORTS, rows)
            work.wake("report", row.connection_id)


UNASKED = "Not asked yet whether this is wanted."
_TOLD_ROLES = frozenset({ConnectorRole.ERP.value, ConnectorRole.REPORTER.value})


def _wanted(hub: Hub, row: ConnectionRow, kinds: set[str]) -> tuple[set[str], str]:
    """Which of these a connection is told. A plugin that is off or settings that are wrong stop no case: everything waits
    in line as `UNASKED`, and who tells asks first.
    """
    try:
        reporter = hub.connector_for(row)
    except CollecthubError:
        return (kinds if row.role in _TOLD_ROLES else set()), UNASKED
    return {kind for kind in kinds if _is_reporter(reporter) and reporter.wants(kind)}, ""


_reporters: dict[type, bool] = {}


def _is_reporter(connector: object) -> TypeGuard[CaseReporter]:
    """Asked once a class: a Protocol is slow to ask, and every fact of a portfolio asks."""
    kind = type(connector)
    if kind not in _reporters:
        _reporters[kind] = isinstance(connector, CaseReporter)
    return _reporters[kind]


def _partner_lines(work: Work, case: Case) -> list[ConnectionRow]:
    """Where the holder of a case wants to hear about it; nobody hears of a case that has not reached him."""
    if case.placement is None or case.placement.sent_at is None:
        return []
    found = work.connections_of(t.connections.c.partner_id, case.placement.partner_id)
    return [row for row in found if row.role == ConnectorRole.REPORTER.value]


# --- timers and tasks -----------------------------------------------------------------------------


def _set_timers(work: Work, case: Case) -> None:
    work.timers[case.case_id] = [
        {
            "case_id": case.case_id, "kind": timer.kind, "creditor_id": case.creditor_id,
            "owner": timer.owner, "due_at": timer.due_at,
        }
        for timer in timers(case)
    ]


_ADD_MESSAGES, _ADD_REPORTS = sa.insert(t.messages), sa.insert(t.reports)


def open_task(
    work: Work,
    *,
    kind: str,
    title: str,
    owner: str = "operator",
    detail: str = "",
    creditor_id: str | None = None,
    case_id: str | None = None,
    connection_id: str | None = None,
    due_at: dt.datetime | None = None,
) -> None:
    """Put something on a person's list, once, whoever else does so at this moment; what was done is open again."""
    said_first = {
        "task_id": derived_id(kind, case_id or "", connection_id or "", creditor_id or "", detail),
        "creditor_id": creditor_id, "case_id": case_id, "connection_id": connection_id, "kind": kind, "title": title,
        "detail": detail, "owner": owner, "created_at": work.now, "due_at": due_at,
    }  # fmt: skip
    work.put(t.tasks, {**said_first, "state": "open", "done_at": None}, once=tuple(said_first))


def _open_need(work: Work, case: Case, event: CaseEvent) -> None:
    """Put on a list what a person must do because of a fact."""
    need = need_of(event)
    if need is not None:
        open_task(
            work, kind=need.kind, title=f"case {case.number}: {need.title}", owner=need.owner, detail=need.detail,
            creditor_id=case.creditor_id, case_id=case.case_id,
            due_at=dt.datetime.combine(need.due_on, dt.time(), dt.UTC) if need.due_on else None,
        )
        if need.job:
            work.wake(need.job, case.creditor_id)


def close_tasks(work: Work, *, done_by: str, **match: str) -> None:
    """Take tasks off the list whose columns match, for example `case_id=..., kind=...`."""
    said = {f"is_{name}": value for name, value in match.items()}
    work.in_turn(_closing(tuple(match)), {"at": work.now, "by": done_by, **said})


@lru_cache(maxsize=32)
def _closing(names: tuple[str, ...]) -> sa.Update:
    conditions = [t.tasks.c[name] == sa.bindparam(f"is_{name}") for name in names]
    query = sa.update(t.tasks).where(t.tasks.c.state == "open", *conditions)
    return query.values(state="done", done_at=sa.bindparam("at"), done_by=sa.bindparam("by"))
