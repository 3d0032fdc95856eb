"""Open and check doors: creditors, partners and the connections to their systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from pydantic import SecretStr

from collecthub.engine.case_work import close_tasks
from collecthub.engine.context import SECRET_PREFIX, Hub, validated
from collecthub.errors import ConfigurationError
from collecthub.model.ids import new_id
from collecthub.model.party import Party
from collecthub.ports import Checkable, CheckStep, PartnerProfile
from collecthub.registers import ConnectorRole
from collecthub.store.connections import (
    RELEASED,
    SHADOW,
    ConnectionRow,
    CreditorRow,
    Exclusions,
    Playbook,
    add_connection,
    change_connection,
    read_connection,
    write_creditor,
    write_partner,
)
from collecthub.store.secrets import write_secret


def create_creditor(hub: Hub, party: Party, playbook: Playbook | None = None, *, creditor_id: str = "") -> str:
    """A new tenant; returns its id."""
    row = CreditorRow(
        creditor_id=creditor_id or new_id(), name=party.name, party=party, playbook=playbook or Playbook()
    )
    with hub.database.write() as conn:
        write_creditor(conn, row, hub.now())
    return row.creditor_id


def create_partner(hub: Hub, profile: PartnerProfile) -> None:
    """A new partner, or a new profile for a known one."""
    with hub.database.write() as conn:
        write_partner(conn, profile, hub.now())


def create_connection(
    hub: Hub,
    kind: str,
    name: str,
    values: Mapping[str, Any],
    *,
    creditor_id: str | None = None,
    partner_id: str | None = None,
    connection_id: str = "",
) -> str:
    """A new connection; its secrets are sealed, its first wave waits for a person. Returns its id.

    Raises `ConfigurationError` naming each setting that is not right, or when its owner is missing.
    """
    spec = hub.spec(kind)
    if spec.role is ConnectorRole.PARTNER and not partner_id:
        raise ConfigurationError(f"a {kind} connection belongs to a partner", cure="Name the partner.")
    if spec.role is not ConnectorRole.PARTNER and not creditor_id:
        raise ConfigurationError(f"a {kind} connection belongs to a creditor", cure="Name the creditor.")
    settings = validated(spec, dict(values))
    secret_names = [field for field in type(settings).model_fields if _is_secret(getattr(settings, field))]
    plain = settings.model_dump(mode="json", exclude=set(secret_names), exclude_unset=True)
    connection_id = connection_id or new_id()
    row = ConnectionRow(
        connection_id=connection_id, kind=kind, role=spec.role.value, name=name, creditor_id=creditor_id,
        partner_id=partner_id, settings=msgspec.json.encode(plain).decode(),
        mode=SHADOW if spec.role is ConnectorRole.ERP else RELEASED, release=Exclusions(), checkpoint="",
        status="ok", status_detail="", status_until=None, created_at=hub.now(), last_complete_at=None,
        next_due_at=None,
    )
    with hub.database.write() as conn:
        add_connection(conn, row)
        for field in secret_names:
            value = msgspec.json.encode(_revealed(getattr(settings, field))).decode()
            write_secret(conn, hub.key, connection_id, SECRET_PREFIX + field, value)
    return connection_id


def _is_secret(value: object) -> bool:
    return isinstance(value, SecretStr) or (
        isinstance(value, tuple) and bool(value) and all(isinstance(item, SecretStr) for item in value)
    )


def _revealed(value: Any) -> Any:
    if isinstance(value, tuple):
        return [item.get_secret_value() for item in value]
    return value.get_secret_value()


def check_connection(hub: Hub, connection_id: str) -> Sequence[CheckStep]:
    """Try a connection step by step; the first failing step says what to do."""
    with hub.database.read() as conn:
        row = read_connection(conn, connection_id)
    if row is None:
        raise ConfigurationError(f"there is no connection {connection_id}", cure="See `collecthub connection list`.")
    connector = hub.connector(connection_id)
    if not isinstance(connector, Checkable):
        return [CheckStep(name="built", is_ok=True, detail=f"{row.kind} has nothing to try")]
    steps = hub.call(connector.check, what=f"{row.kind}.check", connection_id=connection_id)
    if all(step.is_ok for step in steps) and row.status == "stopped":
        with hub.work() as work:
            change_connection(work.conn, connection_id, status="ok", status_detail="", next_due_at=work.now)
            close_tasks(work, done_by="check", connection_id=connection_id, kind="connection")
    return steps
