"""Creditors, partners and connections: who is in the house and by which doors."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import lru_cache

import msgspec
import sqlalchemy as sa

from collecthub.model.approval import ApprovalLimits
from collecthub.model.charging import ChargePolicy
from collecthub.model.contact import ContactPolicy
from collecthub.model.partner import PartnerProfile
from collecthub.model.party import Party
from collecthub.model.plan import PlanLimits
from collecthub.model.rungs import RungClocks
from collecthub.store.tables import connections, creditors, partners
from collecthub.store.upsert import put

SHADOW, RELEASED = "shadow", "released"
BY_CONSENT, BY_CHOICE, BY_PERSON, BY_TROUBLE = "consent", "choice", "person", "trouble"
BY_THEM = "them"  # the other side wants no more calls


class Exclusions(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decided before the first wave left."""

    debtor_refs: tuple[str, ...] = ()
    group_refs: tuple[str, ...] = ()
    minimum_amount: Decimal = Decimal(0)
    reminders_by: str = "creditor"  # who sends reminders today: creditor, hub, nobody
    released_by: str = ""
    released_at: dt.datetime | None = None


class Playbook(msgspec.Struct, frozen=True, kw_only=True):
    """What creditor and operator agreed; later issues deepen it."""

    owner: str = ""
    contact_person: str = ""
    payment_account: str = ""
    charges: ChargePolicy = ChargePolicy()
    contact: tuple[ContactPolicy, ...] = ()  # the steps before hand-over; the first that fits a debtor
    papers: str = "on_request"  # or with_case: whether contract and proof must be on file before a hand-over to a lawyer
    plans: PlanLimits = PlanLimits()  # what debtors may agree to without a person deciding
    approval: ApprovalLimits = ApprovalLimits()  # the creditor's yes beforehand to what courts and enforcement cost
    clocks: RungClocks = RungClocks()  # where the partner's profile says nothing else


class CreditorRow(msgspec.Struct, frozen=True, kw_only=True):
    creditor_id: str
    name: str
    party: Party
    playbook: Playbook


class ConnectionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A configured connector instance as stored. `settings` is JSON without secrets.

    `status` is `ok`, `waiting` or `stopped`; `cause` says what stopped it: `consent` (a person must give it),
    `choice` (a person must choose divisions), `person` (somebody stopped it) or `trouble`. `revision` rises with
    every change of settings or secrets.
    """

    connection_id: str
    kind: str
    role: str
    name: str
    creditor_id: str | None
    partner_id: str | None
    settings: str
    mode: str
    release: Exclusions
    checkpoint: str
    status: str
    status_detail: str
    status_until: dt.datetime | None
    created_at: dt.datetime
    last_complete_at: dt.datetime | None
    next_due_at: dt.datetime | None
    cause: str = ""
    revision: int = 0


def _connection(row: sa.Row[tuple[object, ...]]) -> ConnectionRow:
    values = dict(row._mapping)
    release = msgspec.json.decode(values.pop("release") or "{}", type=Exclusions)
    return ConnectionRow(release=release, **values)


def read_connection(conn: sa.Connection, connection_id: str) -> ConnectionRow | None:
    """The connection, or None."""
    row = conn.execute(_READ, {"of": connection_id}).first()
    return None if row is None else _connection(row)


_READ = sa.select(connections).where(connections.c.connection_id == sa.bindparam("of"))


def read_connections(conn: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[ConnectionRow]:
    """Connections that satisfy all conditions, oldest first."""
    query = sa.select(connections).where(*conditions).order_by(connections.c.connection_id)
    return [_connection(row) for row in conn.execute(query)]


def connections_of(conn: sa.Connection, column: sa.Column[str], value: str) -> list[ConnectionRow]:
    """The connections of a creditor or of a partner, oldest first."""
    return [_connection(row) for row in conn.execute(_connections_by(column), {"value": value})]


@lru_cache(maxsize=4)
def _connections_by(column: sa.Column[str]) -> sa.Select[tuple[object, ...]]:
    query = sa.select(connections).where(column == sa.bindparam("value"))
    return query.order_by(connections.c.connection_id)


def add_connection(conn: sa.Connection, row: ConnectionRow) -> None:
    """Insert a connection."""
    values = msgspec.structs.asdict(row)
    values["release"] = msgspec.json.encode(row.release).decode()
    conn.execute(sa.insert(connections).values(**values))


def change_connection(conn: sa.Connection, connection_id: str, **values: object) -> None:
    """Set columns of a connection."""
    if isinstance(values.get("release"), Exclusions):
        values["release"] = msgspec.json.encode(values["release"]).decode()
    conn.execute(sa.update(connections).where(connections.c.connection_id == connection_id).values(**values))


def read_creditor(conn: sa.Connection, creditor_id: str) -> CreditorRow | None:
    """The creditor, or None."""
    row = conn.execute(_READ_CREDITOR, {"of": creditor_id}).first()
    return None if row is None else _creditor(creditor_id, row.name, row.party, row.playbook)


_READ_CREDITOR = sa.select(creditors.c.name, creditors.c.party, creditors.c.playbook).where(
    creditors.c.creditor_id == sa.bindparam("of")
)


@lru_cache(maxsize=64)
def _creditor(creditor_id: str, name: str, party: str, playbook: str) -> CreditorRow:
    """The creditor of these columns; every case of a portfolio asks for the same few, and they are frozen."""
    return CreditorRow(
        creditor_id=creditor_id, name=name, party=msgspec.json.decode(party, type=Party),
        playbook=msgspec.json.decode(playbook or "{}", type=Playbook),
    )


def write_creditor(conn: sa.Connection, row: CreditorRow, now: dt.datetime) -> None:
    """Insert a creditor or replace its data."""
    values: dict[str, object] = {
        "creditor_id": row.creditor_id,
        "name": row.name,
        "party": msgspec.json.encode(row.party).decode(),
        "playbook": msgspec.json.encode(row.playbook).decode(),
        "created_at": now,
    }
    put(conn, creditors, values, once=("created_at",))


def read_profiles(conn: sa.Connection) -> list[PartnerProfile]:
    """All partners as routing sees them, by id."""
    query = sa.select(partners.c.profile).order_by(partners.c.partner_id)
    return [msgspec.json.decode(profile, type=PartnerProfile) for profile in conn.scalars(query)]


def write_partner(conn: sa.Connection, profile: PartnerProfile, now: dt.datetime) -> None:
    """Insert a partner or replace its profile."""
    values: dict[str, object] = {
        "partner_id": profile.partner_id,
        "name": profile.name,
        "role": profile.role,
        "profile": msgspec.json.encode(profile).decode(),
        "created_at": now,
    }
    put(conn, partners, values, once=("created_at",))
