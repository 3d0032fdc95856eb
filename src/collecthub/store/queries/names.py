"""Names behind the ids that pages show: creditors, partners, connections, and who did something."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from collecthub.store import tables as t
from collecthub.store.queries.scope import Scope, owned_by


def creditor_names(conn: sa.Connection, scope: Scope) -> Mapping[str, str]:
    """The creditors of the scope by id, in the order of their names."""
    query = sa.select(t.creditors.c.creditor_id, t.creditors.c.name).where(
        owned_by(scope, t.creditors.c.creditor_id)
    )
    return {creditor_id: name for creditor_id, name in conn.execute(query.order_by(t.creditors.c.name))}


def partner_names(conn: sa.Connection) -> Mapping[str, str]:
    """All partners by id, in the order of their names; partners are no tenant's secret."""
    query = sa.select(t.partners.c.partner_id, t.partners.c.name).order_by(t.partners.c.name)
    return {partner_id: name for partner_id, name in conn.execute(query)}


def owner_names(conn: sa.Connection, scope: Scope) -> dict[str, str]:
    """Whoever a connection may belong to, by id: the scope's creditors and all partners."""
    return {**creditor_names(conn, scope), **partner_names(conn)}


def connection_names(conn: sa.Connection) -> Mapping[str, str]:
    """All connections by id. For naming what a scope was shown already, never for listing."""
    query = sa.select(t.connections.c.connection_id, t.connections.c.name)
    return {connection_id: name for connection_id, name in conn.execute(query)}


def actor_names(conn: sa.Connection, actors: Iterable[str]) -> Mapping[str, str]:
    """Who acted, in words, for each `user:`, `key:`, `partner:`, `connection:` or plain actor."""
    wanted: dict[str, list[str]] = {"user": [], "key": [], "partner": [], "connection": []}
    found = {}
    for actor in set(actors):
        kind, _, identifier = actor.partition(":")
        spoken = {"debtor": "The debtor", "helper": "The debtor's helper", "hub": "The hub"}.get(kind)
        found[actor] = spoken or actor.replace("user:local", "Command line")
        if identifier and kind in wanted:
            wanted[kind].append(identifier)
    for kind, id_column, name_column in (
        ("user", t.users.c.user_id, t.users.c.name),
        ("key", t.api_keys.c.key_id, t.api_keys.c.name),
        ("partner", t.partners.c.partner_id, t.partners.c.name),
        ("connection", t.connections.c.connection_id, t.connections.c.name),
    ):
        if wanted[kind]:
            for identifier, name in conn.execute(
                sa.select(id_column, name_column).where(id_column.in_(wanted[kind]))
            ):
                found[f"{kind}:{identifier}"] = name
    return found
