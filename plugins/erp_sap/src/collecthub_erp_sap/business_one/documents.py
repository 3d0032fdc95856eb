"""Documents and payments: asked for by key, decoded once, with every record that is wrong set aside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from collecthub.sdk import RawInvoice, RefusedRow, RetryableError
from collecthub_erp_sap.business_one.client import ServiceLayerClient
from collecthub_erp_sap.business_one.mapping import (
    BASES,
    CREDIT_NOTES,
    DOWN_PAYMENTS,
    INVOICES,
    LETTERS,
    PAYMENTS,
    YES,
    Document,
    Note,
    Payment,
    Rules,
    UnusableRowError,
    document_ref,
    open_sum,
    register_name,
    to_invoices,
    to_unallocated,
)
from collecthub_erp_sap.business_one.query import COUNT, Found, columns, one_of
from collecthub_erp_sap.business_one.settings import BusinessOneSettings
from collecthub_erp_sap.held import BlockRegister

Record = Document | Payment
_DOCUMENT = columns(Document)
_SELECT = {
    INVOICES: _DOCUMENT, DOWN_PAYMENTS: _DOCUMENT, CREDIT_NOTES: _DOCUMENT, PAYMENTS: columns(Payment),
}  # fmt: skip
_DOCUMENTS = (msgspec.json.Decoder(Found[Document]), msgspec.json.Decoder(Document))
_PAYMENTS = (msgspec.json.Decoder(Found[Payment]), msgspec.json.Decoder(Payment))
_DECODERS: Mapping[str, tuple[msgspec.json.Decoder[Any], msgspec.json.Decoder[Any]]] = {
    INVOICES: _DOCUMENTS, DOWN_PAYMENTS: _DOCUMENTS, CREDIT_NOTES: _DOCUMENTS, PAYMENTS: _PAYMENTS,
}  # fmt: skip
_RAW = msgspec.json.Decoder(Found[msgspec.Raw])
_NOTES = msgspec.json.Decoder(Found[Note])
_AT_A_TIME = 20  # keys in one filter, which keeps the address below the two kilobytes that old proxies accept


class EntryPage(msgspec.Struct, frozen=True, kw_only=True):
    """One answer: records, those of another shape as refusals, where it ends and whether more follow."""

    entity: str
    content: bytes
    rows: list[Record]
    strange: list[RefusedRow]
    last: int
    count: int
    has_more: bool

    @property
    def size(self) -> int:
        """Records in the answer, whatever their shape."""
        return len(self.rows) + len(self.strange)


class Mapped(msgspec.Struct, frozen=True, kw_only=True):
    """Receivables of a page and what was refused; a refusal states what is open on it where that is known."""

    invoices: list[RawInvoice]
    refused: list[RefusedRow]


def read_page(entity: str, content: bytes) -> EntryPage:
    """Decode an answer. A record of another shape does not stop its neighbours.

    Raises `RetryableError` when the whole is not such an answer.
    """
    strange: list[RefusedRow] = []
    try:
        found: Found[Any] = _DECODERS[entity][0].decode(content)
        rows = found.value
    except msgspec.ValidationError:
        found, rows = _row_by_row(entity, content, strange)
    except msgspec.DecodeError as error:
        raise _unreadable(entity, error) from error
    entries = [row.entry for row in rows] + [_entry(bad.content) for bad in strange]
    return EntryPage(
        entity=entity, content=content, rows=rows, strange=strange, last=max(entries, default=0), count=found.count,
        has_more=found.has_more,
    )  # fmt: skip


def _row_by_row(entity: str, content: bytes, strange: list[RefusedRow]) -> tuple[Found[Any], list[Any]]:
    try:
        found = _RAW.decode(content)
    except msgspec.DecodeError as error:
        raise _unreadable(entity, error) from error
    rows = []
    for raw in found.value:
        try:
            rows.append(_DECODERS[entity][1].decode(raw))
        except msgspec.ValidationError as error:
            ref = first_ref(entity, _entry(bytes(raw)))
            strange.append(RefusedRow(item_ref=ref, code="b1.shape", reason=f"{error}.", content=bytes(raw)))
    return found, rows


def first_ref(entity: str, entry: int) -> str:
    """The identity that a record as a whole is refused under: its first instalment's, under which it is understood."""
    return f"{LETTERS[entity]}/{entry}" if entity == PAYMENTS else document_ref(entity, entry, 1)


def _entry(content: bytes) -> int:
    record = msgspec.json.decode(content)
    entry = record.get("DocEntry") if isinstance(record, dict) else None
    return entry if isinstance(entry, int) else 0


def _unreadable(entity: str, error: Exception) -> RetryableError:
    return RetryableError(
        f"Business One's answer with {entity} cannot be read: {error}.",
        cure="It will be asked again; if it stays, check version and base_url of this connection.",
    )


