"""Doors that a creditor opens himself: connections to his own ERP, and to nothing else."""

from __future__ import annotations

from collections.abc import Collection

from collecthub.bundled.intake import KIND as INTAKE
from collecthub.engine.context import SECRET_PREFIX, Hub, Work
from collecthub.engine.doors import connect
from collecthub.errors import PermanentError
from collecthub.registers import ConnectorRole, ConnectorSpec
from collecthub.store.connections import ConnectionRow
from collecthub.store.queries.scope import Role, Scope, not_there
from collecthub.store.secrets import secret_names


def may_add(scope: Scope, spec: ConnectorSpec) -> bool:
    """Whether the scope may add a connection of this kind: an operator any, a creditor his ERP."""
    if spec.kind == INTAKE:
        return False
    return scope.role is Role.OPERATOR or (scope.role is Role.CREDITOR and spec.role is ConnectorRole.ERP)


def connect_for(
    hub: Hub, work: Work, scope: Scope, *, kind: str, name: str, settings: dict[str, object],
    creditor_id: str | None = None, partner_id: str | None = None,
) -> str:
    """Add a connection within what the scope may, and return its id. A creditor's tenant is that of his credential.

    Raises `PermanentError` for a kind that a creditor cannot add, `NotThereError` for somebody else's name, and what
    `connect` raises.
    """
    if scope.role is Role.CREDITOR:
        if not may_add(scope, hub.spec(kind)) or partner_id:
            raise PermanentError("a creditor adds connections to an ERP only", cure="Ask the operator for this one.")
        if creditor_id not in (None, "", scope.creditor_id):
            raise not_there("creditor", creditor_id or "")
        creditor_id = scope.creditor_id
    return connect(
        hub, work, scope, kind=kind, name=name, settings=settings, creditor_id=creditor_id, partner_id=partner_id
    )


def secrets_to_type(hub: Hub, scope: Scope, row: ConnectionRow) -> frozenset[str]:
    """Stored secrets that a change of settings must bring again.

    The operator's app registration may stand among a creditor's settings: whoever changes where it is sent must know it.
    """
    if scope.role is Role.OPERATOR:
        return frozenset()
    with hub.database.read() as conn:
        return stored_secrets(secret_names(conn, row.connection_id))


def stored_secrets(names: Collection[str]) -> frozenset[str]:
    """The names of secret settings among what the vault of a connection holds."""
    return frozenset(name.removeprefix(SECRET_PREFIX) for name in names if name.startswith(SECRET_PREFIX))
