"""One list of everything that waits for a person: tasks, quarantine, payments nobody could place."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from collecthub.model.agenda import AgendaItem, by_urgency, proposal_for
from collecthub.store import tables as t
from collecthub.store.payments import OPEN
from collecthub.store.queries.scope import Scope, owned_by

LONGEST = 2_000  # of each kind; who has more works off the most urgent of these first


def read_agenda(conn: sa.Connection, scope: Scope, now: dt.datetime, *, owner: str = "") -> list[AgendaItem]:
    """Everything that waits and that somebody may see, the most urgent first. `owner` is whose cases, if given."""
    found = [*_tasks(conn, scope, owner), *_quarantined(conn, scope, owner)]
    if not owner:
        found += _payments(conn, scope)
    return sorted(found, key=lambda item: by_urgency(item, now))


def _tasks(conn: sa.Connection, scope: Scope, owner: str) -> list[AgendaItem]:
    query = (
        sa.select(t.tasks, *_OF_CASE)
        .join_from(t.tasks, t.cases, t.tasks.c.case_id == t.cases.c.case_id, isouter=True)
        .where(t.tasks.c.state == "open", owned_by(scope, t.tasks.c.creditor_id))
        .order_by(t.tasks.c.due_at.is_(None), t.tasks.c.due_at, t.tasks.c.created_at)
        .limit(LONGEST)
    )
    if owner:
        query = query.where(t.cases.c.owner == owner)
    return [
        _item("task", row.task_id, row.kind, row.title, row.detail, row, due_at=row.due_at)
        for row in conn.execute(query)
        if _for(scope, row.owner)
    ]


def _for(scope: Scope, owner: str) -> bool:
    return scope.creditor_id is None or owner == "creditor"


def _quarantined(conn: sa.Connection, scope: Scope, owner: str) -> list[AgendaItem]:
    query = (
        sa.select(t.quarantine, *_OF_CASE)
        .join_from(t.quarantine, t.cases, t.quarantine.c.case_id == t.cases.c.case_id, isouter=True)
        .where(t.quarantine.c.state == "open", owned_by(scope, t.quarantine.c.creditor_id))
        .order_by(t.quarantine.c.created_at)
        .limit(LONGEST)
    )
    if owner:
        query = query.where(t.cases.c.owner == owner)
    return [
        _item("quarantine", row.quarantine_id, "quarantine", f"Not understood: {row.reference}", row.reason, row)
        for row in conn.execute(query)
    ]


def _payments(conn: sa.Connection, scope: Scope) -> list[AgendaItem]:
    query = (
        sa.select(t.payments)
        .where(t.payments.c.state == OPEN, owned_by(scope, t.payments.c.creditor_id))
        .order_by(t.payments.c.booked_on)
        .limit(LONGEST)
    )
    return [
        AgendaItem(
            source="payment", item_id=row.payment_id, kind="payment", title="Money that no case was found for",
            reason=row.note, act=proposal_for("payment").act, weight=proposal_for("payment").weight, is_safe=False,
            due_at=None, since_at=dt.datetime.combine(row.booked_on, dt.time(), dt.UTC), case_id=row.case_id, number="",
            debtor_name="", creditor_id=row.creditor_id, currency=row.currency, stake_minor=abs(row.amount_minor),
        )
        for row in conn.execute(query)
    ]


_OF_CASE = (
    t.cases.c.number.label("of_number"), t.cases.c.debtor_name.label("of_debtor"),
    t.cases.c.currency.label("of_currency"), t.cases.c.total_minor.label("of_total"),
)  # fmt: skip


def _item(
    source: str, item_id: str, kind: str, title: str, reason: str, row: sa.Row[tuple[object, ...]],
    due_at: dt.datetime | None = None,
) -> AgendaItem:
    proposed = proposal_for(kind)
    return AgendaItem(
        source=source, item_id=item_id, kind=kind, title=title, reason=reason, act=proposed.act, weight=proposed.weight,
        is_safe=proposed.is_safe, due_at=due_at, since_at=row.created_at, case_id=row.case_id,
        number=row.of_number or "", debtor_name=row.of_debtor or "", creditor_id=row.creditor_id,
        currency=row.of_currency or "", stake_minor=row.of_total or 0,
    )
