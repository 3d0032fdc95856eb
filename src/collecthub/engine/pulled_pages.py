"""Keeps the pages of one pull: rows enter the store, refused ones the quarantine, and every outcome is counted."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from collecthub.corridor.normalise import normalise
from collecthub.engine.changed_debtors import mark_changed
from collecthub.engine.context import Hub, Work
from collecthub.model.invoice import Invoice, ItemState, RefusedRow
from collecthub.model.money import minor_units
from collecthub.ports import Page
from collecthub.store import tables as t
from collecthub.store.case_log import from_minor
from collecthub.store.connections import ConnectionRow, change_connection
from collecthub.store.quarantine import refuse_row, refused_references, understand_rows
from collecthub.store.runs import Outcome, OutcomeSum, note_page
from collecthub.store.upsert import bulk_upsert, read_stored

LOOK_NOW = dt.date(1970, 1, 1)
_LOOK_NOW_TEXT = LOOK_NOW.isoformat()
_IS_OPEN = ItemState.OPEN.value
_encode = msgspec.msgpack.Encoder().encode
_COLUMNS = (
    "connection_id", "item_ref", "creditor_id", "debtor_ref", "debtor_name", "number", "kind", "state",
    "issued_on", "due_on", "currency", "amount_minor", "open_minor", "settles_ref", "group_ref", "document_ref",
    "dunning_level", "is_blocked", "text", "row_hash", "look_on",
)
_REF, _STATE, _CURRENCY, _OPEN, _HASH = map(
    _COLUMNS.index, ("item_ref", "state", "currency", "open_minor", "row_hash")
)


class _Stored(NamedTuple):
    """What the hub holds of a row before a page is kept."""

    row_hash: int
    state: str
    currency: str
    open_minor: int


class PageKeeper:
    """Keeps the pages of one run, each with its checkpoint in one transaction."""

    def __init__(self, hub: Hub, row: ConnectionRow, run_id: str) -> None:
        self._hub = hub
        self._row = row
        self._run_id = run_id
        self._sums: dict[tuple[Outcome, str], list[int]] = defaultdict(lambda: [0, 0])
        with hub.database.read() as conn:
            mine = sa.select(t.invoices.c.item_ref).where(t.invoices.c.connection_id == row.connection_id)
            self._is_empty = conn.scalar(mine.limit(1)) is None
            self._refused_before = refused_references(conn, row.connection_id)

    def keep(self, page: Page) -> None:
        """Take one page in. Refused bytes are kept before their rows are."""
        kept, gone, refused = self._sorted(page)
        stored = [(bad, self._hub.evidence.keep(bad.content)) for bad in refused]
        with self._hub.work() as work:
            known = {} if self._is_empty else self._known(work.conn, [*(row[_REF] for row in kept), *gone])
            fresh = [row for row in kept if row[_REF] not in known or known[row[_REF]].row_hash != row[_HASH]]
            bulk_upsert(work.conn, t.invoices, _COLUMNS, fresh, "row_hash")
            _cancel(work.conn, self._row.connection_id, gone)
            self._quarantine(work, stored, [*(row[_REF] for row in kept), *gone])
            mark_changed(work.conn, self._row.connection_id, page.changed_debtors)
            change_connection(work.conn, self._row.connection_id, checkpoint=page.checkpoint)
            changed = self._count(kept, gone, refused, known)
            note_page(
                work.conn, self._run_id, rows=len(page.rows) + len(page.refused), changed=changed,
                refused=len(refused), outcomes=self._outcomes(),
            )

    def _sorted(self, page: Page) -> tuple[list[tuple[Any, ...]], list[str], list[RefusedRow]]:
        """The rows of a page: those to keep, the references of deleted ones, and what is refused."""
        kept: list[tuple[Any, ...]] = []
        gone: list[str] = []
        refused = list(page.refused)
        for raw in page.rows:
            if raw.state is ItemState.CANCELLED and not raw.debtor_ref:
                gone.append(raw.item_ref)  # a deletion names the line and nothing else
                continue
            item = normalise(raw)
            if type(item) is Invoice:
                kept.append(_values(self._row, item))
            else:
                refused.append(item)  # type: ignore[arg-type]  # what is not an invoice is a refusal
        return kept, gone, refused

    def _known(self, conn: sa.Connection, refs: Sequence[str]) -> dict[str, _Stored]:
        found = read_stored(conn, t.invoices, ("item_ref", *_Stored._fields), self._row.connection_id, refs)
        return {ref: _Stored._make(values) for ref, *values in found}

    def _quarantine(self, work: Work, stored: Sequence[tuple[RefusedRow, str]], understood: Sequence[str]) -> None:
        better = self._refused_before.intersection(understood)
        if better:
            understand_rows(work.conn, self._row.connection_id, better, work.now)
            self._refused_before -= better
        for bad, sha256 in stored:
            refuse_row(work.conn, self._row, bad, sha256, work.now)
            self._refused_before.add(bad.item_ref)

    def _count(
        self, kept: Sequence[tuple[Any, ...]], gone: Sequence[str], refused: Sequence[RefusedRow], known: dict[str, _Stored]
    ) -> int:
        """Add a page to the sums; returns how many rows are not as they were."""
        unchanged = 0
        for row in kept:  # the hot path: a page holds thousands
            before = known.get(row[_REF])
            minor = row[_OPEN]
            if before is None:
                outcome = Outcome.NEW if row[_STATE] == _IS_OPEN else Outcome.SETTLED
            elif before.row_hash == row[_HASH]:
                outcome = Outcome.UNCHANGED
                unchanged += 1
            elif row[_STATE] == _IS_OPEN:
                outcome = Outcome.CHANGED
            else:
                outcome, minor = Outcome.SETTLED, before.open_minor
            sums = self._sums[outcome, row[_CURRENCY]]
            sums[0] += 1
            sums[1] += minor
        deleted = [known[ref] for ref in gone if ref in known and known[ref].state == ItemState.OPEN.value]
        for gone_row in deleted:
            self._add(Outcome.DELETED, gone_row.currency, gone_row.open_minor)
        for bad in refused:
            minor = 0 if bad.open_amount is None else int(bad.open_amount.scaleb(minor_units(bad.currency)))
            self._add(Outcome.REFUSED, bad.currency, minor)
        return len(kept) - unchanged + len(deleted)

    def _add(self, outcome: Outcome, currency: str, minor: int) -> None:
        sums = self._sums[outcome, currency]
        sums[0] += 1
        sums[1] += minor

    def _outcomes(self) -> Iterator[OutcomeSum]:
        order = list(Outcome)
        for (outcome, currency), (rows, minor) in sorted(
            self._sums.items(), key=lambda entry: (entry[0][1], order.index(entry[0][0]))
        ):
            amount = from_minor(minor, currency) if currency else Decimal(0)
            yield OutcomeSum(outcome=outcome, currency=currency, rows=rows, amount=amount)


def _cancel(conn: sa.Connection, connection_id: str, item_refs: Sequence[str]) -> None:
    """Lines that were deleted in the ERP ask for nothing any more; unknown ones never did."""
    if not item_refs:
        return
    known = (t.invoices.c.connection_id == connection_id) & t.invoices.c.item_ref.in_(item_refs)
    values = {"state": ItemState.CANCELLED.value, "open_minor": 0, "row_hash": 0, "look_on": LOOK_NOW}
    conn.execute(sa.update(t.invoices).where(known, t.invoices.c.state == ItemState.OPEN.value).values(values))


def _values(row: ConnectionRow, item: Invoice) -> tuple[Any, ...]:
    """A line as its row of the table, with a fingerprint of everything it says."""
    places = minor_units(item.currency)
    values = (
        item.debtor_ref, item.debtor_name, item.number, item.kind.value, item.state.value,
        item.issued_on.isoformat() if item.issued_on else None, item.due_on.isoformat(), item.currency,
        int(item.amount.scaleb(places)), int(item.open_amount.scaleb(places)), item.settles_ref, item.group_ref,
        item.document_ref, item.dunning_level, int(item.is_blocked), item.text,
    )
    digest = hashlib.blake2b(_encode(values), digest_size=8).digest()
    fingerprint = int.from_bytes(digest, "big", signed=True)
    return (row.connection_id, item.item_ref, row.creditor_id or "", *values, fingerprint, _LOOK_NOW_TEXT)
