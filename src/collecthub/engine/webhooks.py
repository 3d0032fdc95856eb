"""Webhooks that the hub sends: who may set one up, how its secret is changed, what was sent, and sending it again."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import secrets
from typing import Any
from urllib.parse import urlsplit

import msgspec
import sqlalchemy as sa

from collecthub.engine.connection_settings import (
    change_settings,
    current_values,
    resume_connection,
    stop_connection,
)
from collecthub.engine.context import Hub, Work
from collecthub.engine.doors import connect
from collecthub.errors import PermanentError, RetryableError
from collecthub.model.event import EVENT_KINDS
from collecthub.registers import ConnectorRole
from collecthub.store import partner_tables as p
from collecthub.store import tables as t
from collecthub.store.connections import ConnectionRow, read_connections
from collecthub.store.queries.doors import ConnectionView
from collecthub.store.queries.paging import Listed, Order, PageRequest, moment, read_page
from collecthub.store.queries.scope import Role, Scope, not_there
from collecthub.store.secrets import MasterKey
from collecthub.wire.target import resolve

CREDITORS_KIND, PARTNERS_KIND = "creditor_webhook", "partner_webhook"
WEBHOOKS_MOST = 20
_SECRET_BYTES = 32


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One try to deliver."""

    attempt: int
    tried_at: dt.datetime
    is_delivered: bool
    detail: str


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One webhook: its id (`webhook-id`), what it told, how far it has come: `queued`, `done` or `failed`."""

    delivery_id: str
    case_id: str
    kind: str
    state: str
    queued_at: dt.datetime
    next_attempt_at: dt.datetime | None
    problem: str
    tries: tuple[Try, ...]


def _mine(scope: Scope) -> sa.ColumnElement[bool]:
    match scope.role:
        case Role.OPERATOR:
            owner: sa.ColumnElement[bool] = sa.true()
        case Role.CREDITOR:
            owner = t.connections.c.creditor_id == (scope.creditor_id or "")
        case Role.PARTNER:
            owner = t.connections.c.partner_id == (scope.partner_id or "")
    return owner & (t.connections.c.role == ConnectorRole.REPORTER.value)


def owned_webhook(conn: sa.Connection, scope: Scope, webhook_id: str) -> ConnectionRow:
    """The webhook as stored, if it exists for the scope. Raises `NotThereError`."""
    found = read_connections(conn, t.connections.c.connection_id == webhook_id, _mine(scope))
    if not found:
        raise not_there("webhook", webhook_id)
    return found[0]


def list_webhooks(conn: sa.Connection, scope: Scope, key: MasterKey, page: PageRequest) -> Listed[ConnectionView]:
    """The webhooks of a scope, by id."""
    order = Order(column=t.connections.c.connection_id, unique=t.connections.c.connection_id)
    query = sa.select(t.connections).where(_mine(scope))
    rows, cursor = read_page(conn, query, order, page, key=key, scope=scope, name="webhooks")
    fields = ConnectionView.__struct_fields__
    items = tuple(ConnectionView(**{name: getattr(row, name) for name in fields}) for row in rows)
    return Listed(items=items, next_cursor=cursor)


# --- setting up -----------------------------------------------------------------------------------


def new_webhook_secret() -> str:
    """A signing secret as Standard Webhooks writes it."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"


def subscribe(
    hub: Hub, work: Work, scope: Scope, *, url: str, name: str, events: tuple[str, ...]
) -> tuple[str, str]:
    """A new webhook of the creditor or partner who asks; returns its id and its secret, which is shown this once.

    Raises `TargetBlockedError` for an address inside the operator's network, `ConfigurationError` for one that is not
    https, `PermanentError` for the operator, who has no cases of his own.
    """
    kind = {Role.CREDITOR: CREDITORS_KIND, Role.PARTNER: PARTNERS_KIND}.get(scope.role)
    if kind is None:
        raise PermanentError("a webhook belongs to a creditor or a partner", cure="Add it as a connection of one of them.")
    known = work.conn.scalar(sa.select(sa.func.count()).select_from(t.connections).where(_mine(scope)))
    if known is not None and known >= WEBHOOKS_MOST:
        raise PermanentError(f"there are {known} webhooks already", cure="Change or stop one of them.")
    strange = sorted(set(events) - EVENT_KINDS)
    if strange:
        raise PermanentError(
            f"no event is called {', '.join(strange)[:200]}", cure=f"Choose among {', '.join(sorted(EVENT_KINDS))}."
        )
    check_target(hub, url)
    secret = new_webhook_secret()
    settings: dict[str, object] = {"url": url, "secret": secret, **({"events": list(events)} if events else {})}
    webhook_id = connect(
        hub, work, scope, kind=kind, name=name, settings=settings, creditor_id=scope.creditor_id,
        partner_id=scope.partner_id,
    )
    return webhook_id, secret


