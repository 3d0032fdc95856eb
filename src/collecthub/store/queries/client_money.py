"""The figures of client money, each summed by the database from the records that state it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from collecthub.model.client_money import AccountBalance, ClientMoney, HeldFor
from collecthub.store import held_money as h
from collecthub.store import payments as p
from collecthub.store import remittance_tables as r
from collecthub.store import remittances as rs
from collecthub.store import tables as t
from collecthub.store.case_log import from_minor
from collecthub.store.queries.names import creditor_names
from collecthub.store.queries.scope import LOCAL_OPERATOR

# Why money moved that is no debtor's and no remittance: the operator's own, or what receipts had said before.
OPERATOR, CASH, CARD = "operator", "cash", "card"
REASONS = (OPERATOR, CASH, CARD)
Sums = dict[str, int]


def client_money(conn: sa.Connection, on: dt.date) -> tuple[ClientMoney, ...]:
    """Both sides in every currency at the end of a day, as far as the hub knows today."""
    moved = _movements(conn, on)
    receipts = {means: _receipts(conn, on, means) for means in (CASH, CARD)}
    out = _remitted(conn, on)
    accounts, before = _accounts(conn, on)
    currencies = sorted({*moved, *receipts[CASH], *receipts[CARD], *out, *accounts})
    names = creditor_names(conn, LOCAL_OPERATOR)
    booked, shown = _booked(conn, on)
    charged = _operator_charges(conn, on)
    return tuple(
        _one(on, currency, moved[currency], {means: receipts[means][currency] for means in receipts}, out[currency],
             accounts[currency], before[currency], booked[currency], shown[currency], charged[currency], names)
        for currency in currencies
    )  # fmt: skip


def _one(
    on: dt.date, currency: str, moved: Sums, receipts: dict[str, Sums], out: dict[str, Sums],
    accounts: tuple[AccountBalance, ...], before: int, booked: Sums, shown: Sums, charged: int, names: Mapping[str, str],
) -> ClientMoney:  # fmt: skip
    def money(minor: int) -> Decimal:
        return from_minor(minor, currency)

    taken: Sums = defaultdict(int)
    for of_means in receipts.values():
        for creditor_id, minor in of_means.items():
            taken[creditor_id] += minor
    creditors = sorted({*booked, *taken, *out["gross"]}, key=lambda one: names.get(one, one))
    held = tuple(
        HeldFor(
            creditor_id=one, creditor_name=names.get(one, one),
            amount=money(booked.get(one, 0) + taken.get(one, 0) - out["gross"].get(one, 0)),
        )
        for one in creditors
    )
    net, kept, debited = (sum(out[name].values()) for name in ("net", "kept", "debited"))
    allocated = sum(booked.values()) + sum(shown.values())
    return ClientMoney(
        on=on, currency=currency, accounts=accounts,
        cash=money(sum(receipts[CASH].values()) - moved[CASH] - shown[CASH]),
        card=money(sum(receipts[CARD].values()) - moved[CARD] - shown[CARD]),
        held=tuple(one for one in held if one.amount), under_way=money(net - debited),
        unallocated=money(moved["in"] - allocated + charged), operator=money(kept + moved[OPERATOR] - charged),
        before_the_hub=money(before), unexplained=money(moved["out"] + debited),
    )  # fmt: skip


def _on_client_account(on: dt.date) -> sa.ColumnElement[bool]:
    payment = t.payments
    return payment.c.creditor_id.is_(None) & (payment.c.booked_on <= on) & payment.c.state.not_in((p.PENDING, p.DETAILED))


def _movements(conn: sa.Connection, on: dt.date) -> defaultdict[str, Sums]:
    """Movements by currency: with a reason under it, else what came from payers (`in`) and what else moved (`out`)."""
    reason = r.movement_reasons
    kind = sa.case(
        (reason.c.reason.is_not(None), reason.c.reason), (t.payments.c.state == p.OUTGOING, "out"), else_="in"
    ).label("kind")
    query = (
        sa.select(t.payments.c.currency, kind, sa.func.sum(t.payments.c.amount_minor).label("minor"))
        .outerjoin(reason, reason.c.payment_id == t.payments.c.payment_id)
        .where(_on_client_account(on))
        .group_by(t.payments.c.currency, kind)
    )
    found: defaultdict[str, Sums] = defaultdict(lambda: defaultdict(int))
    for row in conn.execute(query):
        found[row.currency][row.kind] += int(row.minor)
    return found


def _by_currency(rows: Any) -> defaultdict[str, Sums]:
    found: defaultdict[str, Sums] = defaultdict(lambda: defaultdict(int))
    for currency, key, minor in rows:
        found[currency][key] += int(minor or 0)
    return found


def _booked(conn: sa.Connection, on: dt.date) -> tuple[defaultdict[str, Sums], defaultdict[str, Sums]]:
    """By currency: what became part of cases, by creditor; and movements that only show receipts again, by means."""
    booked: defaultdict[str, Sums] = defaultdict(lambda: defaultdict(int))
    for is_undone in (False, True):
        rows = h.bookings_on_client_account(is_undone=is_undone).subquery()
        query = (
            sa.select(rows.c.currency, rows.c.creditor_id, sa.func.sum(rows.c.amount_minor))
            .where(rows.c.received_on <= on)
            .group_by(rows.c.currency, rows.c.creditor_id)
        )
        for currency, creditor_id, minor in conn.execute(query):
            booked[currency][creditor_id] += -int(minor) if is_undone else int(minor)
    booking, receipt = t.payment_bookings, r.receipts
    shown = (
        sa.select(t.payments.c.currency, receipt.c.means, sa.func.sum(booking.c.amount_minor))
        .join(booking, booking.c.payment_id == t.payments.c.payment_id)
        .join(
            receipt,
            (receipt.c.case_id == booking.c.case_id)
            & receipt.c.seqs.like("%|" + sa.cast(booking.c.seq, sa.String) + "|%"),
        )
        .where(_on_client_account(on), booking.c.undone_by.is_(None))
        .group_by(t.payments.c.currency, receipt.c.means)
    )
    return booked, _by_currency(conn.execute(shown))


def _receipts(conn: sa.Connection, on: dt.date, means: str) -> defaultdict[str, Sums]:
    """What was taken and not given back, by currency and creditor."""
    receipt = r.receipts
    query = (
        sa.select(receipt.c.currency, receipt.c.creditor_id, sa.func.sum(receipt.c.amount_minor))
        .where(receipt.c.means == means, receipt.c.received_on <= on)
        .where(receipt.c.reversed_on.is_(None) | (receipt.c.reversed_on > on))
        .group_by(receipt.c.currency, receipt.c.creditor_id)
    )
    return _by_currency(conn.execute(query))


def _remitted(conn: sa.Connection, on: dt.date) -> defaultdict[str, dict[str, Sums]]:
    """Live remittances by currency and creditor: what they contain, pay out, keep, and what the bank has debited."""
    found: defaultdict[str, dict[str, Sums]] = defaultdict(lambda: {name: {} for name in ("gross", "net", "kept", "debited")})
    table = r.remittances
    query = (
        sa.select(
            table.c.currency, table.c.creditor_id, sa.func.sum(table.c.gross_minor), sa.func.sum(table.c.net_minor),
            sa.func.sum(sa.case((table.c.debited_on <= on, table.c.net_minor), else_=0)),
        )
        .where(table.c.state.in_(rs.LIVE), table.c.made_on <= on)
        .group_by(table.c.currency, table.c.creditor_id)
    )
    for currency, creditor_id, gross, net, debited in conn.execute(query):
        one = found[currency]
        one["gross"][creditor_id], one["net"][creditor_id] = int(gross), int(net)
        one["kept"][creditor_id], one["debited"][creditor_id] = int(gross) - int(net), int(debited or 0)
    return found


def _operator_charges(conn: sa.Connection, on: dt.date) -> defaultdict[str, int]:
    """Charges on partners' transfers that the operator bears: the creditors hold as if they had not been taken."""
    transfer = r.transfers
    query = (
        sa.select(transfer.c.currency, sa.func.sum(transfer.c.operator_minor))
        .join(t.payments, t.payments.c.payment_id == transfer.c.payment_id)
        .where(t.payments.c.booked_on <= on)
        .group_by(transfer.c.currency)
    )
    return defaultdict(int, {currency: int(minor) for currency, minor in conn.execute(query)})


