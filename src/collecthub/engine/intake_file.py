"""Cases from a CSV or XLSX file or an SAP drop: a saved mapping, a preview, an import that never stops at a bad row.

Rows on one debtor in one currency become one case; what is negative lowers it as a credit. A row that cannot enter is answered with line, column and
reason, and kept in quarantine; the same file again opens nothing twice.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice

import msgspec
import sqlalchemy as sa

from collecthub.engine.context import Hub, Work
from collecthub.engine.intake import Draft, DraftClaim, FieldError, Intake, open_draft, ready_intake
from collecthub.errors import PermanentError
from collecthub.formats.sap_files import read_table
from collecthub.model.ids import new_id
from collecthub.model.money import parse_amount
from collecthub.model.party import Address, Contact, Party, PartyKind
from collecthub.store import tables as t
from collecthub.store.connections import read_connection
from collecthub.store.quarantine import quarantine_row
from collecthub.store.queries.case_file import check_creditor
from collecthub.store.queries.scope import Scope, not_there, owned_by
from collecthub.wire.tabular import Row

REQUIRED = ("debtor_name", "currency", "number", "due_on", "amount")
OPTIONAL = (
    "open_amount", "issued_on", "debtor_ref", "debtor_kind", "country", "vat_ref", "email", "phone", "street",
    "postcode", "city", "language",
)  # fmt: skip
DATE_FORMATS = {
    "YYYY-MM-DD": "%Y-%m-%d", "DD/MM/YYYY": "%d/%m/%Y", "DD.MM.YYYY": "%d.%m.%Y", "DD-MM-YYYY": "%d-%m-%Y",
    "MM/DD/YYYY": "%m/%d/%Y", "YYYYMMDD": "%Y%m%d",
}  # fmt: skip
_AMOUNTS = {
    ".": re.compile(r"-?(\d{1,3}(?:[, ']\d{3})+|\d+)(?:\.(\d+))?", re.ASCII),
    ",": re.compile(r"-?(\d{1,3}(?:[. ']\d{3})+|\d+)(?:,(\d+))?", re.ASCII),
}
_SEPARATORS = str.maketrans({"\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2019": "'", "\u2212": "-"})
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
DRAFTS_PER_CHUNK, PREVIEW_ROWS = 50, 20


class FileMapping(msgspec.Struct, frozen=True, kw_only=True):
    """How the columns of a creditor's file are read. `columns` names the header per field, `defaults` fill gaps."""

    name: str
    columns: Mapping[str, str]
    defaults: Mapping[str, str] = {}
    date_format: str = "YYYY-MM-DD"
    decimal_mark: str = "."


