"""What partners said so far, against the tables: what was lost in translation, and what waits for a person."""

from __future__ import annotations

import datetime as dt

import msgspec
import sqlalchemy as sa

from collecthub.engine.context import Hub
from collecthub.model.crosswalk import Fidelity, explain, with_rows
from collecthub.model.status_tables import status_tables
from collecthub.store import tables as t
from collecthub.store.queries.scope import Role, Scope, cases_of

_KINDS = ("status_reported", "case_returned")
_UNKNOWN = "status.unknown"
_ROWS_PER_READ = 2_000


class _Said(msgspec.Struct):
    """The part of a stored fact that names a partner's code."""

    foreign_code: str = ""
    close_code: str = ""


class _Event(msgspec.Struct):
    fact: _Said


_decode = msgspec.json.Decoder(_Event).decode


class HeardCode(msgspec.Struct, frozen=True, kw_only=True):
    """One code of one partner, how often it came, and how well it translates today."""

    partner_id: str
    code: str
    count: int
    last_at: dt.datetime
    vocabulary: str
    verdict: Fidelity
    meaning: str
    outcome: str | None
    lost: str
    reason: str


class ParkedCode(msgspec.Struct, frozen=True, kw_only=True):
    """Reports that wait in quarantine because nobody knows what their code means."""

    partner_id: str
    reason: str
    count: int


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """Every code that came, the most frequent first, and what waits for a person."""

    items: tuple[HeardCode, ...]
    next_cursor: None = None
    parked: tuple[ParkedCode, ...]


def heard(hub: Hub, conn: sa.Connection, scope: Scope, partner_id: str = "") -> Heard:
    """What partners reported in the cases of a scope, or one partner. Reads the histories row by row.

    What is parked belongs to no tenant yet, so only the operator is told of it.
    """
    speaks = _vocabularies(hub, conn)
    tables = with_rows(status_tables(), hub.plugins.codes, hub.business_date())
    counted: dict[tuple[str, str], tuple[int, dt.datetime]] = {}
    for actor, doc, recorded_at in conn.execute(_reports(scope, partner_id)):
        said = _decode(doc).fact
        key = (actor.removeprefix("partner:"), said.foreign_code or said.close_code)
        count, last_at = counted.get(key, (0, recorded_at))
        counted[key] = (count + 1, max(last_at, recorded_at))
    items = []
    for (who, code), (count, last_at) in sorted(counted.items(), key=lambda entry: (-entry[1][0], entry[0])):
        found = explain(tables, speaks.get(who, ("collecthub",)), code)
        items.append(
            HeardCode(
                partner_id=who, code=code, count=count, last_at=last_at, vocabulary=found.vocabulary,
                verdict=found.verdict, meaning=found.meaning, outcome=found.outcome, lost=found.lost, reason=found.reason,
            )
        )
    return Heard(items=tuple(items), parked=_parked(conn, partner_id) if scope.role is Role.OPERATOR else ())


def _reports(scope: Scope, partner_id: str) -> sa.Select[str, str, dt.datetime]:
    query = (
        sa.select(t.events.c.actor, t.events.c.doc, t.events.c.recorded_at)
        .join(t.cases, t.cases.c.case_id == t.events.c.case_id)
        .where(t.events.c.kind.in_(_KINDS), cases_of(scope))
        .execution_options(yield_per=_ROWS_PER_READ)
    )
    return query.where(t.events.c.actor == f"partner:{partner_id}") if partner_id else query


def _vocabularies(hub: Hub, conn: sa.Connection) -> dict[str, tuple[str, ...]]:
    """The vocabularies of each partner, by its connections; a kind whose plugin is gone speaks none."""
    query = sa.select(t.connections.c.partner_id, t.connections.c.kind).where(t.connections.c.partner_id.is_not(None))
    found: dict[str, tuple[str, ...]] = {}
    for partner_id, kind in conn.execute(query):
        spec = hub.plugins.connectors.get(kind)
        if spec is not None:
            found[partner_id] = tuple(dict.fromkeys((*found.get(partner_id, ()), *spec.vocabularies)))
    return found


def _parked(conn: sa.Connection, partner_id: str) -> tuple[ParkedCode, ...]:
    who = t.connections.c.partner_id
    query = (
        sa.select(who, t.quarantine.c.reason, sa.func.count())
        .join(t.connections, t.connections.c.connection_id == t.quarantine.c.connection_id)
        .where(t.quarantine.c.code == _UNKNOWN, t.quarantine.c.state == "open")
        .group_by(who, t.quarantine.c.reason)
        .order_by(sa.func.count().desc(), who, t.quarantine.c.reason)
    )
    if partner_id:
        query = query.where(who == partner_id)
    rows = conn.execute(query)
    return tuple(ParkedCode(partner_id=one or "", reason=reason, count=count) for one, reason, count in rows)