class DocumentReader:
    """Reads documents and payments of one connection."""

    def __init__(self, client: ServiceLayerClient, settings: BusinessOneSettings, register: BlockRegister) -> None:
        self._client = client
        self._size = settings.page_size
        self._count = COUNT[settings.version]
        self._register = register
        self.rules = Rules(settings.local_currency, settings.currency_codes)

    def page(self, entity: str, condition: str, after: int) -> EntryPage:
        """The records that meet a condition and whose entry is beyond `after`, in order; counted from the start."""
        beyond = [f"DocEntry gt {after}"] if after else []
        options = {
            "$filter": " and ".join([*([condition] if condition else []), *beyond]),
            "$select": _SELECT[entity],
            "$orderby": "DocEntry",
            **({} if after else dict([self._count])),
        }
        asked = {name: value for name, value in options.items() if value}
        return read_page(entity, self._client.read_bytes(entity, asked, {"Prefer": f"odata.maxpagesize={self._size}"}))

    def by_entries(self, entity: str, entries: Iterable[int], only: str = "") -> Iterator[EntryPage]:
        """The documents with these entries as they are now, whatever their state. Unknown ones, and those that do not
        meet the condition `only`, are left out.
        """
        wanted = sorted(set(entries))
        for start in range(0, len(wanted), _AT_A_TIME):
            keys = one_of("DocEntry", wanted[start : start + _AT_A_TIME])
            condition, after, has_more = " and ".join(filter(None, (only, keys))), 0, True
            while has_more:
                found = self.page(entity, condition, after)
                yield found
                after, has_more = found.last, found.has_more and found.size > 0

    def mapped(self, page: EntryPage) -> Mapped:
        """Receivables of a page, and refusals with the bytes they came as."""
        closed = [row for row in page.rows if isinstance(row, Document) and _is_closed(row)]
        credited = self._credited(page.entity, closed)
        invoices: list[RawInvoice] = []
        refused = list(page.strange)
        raws: dict[int, bytes] = {}
        for row in page.rows:
            try:
                invoices += self._receivables(page.entity, row, credited)
            except UnusableRowError as error:
                raws = raws or {_entry(bytes(raw)): bytes(raw) for raw in _RAW.decode(page.content).value}
                refused.append(self._refused(page.entity, row, error, raws[row.entry]))
        return Mapped(invoices=invoices, refused=refused)

    def _receivables(self, entity: str, row: Record, credited: Mapping[int, Decimal]) -> list[RawInvoice]:
        if isinstance(row, Payment):
            item = to_unallocated(row, self.rules)
            return [item] if item else []
        whole = sum((part.total for part in row.instalments), Decimal(0))
        is_credited = 0 < whole <= credited.get(row.entry, Decimal(0))
        is_blocked = row.blocked == YES and not self._is_ours(entity, row)
        return list(to_invoices(entity, row, self.rules, is_credited=is_credited, is_blocked=is_blocked))

    def _is_ours(self, entity: str, row: Document) -> bool:
        """Whether we set the block of this document; one that a person set stops us."""
        return register_name(entity, row.entry) in self._register.read(row.customer or "").blocked

    def _refused(self, entity: str, row: Record, error: UnusableRowError, content: bytes) -> RefusedRow:
        known = open_sum(row, self.rules) if isinstance(row, Document) and not _is_closed(row) else None
        currency, amount = known or ("", None)
        if amount is not None and entity == CREDIT_NOTES:
            amount = -amount
        return RefusedRow(
            item_ref=first_ref(entity, row.entry), code=error.code, reason=error.reason, content=content,
            currency=currency, open_amount=amount,
        )  # fmt: skip

    def _credited(self, entity: str, closed: Sequence[Document]) -> dict[int, Decimal]:
        """How much of documents was set off by credit notes that are based on them, by the document's entry."""
        sums: dict[int, Decimal] = {}
        is_base = entity in BASES.values()
        customers = sorted({row.customer for row in closed if row.customer and is_base})
        for start in range(0, len(customers), _AT_A_TIME):
            for note in self._notes(customers[start : start + _AT_A_TIME]):
                bases = {line.base_entry for line in note.lines if BASES.get(line.base_type or 0) == entity}
                for base in bases if note.cancelled == "csNo" else ():
                    if base is not None and len(bases) == 1:
                        sums[base] = sums.get(base, Decimal(0)) + note.total
        return sums

    def _notes(self, customers: Sequence[str]) -> Iterator[Note]:
        after, has_more = 0, True
        while has_more:
            options = {
                "$filter": f"{one_of('CardCode', customers)} and DocEntry gt {after}",
                "$select": columns(Note),
                "$orderby": "DocEntry",
            }
            prefer = {"Prefer": f"odata.maxpagesize={self._size}"}
            found = self._client.read(CREDIT_NOTES, options, _NOTES, prefer)
            yield from found.value
            has_more = found.has_more and bool(found.value)
            after = max((note.entry for note in found.value), default=after)


def _is_closed(row: Document) -> bool:
    return row.status != "bost_Open"
