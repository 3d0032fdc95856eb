"""One list of everything that waits for a person: tasks, quarantine, payments nobody could place, what people ask about themselves."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.model.agenda import HEAVY, AgendaItem, Click, Place, by_urgency, proposal_for
from collecthub.model.party import Party
from collecthub.store import human_tables as h
from collecthub.store import tables as t
from collecthub.store.case_log import from_minor
from collecthub.store.payments import OPEN
from collecthub.store.queries.absences import covers
from collecthub.store.queries.paging import LIMIT_MAX, PageRequest, QueryError, open_place, seal_place
from collecthub.store.queries.scope import Role, Scope, owned_by, tasks_of
from collecthub.store.secrets import MasterKey

Conditions = Sequence[sa.ColumnElement[bool]]
LONGEST = 2_000  # of each source; who has more works off the most urgent of these first
DOMESTIC, INTERNATIONAL = "domestic", "international"


class AgendaFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What the agenda can be narrowed by; empty means no restriction.

    `owner` is whose cases, those that he looks after for others included; `queue` is domestic or international: whether
    debtor and creditor live in one country. Either leaves out what belongs to no case.
    """

    owner: str = ""
    queue: str = ""
    kind: str = ""
    case_id: str = ""


class Agenda(msgspec.Struct, frozen=True, kw_only=True):
    """One page of what waits, the most urgent first; `total` of the filter, and how many of each kind without it."""

    items: tuple[AgendaItem, ...]
    next_cursor: str | None
    total: int
    kinds: dict[str, int]


def agenda_page(
    conn: sa.Connection, scope: Scope, key: MasterKey, now: dt.datetime, wanted: AgendaFilter, page: PageRequest
) -> Agenda:
    """A page of the agenda. The pages after the first one are ordered as of its moment, so that nothing is passed over.

    Raises `QueryError` or `CursorError` for what the list does not offer.
    """
    if not 1 <= page.limit <= LIMIT_MAX:
        raise QueryError(f"limit is {page.limit}", cure=f"Ask for 1 to {LIMIT_MAX} rows.")
    name = f"agenda/{hashlib.sha256(msgspec.json.encode(wanted)).hexdigest()[:16]}"
    as_of, after = _opened(key, page.cursor, scope, name) if page.cursor else (now, None)
    found = read_agenda(conn, scope, now, wanted)
    kinds = Counter(_bare(item) for item in found)
    ours = [item for item in found if wanted.kind in ("", _bare(item))]
    placed = sorted(((by_urgency(item, as_of), item) for item in ours), key=lambda one: one[0])
    ahead = [one for one in placed if after is None or one[0] > after]
    shown, more = ahead[: page.limit], len(ahead) > page.limit
    cursor = seal_place(key, (as_of.isoformat(), shown[-1][0]), scope, name) if more else None
    return Agenda(
        items=tuple(item for _, item in shown), next_cursor=cursor, total=len(ours),
        kinds=dict(sorted(kinds.items(), key=lambda one: (-one[1], one[0]))),
    )  # fmt: skip


def _bare(item: AgendaItem) -> str:
    return item.kind.partition(":")[0]


def _opened(key: MasterKey, cursor: str, scope: Scope, name: str) -> tuple[dt.datetime, Place]:
    as_of, (late, weight, stake, since, item_id) = open_place(key, cursor, scope, name)
    return dt.datetime.fromisoformat(as_of), (late, weight, Decimal(stake), dt.datetime.fromisoformat(since), item_id)


def read_agenda(
    conn: sa.Connection, scope: Scope, now: dt.datetime, wanted: AgendaFilter = AgendaFilter()  # noqa: B008  # immutable
) -> list[AgendaItem]:
    """Everything that waits and that somebody may see, in no order; the kind is not looked at."""
    if wanted.queue not in ("", DOMESTIC, INTERNATIONAL):
        raise QueryError(f"the queue {wanted.queue[:40]!r} is unknown", cure=f"Choose {DOMESTIC} or {INTERNATIONAL}.")
    chosen: list[sa.ColumnElement[bool]] = []
    chosen += [t.cases.c.owner.in_(covers(conn, scope, wanted.owner, now.date()))] if wanted.owner else []
    chosen += [_across(conn, scope, wanted.queue)] if wanted.queue else []
    chosen += [t.cases.c.case_id == wanted.case_id] if wanted.case_id else []
    found = [*_tasks(conn, scope, now, chosen), *_quarantined(conn, scope, chosen)]
    if not chosen:
        found += [*_payments(conn, scope), *_requests(conn, scope)]
    return found


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


