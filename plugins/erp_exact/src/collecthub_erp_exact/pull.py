"""Pulls what changed: payment terms by row version, then deletions, then once a day the list of open items.

The checkpoint is JSON: per division the highest row version of each feed and the division's move date. Row versions
are unique and rise on every change, so a row that changes while its pages are read comes again later. When a
division moves, all its versions start anew: the cursor is dropped and everything is read again.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from collecthub.sdk import (
    CollecthubError,
    ConfigurationError,
    ConnectorContext,
    ControlTotal,
    Page,
    PermanentError,
    RawInvoice,
    RefusedRow,
    RetryableError,
)
from collecthub_erp_exact.client import ExactClient, typed
from collecthub_erp_exact.limits import CircuitOpenError
from collecthub_erp_exact.mapping import (
    DELETED_TERM,
    Deletion,
    Division,
    ListedItem,
    PaymentTerm,
    Receivable,
    cancelled,
    is_open,
    item_ref,
)
from collecthub_erp_exact.odata import Records, any_of, columns
from collecthub_erp_exact.settings import ExactSettings
from collecthub_erp_exact.terms import MappedTerms, map_terms, read_terms

TERMS, DELETED, OPEN_LIST = "sync/Cashflow/PaymentTerms", "sync/Deleted", "read/financial/ReceivablesList"
DIVISIONS, RECEIVABLES = "system/Divisions", "bulk/Cashflow/Receivables"
_FIRST_VERSION = 1  # the vendor's start value: `Timestamp gt 1` is everything
_LOOKUP_BATCH = 40  # keeps the query below the 2,048 characters that the vendor's web server takes by default

_log = logging.getLogger(__name__)


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far one division has been read, and under which move date these versions are valid."""

    terms: int = _FIRST_VERSION
    deleted: int = _FIRST_VERSION
    moved: str = ""
    is_begun: bool = False


