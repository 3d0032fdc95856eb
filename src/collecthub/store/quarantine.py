"""Quarantine: what could not be understood, with its reason and its bytes, until a person has dealt with it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from collecthub.model.ids import new_id
from collecthub.model.invoice import RefusedRow
from collecthub.model.money import minor_units
from collecthub.store.connections import ConnectionRow
from collecthub.store.tables import quarantine

UNDERSTOOD = "a later pull brought the row in a form that is understood"
_REFS_AT_ONCE = 500


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
    known = conn.execute(sa.select(quarantine.c.state, quarantine.c.resolution).where(key)).first()
    if known is not None:
        if known.state == "retried" or known.resolution == UNDERSTOOD:  # it failed again: a person must see that
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


# --- rows of a pull -------------------------------------------------------------------------------


def refuse_row(conn: sa.Connection, connection: ConnectionRow, bad: RefusedRow, sha256: str, now: dt.datetime) -> None:
    """Keep a refused row. What is open on it counts in comparisons, once, however often it was refused."""
    _forget_money(conn, connection.connection_id, [bad.item_ref])
    quarantine_row(conn, connection, "row", bad.item_ref, bad.code, bad.reason, sha256, now)
    if bad.open_amount is not None and bad.currency:
        conn.execute(
            sa.update(quarantine)
            .where(_rows(connection.connection_id), quarantine.c.reference == bad.item_ref, quarantine.c.sha256 == sha256)
            .where(quarantine.c.code == bad.code)
            .values(currency=bad.currency, open_minor=int(bad.open_amount.scaleb(minor_units(bad.currency))))
        )


def understand_rows(conn: sa.Connection, connection_id: str, references: Iterable[str], now: dt.datetime) -> None:
    """Rows that were refused before have come in a form that is understood, or were deleted."""
    refs = sorted(references)
    _forget_money(conn, connection_id, refs)
    for start in range(0, len(refs), _REFS_AT_ONCE):
        conn.execute(
            sa.update(quarantine)
            .where(_rows(connection_id), quarantine.c.reference.in_(refs[start : start + _REFS_AT_ONCE]))
            .where(quarantine.c.state != "resolved")
            .values(state="resolved", resolved_at=now, resolution=UNDERSTOOD)
        )


def refused_references(conn: sa.Connection, connection_id: str) -> set[str]:
    """The rows of a connection that stand refused, or that a person set aside."""
    query = sa.select(quarantine.c.reference).where(_rows(connection_id), quarantine.c.resolution != UNDERSTOOD)
    return set(conn.scalars(query))


def refused_money(conn: sa.Connection, connection_id: str) -> Mapping[str, tuple[int, int]]:
    """Count and open amount (minor units) of refused rows by currency, as far as they named them."""
    query = (
        sa.select(quarantine.c.currency, sa.func.count(), sa.func.sum(quarantine.c.open_minor))
        .where(_rows(connection_id), quarantine.c.currency != "")
        .group_by(quarantine.c.currency)
    )
    return {currency: (int(count), int(total)) for currency, count, total in conn.execute(query)}


def _rows(connection_id: str) -> sa.ColumnElement[bool]:
    return (quarantine.c.connection_id == connection_id) & (quarantine.c.source == "row")


def _forget_money(conn: sa.Connection, connection_id: str, refs: list[str]) -> None:
    for start in range(0, len(refs), _REFS_AT_ONCE):
        conn.execute(
            sa.update(quarantine)
            .where(_rows(connection_id), quarantine.c.reference.in_(refs[start : start + _REFS_AT_ONCE]))
            .where(quarantine.c.currency != "")
            .values(currency="", open_minor=0)
        )
