"""What a person changes on a connection that is there: settings, secrets, divisions, stop and resume."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec
from pydantic import ValidationError

from collecthub.engine.case_work import close_tasks
from collecthub.engine.context import SECRET_PREFIX, Hub, Work, validated
from collecthub.engine.setting_values import parted
from collecthub.errors import PermanentError
from collecthub.ports import Divided, Division
from collecthub.registers import ConnectorRole, ConnectorSpec
from collecthub.store.audit import append_audit
from collecthub.store.connections import BY_CHOICE, BY_PERSON, ConnectionRow, change_connection
from collecthub.store.queries.doors import owned_connection
from collecthub.store.queries.scope import Scope
from collecthub.store.secrets import ConnectionVault, delete_secret, write_secret

_JOBS = {  # what a connection of a role is woken for when it goes on
    ConnectorRole.ERP.value: ("pull", "open_cases", "report"),
    ConnectorRole.PARTNER.value: ("receive", "dispatch"),
    ConnectorRole.REPORTER.value: ("report",),
    ConnectorRole.CHANNEL.value: ("contact",),
    ConnectorRole.REGISTER.value: ("register",),
}


def current_values(hub: Hub, row: ConnectionRow) -> dict[str, object]:
    """The settings of a connection with its secrets, as its model takes them. For validation, never for showing."""
    values: dict[str, object] = msgspec.json.decode(row.settings or "{}")
    vault = ConnectionVault(hub.database, hub.key, row.connection_id)
    for name in hub.spec(row.kind).settings.model_fields:
        sealed = vault.read(SECRET_PREFIX + name)
        if sealed is not None:
            values[name] = msgspec.json.decode(sealed)
    return values


def changed_values(
    hub: Hub, row: ConnectionRow, changes: Mapping[str, object], forget: Collection[str] = ()
) -> dict[str, object]:
    """The values that a change leads to, for validation."""
    kept = {name: value for name, value in current_values(hub, row).items() if name not in forget}
    return {**kept, **changes}


def setting_problems(spec: ConnectorSpec, values: Mapping[str, object]) -> dict[str, str]:
    """What is wrong with values, by field; a problem of the whole has an empty name. Values are never repeated."""
    try:
        spec.settings.model_validate(values)
    except ValidationError as error:
        return {
            str(entry["loc"][0]) if entry["loc"] else "": _PLAIN.get(entry["type"]) or _sentence(str(entry["msg"]))
            for entry in error.errors(include_input=False, include_url=False)
        }
    return {}


_PLAIN = {
    "missing": "Fill this in.", "string_too_short": "Fill this in.", "too_short": "Name at least one.",
    "int_parsing": "Write a whole number.", "literal_error": "Choose one of the list.",
}  # fmt: skip


def _sentence(reason: str) -> str:
    """As a person reads it.

    >>> _sentence("Value error, use https: debtors' data travels here")
    "Use https: debtors' data travels here."
    """
    text = reason.removeprefix("Value error, ").rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


def change_settings(
    hub: Hub, work: Work, scope: Scope, connection_id: str, changes: Mapping[str, object], *,
    forget: Collection[str] = (), name: str = "",
) -> None:  # fmt: skip
    """Replace some settings or secrets; what is not named stays. Works from the next call on, in every process.

    Fields to `forget` go back to their default.

    Raises `ConfigurationError` when the settings are not right as a whole; then nothing is changed.
    """
    row = owned_connection(work.conn, scope, connection_id)
    spec = hub.spec(row.kind)
    checked = validated(spec, changed_values(hub, row, changes, forget))
    plain, sealed = parted(checked)
    for field in forget:
        delete_secret(work.conn, connection_id, SECRET_PREFIX + field)
    for field, value in sealed.items():
        if field in changes:
            write_secret(
                work.conn, hub.key, connection_id, SECRET_PREFIX + field, msgspec.json.encode(value).decode()
            )
    change_connection(
        work.conn, connection_id, settings=msgspec.json.encode(plain).decode(), revision=row.revision + 1,
        name=name or row.name,
    )
    append_audit(
        work.conn, now=work.now, actor=scope.subject, action="connection.changed", subject=connection_id,
        detail=", ".join(sorted({*changes, *forget})),
    )


# --- stop and resume ------------------------------------------------------------------------------


def stop_connection(work: Work, scope: Scope, connection_id: str, *, by: str) -> None:
    """Let a connection rest until a person resumes it: nothing is read, sent or written by it. Safe to repeat."""
    row = owned_connection(work.conn, scope, connection_id)
    if row.cause == BY_PERSON:
        return
    change_connection(
        work.conn, connection_id, status="stopped", cause=BY_PERSON, status_until=None,
        status_detail=f"Stopped by {by} on {work.now:%Y-%m-%d at %H:%M} UTC.",
    )
    append_audit(work.conn, now=work.now, actor=scope.subject, action="connection.stopped", subject=connection_id)


def resume_connection(work: Work, scope: Scope, connection_id: str) -> None:
    """Let a stopped connection go on; what waited for it is taken up at once. Safe to repeat."""
    row = owned_connection(work.conn, scope, connection_id)
    if row.status != "stopped":
        return
    if row.cause == BY_CHOICE:
        raise PermanentError(f"{row.name} does not know what to pull yet", cure="Choose its divisions.")
    change_connection(
        work.conn, connection_id, status="ok", cause="", status_detail="", status_until=None, next_due_at=work.now
    )
    close_tasks(work, done_by=scope.subject, connection_id=connection_id, kind="connection")
    append_audit(work.conn, now=work.now, actor=scope.subject, action="connection.resumed", subject=connection_id)
    for job in _JOBS.get(row.role, ()):
        work.wake(job, connection_id)


# --- divisions ------------------------------------------------------------------------------------


def chosen_divisions(row: ConnectionRow, connector: Divided) -> tuple[str, ...]:
    """The divisions that a person chose, as texts."""
    values = msgspec.json.decode(row.settings or "{}").get(connector.division_setting) or ()
    return tuple(map(str, values))


def list_divisions(hub: Hub, scope: Scope, connection_id: str) -> tuple[tuple[Division, bool], ...]:
    """What the connection's user may see at the vendor, each with whether it is chosen.

    Raises `PermanentError` when the kind knows no divisions.
    """
    row, connector = _divided(hub, scope, connection_id)
    chosen = set(chosen_divisions(row, connector))
    found = hub.call(connector.list_divisions, what=f"{row.kind}.divisions", connection_id=connection_id)
    return tuple((division, division.division_ref in chosen) for division in found)


def choose_divisions(hub: Hub, scope: Scope, connection_id: str, division_refs: Sequence[str]) -> None:
    """Pull these divisions from now on. Raises `PermanentError` when none is named."""
    row, connector = _divided(hub, scope, connection_id)
    if not division_refs:
        raise PermanentError("no division is chosen", cure="Choose at least one.")
    with hub.work() as work:
        change_settings(hub, work, scope, connection_id, {connector.division_setting: list(division_refs)})
        if row.cause != BY_PERSON:
            change_connection(
                work.conn, connection_id, status="ok", cause="", status_detail="", status_until=None,
                next_due_at=work.now,
            )
            close_tasks(work, done_by=scope.subject, connection_id=connection_id, kind="connection")
            work.wake("pull", connection_id)


def _divided(hub: Hub, scope: Scope, connection_id: str) -> tuple[ConnectionRow, Divided]:
    with hub.database.read() as conn:
        row = owned_connection(conn, scope, connection_id)
    connector = hub.connector_for(row)
    if not isinstance(connector, Divided):
        raise PermanentError(f"a {row.kind} connection has no divisions", cure="Change its settings instead.")
    return row, connector
