"""What is shown at a glance: open amounts by phase, age and country, money recovered by month, alarms."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import pairwise

import msgspec
import sqlalchemy as sa

from collecthub.model.codes import Phase, Status
from collecthub.model.ledger import LineKind
from collecthub.store import tables as t
from collecthub.store.case_log import from_minor
from collecthub.store.connections import BY_PERSON, SHADOW
from collecthub.store.queries.scope import Role, Scope, at_partner, cases_of, owned_by

# Days since the oldest invoice fell due: first day of each band, youngest first.
AGE_BANDS: Sequence[tuple[int, str]] = (
    (0, "up to 30 days"), (31, "31 to 60 days"), (61, "61 to 90 days"), (91, "91 to 180 days"),
    (181, "181 to 365 days"), (366, "over a year"),
)  # fmt: skip

_PHASES = [phase.value for phase in Phase]


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """One part of what is open: how many cases, how much is still owed in them."""

    name: str
    cases: int
    amount: Decimal


class OpenAmounts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything open in one currency, cut three ways; each cut adds up to the whole."""

    currency: str
    cases: int
    amount: Decimal
    principal: Decimal
    by_phase: tuple[Slice, ...]
    by_age: tuple[Slice, ...]
    by_country: tuple[Slice, ...]


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """Payments booked in one month, reversals taken off. `first_on` is its first day."""

    first_on: dt.date
    amount: Decimal


