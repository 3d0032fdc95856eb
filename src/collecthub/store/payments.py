"""Payments in their tables: found by money, by booking, by state; written in bulk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.formats.bank.statement import BankTransaction
from collecthub.store import tables as t
from collecthub.store.case_log import to_minor

# What may become of a payment. Only `new` and `open` wait for something.
NEW, OPEN, BOOKED, KNOWN, SET_ASIDE = "new", "open", "booked", "known", "set_aside"
PENDING, OUTGOING, RETURN, UNDID, RETURNED, DETAILED = "pending", "outgoing", "return", "undid", "returned", "detailed"
STATES = (NEW, OPEN, BOOKED, KNOWN, SET_ASIDE, PENDING, OUTGOING, RETURN, UNDID, RETURNED, DETAILED)
_AT_ONCE = 400


class StoredPayment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment as it lies in its table. `amount_minor` is below zero when money went out."""

    payment_id: str
    file_id: str
    account_id: str
    creditor_id: str | None
    kind: str
    state: str
    amount_minor: int
    currency: str
    booked_on: dt.date
    entry_ref: str
    case_id: str | None
    transaction: BankTransaction


def stored(row: Any) -> StoredPayment:
    """A row of the table."""
    return StoredPayment(
        payment_id=row.payment_id, file_id=row.file_id, account_id=row.account_id, creditor_id=row.creditor_id,
        kind=row.kind, state=row.state, amount_minor=row.amount_minor, currency=row.currency, booked_on=row.booked_on,
        entry_ref=row.entry_ref, case_id=row.case_id,
        transaction=msgspec.json.decode(row.doc, type=BankTransaction),
    )  # fmt: skip


def signed_minor(transaction: BankTransaction) -> int:
    """The amount in minor units, below zero when money went out."""
    minor = to_minor(transaction.amount, transaction.currency)
    return minor if transaction.is_credit else -minor


def with_money(
    conn: sa.Connection, account_id: str, amounts: Iterable[int], days: tuple[dt.date, dt.date], *, not_of: str = ""
) -> list[StoredPayment]:
    """Payments on an account with one of these amounts between two days; those only announced do not count."""
    wanted = sorted(set(amounts))
    found: list[StoredPayment] = []
    for start in range(0, len(wanted), _AT_ONCE):
        query = sa.select(t.payments).where(
            t.payments.c.account_id == account_id, t.payments.c.amount_minor.in_(wanted[start : start + _AT_ONCE]),
            t.payments.c.booked_on.between(*days), t.payments.c.file_id != not_of, t.payments.c.state != PENDING,
        )  # fmt: skip
        found += [stored(row) for row in conn.execute(query.order_by(t.payments.c.payment_id))]
    return found


def of_entries(conn: sa.Connection, account_id: str, refs: Iterable[str], *, not_of: str) -> list[StoredPayment]:
    """Payments that other files show under these bookings."""
    wanted = sorted({ref for ref in refs if ref})
    found: list[StoredPayment] = []
    for start in range(0, len(wanted), _AT_ONCE):
        query = sa.select(t.payments).where(
            t.payments.c.account_id == account_id, t.payments.c.entry_ref.in_(wanted[start : start + _AT_ONCE]),
            t.payments.c.file_id != not_of, t.payments.c.state.not_in((PENDING, DETAILED)),
        )  # fmt: skip
        found += [stored(row) for row in conn.execute(query)]
    return found


def sightings(conn: sa.Connection, payment_ids: Sequence[str]) -> list[tuple[str, str, str]]:
    """Payment, file and kind of file, for every file beside the first that showed one of the payments."""
    found: list[tuple[str, str, str]] = []
    for start in range(0, len(payment_ids), _AT_ONCE):
        query = sa.select(t.payment_sightings).where(
            t.payment_sightings.c.payment_id.in_(payment_ids[start : start + _AT_ONCE])
        )
        found += [(row.payment_id, row.file_id, row.kind) for row in conn.execute(query)]
    return found


def waiting(conn: sa.Connection, creditor_id: str | None, state: str, after: str, limit: int) -> list[StoredPayment]:
    """Payments of one owner in a state, in the order they came; without a creditor those of the client account."""
    owner = t.payments.c.creditor_id.is_(None) if creditor_id is None else t.payments.c.creditor_id == creditor_id
    query = (
        sa.select(t.payments)
        .where(owner, t.payments.c.state == state, t.payments.c.payment_id > after)
        .order_by(t.payments.c.payment_id)
        .limit(limit)
    )
    return [stored(row) for row in conn.execute(query)]


def settle(conn: sa.Connection, rows: Sequence[dict[str, object]]) -> None:
    """Write what became of payments: `of_payment` and the columns that change, the same ones in every row."""
    if rows:
        names = [name for name in rows[0] if name != "of_payment"]
        statement = sa.update(t.payments).where(t.payments.c.payment_id == sa.bindparam("of_payment"))
        conn.execute(statement.values({name: sa.bindparam(name) for name in names}), rows)


def booking_row(
    payment: StoredPayment, case_id: str, creditor_id: str, seq: int, amount: Decimal, now: dt.datetime, *, is_known: bool
) -> dict[str, object]:
    """The row that ties a payment to an event of a case."""
    return {
        "payment_id": payment.payment_id, "case_id": case_id, "seq": seq, "creditor_id": creditor_id,
        "amount_minor": to_minor(amount, payment.currency), "is_known": is_known, "undone_by": None, "booked_at": now,
    }
