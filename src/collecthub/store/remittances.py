"""Remittances, their items and orders in their tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.model.fee import FeesBefore
from collecthub.store import remittance_tables as r
from collecthub.store.case_log import from_minor

# What may become of a remittance. Money of a rejected or returned one is held again.
CREATED, EXPORTED, ACCEPTED, PAID, REJECTED, RETURNED = "created", "exported", "accepted", "paid", "rejected", "returned"
STATES = (CREATED, EXPORTED, ACCEPTED, PAID, REJECTED, RETURNED)
LIVE = (CREATED, EXPORTED, ACCEPTED, PAID)
NO_FEES = FeesBefore()
_BEGIN = sa.text("INSERT INTO facts (name, value) VALUES (:name, '0') ON CONFLICT (name) DO NOTHING")
_NEXT = sa.text(
    "UPDATE facts SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE name = :name RETURNING value"
)


class StoredRemittance(msgspec.Struct, frozen=True, kw_only=True):
    """A remittance as it lies in its table: what came in, what stays as the agreed fee, what is paid out."""

    remittance_id: str
    number: str
    creditor_id: str
    currency: str
    state: str
    gross: Decimal
    fee: Decimal
    vat: Decimal
    net: Decimal
    account: str
    payee: str
    order_id: str | None
    reason: str
    made_on: dt.date
    paid_on: dt.date | None


def remittance_of(row: Any) -> StoredRemittance:
    """A row of the table."""
    return StoredRemittance(
        remittance_id=row.remittance_id, number=row.number, creditor_id=row.creditor_id, currency=row.currency,
        state=row.state, gross=from_minor(row.gross_minor, row.currency), fee=from_minor(row.fee_minor, row.currency),
        vat=from_minor(row.vat_minor, row.currency), net=from_minor(row.net_minor, row.currency), account=row.account,
        payee=row.payee, order_id=row.order_id, reason=row.reason, made_on=row.made_on, paid_on=row.paid_on,
    )  # fmt: skip


def next_number(conn: sa.Connection, series: str, year: int) -> str:
    """The next number of a series in a year, without gaps: it is taken in the transaction that uses it.

    Whoever comes at the same moment waits for that transaction.
    """
    name = f"series:{series}:{year}"
    conn.execute(_BEGIN, {"name": name})
    return f"{series}-{year}-{int(conn.execute(_NEXT, {'name': name}).scalar_one()):06d}"


def fees_before(conn: sa.Connection, case_ids: Sequence[str], currency: str) -> dict[str, FeesBefore]:
    """What each case brought and cost so far, in live remittances and by payments to the creditor himself."""
    found: dict[str, FeesBefore] = {}
    for start in range(0, len(case_ids), 400):
        some = case_ids[start : start + 400]
        for table, condition in ((r.remittance_items, r.remittance_items.c.is_live), (r.direct_fees, sa.true())):
            query = (
                sa.select(
                    table.c.case_id, sa.func.sum(table.c.amount_minor).label("amount"),
                    sa.func.sum(table.c.percent_minor).label("percent"), sa.func.sum(table.c.fee_minor).label("fee"),
                )
                .where(table.c.case_id.in_(some), condition)
                .group_by(table.c.case_id)
            )  # fmt: skip
            for row in conn.execute(query):
                found[row.case_id] = _more(found.get(row.case_id, NO_FEES), row, currency)
    return found


def _more(known: FeesBefore, row: Any, currency: str) -> FeesBefore:
    return FeesBefore(
        collected=known.collected + from_minor(int(row.amount), currency),
        by_percent=known.by_percent + from_minor(int(row.percent), currency),
        fees=known.fees + from_minor(int(row.fee), currency),
    )


def locked(conn: sa.Connection, condition: sa.ColumnElement[bool]) -> list[StoredRemittance]:
    """Remittances, locked until the transaction ends."""
    query = sa.select(r.remittances).where(condition).order_by(r.remittances.c.number).with_for_update()
    return [remittance_of(row) for row in conn.execute(query)]


def change(conn: sa.Connection, remittance_id: str, **values: object) -> None:
    """Change columns of one remittance."""
    conn.execute(sa.update(r.remittances).where(r.remittances.c.remittance_id == remittance_id).values(**values))


def release_items(conn: sa.Connection, remittance_id: str) -> None:
    """The money of a remittance that was not paid is held again."""
    conn.execute(
        sa.update(r.remittance_items).where(r.remittance_items.c.remittance_id == remittance_id).values(is_live=False)
    )
