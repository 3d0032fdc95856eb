"""Runner of `pull` and `normalise`: an ERP's pages enter the store, each with its checkpoint."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.corridor.normalise import normalise
from collecthub.corridor.pull import pull
from collecthub.engine.case_work import open_task
from collecthub.engine.context import Hub
from collecthub.engine.trouble import connection_trouble, connection_well
from collecthub.errors import CollecthubError, PermanentError
from collecthub.model.ids import new_id
from collecthub.model.invoice import Invoice, ItemState, RefusedRow
from collecthub.model.money import minor_units
from collecthub.ports import (
    InvoiceSource,
    Page,
)
from collecthub.store import tables as t
from collecthub.store.case_log import from_minor
from collecthub.store.connections import (
    ConnectionRow,
    change_connection,
    read_connection,
)
from collecthub.store.quarantine import quarantine_row
from collecthub.store.upsert import bulk_upsert

LOOK_NOW = dt.date(1970, 1, 1)
_encode = msgspec.msgpack.Encoder().encode
_COLUMNS = (
    "connection_id", "item_ref", "creditor_id", "debtor_ref", "debtor_name", "number", "kind", "state",
    "issued_on", "due_on", "currency", "amount_minor", "open_minor", "settles_ref", "group_ref", "document_ref",
    "dunning_level", "is_blocked", "text", "row_hash", "look_on",
)


def pull_connection(hub: Hub, connection_id: str) -> None:
    """Pull one ERP connection from its checkpoint to its end. Each page and its checkpoint commit together."""
    with hub.database.read() as conn:
        row = read_connection(conn, connection_id)
    if row is None or row.creditor_id is None:
        return
    run_id = new_id()
    with hub.work() as work:
        work.conn.execute(
            sa.insert(t.runs).values(run_id=run_id, connection_id=connection_id, started_at=work.now, state="running")
        )
    try:
        source = hub.connector_for(row)
        if not isinstance(source, InvoiceSource):
            raise PermanentError(f"{row.kind} cannot pull invoices", cure="Use an ERP connection.")
        problem = ""
        for page in pull(source, row.checkpoint, hub.walk(f"{row.kind}.pull", connection_id)):
            _keep_page(hub, row, run_id, page)
            problem = problem or _control_problem(hub, row, page)
    except CollecthubError as error:
        _end_run(hub, row, run_id, "incomplete", error.message)
        connection_trouble(hub, connection_id, error, job="pull")
        return
    _end_run(hub, row, run_id, "incomplete" if problem else "complete", problem)
    connection_well(hub, row)


def _keep_page(hub: Hub, row: ConnectionRow, run_id: str, page: Page) -> None:
    kept: list[tuple[Any, ...]] = []
    gone: list[str] = []
    refused: list[RefusedRow] = list(page.refused)
    for raw in page.rows:
        if raw.state is ItemState.CANCELLED and not raw.debtor_ref:
            gone.append(raw.item_ref)  # a deletion names the line and nothing else
            continue
        item = normalise(raw)
        if type(item) is Invoice:
            kept.append(_row(row.connection_id, row.creditor_id or "", item))
        else:
            refused.append(item)  # type: ignore[arg-type]  # what is not an invoice is a refusal
    stored = [(bad, hub.evidence.keep(bad.content)) for bad in refused]
    with hub.work() as work:
        changed = bulk_upsert(work.conn, t.invoices, _COLUMNS, kept, "row_hash")
        changed += _cancel(work.conn, row.connection_id, gone)
        for bad, sha256 in stored:
            quarantine_row(work.conn, row, "row", bad.item_ref, bad.code, bad.reason, sha256, work.now)
        change_connection(work.conn, row.connection_id, checkpoint=page.checkpoint)
        work.conn.execute(
            sa.update(t.runs)
            .where(t.runs.c.run_id == run_id)
            .values(
                pages=t.runs.c.pages + 1, rows=t.runs.c.rows + len(page.rows) + len(page.refused),
                changed=t.runs.c.changed + changed, refused=t.runs.c.refused + len(refused),
            )
        )


def _cancel(conn: sa.Connection, connection_id: str, item_refs: Sequence[str]) -> int:
    """Lines that were deleted in the ERP ask for nothing any more; unknown ones never did."""
    if not item_refs:
        return 0
    known = (t.invoices.c.connection_id == connection_id) & t.invoices.c.item_ref.in_(item_refs)
    values = {"state": ItemState.CANCELLED.value, "open_minor": 0, "row_hash": 0, "look_on": LOOK_NOW}
    return conn.execute(sa.update(t.invoices).where(known, t.invoices.c.state == ItemState.OPEN.value).values(values)).rowcount


def _row(connection_id: str, creditor_id: str, item: Invoice) -> tuple[Any, ...]:
    places = minor_units(item.currency)
    values = (
        item.debtor_ref,
        item.debtor_name,
        item.number,
        str(item.kind),
        str(item.state),
        item.issued_on.isoformat() if item.issued_on else None,
        item.due_on.isoformat(),
        item.currency,
        int(item.amount.scaleb(places)),
        int(item.open_amount.scaleb(places)),
        item.settles_ref,
        item.group_ref,
        item.document_ref,
        item.dunning_level,
        int(item.is_blocked),
        item.text,
    )
    digest = hashlib.blake2b(_encode(values), digest_size=8).digest()
    fingerprint = int.from_bytes(digest, "big", signed=True)
    return (connection_id, item.item_ref, creditor_id, *values, fingerprint, "1970-01-01")


def _control_problem(hub: Hub, row: ConnectionRow, page: Page) -> str:
    """Compare the ERP's own totals with what is stored; an empty text when they agree or were not given."""
    if page.control is None:
        return ""
    query = (
        sa.select(t.invoices.c.currency, sa.func.count(), sa.func.sum(t.invoices.c.open_minor))
        .where(t.invoices.c.connection_id == row.connection_id, t.invoices.c.state == ItemState.OPEN.value)
        .group_by(t.invoices.c.currency)
    )
    with hub.database.read() as conn:
        ours = {currency: (count, from_minor(int(total), currency)) for currency, count, total in conn.execute(query)}
    theirs = {total.currency: (total.count, total.amount) for total in page.control}
    differing = sorted(
        currency
        for currency in ours.keys() | theirs.keys()
        if ours.get(currency, (0, Decimal(0))) != theirs.get(currency, (0, Decimal(0)))
    )
    return "".join(
        f"{currency}: the ERP lists {theirs.get(currency, (0, 0))}, stored are {ours.get(currency, (0, 0))}; "
        for currency in differing
    )


def _end_run(hub: Hub, row: ConnectionRow, run_id: str, state: str, problem: str) -> None:
    with hub.work() as work:
        work.conn.execute(
            sa.update(t.runs).where(t.runs.c.run_id == run_id).values(state=state, problem=problem, ended_at=work.now)
        )
        if state == "complete":
            change_connection(work.conn, row.connection_id, last_complete_at=work.now)
        if problem and state == "incomplete":
            open_task(
                work, kind="pull_incomplete", title=f"a pull of {row.name} did not end complete", detail=problem[:2000],
                creditor_id=row.creditor_id, connection_id=row.connection_id,
            )
        work.wake("open_cases", row.connection_id)
