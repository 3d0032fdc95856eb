"""Remittances, contracts and receipts as people see them: a creditor his own, the operator all, a partner none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.model.contract import Contract, Side
from collecthub.store import remittance_tables as r
from collecthub.store import remittances as rs
from collecthub.store import tables as t
from collecthub.store.case_log import from_minor
from collecthub.store.contracts import contract_of
from collecthub.store.queries.paging import Listed, Order, PageRequest, QueryError, moment, read_page
from collecthub.store.queries.scope import Role, Scope, not_there, owned_by
from collecthub.store.secrets import MasterKey


class RemittanceItem(msgspec.Struct, frozen=True, kw_only=True):
    """One amount in a remittance, with the fee on it and the rule that explains the fee."""

    case_id: str
    case_number: str
    debtor_name: str
    source: str
    received_on: dt.date
    amount: Decimal
    fee: Decimal
    vat: Decimal
    rule: str


class RemittanceView(msgspec.Struct, frozen=True, kw_only=True):
    """A remittance. `net` is what the creditor gets: `gross` less what stays as `fee` and `vat`."""

    remittance_id: str
    number: str
    creditor_id: str
    creditor_name: str
    state: str
    currency: str
    gross: Decimal
    fee: Decimal
    vat: Decimal
    net: Decimal
    account: str
    order_ref: str
    reason: str
    made_on: dt.date
    paid_on: dt.date | None
    items: tuple[RemittanceItem, ...] = ()


class ContractView(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a contract."""

    contract: Contract
    party_name: str
    entered_by: str
    entered_at: dt.datetime


_LIST = (
    sa.select(r.remittances, t.creditors.c.name.label("creditor_name"), r.payment_orders.c.message_ref)
    .join(t.creditors, t.creditors.c.creditor_id == r.remittances.c.creditor_id)
    .outerjoin(r.payment_orders, r.payment_orders.c.order_id == r.remittances.c.order_id)
)


def list_remittances(
    conn: sa.Connection, scope: Scope, key: MasterKey, page: PageRequest, state: str = "", creditor_id: str = ""
) -> Listed[RemittanceView]:
    """Remittances, newest first, without their items."""
    query = _LIST.where(owned_by(scope, r.remittances.c.creditor_id))
    if state and state not in rs.STATES:
        raise QueryError(f"the state {state[:40]!r} is unknown", cure=f"Choose one of {', '.join(rs.STATES)}.")
    if state:
        query = query.where(r.remittances.c.state == state)
    if creditor_id:
        query = query.where(r.remittances.c.creditor_id == creditor_id)
    order = Order(
        column=r.remittances.c.made_at, unique=r.remittances.c.remittance_id, is_descending=True, read=moment
    )
    rows, cursor = read_page(conn, query, order, page, key=key, scope=scope, name=f"remittances/{state}/{creditor_id}")
    return Listed(items=tuple(_view(row) for row in rows), next_cursor=cursor)


def remittance_detail(conn: sa.Connection, scope: Scope, remittance: str) -> RemittanceView:
    """One remittance by id or number, with everything in it. Raises `NotThereError`."""
    named = (r.remittances.c.remittance_id == remittance) | (r.remittances.c.number == remittance)
    row = conn.execute(_LIST.where(named, owned_by(scope, r.remittances.c.creditor_id))).first()
    if row is None:
        raise not_there("remittance", remittance)
    item = r.remittance_items
    query = (
        sa.select(item, t.cases.c.number, t.cases.c.debtor_name)
        .join(t.cases, t.cases.c.case_id == item.c.case_id)
        .where(item.c.remittance_id == row.remittance_id)
        .order_by(item.c.received_on, t.cases.c.number, item.c.seq)
    )
    return msgspec.structs.replace(_view(row), items=tuple(_items(conn.execute(query), row.currency)))


def _view(row: Any) -> RemittanceView:
    one = rs.remittance_of(row)
    return RemittanceView(
        remittance_id=one.remittance_id, number=one.number, creditor_id=one.creditor_id, creditor_name=row.creditor_name,
        state=one.state, currency=one.currency, gross=one.gross, fee=one.fee, vat=one.vat, net=one.net, account=one.account,
        order_ref=row.message_ref or "", reason=one.reason, made_on=one.made_on, paid_on=one.paid_on,
    )  # fmt: skip


def _items(rows: Iterable[Any], currency: str) -> Iterable[RemittanceItem]:
    for row in rows:
        yield RemittanceItem(
            case_id=row.case_id, case_number=row.number, debtor_name=row.debtor_name, source=row.source,
            received_on=row.received_on, amount=from_minor(row.amount_minor, currency),
            fee=from_minor(row.fee_minor, currency), vat=from_minor(row.vat_minor, currency), rule=row.rule,
        )  # fmt: skip


def list_contracts(conn: sa.Connection, scope: Scope, side: Side | None = None, party_id: str = "") -> tuple[ContractView, ...]:
    """Every version, by party: a creditor and a partner see their own, the operator all."""
    query = sa.select(r.contracts).order_by(r.contracts.c.side, r.contracts.c.party_id, r.contracts.c.version)
    match scope.role:
        case Role.CREDITOR:
            query = query.where(r.contracts.c.side == Side.CREDITOR.value, r.contracts.c.party_id == scope.creditor_id)
        case Role.PARTNER:
            query = query.where(r.contracts.c.side == Side.PARTNER.value, r.contracts.c.party_id == scope.partner_id)
        case Role.OPERATOR:
            pass
    if side is not None:
        query = query.where(r.contracts.c.side == side.value)
    if party_id:
        query = query.where(r.contracts.c.party_id == party_id)
    rows = conn.execute(query).all()
    names = _names(conn, rows)
    return tuple(
        ContractView(
            contract=contract_of(row), party_name=names.get(row.party_id, row.party_id), entered_by=row.entered_by,
            entered_at=row.entered_at,
        )
        for row in rows
    )


def _names(conn: sa.Connection, rows: Sequence[Any]) -> dict[str, str]:
    wanted = {row.party_id for row in rows}
    found: dict[str, str] = {}
    for column, name in ((t.creditors.c.creditor_id, t.creditors.c.name), (t.partners.c.partner_id, t.partners.c.name)):
        found |= {key: value for key, value in conn.execute(sa.select(column, name).where(column.in_(wanted)))}
    return found
