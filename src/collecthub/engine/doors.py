"""Open and check doors: creditors, partners and the connections to their systems."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import close_tasks
from collecthub.engine.context import SECRET_PREFIX, Hub, Work, validated
from collecthub.engine.setting_values import parted
from collecthub.errors import CollecthubError, PermanentError
from collecthub.model.ids import new_id
from collecthub.model.partner import PartnerProfile
from collecthub.model.partner_jobs import EVERYWHERE, TRY_AGAIN
from collecthub.model.party import Party
from collecthub.ports import Checkable, CheckStep, Consenting, ProvenConsenting
from collecthub.registers import ConnectorRole, ConnectorSpec
from collecthub.store import tables as t
from collecthub.store.audit import append_audit
from collecthub.store.connections import (
    BY_CONSENT,
    BY_PERSON,
    RELEASED,
    SHADOW,
    ConnectionRow,
    CreditorRow,
    Exclusions,
    Playbook,
    add_connection,
    change_connection,
    read_profiles,
    write_creditor,
    write_partner,
)
from collecthub.store.mandates import outdate_mandates
from collecthub.store.queries.doors import owned_connection
from collecthub.store.queries.scope import Scope, not_there
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
    """A new partner, or a new profile for a known one; cases that nobody could take are offered again.

    Papers of a partner that has another name or another calling since do not count until they are signed anew.
    """
    with hub.work() as work:
        known = next((one for one in read_profiles(work.conn) if one.partner_id == profile.partner_id), None)
        if known is not None and _who(known) != _who(profile):
            note = f"signed when the partner was {known.name[:120]!r} ({known.role}); it is {profile.name[:120]!r} ({profile.role}) now"
            outdate_mandates(work.conn, profile.partner_id, note)
        write_partner(work.conn, profile, work.now)
        for country in profile.countries if profile.is_open else ():
            work.wake(TRY_AGAIN, country)


def _who(profile: PartnerProfile) -> tuple[str, str]:
    return " ".join(profile.name.casefold().split()), profile.role


def connect(
    hub: Hub, work: Work, scope: Scope, *, kind: str, name: str, settings: dict[str, object],
    creditor_id: str | None = None, partner_id: str | None = None, connection_id: str = "",
) -> str:
    """Add a connection and return its id (a new one unless given). Secrets go sealed into the vault, the rest into the settings.

    An ERP starts in shadow: nothing leaves before a person has released it. Raises `ConfigurationError` for a kind
    that no plugin offers and for settings that the kind does not take.
    """
    spec = hub.spec(kind)
    _check_owner(work, spec, creditor_id, partner_id)
    checked = validated(spec, settings)
    connection_id = connection_id or new_id()
    plain, sealed = parted(checked)
    add_connection(
        work.conn,
        ConnectionRow(
            connection_id=connection_id, kind=kind, role=spec.role.value, name=name, creditor_id=creditor_id,
            partner_id=partner_id, settings=msgspec.json.encode(plain).decode(),
            mode=SHADOW if spec.role is ConnectorRole.ERP else RELEASED, release=Exclusions(), checkpoint="",
            status="ok", status_detail="", status_until=None, created_at=work.now, last_complete_at=None,
            next_due_at=None,
        ),
    )
    for field, value in sealed.items():
        write_secret(work.conn, hub.key, connection_id, SECRET_PREFIX + field, msgspec.json.encode(value).decode())
    append_audit(
        work.conn, now=work.now, actor=scope.subject, action="connection.added", subject=connection_id, detail=kind
    )
    if spec.role is ConnectorRole.PARTNER:
        work.wake(TRY_AGAIN, EVERYWHERE)
    return connection_id


def _check_owner(work: Work, spec: ConnectorSpec, creditor_id: str | None, partner_id: str | None) -> None:
    if spec.role is ConnectorRole.REGISTER:
        if creditor_id or partner_id:
            raise PermanentError(f"a connection of kind {spec.kind} belongs to nobody", cure="Leave out whose it is.")
        return
    is_partner = spec.role is ConnectorRole.PARTNER or spec.tells_partner
    column = t.partners.c.partner_id if is_partner else t.creditors.c.creditor_id
    owner, other = (partner_id, creditor_id) if is_partner else (creditor_id, partner_id)
    whose = "partner" if is_partner else "creditor"
    if not owner or other:
        raise PermanentError(f"a connection of kind {spec.kind} belongs to one {whose}", cure=f"Name the {whose}.")
    if work.conn.scalar(sa.select(column).where(column == owner)) is None:
        raise not_there(whose, owner)


def await_consent(hub: Hub, connection_id: str) -> bool:
    """Let a new connection whose vendor asks for consent rest until it is given; returns whether it must be.

    A connector that cannot be built is no reason to fail: the check that follows says why.
    """
    try:
        connector = hub.connector(connection_id)
    except CollecthubError:
        return False
    if not isinstance(connector, Consenting | ProvenConsenting):
        return False
    with hub.work() as work:
        change_connection(
            work.conn, connection_id, status="stopped", cause=BY_CONSENT, status_detail="Consent is not given yet."
        )
    return True


def check_connection(hub: Hub, scope: Scope, connection_id: str) -> tuple[CheckStep, ...]:
    """Try a connection step by step; the first failing step says what to do. A stopped one that works goes on."""
    with hub.database.read() as conn:
        row = owned_connection(conn, scope, connection_id)
    return try_connector(hub, row)


def try_connector(hub: Hub, row: ConnectionRow) -> tuple[CheckStep, ...]:
    """The same for a connection whose owner was looked at already."""
    connection_id = row.connection_id
    try:
        connector = hub.connector_for(row)
    except CollecthubError as error:
        return (CheckStep(name="settings", is_ok=False, detail=error.message, cure=error.cure),)
    if not isinstance(connector, Checkable):
        return (CheckStep(name="built", is_ok=True, detail=f"{row.kind} has nothing to try"),)
    steps = tuple(hub.call(connector.check, what=f"{row.kind}.check", connection_id=connection_id))
    if all(step.is_ok for step in steps) and row.status == "stopped" and row.cause != BY_PERSON:
        with hub.work() as work:
            change_connection(
                work.conn, connection_id, status="ok", cause="", status_detail="", status_until=None,
                next_due_at=work.now,
            )
            close_tasks(work, done_by="check", connection_id=connection_id, kind="connection")
    return steps