class Alarms(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of what somebody has to look at."""

    tasks: int
    tasks_late: int
    stops_waiting: int  # partners that were asked to stop and still have time to confirm
    stops_late: int  # partners that did not confirm in time, or refused
    in_doubt: int
    quarantined: int
    stopped_connections: int
    waiting_connections: int
    unreleased_connections: int
    cases_without_information: int


_Row = tuple[str, str, str, str, int, int, int]  # currency, phase, country, age, cases, total, principal


def open_amounts(conn: sa.Connection, scope: Scope, today: dt.date) -> tuple[OpenAmounts, ...]:
    """Open cases of the scope, one entry a currency, that with most cases first. One pass over them."""
    age = _age(today)
    query = (
        sa.select(
            t.cases.c.currency,
            t.cases.c.phase,
            t.cases.c.debtor_country,
            age,
            sa.func.count(),
            sa.func.sum(t.cases.c.total_minor),
            sa.func.sum(t.cases.c.principal_minor),
        )
        .where(cases_of(scope), t.cases.c.status != Status.CLOSED.value)
        .group_by(t.cases.c.currency, t.cases.c.phase, t.cases.c.debtor_country, age)
    )
    rows: dict[str, list[_Row]] = defaultdict(list)
    for currency, phase, country, band, count, total, principal in conn.execute(query):
        rows[currency].append((currency, phase, country, band, count, int(total), int(principal)))
    found = [_in_currency(currency, given) for currency, given in rows.items()]
    return tuple(sorted(found, key=lambda entry: (-entry.cases, entry.currency)))


def _age(today: dt.date) -> sa.ColumnElement[str]:
    """The band of a case's oldest invoice; the dates are literals, so that grouping sees one expression."""
    column = t.cases.c.oldest_due_on
    marks: list[tuple[sa.ColumnElement[bool], sa.ColumnElement[str]]] = [
        (column >= _literal((today - dt.timedelta(days=days - 1)).isoformat()), _literal(band))
        for (_, band), (days, _) in pairwise(AGE_BANDS)
    ]
    return sa.case(*marks, else_=_literal(AGE_BANDS[-1][1]))


def _literal(text: str) -> sa.ColumnElement[str]:
    """One of our own words or dates within the statement; nothing from outside comes here."""
    return sa.literal_column(f"'{text}'")


def _in_currency(currency: str, rows: Sequence[_Row]) -> OpenAmounts:
    ages = _cut(currency, rows, lambda row: row[3])
    order = [band for _, band in AGE_BANDS]
    return OpenAmounts(
        currency=currency,
        cases=sum(row[4] for row in rows),
        amount=from_minor(sum(row[5] for row in rows), currency),
        principal=from_minor(sum(row[6] for row in rows), currency),
        by_phase=tuple(
            sorted(_cut(currency, rows, lambda row: row[1]), key=lambda part: _PHASES.index(part.name))
        ),
        by_age=tuple(sorted(ages, key=lambda part: order.index(part.name))),
        by_country=tuple(
            sorted(_cut(currency, rows, lambda row: row[2]), key=lambda part: (-part.amount, part.name))
        ),
    )


def _cut(currency: str, rows: Sequence[_Row], name_of: Callable[[_Row], str]) -> tuple[Slice, ...]:
    counts: dict[str, int] = defaultdict(int)
    sums: dict[str, int] = defaultdict(int)
    for row in rows:
        counts[name_of(row)] += row[4]
        sums[name_of(row)] += row[5]
    return tuple(
        Slice(name=name, cases=counts[name], amount=from_minor(sums[name], currency))
        for name in sorted(counts)
    )


def recovered_by_month(
    conn: sa.Connection, scope: Scope, currency: str, today: dt.date, months: int = 12
) -> tuple[Month, ...]:
    """Payments of the last months, oldest first, months without any included."""
    firsts = _month_starts(today, months)
    lines = t.ledger_lines
    query = (
        sa.select(lines.c.booked_on, sa.func.sum(lines.c.amount_minor))
        .where(
            owned_by(scope, lines.c.creditor_id),
            lines.c.kind == LineKind.PAYMENT.value,
            lines.c.currency == currency,
            lines.c.booked_on >= firsts[0],
        )
        .group_by(lines.c.booked_on)
    )
    sums = dict.fromkeys(firsts, 0)
    for booked_on, total in conn.execute(query):
        first = booked_on.replace(day=1)
        if first in sums:
            sums[first] += int(total)
    return tuple(Month(first_on=first, amount=from_minor(total, currency)) for first, total in sums.items())


def _month_starts(today: dt.date, months: int) -> list[dt.date]:
    numbers = range(today.year * 12 + today.month - months, today.year * 12 + today.month)
    return [dt.date(number // 12, number % 12 + 1, 1) for number in numbers]


def alarms(conn: sa.Connection, scope: Scope, now: dt.datetime) -> Alarms:
    """What waits for a person, counted."""
    task = [owned_by(scope, t.tasks.c.creditor_id), t.tasks.c.state == "open"]
    if scope.role is Role.CREDITOR:
        task.append(t.tasks.c.owner == "creditor")
    mine = owned_by(scope, t.connections.c.creditor_id)
    return Alarms(
        tasks=_count(conn, t.tasks, *task),
        tasks_late=_count(conn, t.tasks, *task, t.tasks.c.due_at < now),
        stops_waiting=_count(
            conn, t.timers, owned_by(scope, t.timers.c.creditor_id), t.timers.c.kind == "no_stop"
        ),
        stops_late=_count(
            conn, t.tasks, owned_by(scope, t.tasks.c.creditor_id), t.tasks.c.state == "open",
            t.tasks.c.kind.in_(("no_stop", "no_stop_refused")),
        ),
        in_doubt=_count(
            conn, t.envelopes, at_partner(scope, t.envelopes.c.partner_id), t.envelopes.c.state == "in_doubt"
        ),
        quarantined=_count(
            conn, t.quarantine, owned_by(scope, t.quarantine.c.creditor_id), t.quarantine.c.state == "open"
        ),
        stopped_connections=_count(
            conn, t.connections, mine, t.connections.c.status == "stopped", t.connections.c.cause != BY_PERSON
        ),
        waiting_connections=_count(conn, t.connections, mine, t.connections.c.status == "waiting"),
        unreleased_connections=_count(conn, t.connections, mine, t.connections.c.mode == SHADOW),
        cases_without_information=_count(
            conn, t.cases, cases_of(scope), t.cases.c.status == Status.NEEDS_INFO.value
        ),
    )


def _count(conn: sa.Connection, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> int:
    return int(conn.scalar(sa.select(sa.func.count()).select_from(table).where(*conditions)) or 0)
