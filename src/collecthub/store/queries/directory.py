"""The directory of partners: who acts where, at which price, under which licence, by which doors, with which papers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from collecthub.model.contract import Contract
from collecthub.model.mandate import Mandate, MandateState, ends_on, standing
from collecthub.model.partner import PartnerProfile
from collecthub.store import tables as t
from collecthub.store.connections import read_profiles
from collecthub.store.mandates import read_mandates
from collecthub.store.network_tables import mandates
from collecthub.store.partner_terms import contracts_in_force
from collecthub.store.queries.scope import Role, Scope, not_there

STANDARD, QUOTE, NONE = "standard", "quote", "none"


class DirectoryLine(msgspec.Struct, frozen=True, kw_only=True):
    """A partner in the directory. `tier`: a contract with prices is in force, it quotes, or it takes no cases."""

    partner_id: str
    name: str
    role: str
    countries: tuple[str, ...]
    tier: str
    is_demo: bool
    is_open: bool
    is_connected: bool
    open_cases: int


class PartnerSheet(msgspec.Struct, frozen=True, kw_only=True):
    """Everything on one partner. `papers` are its newest mandates by kind with how they stand today."""

    partner_id: str
    name: str
    tier: str
    profile: PartnerProfile
    contract: Contract | None
    connections: tuple[str, ...]
    open_cases: int
    papers: tuple[PaperLine, ...]


class PaperLine(msgspec.Struct, frozen=True, kw_only=True):
    """A mandate and how it stands on a day."""

    mandate: Mandate
    state: MandateState
    good_until: dt.date | None


def directory(conn: sa.Connection, on: dt.date) -> list[DirectoryLine]:
    """All partners, real ones first, by name. The list of an operator."""
    priced, lines, held = contracts_in_force(conn, on), _lines(conn), _held(conn)
    found = [
        DirectoryLine(
            partner_id=one.partner_id, name=one.name, role=one.role, countries=one.countries,
            tier=tier_of(one, one.partner_id in priced), is_demo=one.is_demo, is_open=one.is_open,
            is_connected=one.partner_id in lines, open_cases=held.get(one.partner_id, 0),
        )
        for one in read_profiles(conn)
    ]  # fmt: skip
    return sorted(found, key=lambda line: (line.is_demo, line.name.casefold(), line.partner_id))


def tier_of(profile: PartnerProfile, has_price: bool) -> str:
    """How dear a partner is known beforehand."""
    return NONE if not profile.is_open else STANDARD if has_price else QUOTE


def partner_sheet(conn: sa.Connection, scope: Scope, partner_id: str, on: dt.date) -> PartnerSheet:
    """One partner; a partner sees itself only. Raises `NotThereError`."""
    profile = next((one for one in read_profiles(conn) if one.partner_id == partner_id), None)
    hidden = scope.role is Role.CREDITOR or (scope.role is Role.PARTNER and scope.partner_id != partner_id)
    if profile is None or hidden:
        raise not_there("partner", partner_id)
    contract = contracts_in_force(conn, on).get(partner_id)
    return PartnerSheet(
        partner_id=partner_id, name=profile.name, tier=tier_of(profile, contract is not None), profile=profile,
        contract=contract, connections=tuple(_lines(conn).get(partner_id, ())), open_cases=_held(conn).get(partner_id, 0),
        papers=papers(conn, scope, on, partner_id=partner_id),
    )  # fmt: skip


def papers(conn: sa.Connection, scope: Scope, on: dt.date, *, partner_id: str = "") -> tuple[PaperLine, ...]:
    """Mandates that exist for a scope, newest first: all, a creditor's own, or a partner's own."""
    wanted = [mandates.c.partner_id == partner_id] if partner_id else []
    if scope.role is Role.CREDITOR:
        wanted.append(mandates.c.creditor_id == (scope.creditor_id or ""))
    if scope.role is Role.PARTNER:
        wanted.append(mandates.c.partner_id == (scope.partner_id or ""))
    return tuple(_paper(one, on) for one in reversed(read_mandates(conn, *wanted)))


def _paper(mandate: Mandate, on: dt.date) -> PaperLine:
    return PaperLine(mandate=mandate, state=standing(mandate, on), good_until=ends_on(mandate))


def _lines(conn: sa.Connection) -> dict[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    query = sa.select(t.connections.c.partner_id, t.connections.c.connection_id).where(t.connections.c.role == "partner")
    for partner_id, connection_id in conn.execute(query.order_by(t.connections.c.connection_id)):
        found.setdefault(partner_id or "", []).append(connection_id)
    return dict(found)


def _held(conn: sa.Connection) -> dict[str, int]:
    query = (
        sa.select(t.cases.c.partner_id, sa.func.count())
        .where(t.cases.c.partner_id.is_not(None), t.cases.c.status != "closed")
        .group_by(t.cases.c.partner_id)
    )
    return {partner_id or "": count for partner_id, count in conn.execute(query)}
