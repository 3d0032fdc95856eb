"""Creditors, partners and connections as lists and details."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import UNSET, UnsetType

from collecthub.model.partner import PartnerProfile
from collecthub.model.party import Party
from collecthub.store import tables as t
from collecthub.store.connections import ConnectionRow, Exclusions, read_connections
from collecthub.store.queries.paging import Listed, Order, PageRequest, moment, read_page
from collecthub.store.queries.scope import Role, Scope, at_partner, not_there, owned_by
from collecthub.store.runs import OutcomeSum, read_outcomes
from collecthub.store.secrets import MasterKey

RUNS_SHOWN = 10


class CreditorView(msgspec.Struct, frozen=True, kw_only=True):
    """A creditor: a tenant of the hub."""

    creditor_id: str
    name: str
    party: Party
    open_cases: int


class PartnerView(msgspec.Struct, frozen=True, kw_only=True):
    """A partner with what routing knows of it and how many cases it holds."""

    partner_id: str
    name: str
    role: str
    countries: tuple[str, ...]
    is_open: bool
    open_cases: int


class ConnectionView(msgspec.Struct, frozen=True, kw_only=True):
    """A connection and whether it works. `mode` is `shadow` until a person has released it.

    `cause` says what stopped it: `consent`, `choice` (of divisions), `person` or `trouble`.
    """

    connection_id: str
    kind: str
    role: str
    name: str
    creditor_id: str | None
    partner_id: str | None
    mode: str
    status: str
    status_detail: str
    status_until: dt.datetime | None
    cause: str
    created_at: dt.datetime
    last_complete_at: dt.datetime | None
    next_due_at: dt.datetime | None


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """One pull: how far it came and what became of its rows. `control` says whether the ERP's own totals agreed."""

    run_id: str
    started_at: dt.datetime
    ended_at: dt.datetime | None
    state: str
    pages: int
    rows: int
    changed: int
    refused: int
    problem: str
    control: str
    outcomes: tuple[OutcomeSum, ...]


class ConnectionDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A connection with its last pulls. Settings are shown to the operator only and never hold secrets."""

    connection: ConnectionView
    release: Exclusions
    runs: tuple[RunView, ...]
    settings: dict[str, Any] | UnsetType = UNSET


def list_creditors(conn: sa.Connection, scope: Scope, key: MasterKey, page: PageRequest) -> Listed[CreditorView]:
    """The creditors of a scope, by id."""
    query = sa.select(t.creditors, _open_cases(t.cases.c.creditor_id == t.creditors.c.creditor_id)).where(
        owned_by(scope, t.creditors.c.creditor_id)
    )
    order = Order(column=t.creditors.c.creditor_id, unique=t.creditors.c.creditor_id)
    rows, cursor = read_page(conn, query, order, page, key=key, scope=scope, name="creditors")
    items = tuple(
        CreditorView(
            creditor_id=row.creditor_id, name=row.name, party=msgspec.json.decode(row.party, type=Party),
            open_cases=row.open_cases,
        )
        for row in rows
    )
    return Listed(items=items, next_cursor=cursor)


def _open_cases(match: sa.ColumnElement[bool]) -> sa.Label[int]:
    counted = sa.select(sa.func.count()).select_from(t.cases).where(match, t.cases.c.status != "closed")
    return counted.scalar_subquery().label("open_cases")


def list_partners(conn: sa.Connection, scope: Scope, key: MasterKey, page: PageRequest) -> Listed[PartnerView]:
    """All partners for the operator; a partner sees itself."""
    query = sa.select(t.partners, _open_cases(t.cases.c.partner_id == t.partners.c.partner_id)).where(
        at_partner(scope, t.partners.c.partner_id)
    )
    order = Order(column=t.partners.c.partner_id, unique=t.partners.c.partner_id)
    rows, cursor = read_page(conn, query, order, page, key=key, scope=scope, name="partners")
    return Listed(items=tuple(_partner(row) for row in rows), next_cursor=cursor)


def _partner(row: Any) -> PartnerView:
    profile = msgspec.json.decode(row.profile, type=PartnerProfile)
    return PartnerView(
        partner_id=row.partner_id, name=row.name, role=row.role, countries=profile.countries, is_open=profile.is_open,
        open_cases=row.open_cases,
    )


def list_connections(
    conn: sa.Connection, scope: Scope, key: MasterKey, page: PageRequest, role: str = ""
) -> Listed[ConnectionView]:
    """The connections of a scope, by id; `role` narrows to erp, partner or reporter."""
    query = sa.select(t.connections).where(owned_by(scope, t.connections.c.creditor_id))
    if role:
        query = query.where(t.connections.c.role == role)
    order = Order(column=t.connections.c.connection_id, unique=t.connections.c.connection_id)
    rows, cursor = read_page(conn, query, order, page, key=key, scope=scope, name=f"connections/{role}")
    return Listed(items=tuple(_connection(row) for row in rows), next_cursor=cursor)


def _connection(row: Any) -> ConnectionView:
    return ConnectionView(**{name: getattr(row, name) for name in ConnectionView.__struct_fields__})


def owned_connection(conn: sa.Connection, scope: Scope, connection_id: str) -> ConnectionRow:
    """The connection as stored, if it exists for the scope. Raises `NotThereError`."""
    found = read_connections(
        conn, t.connections.c.connection_id == connection_id, owned_by(scope, t.connections.c.creditor_id)
    )
    if not found:
        raise not_there("connection", connection_id)
    return found[0]


def stored_settings(row: ConnectionRow) -> dict[str, Any]:
    """The settings of a connection as stored; secrets are elsewhere."""
    found: dict[str, Any] = msgspec.json.decode(row.settings or "{}")
    return found


def connection_detail(conn: sa.Connection, scope: Scope, connection_id: str) -> ConnectionDetail:
    """A connection with its last pulls. Raises `NotThereError`."""
    row = owned_connection(conn, scope, connection_id)
    runs = conn.execute(
        sa.select(t.runs)
        .where(t.runs.c.connection_id == connection_id)
        .order_by(t.runs.c.started_at.desc(), t.runs.c.run_id.desc())
        .limit(RUNS_SHOWN)
    )
    return ConnectionDetail(
        connection=_connection(row), release=row.release,
        runs=tuple(map(_run, runs)),
        settings=stored_settings(row) if scope.role is Role.OPERATOR else UNSET,
    )


def _run(row: Any) -> RunView:
    plain = {name: getattr(row, name) for name in RunView.__struct_fields__ if name != "outcomes"}
    return RunView(outcomes=read_outcomes(row.amounts), **plain)


def list_runs(
    conn: sa.Connection, scope: Scope, key: MasterKey, page: PageRequest, connection_id: str
) -> Listed[RunView]:
    """The pulls of a connection, newest first, as far back as they are kept. Raises `NotThereError`."""
    owned_connection(conn, scope, connection_id)
    query = sa.select(t.runs).where(t.runs.c.connection_id == connection_id)
    order = Order(column=t.runs.c.started_at, unique=t.runs.c.run_id, is_descending=True, read=moment)
    rows, cursor = read_page(conn, query, order, page, key=key, scope=scope, name=f"runs/{connection_id}")
    return Listed(items=tuple(map(_run, rows)), next_cursor=cursor)
