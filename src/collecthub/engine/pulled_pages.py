"""Keeps the pages of one pull: rows enter the store, refused ones the quarantine, and every outcome is counted."""

from __future__ import annotations

import datetime as dt
import hashlib
import struct
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from collecthub.corridor.normalise import normalise, storable
from collecthub.engine.changed_debtors import mark_changed
from collecthub.engine.context import Hub, Work
from collecthub.model.invoice import Invoice, ItemKind, ItemState, RawInvoice, RefusedRow
from collecthub.model.money import minor_units
from collecthub.ports import Page
from collecthub.store import tables as t
from collecthub.store.case_log import from_minor
from collecthub.store.connections import ConnectionRow, change_connection
from collecthub.store.erp_tables import own_reminders
from collecthub.store.quarantine import refuse_row, refused_references, understand_rows
from collecthub.store.runs import Outcome, OutcomeSum, note_page
from collecthub.store.upsert import bulk_upsert, putting, read_stored

LOOK_NOW = dt.date(1970, 1, 1)
_LOOK_NOW_TEXT = LOOK_NOW.isoformat()
_IS_OPEN, _IS_INVOICE = ItemState.OPEN.value, ItemKind.INVOICE.value
_CANCELLED, _NEW, _CHANGED, _SETTLED = ItemState.CANCELLED, Outcome.NEW, Outcome.CHANGED, Outcome.SETTLED
_encode, _astuple = msgspec.msgpack.Encoder().encode, msgspec.structs.astuple
_number = struct.Struct(">q").unpack
_COLUMNS = (
    "connection_id", "item_ref", "creditor_id", "debtor_ref", "debtor_name", "number", "kind", "state",
    "issued_on", "due_on", "currency", "amount_minor", "open_minor", "settles_ref", "group_ref", "document_ref",
    "dunning_level", "is_blocked", "text", "dunned_on", "row_hash", "look_on",
)
_REF, _DEBTOR, _KIND, _STATE, _CURRENCY, _OPEN = map(
    _COLUMNS.index, ("item_ref", "debtor_ref", "kind", "state", "currency", "open_minor")
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
        self.freed: set[str] = set()  # debtors whose used-up money or credit is open again
        self._sums: dict[tuple[Outcome, str], list[int]] = defaultdict(lambda: [0, 0])
        with hub.database.read() as conn:
            mine = sa.select(t.invoices.c.item_ref).where(t.invoices.c.connection_id == row.connection_id)
            self._is_empty = conn.scalar(mine.limit(1)) is None
            self._refused_before = refused_references(conn, row.connection_id)

    def keep(self, page: Page) -> None:
        """Take one page in. Refused bytes are kept before their rows are.

        A line that says what it said before is not read again; on most pulls that is nearly every line.
        """
        gone = [raw.item_ref for raw in page.rows if _is_deletion(raw)]
        stated = [raw for raw in page.rows if not _is_deletion(raw)] if gone else page.rows
        lines = [(raw, _fingerprint(raw)) for raw in stated]
        known = self._known([*(raw.item_ref for raw, _ in lines), *gone])
        news = [(raw, sign) for raw, sign in lines if raw.item_ref not in known or known[raw.item_ref].row_hash != sign]
        fresh, refused = self._read(news)
        refused += map(storable, page.refused)
        stored = [(bad, self._hub.evidence.keep(bad.content)) for bad in refused]
        with self._hub.work() as work:
            _keep_reminders(work.conn, self._row, [raw for raw, _ in news if raw.item_ref in known])
            bulk_upsert(work.conn, t.invoices, _COLUMNS, fresh, "row_hash")
            _cancel(work.conn, self._row.connection_id, gone)
            self._quarantine(work, stored, page.rows)
            mark_changed(work.conn, self._row.connection_id, page.changed_debtors)
            change_connection(work.conn, self._row.connection_id, checkpoint=page.checkpoint)
            self._count_unchanged(lines, known)
            changed = self._count(fresh, gone, refused, known)
            note_page(
                work.conn, self._run_id, rows=len(page.rows) + len(page.refused), changed=changed,
                refused=len(refused), outcomes=self._outcomes(),
            )

    def _read(
        self, news: Sequence[tuple[RawInvoice, int]]
    ) -> tuple[list[tuple[Any, ...]], list[RefusedRow]]:
        """New and different lines as rows of the table, and those that are refused."""
        fresh: list[tuple[Any, ...]] = []
        refused: list[RefusedRow] = []
        for raw, fingerprint in news:
            item = normalise(raw)
            if isinstance(item, Invoice):
                fresh.append(_values(self._row, item, fingerprint))
            else:
                refused.append(item)
        return fresh, refused

    def _known(self, refs: Sequence[str]) -> dict[str, _Stored]:
        if self._is_empty:
            return {}
        with self._hub.database.read() as conn:
            found = read_stored(conn, t.invoices, ("item_ref", *_Stored._fields), self._row.connection_id, refs)
        return {ref: _Stored._make(values) for ref, *values in found}

    def _quarantine(self, work: Work, stored: Sequence[tuple[RefusedRow, str]], rows: Sequence[RawInvoice]) -> None:
        better = self._refused_before.intersection(raw.item_ref for raw in rows) if self._refused_before else set()
        better -= {bad.item_ref for bad, _ in stored}
        if better:
            understand_rows(work.conn, self._row.connection_id, better, work.now)
            self._refused_before -= better
        for bad, sha256 in stored:
            refuse_row(work.conn, self._row, bad, sha256, work.now)
            self._refused_before.add(bad.item_ref)

    def _count_unchanged(self, lines: Sequence[tuple[RawInvoice, int]], known: Mapping[str, _Stored]) -> None:
        """Add lines that say what they said before; the hot path of a pull."""
        for raw, fingerprint in lines if known else ():
            before = known.get(raw.item_ref)
            if before is not None and before.row_hash == fingerprint:
                sums = self._sums[Outcome.UNCHANGED, before.currency]
                sums[0] += 1
                sums[1] += before.open_minor

    def _count(
        self, fresh: Sequence[tuple[Any, ...]], gone: Sequence[str], refused: Sequence[RefusedRow],
        known: Mapping[str, _Stored],
    ) -> int:
        """Add what is new, different, deleted or refused; returns how many rows are not as they were."""
        for row in fresh:
            before, minor = known.get(row[_REF]), row[_OPEN]
            if row[_STATE] == _IS_OPEN:
                outcome = _NEW if before is None else _CHANGED
                if before is not None and before.state != _IS_OPEN and row[_KIND] != _IS_INVOICE:
                    self.freed.add(row[_DEBTOR])
            else:
                outcome, minor = _SETTLED, minor if before is None else before.open_minor
            sums = self._sums[outcome, row[_CURRENCY]]
            sums[0] += 1
            sums[1] += minor
        deleted = [known[ref] for ref in gone if ref in known and known[ref].state == _IS_OPEN]
        for gone_row in deleted:
            self._add(Outcome.DELETED, gone_row.currency, gone_row.open_minor)
        for bad in refused:
            minor = 0 if bad.open_amount is None else int(bad.open_amount.scaleb(minor_units(bad.currency)))
            self._add(Outcome.REFUSED, bad.currency, minor)
        return len(fresh) + len(deleted)

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


def _keep_reminders(conn: sa.Connection, row: ConnectionRow, changed: Sequence[RawInvoice]) -> None:
    """Keep the creditor's own reminders before newer ones take their place: the ERP knows the last one only."""
    newer = {raw.item_ref: raw.dunned_on for raw in changed if raw.dunned_on is not None}
    if not newer:
        return
    c = t.invoices.c
    held = sa.select(c.item_ref, c.dunned_on, c.dunning_level.label("level")).where(
        c.connection_id == row.connection_id, c.item_ref.in_(newer), c.dunned_on.isnot(None)
    )
    earlier = [
        {**one._mapping, "connection_id": row.connection_id, "creditor_id": row.creditor_id}
        for one in conn.execute(held)
        if one.dunned_on != newer[one.item_ref]
    ]
    if earlier:
        conn.execute(putting(conn.dialect.name, own_reminders, tuple(earlier[0])), earlier)


def _cancel(conn: sa.Connection, connection_id: str, item_refs: Sequence[str]) -> None:
    """Lines that were deleted in the ERP ask for nothing any more; unknown ones never did."""
    if not item_refs:
        return
    known = (t.invoices.c.connection_id == connection_id) & t.invoices.c.item_ref.in_(item_refs)
    values = {"state": ItemState.CANCELLED.value, "open_minor": 0, "row_hash": 0, "look_on": LOOK_NOW}
    conn.execute(sa.update(t.invoices).where(known, t.invoices.c.state == ItemState.OPEN.value).values(values))


def _is_deletion(raw: RawInvoice) -> bool:
    """A deletion names the line and nothing else."""
    return raw.state is _CANCELLED and not raw.debtor_ref


_iso = lru_cache(maxsize=4096)(dt.date.isoformat)  # a portfolio knows some hundred days
_RULES = b"1"  # of `normalise` and of the columns: when they change, every line is read again
_BLANK = hashlib.blake2b(digest_size=8, salt=_RULES)


def _fingerprint(raw: RawInvoice) -> int:
    """The same for lines that say the same, under the same rules."""
    line = _BLANK.copy()  # half the price of a new one
    line.update(_encode(_astuple(raw)))
    fingerprint: int
    (fingerprint,) = _number(line.digest())
    return fingerprint


def _values(row: ConnectionRow, item: Invoice, fingerprint: int) -> tuple[Any, ...]:
    """A line as its row of the table."""
    places = minor_units(item.currency)
    minor = int(item.amount.scaleb(places))
    return (
        row.connection_id, item.item_ref, row.creditor_id or "",
        item.debtor_ref, item.debtor_name, item.number, item.kind._value_, item.state._value_,
        _iso(item.issued_on) if item.issued_on else None, _iso(item.due_on), item.currency,
        minor, minor if item.open_amount is item.amount else int(item.open_amount.scaleb(places)),
        item.settles_ref, item.group_ref, item.document_ref, item.dunning_level, int(item.is_blocked), item.text,
        _iso(item.dunned_on) if item.dunned_on else None, fingerprint, _LOOK_NOW_TEXT,
    )