# --- the bank's side ------------------------------------------------------------------------------


def _accounts(
    conn: sa.Connection, on: dt.date
) -> tuple[defaultdict[str, tuple[AccountBalance, ...]], defaultdict[str, int]]:
    """Client accounts by currency with what the bank states; and what lay on them before the first statement."""
    days: dict[tuple[str, str], list[tuple[dt.date, int]]] = defaultdict(list)
    numbers: dict[str, str] = {}
    query = (
        sa.select(
            t.payments.c.account_id, t.bank_accounts.c.number, t.payments.c.currency, t.payments.c.booked_on,
            sa.func.sum(t.payments.c.amount_minor).label("minor"),
        )
        .join(t.bank_accounts, t.bank_accounts.c.account_id == t.payments.c.account_id)
        .where(_on_client_account(on))
        .group_by(t.payments.c.account_id, t.bank_accounts.c.number, t.payments.c.currency, t.payments.c.booked_on)
    )  # fmt: skip
    for row in conn.execute(query):
        days[(row.account_id, row.currency)].append((row.booked_on, int(row.minor)))
        numbers[row.account_id] = row.number
    statements = _statements(conn, on)
    found: defaultdict[str, tuple[AccountBalance, ...]] = defaultdict(tuple)
    before: defaultdict[str, int] = defaultdict(int)
    for account_id, currency in sorted({*days, *statements}):
        stated = statements.get((account_id, currency), [])
        moved = days[(account_id, currency)]
        first = min((row for row in stated if row.opening_minor is not None and row.opened_on), key=lambda row: row.opened_on, default=None)
        opening = 0 if first is None else first.opening_minor - sum(minor for day, minor in moved if day < first.opened_on)
        before[currency] += opening
        last = max((row for row in stated if row.closing_minor is not None and row.closed_on), key=_order, default=None)
        number = numbers.get(account_id) or next(row.number for row in stated)
        closing = None
        if last is not None:
            closing = from_minor(last.closing_minor + sum(minor for day, minor in moved if day > last.closed_on), currency)
        balance = AccountBalance(
            account=number, stated=closing, stated_on=None if last is None else last.closed_on,
            computed=from_minor(opening + sum(minor for _, minor in moved), currency),
        )
        found[currency] = (*found[currency], balance)
    return found, before


def _order(row: Any) -> tuple[dt.date, int, dt.datetime]:
    return row.closed_on, int(row.sequence) if row.sequence.isdigit() else 0, row.imported_at


def _statements(conn: sa.Connection, on: dt.date) -> dict[tuple[str, str], list[Any]]:
    statement = t.bank_statements
    query = (
        sa.select(statement, t.bank_accounts.c.number, t.bank_files.c.imported_at)
        .join(t.bank_accounts, t.bank_accounts.c.account_id == statement.c.account_id)
        .join(t.bank_files, t.bank_files.c.file_id == statement.c.file_id)
        .where(statement.c.creditor_id.is_(None), statement.c.currency != "")
        .where(sa.func.coalesce(statement.c.closed_on, statement.c.opened_on) <= on)
    )
    found: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in conn.execute(query):
        found[(row.account_id, row.currency)].append(row)
    return found
