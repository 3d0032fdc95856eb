"""The audit trail: who entered, released, created a key or restored; append-only and hash-chained.

Entries name subjects by id, never by name or address, so that erasing a person leaves the chain whole.
"""

from __future__ import annotations

import datetime as dt
import hashlib

import msgspec
import sqlalchemy as sa

from collecthub.store.case_log import GENESIS
from collecthub.store.facts import read_fact
from collecthub.store.tables import audit

_COUNTER = "audit"
_BEGIN = sa.text("INSERT INTO facts (name, value) VALUES (:name, '0') ON CONFLICT (name) DO NOTHING")
_NEXT = sa.text(
    "UPDATE facts SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE name = :name RETURNING value"
)


def append_audit(
    conn: sa.Connection, *, now: dt.datetime, actor: str, action: str, subject: str, detail: str = ""
) -> None:
    """Add one entry. Writers queue on the counter's row, so that the chain never forks."""
    conn.execute(_BEGIN, {"name": _COUNTER})
    position = int(conn.execute(_NEXT, {"name": _COUNTER}).scalar_one())
    before = conn.scalar(sa.select(audit.c.hash).where(audit.c.position == position - 1)) or GENESIS
    entry = (position, now.astimezone(dt.UTC), actor, action, subject, detail)
    conn.execute(
        sa.insert(audit).values(
            position=position, at=now, actor=actor, action=action, subject=subject, detail=detail,
            previous_hash=before, hash=_digest(before, entry),
        )
    )


def _digest(before: str, entry: tuple[int, dt.datetime, str, str, str, str]) -> str:
    return hashlib.sha256(before.encode() + msgspec.json.encode(entry)).hexdigest()


def verify_audit(conn: sa.Connection) -> str:
    """What is wrong with the chain, as one sentence; an empty text when it is whole."""
    before, expected = GENESIS, 1
    for row in conn.execute(sa.select(audit).order_by(audit.c.position)):
        entry = (row.position, row.at, row.actor, row.action, row.subject, row.detail)
        if row.position != expected:
            return f"audit entry {expected} is missing"
        if row.previous_hash != before or row.hash != _digest(before, entry):
            return f"audit entry {row.position} was changed"
        before, expected = row.hash, expected + 1
    if expected - 1 != int(read_fact(conn, _COUNTER) or 0):
        return f"audit entry {expected} and later ones are missing"
    return ""