def _tasks(conn: sa.Connection, scope: Scope, now: dt.datetime, chosen: Conditions) -> list[AgendaItem]:
    is_late, is_heavy = sa.case((t.tasks.c.due_at <= now, 0), else_=1), sa.case((t.tasks.c.kind.in_(HEAVY), 0), else_=1)
    query = (
        sa.select(t.tasks, *_OF_CASE)
        .join_from(t.tasks, t.cases, t.tasks.c.case_id == t.cases.c.case_id, isouter=True)
        .where(t.tasks.c.state == "open", tasks_of(scope), *chosen)
        .order_by(is_late, is_heavy, sa.func.coalesce(t.cases.c.total_minor, 0).desc(), t.tasks.c.created_at)
        .limit(LONGEST)
    )
    return [
        _item("task", row.task_id, row.kind, row.title, row.detail, row, due_at=row.due_at)
        for row in conn.execute(query)
    ]


def cases_of_tasks(conn: sa.Connection, scope: Scope, task_ids: Sequence[str]) -> list[str]:
    """The cases that tasks of the scope are about, each once."""
    mine = t.tasks.c.task_id.in_(task_ids) & tasks_of(scope) & t.tasks.c.case_id.is_not(None)
    return list(conn.scalars(sa.select(t.tasks.c.case_id).where(mine).distinct().order_by(t.tasks.c.case_id)))


def _quarantined(conn: sa.Connection, scope: Scope, chosen: Conditions) -> list[AgendaItem]:
    query = (
        sa.select(t.quarantine, *_OF_CASE)
        .join_from(t.quarantine, t.cases, t.quarantine.c.case_id == t.cases.c.case_id, isouter=True)
        .where(t.quarantine.c.state == "open", owned_by(scope, t.quarantine.c.creditor_id), *chosen)
        .order_by(t.quarantine.c.created_at)
        .limit(LONGEST)
    )
    found = [
        _item("quarantine", row.quarantine_id, "quarantine", f"Not understood: {row.reference}", row.reason, row)
        for row in conn.execute(query)
    ]
    is_operator = scope.role is Role.OPERATOR  # who alone has it read again
    return found if is_operator else [msgspec.structs.replace(item, click=Click.NONE) for item in found]


def _payments(conn: sa.Connection, scope: Scope) -> list[AgendaItem]:
    query = (
        sa.select(t.payments)
        .where(t.payments.c.state == OPEN, owned_by(scope, t.payments.c.creditor_id))
        .order_by(t.payments.c.booked_on)
        .limit(LONGEST)
    )
    return [
        _proposed(
            "payment", row.payment_id, "payment", "Money that no case was found for", row.note,
            since_at=_day_begins(row.booked_on), case_id=row.case_id, creditor_id=row.creditor_id, currency=row.currency,
            stake=abs(from_minor(row.amount_minor, row.currency)),
        )
        for row in conn.execute(query)
    ]  # fmt: skip


_ASKED = {"access": "A person asks what is held on him", "erasure": "A person asks to be erased"}


def _requests(conn: sa.Connection, scope: Scope) -> list[AgendaItem]:
    """What people ask about themselves; it goes over every creditor, so the operator alone answers."""
    if scope.role is not Role.OPERATOR:
        return []
    query = (
        sa.select(h.person_requests, h.identities.c.number)
        .join_from(h.person_requests, h.identities, h.identities.c.identity_id == h.person_requests.c.identity_id)
        .where(h.person_requests.c.state == "open")
        .order_by(h.person_requests.c.answer_by_on)
        .limit(LONGEST)
    )
    return [
        _proposed(
            "request", row.request_id, row.kind, _ASKED.get(row.kind, row.kind), "to be answered within a month (GDPR art. 12)",
            since_at=row.asked_at, due_at=_day_begins(row.answer_by_on), number=row.number, identity_id=row.identity_id,
        )
        for row in conn.execute(query)
    ]  # fmt: skip


def _day_begins(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


_OF_CASE = (
    t.cases.c.number.label("of_number"), t.cases.c.debtor_name.label("of_debtor"),
    t.cases.c.currency.label("of_currency"), t.cases.c.total_minor.label("of_total"),
    t.cases.c.debtor_country.label("of_country"), t.cases.c.owner.label("of_owner"),
)  # fmt: skip


def _item(
    source: str, item_id: str, kind: str, title: str, reason: str, row: sa.Row[tuple[object, ...]],
    due_at: dt.datetime | None = None,
) -> AgendaItem:  # fmt: skip
    currency = row.of_currency or ""
    return _proposed(
        source, item_id, kind, title, reason, due_at=due_at, since_at=row.created_at, case_id=row.case_id,
        number=row.of_number or "", debtor_name=row.of_debtor or "", creditor_id=row.creditor_id, currency=currency,
        stake=from_minor(row.of_total, currency) if currency else None, debtor_country=row.of_country or "",
        owner=row.of_owner or "",
    )  # fmt: skip


def _proposed(
    source: str, item_id: str, kind: str, title: str, reason: str, *, due_at: dt.datetime | None = None, **more: Any
) -> AgendaItem:
    proposed = proposal_for(kind)
    return AgendaItem(
        source=source, item_id=item_id, kind=kind, title=title, reason=reason, act=proposed.act, weight=proposed.weight,
        click=proposed.click, due_at=due_at, **more,
    )  # fmt: skip
