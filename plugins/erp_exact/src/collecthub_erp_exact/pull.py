"""Pulls what changed: payment terms by row version, deletions, customers, and once a day the list of open items.

The checkpoint is JSON: per division the highest row version of each feed and the division's move date. Row versions
are unique and rise on every change, so a row that changes while its pages are read comes again later. When a
division moves, all its versions start anew: the cursor is dropped and everything is read again.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import msgspec

from collecthub.sdk import (
    CollecthubError,
    ConfigurationError,
    ConnectorContext,
    Page,
    PermanentError,
    RawInvoice,
    RefusedRow,
    RetryableError,
)
from collecthub_erp_exact.allocation import Allocation
from collecthub_erp_exact.client import ExactClient, typed
from collecthub_erp_exact.comparison import Comparison, read_list
from collecthub_erp_exact.divisions import chosen
from collecthub_erp_exact.mapping import DELETED_ACCOUNT, DELETED_TERM, cancelled, item_ref
from collecthub_erp_exact.odata import Records, columns
from collecthub_erp_exact.records import ChangedAccount, ChangedContact, Deletion, DivisionState, PaymentTerm
from collecthub_erp_exact.settings import ExactSettings
from collecthub_erp_exact.terms import map_terms, read_terms

T = TypeVar("T", bound=msgspec.Struct)
TERMS, DELETED, DIVISIONS = "sync/Cashflow/PaymentTerms", "sync/Deleted", "system/Divisions"
CHANGED_ACCOUNTS, CHANGED_CONTACTS = "sync/CRM/Accounts", "sync/CRM/Contacts"
_FIRST_VERSION = 1  # the vendor's start value: `Timestamp gt 1` is everything

_TRIES_A_DAY = 8

_log = logging.getLogger(__name__)


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far one division has been read, and under which move date these versions are valid."""

    terms: int = _FIRST_VERSION
    deleted: int = _FIRST_VERSION
    accounts: int = _FIRST_VERSION
    contacts: int = _FIRST_VERSION
    moved: str = ""
    is_begun: bool = False


class Checkpoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a pull resumes."""

    divisions: dict[str, Cursor] = {}
    compared_on: dt.date | None = None
    comparison: Comparison | None = None
    tried_on: dt.date | None = None
    tries: int = 0

    def cursor(self, division: int) -> Cursor:
        """How far this division was read."""
        return self.divisions.get(str(division), Cursor())

    def with_cursor(self, division: int, cursor: Cursor) -> Checkpoint:
        """The checkpoint after a division moved on."""
        return msgspec.structs.replace(self, divisions={**self.divisions, str(division): cursor})

    def known_of(self, divisions: Sequence[int]) -> dict[str, tuple[int, int]]:
        """How far the terms and deletions of these divisions were read."""
        cursors = {division: self.cursor(division) for division in divisions}
        return {str(division): (cursor.terms, cursor.deleted) for division, cursor in cursors.items()}

    def compared(self, today: dt.date) -> Checkpoint:
        """The checkpoint after a comparison that holds, or the last try of a day."""
        return msgspec.structs.replace(self, compared_on=today, comparison=None, tried_on=None, tries=0)

    def disturbed(self, today: dt.date) -> Checkpoint:
        """The checkpoint after a comparison during which the ledger moved: the next pull tries again, not for ever."""
        tries = self.tries + 1 if self.tried_on == today else 1
        if tries >= _TRIES_A_DAY:
            _log.warning("the list of open items moved during each of %s readings today; tried again tomorrow", tries)
            return self.compared(today)
        return msgspec.structs.replace(self, comparison=None, tried_on=today, tries=tries)

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


class _Step(msgspec.Struct, frozen=True):
    """What was read of a division, and how far that goes."""

    cursor: Cursor
    rows: Sequence[RawInvoice] = ()
    refused: Sequence[RefusedRow] = ()
    changed_debtors: Sequence[str] = ()


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
        divisions = chosen(self._settings.divisions)
        moves = self._move_dates(divisions[0])
        troubles: list[CollecthubError] = []
        for division in divisions:
            try:
                for step in self._division(division, state.cursor(division), moves):
                    if page := _page(state, division, step):
                        state = state.with_cursor(division, step.cursor)
                        yield page
            except ConfigurationError:
                raise
            except CollecthubError as trouble:
                _log.warning("division %s was not read to its end: %s", division, trouble.message)
                troubles.append(trouble)
        if troubles:
            raise troubles[0]
        if not self._settings.compare_daily or state.compared_on == self._today():
            yield Page(rows=(), checkpoint=state.text())
            return
        yield from self._comparison(state, divisions)

    def _move_dates(self, asked_of: int) -> dict[int, str]:
        """When each division was last moved to another server, as text that only has to be compared."""
        rows = self._client.records(asked_of, DIVISIONS, DivisionState, {"$select": columns(DivisionState)}, is_bulk=True)
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
        for read in (self._news, self._changed_accounts, self._changed_contacts):
            for step in read(division, cursor):
                cursor = step.cursor
                yield step

    def _terms(self, division: int, cursor: Cursor) -> Iterator[_Step]:
        allocation = Allocation(self._client, self._settings.amount_sign)
        query = {"$filter": f"Timestamp gt {cursor.terms}L", "$select": columns(PaymentTerm)}
        url = self._client.url(division, TERMS, query)
        for content, page in self._client.pages(division, TERMS, url, read_terms, is_bulk=True):
            mapped = map_terms(division, content, page.rows, self._settings.amount_sign)
            cursor = msgspec.structs.replace(cursor, terms=max(cursor.terms, mapped.highest))
            yield _Step(cursor, allocation.settled(division, mapped), mapped.refused)

    def _removed(self, division: int, cursor: Cursor) -> Iterator[_Step]:
        found = list(self._deletions(division, cursor.deleted))
        if found:
            highest = max(int(row.row_version) for row in found)
            rows = [cancelled(division, row.entity_key) for row in found if row.entity_type == DELETED_TERM]
            accounts = [row.entity_key for row in found if row.entity_type == DELETED_ACCOUNT]
            cursor = msgspec.structs.replace(cursor, deleted=highest)
            yield _Step(cursor, rows, changed_debtors=[item_ref(division, key) for key in accounts])

    def _deletions(self, division: int, after: int) -> Iterator[Deletion]:
        query = {"$filter": f"Timestamp gt {after}L", "$select": columns(Deletion)}
        return self._client.records(division, DELETED, Deletion, query, is_bulk=True)

    def _changed_accounts(self, division: int, cursor: Cursor) -> Iterator[_Step]:
        """Customers whose master data changed, such as one that was anonymised: only that it did is read here."""
        for rows in self._changes(division, CHANGED_ACCOUNTS, ChangedAccount, cursor.accounts):
            cursor = msgspec.structs.replace(cursor, accounts=max(int(row.row_version) for row in rows))
            yield _Step(cursor, changed_debtors=_references(division, (row.account_id for row in rows)))

    def _changed_contacts(self, division: int, cursor: Cursor) -> Iterator[_Step]:
        for rows in self._changes(division, CHANGED_CONTACTS, ChangedContact, cursor.contacts):
            cursor = msgspec.structs.replace(cursor, contacts=max(int(row.row_version) for row in rows))
            yield _Step(cursor, changed_debtors=_references(division, (row.account_id for row in rows)))

    def _changes(self, division: int, endpoint: str, row_type: type[T], after: int) -> Iterator[Sequence[T]]:
        """Pages of a sync feed that hold anything."""

        def read(content: bytes) -> Records[T]:
            return typed(content, row_type, endpoint)

        query = {"$filter": f"Timestamp gt {after}L", "$select": columns(row_type)}
        url = self._client.url(division, endpoint, query)
        for _, page in self._client.pages(division, endpoint, url, read, is_bulk=True):
            if page.rows:
                yield page.rows

    def _comparison(self, state: Checkpoint, divisions: Sequence[int]) -> Iterator[Page]:
        """The last page, with what the vendor's own list of open items adds up to when it held still meanwhile."""
        known, comparison = state.known_of(divisions), state.comparison
        if comparison is None or comparison.began_at != known:
            comparison = Comparison(began_at=known)
        try:
            for division in divisions:
                if division not in comparison.divisions_done:
                    for progress in read_list(self._client, division, comparison):
                        comparison = progress
            for division in divisions:
                for step in self._news(division, state.cursor(division)):
                    if page := _page(state, division, step):
                        state = state.with_cursor(division, step.cursor)
                        yield page
        except RetryableError:
            # Keep what is summed: the list is longer than a minute's calls allow.
            yield Page(rows=(), checkpoint=msgspec.structs.replace(state, comparison=comparison).text())
            raise
        if state.known_of(divisions) != known:
            yield Page(rows=(), checkpoint=state.disturbed(self._today()).text())
            return
        yield Page(rows=(), checkpoint=state.compared(self._today()).text(), control=comparison.control())

    def _news(self, division: int, cursor: Cursor) -> Iterator[_Step]:
        """Terms and deletions since `cursor`."""
        for read in (self._terms, self._removed):
            for step in read(division, cursor):
                cursor = step.cursor
                yield step


def _page(state: Checkpoint, division: int, step: _Step) -> Page | None:
    """The page that a step is for the hub; None when nothing came and nothing moved."""
    if not (step.rows or step.refused or step.cursor != state.cursor(division)):
        return None
    return Page(
        rows=step.rows, refused=step.refused, changed_debtors=step.changed_debtors,
        checkpoint=state.with_cursor(division, step.cursor).text(),
    )  # fmt: skip


def _references(division: int, keys: Iterable[str | None]) -> list[str]:
    return [item_ref(division, key) for key in dict.fromkeys(keys) if key]