class SavedMapping(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping that a creditor's files are read with."""

    mapping_id: str
    creditor_id: str
    mapping: FileMapping


class RowResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one row: its case, or every reason with the column it is in."""

    line: int
    case_id: str | None = None
    number: str = ""
    errors: tuple[FieldError, ...] = ()


class PreviewRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row as it would be read."""

    line: int
    debtor_name: str
    invoice: str
    currency: str
    amount: Decimal | None
    due_on: dt.date | None
    errors: tuple[FieldError, ...] = ()


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file, row by row."""

    rows: int
    cases: int
    refused: int
    results: tuple[RowResult, ...]


Wrong = Callable[[str, str], None]


class _Read(msgspec.Struct, frozen=True):
    """A row that could be read: who owes, in what, for which invoice."""

    line: int
    debtor: Party
    debtor_ref: str
    currency: str
    claim: DraftClaim

    @property
    def is_credit(self) -> bool:
        """Whether the row lowers what the debtor owes: a credit memo, or money on account."""
        return self.claim.open_amount < 0


# --- mappings -------------------------------------------------------------------------------------


def check_mapping(mapping: FileMapping) -> None:
    """Raises `PermanentError` for a mapping that could not read any file."""
    known = {*REQUIRED, *OPTIONAL}
    unknown = sorted({*mapping.columns, *mapping.defaults} - known)
    missing = [field for field in REQUIRED if field not in mapping.columns and field not in mapping.defaults]
    if unknown or missing:
        raise PermanentError(
            f"the mapping has unknown fields {unknown} and lacks {missing}",
            cure=f"Required are {', '.join(REQUIRED)}; possible are {', '.join(OPTIONAL)}.",
        )
    if mapping.date_format not in DATE_FORMATS or mapping.decimal_mark not in _AMOUNTS:
        raise PermanentError(
            "the date format or the decimal mark is unknown",
            cure=f"Choose one of {', '.join(DATE_FORMATS)} and a point or a comma.",
        )


def save_mapping(work: Work, scope: Scope, creditor_id: str, mapping: FileMapping) -> str:
    """Keep a mapping for a creditor; the same name replaces the one before. Returns its id."""
    check_creditor(work.conn, scope, creditor_id)
    check_mapping(mapping)
    mine = (t.mappings.c.creditor_id == creditor_id) & (t.mappings.c.name == mapping.name)
    known = work.conn.scalar(sa.select(t.mappings.c.mapping_id).where(mine))
    doc = msgspec.json.encode(mapping).decode()
    if known is not None:
        work.conn.execute(sa.update(t.mappings).where(mine).values(doc=doc))
        return str(known)
    mapping_id = new_id()
    work.conn.execute(
        sa.insert(t.mappings).values(
            mapping_id=mapping_id, creditor_id=creditor_id, name=mapping.name, doc=doc, created_at=work.now
        )
    )
    return mapping_id


def read_mappings(conn: sa.Connection, scope: Scope) -> tuple[SavedMapping, ...]:
    """The mappings of a scope, by name."""
    mine = owned_by(scope, t.mappings.c.creditor_id)
    return tuple(_saved(row) for row in conn.execute(sa.select(t.mappings).where(mine).order_by(t.mappings.c.name)))


def read_mapping(conn: sa.Connection, scope: Scope, mapping_id: str) -> SavedMapping:
    """One mapping. Raises `NotThereError`."""
    mine = (t.mappings.c.mapping_id == mapping_id) & owned_by(scope, t.mappings.c.creditor_id)
    row = conn.execute(sa.select(t.mappings).where(mine)).first()
    if row is None:
        raise not_there("mapping", mapping_id)
    return _saved(row)


def _saved(row: sa.Row[tuple[object, ...]]) -> SavedMapping:
    values = row._mapping
    return SavedMapping(
        mapping_id=values["mapping_id"], creditor_id=values["creditor_id"],
        mapping=msgspec.json.decode(values["doc"], type=FileMapping),
    )


# --- reading rows ---------------------------------------------------------------------------------


def read_row(row: Row, mapping: FileMapping) -> tuple[_Read | None, tuple[FieldError, ...]]:
    """One row by a mapping: what it says, or everything that is wrong with it by column. Pure."""
    errors: list[FieldError] = []

    def text(field: str) -> str:
        column = mapping.columns.get(field, "")
        return (row.cells.get(column, "").strip() if column else "") or mapping.defaults.get(field, "")

    def wrong(field: str, reason: str) -> None:
        errors.append(FieldError(field=mapping.columns.get(field, field), reason=reason))

    if row.surplus:
        errors.append(FieldError(field="", reason="the row has more cells than the header"))
    for field in REQUIRED:
        if not text(field):
            wrong(field, "is empty")
    amount = _amount(text("amount"), "amount", mapping, wrong)
    open_amount = _amount(text("open_amount"), "open_amount", mapping, wrong) if text("open_amount") else amount
    due_on, issued_on = (_date(text(field), field, mapping, wrong) for field in ("due_on", "issued_on"))
    if text("debtor_kind") and text("debtor_kind") not in list(PartyKind):
        wrong("debtor_kind", f"must be one of {', '.join(PartyKind)}")
    if errors or amount is None or open_amount is None or due_on is None:
        return None, tuple(errors)
    claim = DraftClaim(
        number=text("number"), due_on=due_on, issued_on=issued_on, amount=amount, open_amount=open_amount
    )
    debtor = _party({field: text(field) for field in (*REQUIRED, *OPTIONAL)})
    return _Read(row.line, debtor, text("debtor_ref"), text("currency").upper(), claim), ()


def _amount(text: str, field: str, mapping: FileMapping, wrong: Wrong) -> Decimal | None:
    text = text.translate(_SEPARATORS)
    text = f"-{text[:-1].rstrip()}" if text.endswith("-") else text  # SAP and bookkeepers write the sign behind
    match = _AMOUNTS[mapping.decimal_mark].fullmatch(text)
    if match is None:
        if text:
            wrong(field, f"is not an amount with {mapping.decimal_mark!r} as decimal mark")
        return None
    whole = re.sub(r"[., ']", "", match.group(1))
    sign = "-" if text.startswith("-") else ""
    try:
        return parse_amount(f"{sign}{whole}" + (f".{match.group(2)}" if match.group(2) else ""))
    except PermanentError:
        wrong(field, "is too large or has too many decimals")
        return None


def _date(text: str, field: str, mapping: FileMapping, wrong: Wrong) -> dt.date | None:
    if not text:
        return None
    pattern = "%Y-%m-%d" if _ISO.fullmatch(text) else DATE_FORMATS[mapping.date_format]
    try:
        return dt.datetime.strptime(text, pattern).replace(tzinfo=dt.UTC).date()
    except ValueError:
        wrong(field, f"is not a date written {mapping.date_format}")
        return None


def _party(texts: Mapping[str, str]) -> Party:
    contact = Contact(email=texts["email"], phone=texts["phone"])
    return Party(
        name=texts["debtor_name"], kind=PartyKind(texts["debtor_kind"] or "company"), country=texts["country"].upper(),
        language=texts["language"], vat_ref=texts["vat_ref"],
        address=Address(
            lines=(texts["street"],) if texts["street"] else (), postcode=texts["postcode"], city=texts["city"],
            country=texts["country"].upper(),
        ),
        contacts=(contact,) if texts["email"] or texts["phone"] else (),
    )


# --- preview and import ---------------------------------------------------------------------------


def preview_file(content: bytes, name: str, mapping: FileMapping) -> tuple[PreviewRow, ...]:
    """The first rows as they would be read. Raises `QuarantineError` when the file is no table."""
    check_mapping(mapping)
    return tuple(_preview(row, mapping) for row in islice(_rows(content, name, mapping), PREVIEW_ROWS))


def _rows(content: bytes, name: str, mapping: FileMapping) -> Iterator[Row]:
    return read_table(content, name, {column for column in mapping.columns.values() if column})


def _preview(row: Row, mapping: FileMapping) -> PreviewRow:
    read, errors = read_row(row, mapping)
    if read is None:
        shown = row.cells.get(mapping.columns.get("debtor_name", ""), "")
        return PreviewRow(
            line=row.line, debtor_name=shown, invoice="", currency="", amount=None, due_on=None, errors=errors
        )
    return PreviewRow(
        line=row.line, debtor_name=read.debtor.name, invoice=read.claim.number, currency=read.currency,
        amount=read.claim.open_amount, due_on=read.claim.due_on,
    )


def import_file(
    hub: Hub, scope: Scope, creditor_id: str, content: bytes, name: str, mapping: FileMapping
) -> Imported:
    """Open the cases of a file. Raises `QuarantineError` only when the file as a whole is no table."""
    check_mapping(mapping)
    connection_id = ready_intake(hub, scope, creditor_id)
    sha256 = hub.evidence.keep(content)
    results: list[RowResult] = []
    groups: dict[tuple[str, str], list[_Read]] = {}
    for row in _rows(content, name, mapping):
        read, errors = read_row(row, mapping)
        if read is None:
            results.append(RowResult(line=row.line, errors=errors))
        else:
            groups.setdefault((read.debtor_ref or read.debtor.name, read.currency), []).append(read)
    waiting = iter(groups.values())
    while chunk := list(islice(waiting, DRAFTS_PER_CHUNK)):
        with hub.work() as work:
            for reads in chunk:
                results += _open_group(hub, work, scope, creditor_id, reads, f"{sha256}:{reads[0].line}")
    results.sort(key=lambda result: result.line)
    _keep_refused(hub, connection_id, name, sha256, results)
    opened = {result.case_id for result in results if result.case_id and not result.errors}
    refused = sum(bool(result.errors) for result in results)
    return Imported(rows=len(results), cases=len(opened), refused=refused, results=tuple(results))


def _open_group(
    hub: Hub, work: Work, scope: Scope, creditor_id: str, reads: Sequence[_Read], key: str
) -> Iterator[RowResult]:
    """One debtor's rows. A row that spoils the draft is left out, so that the others still enter."""
    asked = [read for read in reads if not read.is_credit]
    credits = [read for read in reads if read.is_credit]
    draft = Draft(
        debtor=reads[0].debtor, debtor_ref=reads[0].debtor_ref, currency=reads[0].currency,
        claims=tuple(read.claim for read in asked),
        credits=-sum((read.claim.open_amount for read in credits), Decimal(0)),
    )
    found = open_draft(hub, work, scope, creditor_id, draft, origin="file", key=key)
    bad = _bad_claims(found)
    if found.case_id is None and bad and len(bad) < len(asked):
        yield from (RowResult(line=asked[index].line, errors=errors) for index, errors in bad.items())
        rest = [read for read in reads if read.is_credit or asked.index(read) not in bad]
        yield from _open_group(hub, work, scope, creditor_id, rest, key)
        return
    for read in reads:
        yield RowResult(line=read.line, case_id=found.case_id, number=found.number, errors=found.errors)


_CLAIM = re.compile(r"claims\[(\d+)\]\.(.+)")


def _bad_claims(found: Intake) -> dict[int, tuple[FieldError, ...]]:
    bad: dict[int, tuple[FieldError, ...]] = {}
    for error in found.errors:
        match = _CLAIM.fullmatch(error.field)
        if match:
            index = int(match.group(1))
            bad[index] = (*bad.get(index, ()), FieldError(field=match.group(2), reason=error.reason))
    return bad


def _keep_refused(hub: Hub, connection_id: str, name: str, sha256: str, results: Sequence[RowResult]) -> None:
    refused = [result for result in results if result.errors]
    if not refused:
        return
    with hub.work() as work:
        row = read_connection(work.conn, connection_id)
        assert row is not None, "made before the import began"
        for result in refused:
            reason = "; ".join(f"{error.field} {error.reason}".strip() for error in result.errors)
            reference = f"{hashlib.sha256(name.encode()).hexdigest()[:8]}:{result.line}"
            quarantine_row(work.conn, row, "file", reference, "intake.row", reason[:2000], sha256, work.now)