class Comparison(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reading of the list of open items that is under way: sums so far, and where it goes on."""

    totals: dict[str, tuple[int, Decimal]] = {}
    divisions_done: tuple[int, ...] = ()
    next_url: str = ""


class Checkpoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a pull resumes."""

    divisions: dict[str, Cursor] = {}
    compared_on: dt.date | None = None
    comparison: Comparison | None = None

    def cursor(self, division: int) -> Cursor:
        """How far this division was read."""
        return self.divisions.get(str(division), Cursor())

    def with_cursor(self, division: int, cursor: Cursor) -> Checkpoint:
        """The checkpoint after a division moved on."""
        return msgspec.structs.replace(self, divisions={**self.divisions, str(division): cursor})

    def text(self) -> str:
        """As the hub keeps it."""
        return msgspec.json.encode(self).decode()


def read_checkpoint(text: str) -> Checkpoint:
    """Raises `PermanentError` for text that is no checkpoint of this plugin."""
    try:
        return msgspec.json.decode(text, type=Checkpoint) if text else Checkpoint()
    except msgspec.DecodeError as error:
        raise PermanentError(
            f"The checkpoint cannot be read: {error}.", cure="Empty it; the next pull then reads everything."
        ) from error


_Step = tuple[Sequence[RawInvoice], Sequence[RefusedRow], Cursor]


class Puller:
    """One pull after another over all divisions of a connection."""

    def __init__(self, ctx: ConnectorContext, client: ExactClient) -> None:
        self._settings: ExactSettings = ctx.settings
        self._today = ctx.business_date
        self._client = client

    def pull(self, checkpoint: str) -> Iterator[Page]:
        """Pages of everything that changed since `checkpoint`.

        Trouble in one division does not keep the others from being read; it is raised at the end, so that the run
        counts as incomplete.
        """
        state = read_checkpoint(checkpoint)
        moves = self._move_dates()
        troubles: list[CollecthubError] = []
        for division in self._settings.divisions:
            try:
                for rows, refused, cursor in self._division(division, state.cursor(division), moves):
                    if rows or refused or cursor != state.cursor(division):
                        state = state.with_cursor(division, cursor)
                        yield Page(rows=rows, refused=refused, checkpoint=state.text())
            except ConfigurationError:
                raise
            except CollecthubError as trouble:
                _log.warning("division %s was not read to its end: %s", division, trouble.message)
                troubles.append(trouble)
        if troubles:
            raise troubles[0]
        yield from self._comparison(state)

    def _move_dates(self) -> dict[int, str]:
        """When each division was last moved to another server, as text that only has to be compared."""
        first = self._settings.divisions[0]
        rows = self._client.records(first, DIVISIONS, Division, {"$select": columns(Division)}, is_bulk=True)
        return {row.code: "|".join(filter(None, (row.moved_at, row.relinked_at))) for row in rows}

    def _division(self, division: int, cursor: Cursor, moves: dict[int, str]) -> Iterator[_Step]:
        moved = moves.get(division, "")
        if not cursor.is_begun:
            # What was deleted before the first reading is not in the terms either: only the cursor is needed.
            deleted = max(
                (int(row.row_version) for row in self._deletions(division, _FIRST_VERSION)), default=1
            )
            cursor = Cursor(deleted=deleted, moved=moved, is_begun=True)
        elif cursor.moved != moved:
            _log.warning("division %s was moved at the vendor's side; it is read anew", division)
            cursor = Cursor(moved=moved, is_begun=True)
        for step in self._terms(division, cursor):
            cursor = step[2]
            yield step
        yield from self._removed(division, cursor)

    def _terms(self, division: int, cursor: Cursor) -> Iterator[_Step]:
        query = {"$filter": f"Timestamp gt {cursor.terms}L", "$select": columns(PaymentTerm)}
        url = self._client.url(division, TERMS, query)
        for content, page in self._client.pages(division, TERMS, url, read_terms, is_bulk=True):
            mapped = map_terms(division, content, page.rows, self._settings.amount_sign)
            cursor = msgspec.structs.replace(cursor, terms=max(cursor.terms, mapped.highest))
            yield self._settled(division, mapped), mapped.refused, cursor

    def _settled(self, division: int, mapped: MappedTerms) -> list[RawInvoice]:
        """The lines of a page, open money on account tied to the one item it pays, where that is clear.

        Money that names an entry of several terms stays unallocated: which term it pays is not said.
        """
        rows = mapped.rows
        for part in _parts(sorted(set(mapped.paid_entries.values())), _LOOKUP_BATCH):
            try:
                found = self._items_of(division, part)
            except (PermanentError, CircuitOpenError) as trouble:
                _log.warning("division %s: payments stay unallocated: %s", division, trouble.message)
                return rows
            for index, entry in mapped.paid_entries.items():
                candidates = [one for one in found.get(entry, ()) if one[1] == rows[index].debtor_ref]
                if len(candidates) == 1:
                    rows[index] = msgspec.structs.replace(rows[index], settles_ref=candidates[0][0])
        return rows

    def _items_of(self, division: int, entries: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
        """Open items (reference, debtor) by entry number."""
        query = {"$filter": any_of("EntryNumber", map(str, entries)), "$select": columns(Receivable)}
        found: dict[int, list[tuple[str, str]]] = {}
        for row in self._client.records(division, RECEIVABLES, Receivable, query, is_bulk=True):
            amount = row.amount * self._settings.amount_sign
            if is_open(row) and amount > 0 and row.entry_number is not None:
                pair = item_ref(division, row.term_id), item_ref(division, row.account_id or "")
                found.setdefault(row.entry_number, []).append(pair)
        return found

    def _removed(self, division: int, cursor: Cursor) -> Iterator[_Step]:
        found = list(self._deletions(division, cursor.deleted))
        if found:
            highest = max(int(row.row_version) for row in found)
            rows = [cancelled(division, row) for row in found if row.entity_type == DELETED_TERM]
            yield rows, (), msgspec.structs.replace(cursor, deleted=highest)

    def _deletions(self, division: int, after: int) -> Iterator[Deletion]:
        query = {"$filter": f"Timestamp gt {after}L", "$select": columns(Deletion)}
        return self._client.records(division, DELETED, Deletion, query, is_bulk=True)

    def _comparison(self, state: Checkpoint) -> Iterator[Page]:
        """The last page. Once a day it carries what the vendor's own list of open items adds up to."""
        today = self._today()
        if not self._settings.compare_daily or (state.compared_on == today and state.comparison is None):
            yield Page(rows=(), checkpoint=state.text())
            return
        comparison = state.comparison or Comparison()
        for division in self._settings.divisions:
            try:
                if division not in comparison.divisions_done:
                    for progress in self._compared(division, comparison):
                        comparison = progress
            except RetryableError:
                # Keep what is summed: the list is longer than a minute's calls allow.
                yield Page(rows=(), checkpoint=msgspec.structs.replace(state, comparison=comparison).text())
                raise
        done = msgspec.structs.replace(state, compared_on=today, comparison=None)
        yield Page(rows=(), checkpoint=done.text(), control=_control(comparison))

    def _compared(self, division: int, comparison: Comparison) -> Iterator[Comparison]:
        query = {"$select": columns(ListedItem)}
        url = comparison.next_url or self._client.url(division, OPEN_LIST, query)
        for _, page in self._client.pages(division, OPEN_LIST, url, _listed, is_bulk=True):
            totals = dict(comparison.totals)
            for row in page.rows:
                count, amount = totals.get(row.currency, (0, Decimal(0)))
                totals[row.currency] = (count + 1, amount + row.amount)
            done = comparison.divisions_done if page.next_url else (*comparison.divisions_done, division)
            comparison = Comparison(totals=totals, divisions_done=done, next_url=page.next_url)
            yield comparison


def _parts(values: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (values[start : start + size] for start in range(0, len(values), size))


def _listed(content: bytes) -> Records[ListedItem]:
    return typed(content, ListedItem, OPEN_LIST)


def _control(comparison: Comparison) -> list[ControlTotal]:
    return [
        ControlTotal(currency=currency.strip(), count=count, amount=amount)
        for currency, (count, amount) in sorted(comparison.totals.items())
    ]
