"""What belongs to an invoice that enters a case beside its amounts: its document and what was sold with it.

Both cost the ERP calls, so they are asked for these invoices only. What is there before the case opens is noted in the
transaction that opens it. A document that the ERP did not have, or gave as something else than it should be, is asked
for again on a schedule of days, and so are the papers of an invoice that joins an open case.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import locked_case
from collecthub.engine.context import Hub, Work
from collecthub.engine.documents import KeptDocument, add_documents, fetch_documents, note_documents
from collecthub.engine.trouble import connection_trouble
from collecthub.erp_ports import InvoiceLine, InvoiceLineSource
from collecthub.errors import CollecthubError, RetryableError
from collecthub.model.event import DocumentAdded
from collecthub.ports import DocumentSource
from collecthub.store import erp_tables as e
from collecthub.store.connections import ConnectionRow, read_connection
from collecthub.store.upsert import putting

log = logging.getLogger(__name__)

AT_ONCE = 100
PAUSES = tuple(dt.timedelta(hours=hours) for hours in (1, 6, 24, 48, 96, 168))
"""How long to wait after each try that brought no document: an hour, six hours, then days; two weeks in all."""


class Papers(msgspec.Struct, frozen=True, kw_only=True):
    """What the ERP gave for some invoices. `asked` are those that it was asked for."""

    asked: frozenset[str] = frozenset()
    documents: Mapping[str, Sequence[KeptDocument]] = {}
    lines: Mapping[str, Sequence[InvoiceLine]] = {}


def fetch_papers(hub: Hub, row: ConnectionRow, item_refs: Sequence[str]) -> Papers:
    """Documents and lines of these invoices. What is missing stops nothing.

    Raises `RetryableError` when the source is away for the moment: its papers are not missing.
    """
    return Papers(
        asked=frozenset(item_refs), documents=fetch_documents(hub, row, item_refs), lines=_lines(hub, row, item_refs)
    )


def _lines(hub: Hub, row: ConnectionRow, item_refs: Sequence[str]) -> dict[str, list[InvoiceLine]]:
    source = hub.connector(row.connection_id)
    found: dict[str, list[InvoiceLine]] = {}
    if not isinstance(source, InvoiceLineSource) or not item_refs:
        return found
    try:
        for line in hub.walk(f"{row.kind}.invoice_lines", row.connection_id)(source.invoice_lines(list(item_refs))):
            found.setdefault(line.item_ref, []).append(line)
    except RetryableError:
        raise
    except CollecthubError as error:
        log.warning("lines of connection %s could not be read: %s", row.connection_id, error.message)
    return found


def keep_papers(
    hub: Hub, work: Work, row: ConnectionRow, case_id: str, item_refs: Sequence[str], papers: Papers
) -> list[DocumentAdded]:
    """Note what there is for these invoices of a new case, and ask again for what is missing. The facts to record."""
    actor, creditor_id = f"connection:{row.connection_id}", row.creditor_id or ""
    _keep_lines(hub, work, row, item_refs, papers)
    if isinstance(hub.connector_for(row), DocumentSource):
        missing = [ref for ref in item_refs if ref in papers.asked and not papers.documents.get(ref)]
        ask_again(hub, work, row, case_id, missing, after=PAUSES[0], tries=1)
        # A case of many invoices opens with the first of them, so that it does not eat the ERP's calls of a day at once.
        rest = [ref for ref in item_refs if ref not in papers.asked]
        ask_again(hub, work, row, case_id, rest, after=PAUSES[0])
    return note_documents(work, case_id, creditor_id, _documents(papers, item_refs), actor=actor)


def ask_again(
    hub: Hub, work: Work, row: ConnectionRow, case_id: str, item_refs: Iterable[str], *,
    after: dt.timedelta = dt.timedelta(), tries: int = 0,
) -> None:  # fmt: skip
    """Have the papers of these invoices of a case fetched `after` a while; `tries` brought nothing so far."""
    rows: list[dict[str, object]] = [
        {
            "connection_id": row.connection_id, "item_ref": item_ref, "creditor_id": row.creditor_id, "case_id": case_id,
            "tries": tries, "next_attempt_at": work.now + after,
        }
        for item_ref in item_refs
    ]
    _put_later(hub, work, e.wanted_papers, rows)
    if rows and not after:
        work.wake("papers", row.connection_id)


def _keep_lines(hub: Hub, work: Work, row: ConnectionRow, item_refs: Sequence[str], papers: Papers) -> None:
    rows: list[dict[str, object]] = [
        {
            "connection_id": row.connection_id, "item_ref": item_ref, "creditor_id": row.creditor_id,
            "lines": msgspec.json.encode(papers.lines[item_ref]).decode(), "read_at": work.now,
        }
        for item_ref in item_refs
        if papers.lines.get(item_ref)
    ]
    _put_later(hub, work, e.invoice_lines, rows)


def _put_later(hub: Hub, work: Work, table: sa.Table, rows: list[dict[str, object]]) -> None:
    if rows:
        work.later(putting(hub.database.engine.dialect.name, table, tuple(rows[0])), rows)


def _documents(papers: Papers, item_refs: Sequence[str]) -> list[KeptDocument]:
    return [one for item_ref in item_refs for one in papers.documents.get(item_ref, ())]


def fetch_late_papers(hub: Hub, connection_id: str) -> None:
    """Ask for the papers whose time has come. A document that is there now joins its case."""
    with hub.database.read() as conn:
        row = read_connection(conn, connection_id)
    if row is None:
        return
    asked: set[str] = set()
    while due := {ref: wanted for ref, wanted in _due(hub, connection_id).items() if ref not in asked}:
        asked |= due.keys()
        try:
            papers = fetch_papers(hub, row, list(due))
        except RetryableError as error:
            _postpone(hub, connection_id, list(due))
            connection_trouble(hub, connection_id, error, job="papers")
            return
        for item_ref, (case_id, tries) in due.items():
            _keep_late(hub, row, item_ref, case_id, tries, papers)


def _due(hub: Hub, connection_id: str) -> dict[str, tuple[str, int]]:
    w = e.wanted_papers.c
    query = (
        sa.select(w.item_ref, w.case_id, w.tries)
        .where(w.connection_id == connection_id, w.next_attempt_at <= hub.now())
        .order_by(w.next_attempt_at, w.item_ref)
        .limit(AT_ONCE)
    )
    with hub.database.read() as conn:
        return {item_ref: (case_id, int(tries)) for item_ref, case_id, tries in conn.execute(query)}


def _postpone(hub: Hub, connection_id: str, item_refs: Sequence[str]) -> None:
    """The source is away: that is no try, and the clock comes back."""
    mine = (e.wanted_papers.c.connection_id == connection_id) & e.wanted_papers.c.item_ref.in_(item_refs)
    with hub.work() as work:
        work.conn.execute(sa.update(e.wanted_papers).where(mine).values(next_attempt_at=work.now + PAUSES[0]))


def _keep_late(hub: Hub, row: ConnectionRow, item_ref: str, case_id: str, tries: int, papers: Papers) -> None:
    """One invoice's papers into its case; without a document its next day is set, or the end of asking noted."""
    mine = (e.wanted_papers.c.connection_id == row.connection_id) & (e.wanted_papers.c.item_ref == item_ref)
    with hub.work() as work:
        case = locked_case(work, case_id)
        _keep_lines(hub, work, row, [item_ref], papers)
        kept = _documents(papers, [item_ref])
        if case.is_open and not kept and tries < len(PAUSES):
            later = {"tries": tries + 1, "next_attempt_at": work.now + PAUSES[tries]}
            work.conn.execute(sa.update(e.wanted_papers).where(mine).values(later))
            return
        work.conn.execute(sa.delete(e.wanted_papers).where(mine))
        if case.is_open and kept:
            add_documents(hub, work, case, kept, actor=f"connection:{row.connection_id}")  # instalments share one
