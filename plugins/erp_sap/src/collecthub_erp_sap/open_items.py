"""Reads customer items page by page: all that is open, or what changed since the last pull.

SAP gives neither a delta token nor change times finer than a day. So a pull asks three questions with two days of
overlap (cleared, created and changed since), and once a business day reads the whole open set, which also finds
what moves none of those dates, such as a clearing that was reset. Pages are key ranges, never offsets.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal

import msgspec

from collecthub.sdk import (
    ConfigurationError,
    ControlTotal,
    ItemState,
    OpenItem,
    Page,
    RawInvoice,
    RetryableError,
)
from collecthub_erp_sap.client import SapClient
from collecthub_erp_sap.cube import (
    SELECT,
    CubePage,
    clearing_of,
    key_of,
    map_rows,
    read_page,
    whole_clearings,
)
from collecthub_erp_sap.mapping import KEY, CubeRow, RowRules, to_open_item
from collecthub_erp_sap.odata import after, any_of, day_literal, equals
from collecthub_erp_sap.settings import S4Settings

_OVERLAP = dt.timedelta(days=2)
_COMPANY, _YEAR, _DOCUMENT, _ITEM = KEY
_OPEN = "open"
_CLEARED = "cleared"
_FIRST_PULL = (_OPEN,)
_FULL_PULL = (_CLEARED, _OPEN)  # what is open includes what was created or changed
_PARTIAL_PULL = (_CLEARED, "created", "changed")
_CONDITIONS = {
    _OPEN: "IsCleared eq false",
    _CLEARED: "IsCleared eq true and ClearingCreationDate ge {since}",
    "created": "IsCleared eq false and AccountingDocumentCreationDate ge {since}",
    "changed": "IsCleared eq false and LastChangeDate ge {since}",
}
_BY_DOCUMENT = (_DOCUMENT, _YEAR, _ITEM)
_BY_CLEARING = ("ClearingAccountingDocument", "ClearingDocFiscalYear", *_BY_DOCUMENT)
_KEYS_AT_A_TIME = 15
_STATE_OPEN = ItemState.OPEN

Totals = dict[str, tuple[int, Decimal]]


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a pull stands. Between two pulls `steps` is empty, and the next one looks back to `since`."""

    since: dt.date
    last_full_on: dt.date | None = None
    started_on: dt.date
    steps: tuple[str, ...] = ()
    company: str = ""
    after: tuple[str, ...] = ()
    expected: int = 0
    seen: int = 0
    totals: Totals = {}

    def to_text(self) -> str:
        """The opaque text that the hub keeps."""
        return msgspec.json.encode(self).decode()


_CHECKPOINT = msgspec.json.Decoder(Checkpoint)


