"""Who is away, and whose cases somebody looks after: only among one's own people."""

from __future__ import annotations

import datetime as dt

import msgspec
import sqlalchemy as sa

from collecthub.store.contact_tables import absences
from collecthub.store.queries.scope import Scope


class Absence(msgspec.Struct, frozen=True, kw_only=True):
    """`covered_by` looks after the cases of `owner` until the end of a day."""

    owner: str
    covered_by: str
    until_on: dt.date


def read_absences(conn: sa.Connection, scope: Scope, today: dt.date) -> list[Absence]:
    """Those of today, by who comes back first."""
    c = absences.c
    mine = (c.tenant == (scope.creditor_id or "")) & (c.until_on >= today)
    query = sa.select(c.owner, c.covered_by, c.until_on).where(mine).order_by(c.until_on, c.owner)
    return [Absence(**row._mapping) for row in conn.execute(query)]


def covers(conn: sa.Connection, scope: Scope, who: str, today: dt.date) -> tuple[str, ...]:
    """Whose cases somebody sees today: his own, those of whom he covers, and of whom they cover in their turn."""
    away = read_absences(conn, scope, today)
    found = [who]
    for one in found:  # it grows while it is walked
        found += [absence.owner for absence in away if absence.covered_by == one and absence.owner not in found]
    return tuple(found)
