"""Payments and bank files as people see them. A creditor sees those on his own accounts, a partner none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.formats.bank.statement import BankTransaction
from collecthub.model.payment_reference import ogm_reference, payment_reference, rf_reference
from collecthub.store import payments as p
from collecthub.store import tables as t
from collecthub.store.case_log import from_minor
from collecthub.store.queries.case_file import read_owned_case
from collecthub.store.queries.paging import Listed, Order, PageRequest, QueryError, moment, read_page
from collecthub.store.queries.scope import Role, Scope, not_there
from collecthub.store.secrets import MasterKey


class ProposedCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case that the payment may belong to, with what speaks for it and against it.

    `known_ref` names money that the case knows already and that this payment may be.
    """

    case_id: str
    score: int
    reasons: tuple[str, ...]
    objections: tuple[str, ...] = ()
    known_ref: str = ""
    number: str = ""
    debtor_name: str = ""


class _Proposal(msgspec.Struct, frozen=True, kw_only=True):
    candidates: tuple[ProposedCase, ...] = ()
    remarks: tuple[str, ...] = ()


class PaymentView(msgspec.Struct, frozen=True, kw_only=True):
    """A movement on an account. `amount` is below zero when money went out; `remaining` is not settled yet."""

    payment_id: str
    state: str
    creditor_id: str | None
    account: str
    kind: str
    amount: Decimal
    remaining: Decimal
    currency: str
    booked_on: dt.date
    payer_name: str
    payer_account: str
    reference: str
    end_to_end_ref: str
    text: str
    statement_ref: str
    place: str
    file_id: str
    case_id: str | None
    case_number: str
    score: int
    candidates: tuple[ProposedCase, ...]
    remarks: tuple[str, ...]
    return_reason: str
    note: str
    decided_by: str
    decided_at: dt.datetime | None


class BankFileView(msgspec.Struct, frozen=True, kw_only=True):
    """A bank file that came in. A refused one is kept with its reason; nothing of it was booked."""

    file_id: str
    creditor_id: str | None
    name: str
    state: str
    kinds: str
    statements: int
    transactions: int
    fresh: int
    problem: str
    sha256: str
    imported_by: str
    imported_at: dt.datetime


class PaymentReferenceView(msgspec.Struct, frozen=True, kw_only=True):
    """What a debtor writes on his transfer. `reference` is the one on his letters; the others are known as well.

    `account` is where he pays to, as far as the hub knows exactly one.
    """

    case_id: str
    number: str
    reference: str
    structured_communication: str
    creditor_reference: str
    account: str
    beneficiary: str
    owed: Decimal
    currency: str


