"""What would happen with one partner, told before anything is sent: its profile, its keys, and a look at its door."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from collecthub.engine.context import Hub
from collecthub.errors import CollecthubError, ConfigurationError
from collecthub.exchange_ports import KeyEnd, KeyHolder, Profiled, ProfileLine
from collecthub.ports import Checkable, CheckStep, Dispatcher
from collecthub.registers import ConnectorRole
from collecthub.store import tables as t
from collecthub.store.connections import ConnectionRow, read_connections

WARN_DAYS = 30


class KeyLine(msgspec.Struct, frozen=True, kw_only=True):
    """One key of a partner's line, and how long it still lives. `days_left` is negative for one that has ended."""

    key: str
    ends_at: dt.datetime
    days_left: int
    is_ok: bool
    cure: str


class LineProfile(msgspec.Struct, frozen=True, kw_only=True):
    """One line to the partner: what it does, which keys it uses, and what a look at its door said."""

    connection_id: str
    kind: str
    name: str
    status: str
    profile: tuple[ProfileLine, ...]
    keys: tuple[KeyLine, ...]
    steps: tuple[CheckStep, ...]

    @property
    def is_ok(self) -> bool:
        """Whether a dispatch would go through as far as anybody can tell now."""
        return all(step.is_ok for step in self.steps) and all(key.is_ok for key in self.keys)


def check_profile(hub: Hub, partner_id: str) -> tuple[LineProfile, ...]:
    """Every line of a partner. Reads at the partner, writes nowhere.

    Raises `ConfigurationError` when there is no such partner or it has no line.
    """
    with hub.database.read() as conn:
        mine = (t.connections.c.partner_id == partner_id) & (t.connections.c.role == ConnectorRole.PARTNER.value)
        rows = read_connections(conn, mine)
    if not rows:
        raise ConfigurationError(
            f"partner {partner_id} has no connection, or there is no such partner",
            cure="See `collecthub partner list`; add one with `collecthub connection add --partner`.",
        )
    return tuple(_line(hub, row) for row in rows)


def _line(hub: Hub, row: ConnectionRow) -> LineProfile:
    profile: Sequence[ProfileLine] = ()
    keys: Sequence[KeyEnd] = ()
    try:
        connector = hub.connector_for(row)
        profile = _profile(hub, row, connector)
        if isinstance(connector, KeyHolder):
            keys = hub.call(connector.key_ends, what=f"{row.kind}.key_ends", connection_id=row.connection_id)
        steps = [*_standing(hub, row, connector), *_tried(hub, row, connector)]
    except CollecthubError as error:
        steps = [CheckStep(name="settings", is_ok=False, detail=error.message, cure=error.cure)]
    return LineProfile(
        connection_id=row.connection_id, kind=row.kind, name=row.name, status=row.status, profile=tuple(profile),
        keys=tuple(_key(one, hub.now()) for one in keys), steps=tuple(steps),
    )


def _profile(hub: Hub, row: ConnectionRow, connector: object) -> Sequence[ProfileLine]:
    """The connector's own words; for one that has none, what any dispatcher tells."""
    if isinstance(connector, Profiled):
        return hub.call(connector.profile, what=f"{row.kind}.profile", connection_id=row.connection_id)
    line = ProfileLine(topic="line", says=hub.spec(row.kind).title)
    if not isinstance(connector, Dispatcher):
        return (line,)
    return line, ProfileLine(topic="limits", says=f"at most {connector.batch_limit} messages at once")


def _standing(hub: Hub, row: ConnectionRow, connector: object) -> list[CheckStep]:
    """What the hub itself knows against sending."""
    steps = []
    if not isinstance(connector, Dispatcher):
        steps.append(CheckStep(name="sending", is_ok=False, detail=f"{row.kind} cannot send", cure="Use another kind."))
    if row.status == "stopped":
        cure = f"Repair it, then run `collecthub connection check {row.connection_id}`."
        steps.append(CheckStep(name="connection", is_ok=False, detail=f"stopped: {row.status_detail}", cure=cure))
    return steps


def _tried(hub: Hub, row: ConnectionRow, connector: object) -> Sequence[CheckStep]:
    if not isinstance(connector, Checkable):
        return ()
    return hub.call(connector.check, what=f"{row.kind}.check", connection_id=row.connection_id)


def _key(end: KeyEnd, now: dt.datetime) -> KeyLine:
    days = (end.ends_at - now).days
    return KeyLine(key=end.key, ends_at=end.ends_at, days_left=days, is_ok=days >= 0, cure=end.cure if days < WARN_DAYS else "")
