"""Single values about this hub."""

from __future__ import annotations

import sqlalchemy as sa

from collecthub.store.tables import facts
from collecthub.store.upsert import put

FENCE = "fence"  # set by a restore: nothing is sent until a person or a reconciliation releases it


def read_fact(conn: sa.Connection, name: str) -> str | None:
    """The value, or None."""
    return conn.scalar(sa.select(facts.c.value).where(facts.c.name == name))


def write_fact(conn: sa.Connection, name: str, value: str) -> None:
    """Set the value."""
    put(conn, facts, {"name": name, "value": value})


def remove_fact(conn: sa.Connection, name: str) -> None:
    """Forget the value."""
    conn.execute(sa.delete(facts).where(facts.c.name == name))


def take_turn(conn: sa.Connection, name: str) -> None:
    """Wait behind whoever does the same, until the transaction ends; for work that must see what the other wrote."""
    put(conn, facts, {"name": f"turn:{name}", "value": ""})