def check_target(hub: Hub, url: str) -> None:
    """Refuse an address that leads inside. A name that is not known now is checked with every call, as all are."""
    parts = urlsplit(url)
    with contextlib.suppress(RetryableError, ValueError):
        resolve(parts.hostname or "", parts.port or 443, allow_loopback=hub.settings.allow_loopback)


def rotate_secret(hub: Hub, work: Work, scope: Scope, webhook_id: str) -> str:
    """A new secret, shown this once. Calls carry the signatures of both until the old one is retired.

    Asked again before that, the old one stays and the new one is another: an answer that was lost costs nothing.
    """
    row = owned_webhook(work.conn, scope, webhook_id)
    secret = new_webhook_secret()
    values = current_values(hub, row)
    former = values.get("previous_secret") or values["secret"]
    change_settings(hub, work, _operator(scope), webhook_id, {"secret": secret, "previous_secret": former})
    return secret


def retire_secret(hub: Hub, work: Work, scope: Scope, webhook_id: str) -> None:
    """From now on only the new secret signs. Safe to repeat."""
    owned_webhook(work.conn, scope, webhook_id)
    change_settings(hub, work, _operator(scope), webhook_id, {}, forget=("previous_secret",))


def stop_webhook(work: Work, scope: Scope, webhook_id: str, *, by: str) -> None:
    """Send nothing more; what happens meanwhile waits. Safe to repeat."""
    owned_webhook(work.conn, scope, webhook_id)
    stop_connection(work, _operator(scope), webhook_id, by=by)


def resume_webhook(work: Work, scope: Scope, webhook_id: str) -> None:
    """Go on, also after the endpoint said that it is gone (410). Safe to repeat."""
    owned_webhook(work.conn, scope, webhook_id)
    resume_connection(work, _operator(scope), webhook_id)


def _operator(scope: Scope) -> Scope:
    """Whose webhook it is was looked at; what follows is done as the operator would, in the name of who asked."""
    return Scope(role=Role.OPERATOR, subject=scope.subject)


# --- the log, and sending again -------------------------------------------------------------------


def list_deliveries(
    conn: sa.Connection, scope: Scope, key: MasterKey, page: PageRequest, webhook_id: str, state: str = ""
) -> Listed[Delivery]:
    """What was and will be sent to a webhook, newest first, with every try."""
    owned_webhook(conn, scope, webhook_id)
    query = sa.select(t.reports).where(t.reports.c.connection_id == webhook_id)
    if state:
        query = query.where(t.reports.c.state == state)
    order = Order(column=t.reports.c.queued_at, unique=t.reports.c.report_id, is_descending=True, read=moment)
    rows, cursor = read_page(conn, query, order, page, key=key, scope=scope, name=f"deliveries/{webhook_id}/{state}")
    tries = _tries(conn, [row.report_id for row in rows])
    return Listed(items=tuple(_delivery(row, tuple(tries.get(row.report_id, ()))) for row in rows), next_cursor=cursor)


def _tries(conn: sa.Connection, report_ids: list[str]) -> dict[str, list[Try]]:
    query = sa.select(p.webhook_attempts).where(p.webhook_attempts.c.report_id.in_(report_ids))
    found: dict[str, list[Try]] = {}
    for row in conn.execute(query.order_by(p.webhook_attempts.c.tried_at, p.webhook_attempts.c.attempt)):
        one = Try(attempt=row.attempt, tried_at=row.tried_at, is_delivered=row.is_delivered, detail=row.detail)
        found.setdefault(row.report_id, []).append(one)
    return found


def _delivery(row: Any, tries: tuple[Try, ...]) -> Delivery:
    return Delivery(
        delivery_id=row.report_id, case_id=row.case_id, kind=row.kind, state=row.state, queued_at=row.queued_at,
        next_attempt_at=row.next_attempt_at, problem=row.problem, tries=tries,
    )


def replay(
    work: Work, scope: Scope, webhook_id: str, *, from_at: dt.datetime, to_at: dt.datetime, only_failed: bool = False
) -> int:
    """Send again what was queued in a range (both ends included), under the same ids and in the order of each case.

    Returns how many. The schedule begins anew; the log keeps the earlier tries.
    """
    owned_webhook(work.conn, scope, webhook_id)
    if to_at < from_at:
        raise PermanentError("the range ends before it begins", cure="Give from_at before to_at.")
    states = ("failed",) if only_failed else ("failed", "done")
    done = work.conn.execute(
        sa.update(t.reports)
        .where(
            t.reports.c.connection_id == webhook_id, t.reports.c.state.in_(states),
            t.reports.c.queued_at.between(from_at, to_at),
        )
        .values(state="queued", attempts=0, next_attempt_at=None, done_at=None, problem="")
    )
    work.wake("report", webhook_id)
    return int(done.rowcount)