class OpenItemReader:
    """Reads the customer items of one connection."""

    def __init__(
        self, client: SapClient, settings: S4Settings, changed_customers: Callable[[dt.date], Iterable[str]]
    ) -> None:
        self._client = client
        self._changed_customers = changed_customers
        self._path = f"{settings.cube_path}/{settings.cube_entity}"
        self._companies = settings.company_codes
        self._page_size = settings.page_size
        own_block = settings.dunning_block_reason if settings.write_line_block else ""
        self._rules = RowRules(frozenset(settings.credit_memo_types), own_block)

    def pull(self, text: str, today: dt.date) -> Iterator[Page]:
        """The pages of a pull that begins, or goes on, at a checkpoint. `today` is the business date."""
        point = self._begin(text, today)
        while point.steps:
            page, point = self._page(point, is_first=not text)
            yield page
            del page  # with what it was read from it is many megabytes, and the next one is read now

    def _page(self, point: Checkpoint, *, is_first: bool) -> tuple[Page, Checkpoint]:
        """One page of a pull, and where the next one begins."""
        answer = self._read(point)
        is_last = self._is_last(point, answer)
        is_grouped = point.steps[0] == _CLEARED and answer.rows and not is_last
        rows = whole_clearings(answer.rows) if is_grouped else answer.rows
        invoices, refused, unusable = map_rows(answer, rows, self._rules)
        totals = _add(point.totals, invoices, unusable) if point.steps[0] == _OPEN else {}
        ended = self._next_company(point, totals) if is_last else _beyond(point, answer, rows, totals)
        is_end = not ended.steps
        page = Page(
            rows=invoices,
            refused=refused,
            checkpoint=ended.to_text(),
            control=_control(totals) if point.steps[0] == _OPEN and is_end else None,
            changed_debtors=() if is_first or not is_end else tuple(self._changed_customers(_looking_back(point))),
        )
        return page, ended

    def open_items(self) -> Iterator[OpenItem]:
        """Everything that is open now, read anew and counted as the ERP counts it."""
        day = dt.date.min
        point = Checkpoint(since=day, started_on=day, steps=_FIRST_PULL, company=self._companies[0])
        while point.steps:
            answer = self._read(point)
            yield from filter(None, map(to_open_item, answer.rows))
            is_last = self._is_last(point, answer)
            point = self._next_company(point, {}) if is_last else _beyond(point, answer, answer.rows, {})

    def by_refs(self, item_refs: Iterable[str]) -> Iterator[CubeRow]:
        """The lines with these identities as they are now, cleared or not. Unknown ones are left out."""
        for page in self._pages_by_refs(item_refs):
            yield from page.rows

    def read_items(self, item_refs: Iterable[str]) -> Iterator[RawInvoice]:
        """These receivables as they are now, open or not.

        What SAP does not show is left out: an accounting document is never deleted, so it was archived, or our user
        lost the right to see it, and neither says that it was paid.
        """
        for page in self._pages_by_refs(item_refs):
            cleared = {(row.company, *clearing_of(row)) for row in page.rows if row.is_cleared and row.clearing}
            yield from map_rows(page, page.rows, self._rules, self._cleared_with(sorted(cleared)))[0]

    def _pages_by_refs(self, item_refs: Iterable[str]) -> Iterator[CubePage]:
        keys = [ref.split("/") for ref in item_refs if ref.count("/") == len(KEY) - 1]
        for start in range(0, len(keys), _KEYS_AT_A_TIME):
            chosen = any_of(equals(KEY, parts) for parts in keys[start : start + _KEYS_AT_A_TIME])
            yield read_page(self._ask({"$filter": chosen, "$select": SELECT}))

    def _cleared_with(self, clearings: Sequence[tuple[str | None, ...]]) -> Iterator[CubeRow]:
        """All lines of these clearings: only together they tell whether an invoice was paid or credited."""
        names = (_COMPANY, *_BY_CLEARING[:2])
        for clearing in clearings:
            chosen = equals((*names, "FinancialAccountType"), (*(part or "" for part in clearing), "D"))
            yield from read_page(self._ask({"$filter": chosen, "$select": SELECT})).rows

    def _begin(self, text: str, today: dt.date) -> Checkpoint:
        if not text:
            return Checkpoint(since=today, started_on=today, steps=_FIRST_PULL, company=self._companies[0])
        try:
            point = _CHECKPOINT.decode(text)
        except msgspec.DecodeError as error:
            raise ConfigurationError(
                "The checkpoint of this connection is not one of an SAP pull.", cure="Start a full pull."
            ) from error
        if point.steps:
            return point if point.company in self._companies else self._restarted(point)
        is_compared = point.last_full_on is not None and point.last_full_on >= today
        steps = _PARTIAL_PULL if is_compared else _FULL_PULL
        return self._restarted(msgspec.structs.replace(point, started_on=today, steps=steps))

    def _restarted(self, point: Checkpoint) -> Checkpoint:
        """The same step from its first company on."""
        return msgspec.structs.replace(
            point, company=self._companies[0], after=(), expected=0, seen=0, totals={}
        )

    def _ask(self, options: dict[str, str]) -> bytes:
        return self._client.read_bytes(self._path, {**options, "$format": "json"})

    def _read(self, point: Checkpoint) -> CubePage:
        step = point.steps[0]
        names = _names(step)
        since = day_literal(_looking_back(point))
        conditions = [
            equals((_COMPANY, "FinancialAccountType"), (point.company, "D")),
            _CONDITIONS[step].format(since=since),
            *([after(names, point.after)] if point.after else []),
        ]
        options = {
            "$filter": " and ".join(conditions),
            "$select": SELECT,
            "$orderby": ",".join(names),
            "$top": str(self._page_size),
        }
        return read_page(self._ask(options if point.after else {**options, "$inlinecount": "allpages"}))

    def _is_last(self, point: Checkpoint, answer: CubePage) -> bool:
        """Whether nothing follows. A short page alone proves it only when the announced count is reached."""
        expected = point.expected if point.after else answer.count
        is_reached = point.seen + answer.size >= expected
        is_short = answer.size < self._page_size
        return not answer.size or (not answer.is_cut and is_reached and (is_short or expected > 0))

    def _next_company(self, point: Checkpoint, totals: Totals) -> Checkpoint:
        position = self._companies.index(point.company) + 1
        if position < len(self._companies):
            return msgspec.structs.replace(
                point, company=self._companies[position], after=(), expected=0, seen=0, totals=totals
            )
        if len(point.steps) > 1:
            return self._restarted(msgspec.structs.replace(point, steps=point.steps[1:]))
        full_on = point.started_on if point.steps[0] == _OPEN else point.last_full_on
        return Checkpoint(since=point.started_on, started_on=point.started_on, last_full_on=full_on)


def _looking_back(point: Checkpoint) -> dt.date:
    return max(point.since, dt.date.min + _OVERLAP) - _OVERLAP


def _names(step: str) -> tuple[str, ...]:
    """Order within a company code; the clearing first where the lines of one clearing are judged together."""
    return _BY_CLEARING if step == _CLEARED else _BY_DOCUMENT


def _beyond(point: Checkpoint, answer: CubePage, rows: list[CubeRow], totals: Totals) -> Checkpoint:
    """Where the next page of the same company begins."""
    key = key_of(rows[-1], _names(point.steps[0])) if rows else point.after
    if key == point.after:
        raise RetryableError(
            f"A whole page of company code {point.company} cannot be read.",
            cure="Check cube_entity of this connection; its columns have other types than SAP's own.",
        )
    return msgspec.structs.replace(
        point,
        after=key,
        expected=point.expected if point.after else answer.count,
        seen=point.seen + len(rows) + len(answer.strange),
        totals=totals,
    )


def _add(totals: Totals, invoices: list[RawInvoice], unusable: list[CubeRow]) -> Totals:
    """The totals with a page's open lines, those that were refused included as far as they have an amount."""
    amounts: dict[str, list[Decimal]] = {}
    for item in invoices:
        if item.state is _STATE_OPEN:
            amounts.setdefault(item.currency, []).append(item.open_amount)
    for line in filter(None, map(to_open_item, unusable)):
        amounts.setdefault(line.currency, []).append(line.open_amount)
    sums = dict(totals)
    for currency, parts in amounts.items():
        count, total = sums.get(currency, (0, Decimal(0)))
        sums[currency] = (count + len(parts), sum(parts, total))
    return sums


def _control(totals: Totals) -> list[ControlTotal]:
    return [
        ControlTotal(currency=currency, count=count, amount=amount)
        for currency, (count, amount) in sorted(totals.items())
    ]