def visible(scope: Scope, column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Rows of a table with an account's owner: a creditor's own, for the operator all with the client account's."""
    match scope.role:
        case Role.OPERATOR:
            return sa.true()
        case Role.CREDITOR:
            return column == (scope.creditor_id or "")
        case Role.PARTNER:
            return sa.false()


def list_payments(
    conn: sa.Connection, scope: Scope, key: MasterKey, page: PageRequest, state: str = "open", case_id: str = ""
) -> Listed[PaymentView]:
    """Payments in the order they came; `waiting` are those that a person must look at, returns among them."""
    query = sa.select(t.payments).where(visible(scope, t.payments.c.creditor_id))
    if state == "waiting":
        query = query.where(t.payments.c.state.in_((p.OPEN, p.RETURN)))
    elif state and state not in p.STATES:
        raise QueryError(f"the state {state[:40]!r} is unknown", cure=f"Choose one of waiting, {', '.join(p.STATES)}.")
    elif state:
        query = query.where(t.payments.c.state == state)
    if case_id:
        tied = sa.select(t.payment_bookings.c.payment_id).where(t.payment_bookings.c.case_id == case_id)
        query = query.where(t.payments.c.payment_id.in_(tied))
    order = Order(column=t.payments.c.payment_id, unique=t.payments.c.payment_id)
    name = f"payments/{state}/{case_id}"
    rows, cursor = read_page(conn, query, order, page, key=key, scope=scope, name=name)
    return Listed(items=tuple(_views(conn, rows)), next_cursor=cursor)


def payment_detail(conn: sa.Connection, scope: Scope, payment_id: str) -> PaymentView:
    """One payment. Raises `NotThereError`."""
    query = sa.select(t.payments).where(
        t.payments.c.payment_id == payment_id, visible(scope, t.payments.c.creditor_id)
    )
    rows = conn.execute(query).all()
    if not rows:
        raise not_there("payment", payment_id)
    return next(iter(_views(conn, rows)))


def _views(conn: sa.Connection, rows: Sequence[Any]) -> Iterable[PaymentView]:
    proposals = {row.payment_id: msgspec.json.decode(row.proposal or "{}", type=_Proposal) for row in rows}
    wanted = {row.case_id for row in rows if row.case_id}
    wanted |= {one.case_id for proposal in proposals.values() for one in proposal.candidates}
    cases = {
        row.case_id: row
        for row in conn.execute(
            sa.select(t.cases.c.case_id, t.cases.c.number, t.cases.c.debtor_name).where(t.cases.c.case_id.in_(wanted))
        )
    }
    accounts = _pairs(conn, sa.select(t.bank_accounts.c.account_id, t.bank_accounts.c.number).where(
        t.bank_accounts.c.account_id.in_({row.account_id for row in rows})
    ))  # fmt: skip
    settled = _pairs(
        conn,
        sa.select(t.payment_bookings.c.payment_id, sa.func.sum(t.payment_bookings.c.amount_minor))
        .where(t.payment_bookings.c.payment_id.in_([row.payment_id for row in rows]))
        .where(t.payment_bookings.c.undone_by.is_(None))
        .group_by(t.payment_bookings.c.payment_id),
    )
    for row in rows:
        said = msgspec.json.decode(row.doc, type=BankTransaction)
        left = row.amount_minor - int(settled.get(row.payment_id, 0)) if row.state in (p.NEW, p.OPEN) else 0
        proposal = proposals[row.payment_id]
        yield PaymentView(
            payment_id=row.payment_id, state=row.state, creditor_id=row.creditor_id, account=accounts[row.account_id],
            kind=row.kind, amount=from_minor(row.amount_minor, row.currency), remaining=from_minor(left, row.currency),
            currency=row.currency, booked_on=row.booked_on, payer_name=said.payer_name, payer_account=said.payer_account,
            reference=said.reference, end_to_end_ref=said.end_to_end_ref, text=said.text,
            statement_ref=said.statement_ref, place=said.place, file_id=row.file_id, case_id=row.case_id,
            case_number=cases[row.case_id].number if row.case_id in cases else "", score=row.score,
            candidates=tuple(_named(one, cases.get(one.case_id)) for one in proposal.candidates),
            remarks=proposal.remarks, return_reason=said.return_reason, note=row.note, decided_by=row.decided_by,
            decided_at=row.decided_at,
        )  # fmt: skip


def _named(one: ProposedCase, case: Any) -> ProposedCase:
    if case is None:
        return one
    return msgspec.structs.replace(one, number=case.number, debtor_name=case.debtor_name)


def _pairs(conn: sa.Connection, query: sa.Select[Any]) -> dict[str, Any]:
    return {key: value for key, value in conn.execute(query)}


def list_bank_files(
    conn: sa.Connection, scope: Scope, key: MasterKey, page: PageRequest, state: str = ""
) -> Listed[BankFileView]:
    """Bank files, newest first."""
    query = sa.select(t.bank_files).where(visible(scope, t.bank_files.c.creditor_id))
    if state and state not in ("reading", "imported", "refused"):
        raise QueryError(f"the state {state[:40]!r} is unknown", cure="Choose imported, refused or reading.")
    if state:
        query = query.where(t.bank_files.c.state == state)
    order = Order(
        column=t.bank_files.c.imported_at, unique=t.bank_files.c.file_id, is_descending=True, read=moment
    )
    rows, cursor = read_page(conn, query, order, page, key=key, scope=scope, name=f"bank_files/{state}")
    names = BankFileView.__struct_fields__
    views = tuple(BankFileView(**{name: getattr(row, name) for name in names}) for row in rows)
    return Listed(items=views, next_cursor=cursor)


def case_payment_reference(conn: sa.Connection, scope: Scope, case_id: str) -> PaymentReferenceView:
    """The payment reference of a case. Raises `NotThereError`."""
    case = read_owned_case(conn, scope, case_id)
    account, beneficiary = _account_of(conn, case.creditor_id)
    return PaymentReferenceView(
        case_id=case.case_id, number=case.number, reference=payment_reference(case.number, case.debtor.country),
        structured_communication=ogm_reference(case.number), creditor_reference=rf_reference(case.number),
        account=account, beneficiary=beneficiary, owed=max(case.balance.total, Decimal(0)), currency=case.currency,
    )  # fmt: skip


def _account_of(conn: sa.Connection, creditor_id: str) -> tuple[str, str]:
    """The one account to pay to and whose it is: the creditor's, else the client account; nothing when several are."""
    name = conn.scalar(sa.select(t.creditors.c.name).where(t.creditors.c.creditor_id == creditor_id)) or ""
    mine = list(conn.scalars(sa.select(t.bank_accounts.c.number).where(t.bank_accounts.c.creditor_id == creditor_id)))
    if mine:
        return (mine[0], str(name)) if len(mine) == 1 else ("", "")
    held = list(conn.scalars(sa.select(t.bank_accounts.c.number).where(t.bank_accounts.c.creditor_id.is_(None))))
    return (held[0], "") if len(held) == 1 else ("", "")
