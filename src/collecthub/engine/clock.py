"""Runner of the CLOCK belt: one tick looks at everything whose time has come."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from collecthub.corridor.act import act
from collecthub.corridor.decide import REPEAT, timers
from collecthub.corridor.due import due
from collecthub.engine.bank_inbox import watch_inbox
from collecthub.engine.book_comparison import watch_books
from collecthub.engine.case_work import change_case, locked_case, open_task
from collecthub.engine.checking import watch_rules
from collecthub.engine.client_account import watch_client_money
from collecthub.engine.context import Hub, Work
from collecthub.engine.key_watch import watch_keys
from collecthub.engine.limitation_watch import watch_limitation
from collecthub.engine.mandates import watch_mandates
from collecthub.engine.nightly import watch_night
from collecthub.engine.notice_line import SAY_JOB, watch_notices
from collecthub.engine.partner_balances import watch_balances
from collecthub.engine.partner_score import watch_partners
from collecthub.engine.repeating import say_again
from collecthub.engine.sending_line import OPEN_STATES
from collecthub.model.clock import Timer
from collecthub.registers import ConnectorRole
from collecthub.store import tables as t
from collecthub.store.connections import change_connection, read_connections
from collecthub.store.contact_tables import contacts
from collecthub.store.erp_tables import wanted_papers
from collecthub.store.notice_tables import due_notices

PULL_EVERY = dt.timedelta(hours=1)
LISTEN_EVERY = dt.timedelta(seconds=60)
TIMERS_PER_TICK = 200
FORGOTTEN_AFTER = dt.timedelta(seconds=20)


def tick(hub: Hub) -> None:
    """Wake what is due: waits that are over, retries, pulls and partners to listen to."""
    _timers(hub)
    _retries(hub)
    _connections(hub)
    watch_inbox(hub)
    watch_client_money(hub)
    watch_keys(hub)
    watch_rules(hub)
    watch_mandates(hub)
    watch_night(hub)
    watch_notices(hub)
    watch_partners(hub)
    watch_balances(hub)
    watch_limitation(hub)
    watch_books(hub)


def _timers(hub: Hub) -> None:
    if not _finds(hub, sa.select(t.timers.c.case_id).where(t.timers.c.due_at <= hub.now())):
        return
    with hub.work() as work:
        rows = work.conn.execute(
            sa.select(t.timers)
            .where(t.timers.c.due_at <= work.now)
            .order_by(t.timers.c.due_at)
            .limit(TIMERS_PER_TICK)
        ).all()
        for row in rows:
            timer = Timer(kind=row.kind, due_at=row.due_at, owner=row.owner, title=row.kind)
            for over in due([timer], work.now):
                _over(hub, work, row.case_id, over)


def _finds(hub: Hub, query: sa.Select[tuple[str]]) -> bool:
    """Look before writing: most ticks find nothing, and on SQLite a writer keeps everybody else waiting."""
    with hub.database.read() as conn:
        return conn.execute(query.limit(1)).first() is not None


def _over(hub: Hub, work: Work, case_id: str, timer: Timer) -> None:
    case = locked_case(work, case_id)
    facts = act(case, timer, "")
    if facts:
        change_case(hub, work, case, facts, actor="hub")
        return
    work.conn.execute(sa.delete(t.timers).where(t.timers.c.case_id == case_id, t.timers.c.kind == timer.kind))
    if timer.kind.startswith(REPEAT):
        say_again(hub, work, case, timer.kind.removeprefix(REPEAT))
        return
    said = next((wait.title for wait in timers(case) if wait.kind == timer.kind), timer.kind.replace("_", " "))
    open_task(
        work, kind=timer.kind, title=f"case {case.number}: {said}", owner=timer.owner,
        detail=f"due {timer.due_at.isoformat(timespec='minutes')}", creditor_id=case.creditor_id, case_id=case_id,
    )


def _retries(hub: Hub) -> None:
    """Wake what waits for its next try, and what was left lying although something should have woken it."""
    now = hub.now()
    moments = {"now": now, "forgotten": now - FORGOTTEN_AFTER}
    with hub.database.read() as conn:
        found = [(job, target) for job, query in _WAITS for target in conn.scalars(query, moments)]
    if found:
        with hub.work() as work:
            for job, target in found:
                work.wake(job, target)


_NOW, _FORGOTTEN = (sa.bindparam(name, type_=t.timers.c.due_at.type) for name in ("now", "forgotten"))


def _due(table: sa.Table, states: tuple[str, ...], since: sa.Column[Any]) -> sa.ColumnElement[bool]:
    waiting = table.c.next_attempt_at
    return table.c.state.in_(states) & sa.or_(waiting <= _NOW, waiting.is_(None) & (since <= _FORGOTTEN))


# Built once: the clock asks every second.
_WAITS = tuple(
    (job, sa.select(table.c.connection_id).where(condition).distinct())
    for job, table, condition in (
        ("dispatch", t.envelopes, _due(t.envelopes, OPEN_STATES, t.envelopes.c.created_at)),
        ("dispatch", t.messages, _due(t.messages, ("queued",), t.messages.c.queued_at)),
        ("record", t.inbox, t.inbox.c.answered_at.is_(None) & (t.inbox.c.received_at <= _FORGOTTEN)),
        ("papers", wanted_papers, wanted_papers.c.next_attempt_at <= _NOW),
        ("report", t.reports, _due(t.reports, ("queued",), t.reports.c.queued_at)),
        ("contact", contacts, _due(contacts, ("queued", "attempting"), contacts.c.queued_at)),
        (SAY_JOB, due_notices, _due(due_notices, ("queued", "attempting"), due_notices.c.queued_at)),
    )
)


def _connections(hub: Hub) -> None:
    is_due = sa.or_(t.connections.c.next_due_at.is_(None), t.connections.c.next_due_at <= hub.now())
    works = t.connections.c.status != "stopped"
    if not _finds(hub, sa.select(t.connections.c.connection_id).where(is_due, works)):
        return
    with hub.work() as work:
        for row in read_connections(work.conn, is_due, works):
            if row.role == ConnectorRole.ERP.value and row.kind != "intake":
                work.wake("pull", row.connection_id)
                pause = PULL_EVERY
            elif row.role == ConnectorRole.PARTNER.value:
                work.wake("receive", row.connection_id)
                pause = LISTEN_EVERY
            elif row.role == ConnectorRole.CHANNEL.value:
                work.wake("contact_back", row.connection_id)
                pause = LISTEN_EVERY
            else:
                if row.role == ConnectorRole.REGISTER.value:
                    work.wake("register", row.connection_id)
                pause = PULL_EVERY
            change_connection(work.conn, row.connection_id, next_due_at=work.now + pause)
