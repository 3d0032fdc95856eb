"""Single values about this hub, and counters."""

from __future__ import annotations

import sqlalchemy as sa

from collecthub.store.tables import facts

FENCE = "fence"  # set by a restore: nothing is sent until a person or a reconciliation releases it


def read_fact(conn: sa.Connection, name: str) -> str | None:
    """The value, or None."""
    return conn.scalar(sa.select(facts.c.value).where(facts.c.name == name))


def write_fact(conn: sa.Connection, name: str, value: str) -> None:
    """Set the value."""
    if conn.execute(sa.update(facts).where(facts.c.name == name).values(value=value)).rowcount == 0:
        conn.execute(sa.insert(facts).values(name=name, value=value))


def remove_fact(conn: sa.Connection, name: str) -> None:
    """Forget the value."""
    conn.execute(sa.delete(facts).where(facts.c.name == name))


def next_numbers(conn: sa.Connection, name: str, count: int) -> int:
    """Reserve `count` numbers of a counter and return the first. Gaps appear only where nothing was committed."""
    row = conn.execute(sa.select(facts.c.value).where(facts.c.name == name).with_for_update()).first()
    first = int(row[0]) + 1 if row else 1
    write_fact(conn, name, str(first + count - 1))
    return first
