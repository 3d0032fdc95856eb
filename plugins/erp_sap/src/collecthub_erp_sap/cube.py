"""One page of SAP's customer items: asked for, decoded once and fast, with every row that is wrong set aside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from collecthub.sdk import RawInvoice, RefusedRow, RetryableError
from collecthub_erp_sap.mapping import (
    COLUMNS,
    KEY,
    CubeRow,
    RowRules,
    UnusableRowError,
    is_cleared_by_credit,
    item_ref,
    to_invoice,
    to_open_item,
)
from collecthub_erp_sap.odata import Answer, Results

SELECT = ",".join(COLUMNS)
_ROWS = msgspec.json.Decoder(Answer[Results[CubeRow]])
_RAW_ROWS = msgspec.json.Decoder(Answer[Results[msgspec.Raw]])
_ROW = msgspec.json.Decoder(CubeRow)
_ATTRIBUTES = dict(zip(COLUMNS, CubeRow.__struct_fields__, strict=True))


class CubePage(msgspec.Struct, frozen=True, kw_only=True):
    """One answer: the rows that have the promised shape, the others as refusals, and how much there is."""

    content: bytes
    rows: list[CubeRow]
    strange: list[RefusedRow]
    count: int  # how many match from here on, 0 when it was not asked for
    is_cut: bool  # the gateway gave less than was asked for and says so

    @property
    def size(self) -> int:
        """Rows in the answer, whatever their shape."""
        return len(self.rows) + len(self.strange)


def read_page(content: bytes) -> CubePage:
    """Decode an answer of the cube. A row of another shape does not stop its neighbours.

    Raises `RetryableError` when the whole is not such an answer (a page that was cut, a log-on form).
    """
    try:
        answer = _ROWS.decode(content).d
        return _page(content, answer, answer.results, [])
    except msgspec.ValidationError:
        return _read_row_by_row(content)
    except msgspec.DecodeError as error:
        raise _unreadable(error) from error


def _read_row_by_row(content: bytes) -> CubePage:
    try:
        answer = _RAW_ROWS.decode(content).d
    except msgspec.DecodeError as error:
        raise _unreadable(error) from error
    rows: list[CubeRow] = []
    strange: list[RefusedRow] = []
    for raw in answer.results:
        try:
            rows.append(_ROW.decode(raw))
        except msgspec.ValidationError as error:
            strange.append(
                RefusedRow(item_ref=_ref_of(raw), code="sap.shape", reason=f"{error}.", content=bytes(raw))
            )
    return _page(content, answer, rows, strange)


def _page(
    content: bytes, answer: Results[CubeRow] | Results[msgspec.Raw], rows: list[CubeRow], strange: list[RefusedRow]
) -> CubePage:
    count = answer.count or ""
    return CubePage(
        content=content,
        rows=rows,
        strange=strange,
        count=int(count) if count.isdigit() else 0,
        is_cut=answer.next_link is not None,
    )


def _unreadable(error: Exception) -> RetryableError:
    return RetryableError(
        f"SAP's answer with open items cannot be read: {error}.",
        cure="It will be asked again; if it stays, check cube_path and cube_entity of this connection.",
    )


def _ref_of(raw: msgspec.Raw) -> str:
    record = msgspec.json.decode(raw)
    return "/".join(str(record.get(name, "")) for name in KEY) if isinstance(record, Mapping) else ""


def ref_of(row: CubeRow) -> str:
    """Our identity of the row."""
    return item_ref(row.company, row.year, row.document, row.item)


def key_of(row: CubeRow, names: Iterable[str]) -> tuple[str, ...]:
    """Values of the columns `names`, for the next key range."""
    return tuple(str(getattr(row, _ATTRIBUTES[name]) or "") for name in names)


def clearing_of(row: CubeRow) -> tuple[str | None, str | None]:
    """The document that cleared the row, with its year."""
    return row.clearing, row.clearing_year


def whole_clearings(rows: list[CubeRow]) -> list[CubeRow]:
    """The rows, ordered by clearing, without the last clearing, which the next page may continue.

    A single clearing that fills the whole page stays, so that paging goes on.
    """
    last = clearing_of(rows[-1])
    end = len(rows)
    while end and clearing_of(rows[end - 1]) == last:
        end -= 1
    return rows[:end] or rows


def credited_clearings(rows: list[CubeRow], rules: RowRules) -> set[tuple[str | None, str | None]]:
    """The clearings in which credit memos alone cleared the invoices."""
    groups: dict[tuple[str | None, str | None], list[CubeRow]] = {}
    for row in rows:
        groups.setdefault(clearing_of(row), []).append(row)
    return {clearing for clearing, group in groups.items() if is_cleared_by_credit(group, rules)}


def _refused(row: CubeRow, error: UnusableRowError, content: bytes) -> RefusedRow:
    """A row for quarantine; what is open on it is stated, so that SAP's totals can still be compared."""
    known = None if row.is_cleared else to_open_item(row)
    return RefusedRow(
        item_ref=ref_of(row), code=error.code, reason=error.reason, content=content,
        currency=known.currency if known else "", open_amount=known.open_amount if known else None,
    )  # fmt: skip


def map_rows(
    page: CubePage, rows: list[CubeRow], rules: RowRules, beside: Iterable[CubeRow] = ()
) -> tuple[list[RawInvoice], list[RefusedRow], list[CubeRow]]:
    """Receivables of a page, refusals with the bytes they came as, and the rows that were refused.

    `beside` are lines that were cleared together with those of the page and are not on it.
    """
    credited = credited_clearings([*(row for row in rows if row.is_cleared), *beside], rules)
    invoices: list[RawInvoice] = []
    refused = list(page.strange)
    unusable: list[CubeRow] = []
    raws: dict[str, bytes] = {}
    for row in rows:
        try:
            is_credited = bool(credited) and clearing_of(row) in credited and not row.amount.is_signed()
            invoice = to_invoice(row, rules, is_credited=is_credited)
        except UnusableRowError as error:
            raws = raws or {_ref_of(raw): bytes(raw) for raw in _RAW_ROWS.decode(page.content).d.results}
            ref = ref_of(row)
            refused.append(_refused(row, error, raws[ref]))
            unusable.append(row)
            continue
        if invoice is not None:
            invoices.append(invoice)
    return invoices, refused, unusable
