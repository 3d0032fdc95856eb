"""Quarantine: what could not be understood, with its reason and its bytes, until a person has dealt with it."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from collecthub.model.ids import new_id
from collecthub.store.connections import ConnectionRow
from collecthub.store.tables import quarantine


def quarantine_row(
    conn: sa.Connection,
    connection: ConnectionRow,
    source: str,
    reference: str,
    code: str,
    reason: str,
    sha256: str,
    now: dt.datetime,
    case_id: str | None = None,
) -> str | None:
    """Keep one entry; the same trouble with the same bytes is kept once. Returns its id, or None if known."""
    key = (
        (quarantine.c.connection_id == connection.connection_id)
        & (quarantine.c.reference == reference)
        & (quarantine.c.code == code)
    )
    if source != "part":  # a part is known by its message id, whichever file or call brought it
        key &= quarantine.c.sha256 == sha256
    known = conn.execute(sa.select(quarantine.c.quarantine_id, quarantine.c.state).where(key)).first()
    if known is not None:
        if known.state == "retried":  # it failed again: a person must see that
            conn.execute(sa.update(quarantine).where(key).values(state="open", resolved_at=None, reason=reason))
        return None
    entry_id = new_id()
    conn.execute(
        sa.insert(quarantine).values(
            quarantine_id=entry_id, creditor_id=connection.creditor_id, connection_id=connection.connection_id,
            source=source, reference=reference, code=code, reason=reason, sha256=sha256, case_id=case_id,
            state="open", created_at=now,
        )
    )
    return entry_id
