"""Money that the operator holds for creditors and has not passed on: on the client account, in cash, by card.

Nothing is kept here beside the facts: a payment on the client account that became part of a case is held for that
case's creditor until a live remittance contains it. What was taken back later is held below zero.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.store import remittance_tables as r
from collecthub.store import tables as t

# Where held money came from, as an item of a remittance names it.
PAYMENT, PAYMENT_UNDONE, RECEIPT, RECEIPT_REVERSED = "payment", "payment_undone", "receipt", "receipt_reversed"


class HeldMoney(msgspec.Struct, frozen=True, kw_only=True):
    """One amount that came in, or below zero went back, and that no live remittance contains."""

    source: str
    source_ref: str
    case_id: str
    seq: int
    creditor_id: str
    amount_minor: int
    currency: str
    received_on: dt.date


def held_money(conn: sa.Connection, until: dt.date, creditor_id: str | None = None) -> list[HeldMoney]:
    """Everything that is held and came in until a day, oldest first."""
    found: list[HeldMoney] = []
    for source, query in _sources():
        rows = query.subquery()
        item = r.remittance_items
        is_passed_on = sa.exists().where(
            item.c.source == source, item.c.source_ref == rows.c.source_ref, item.c.case_id == rows.c.case_id,
            item.c.seq == rows.c.seq, item.c.is_live,
        )
        wanted = sa.select(rows).where(~is_passed_on, rows.c.received_on <= until)
        if creditor_id is not None:
            wanted = wanted.where(rows.c.creditor_id == creditor_id)
        found += [_held(source, row) for row in conn.execute(wanted)]
    return sorted(found, key=lambda one: (one.received_on, one.source, one.source_ref, one.case_id, one.seq))


def _held(source: str, row: Any) -> HeldMoney:
    sign = -1 if source in (PAYMENT_UNDONE, RECEIPT_REVERSED) else 1
    return HeldMoney(
        source=source, source_ref=row.source_ref, case_id=row.case_id, seq=row.seq, creditor_id=row.creditor_id,
        amount_minor=sign * row.amount_minor, currency=row.currency, received_on=row.received_on,
    )


def _sources() -> Iterator[tuple[str, sa.Select[Any]]]:
    yield PAYMENT, bookings_on_client_account(is_undone=False)
    yield PAYMENT_UNDONE, bookings_on_client_account(is_undone=True)
    yield RECEIPT, _receipts(r.receipts.c.received_on)
    yield RECEIPT_REVERSED, _receipts(r.receipts.c.reversed_on).where(r.receipts.c.reversed_on.is_not(None))


def bookings_on_client_account(*, is_undone: bool) -> sa.Select[Any]:
    """Parts of payments on the client account that became part of a case; or those of them that were taken back.

    A movement that only shows the money of a receipt again (a deposit, a card settlement) is not counted: the receipt is.
    """
    booking, payment = t.payment_bookings, t.payments
    back = payment.alias("back")
    shows_receipt = sa.exists().where(
        r.receipts.c.case_id == booking.c.case_id,
        r.receipts.c.seqs.like("%|" + sa.cast(booking.c.seq, sa.String) + "|%"),
    )
    query = (
        sa.select(
            booking.c.payment_id.label("source_ref"), booking.c.case_id, booking.c.seq, booking.c.creditor_id,
            booking.c.amount_minor, payment.c.currency,
            (back.c.booked_on if is_undone else payment.c.booked_on).label("received_on"),
        )
        .join(payment, payment.c.payment_id == booking.c.payment_id)
        .where(payment.c.creditor_id.is_(None), ~shows_receipt)
    )
    return query.join(back, back.c.payment_id == booking.c.undone_by) if is_undone else query


def _receipts(day: sa.ColumnElement[Any]) -> sa.Select[Any]:
    receipt = r.receipts
    return sa.select(
        receipt.c.receipt_id.label("source_ref"), receipt.c.case_id, sa.literal(0).label("seq"), receipt.c.creditor_id,
        receipt.c.amount_minor, receipt.c.currency, day.label("received_on"),
    )


def sums_by_creditor(items: Sequence[HeldMoney]) -> dict[tuple[str, str], int]:
    """Held minor units by creditor and currency."""
    found: dict[tuple[str, str], int] = {}
    for one in items:
        key = (one.creditor_id, one.currency)
        found[key] = found.get(key, 0) + one.amount_minor
    return found
