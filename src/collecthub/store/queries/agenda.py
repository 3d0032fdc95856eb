"""One list of everything that waits for a person: tasks, quarantine, payments nobody could place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from collecthub.model.agenda import AgendaItem, by_urgency, proposal_for
from collecthub.model.party import Party
from collecthub.store import tables as t
from collecthub.store.payments import OPEN
from collecthub.store.queries.absences import covers
from collecthub.store.queries.scope import Scope, owned_by

Conditions = Sequence[sa.ColumnElement[bool]]
LONGEST = 2_000  # of each kind; who has more works off the most urgent of these first


DOMESTIC, INTERNATIONAL = "domestic", "international"


def read_agenda(
    conn: sa.Connection, scope: Scope, now: dt.datetime, *, owner: str = "", queue: str = ""
) -> list[AgendaItem]:
    """Everything that waits and that somebody may see, the most urgent first.

    `owner` is whose cases, those that he looks after for others included; `queue` is domestic or international: whether
    debtor and creditor live in one country. Either leaves out what belongs to no case.
    """
    chosen: list[sa.ColumnElement[bool]] = []
    chosen += [t.cases.c.owner.in_(covers(conn, scope, owner, now.date()))] if owner else []
    chosen += [_across(conn, scope, queue)] if queue in (DOMESTIC, INTERNATIONAL) else []
    found = [*_tasks(conn, scope, chosen), *_quarantined(conn, scope, chosen)]
    if not chosen:
        found += _payments(conn, scope)
    return sorted(found, key=lambda item: by_urgency(item, now))


def _across(conn: sa.Connection, scope: Scope, queue: str) -> sa.ColumnElement[bool]:
    """Cases whose debtor lives elsewhere than their creditor, or not; an unknown country is no foreign one."""
    by_country: dict[str, list[str]] = {}
    query = sa.select(t.creditors.c.creditor_id, t.creditors.c.party).where(owned_by(scope, t.creditors.c.creditor_id))
    for creditor_id, party in conn.execute(query):
        by_country.setdefault(msgspec.json.decode(party, type=Party).country, []).append(creditor_id)
    abroad = sa.or_(sa.false(), *(
        t.cases.c.creditor_id.in_(ids) & t.cases.c.debtor_country.not_in(("", country))
        for country, ids in by_country.items() if country
    ))  # fmt: skip
    return abroad if queue == INTERNATIONAL else sa.and_(t.cases.c.case_id.is_not(None), sa.not_(abroad))


def _tasks(conn: sa.Connection, scope: Scope, chosen: Conditions) -> list[AgendaItem]:
    query = (
        sa.select(t.tasks, *_OF_CASE)
        .join_from(t.tasks, t.cases, t.tasks.c.case_id == t.cases.c.case_id, isouter=True)
        .where(t.tasks.c.state == "open", owned_by(scope, t.tasks.c.creditor_id))
        .order_by(t.tasks.c.due_at.is_(None), t.tasks.c.due_at, t.tasks.c.created_at)
        .limit(LONGEST)
    ).where(*chosen)
    return [
        _item("task", row.task_id, row.kind, row.title, row.detail, row, due_at=row.due_at)
        for row in conn.execute(query)
        if _for(scope, row.owner)
    ]


def cases_of_tasks(conn: sa.Connection, scope: Scope, task_ids: Sequence[str]) -> list[str]:
    """The cases that tasks of the scope are about, each once."""
    mine = t.tasks.c.task_id.in_(task_ids) & owned_by(scope, t.tasks.c.creditor_id) & t.tasks.c.case_id.is_not(None)
    return list(conn.scalars(sa.select(t.tasks.c.case_id).where(mine).distinct().order_by(t.tasks.c.case_id)))


def _for(scope: Scope, owner: str) -> bool:
    return scope.creditor_id is None or owner == "creditor"


def _quarantined(conn: sa.Connection, scope: Scope, chosen: Conditions) -> list[AgendaItem]:
    query = (
        sa.select(t.quarantine, *_OF_CASE)
        .join_from(t.quarantine, t.cases, t.quarantine.c.case_id == t.cases.c.case_id, isouter=True)
        .where(t.quarantine.c.state == "open", owned_by(scope, t.quarantine.c.creditor_id))
        .order_by(t.quarantine.c.created_at)
        .limit(LONGEST)
    ).where(*chosen)
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
    t.cases.c.debtor_country.label("of_country"), t.cases.c.owner.label("of_owner"),
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
        currency=row.of_currency or "", stake_minor=row.of_total or 0, debtor_country=row.of_country or "",
        owner=row.of_owner or "",
    )
