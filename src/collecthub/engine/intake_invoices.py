"""Cases from electronic invoices: UBL, CII and Factur-X files become claims, and the files themselves their evidence.

Invoices on one debtor in one currency become one case; credit notes lower what is asked. A file that cannot enter is
answered with its reasons and kept in quarantine, its neighbours go on; the same files again open nothing twice.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from collecthub.engine.case_work import locked_case
from collecthub.engine.context import Hub, Work
from collecthub.engine.documents import KeptDocument, add_documents
from collecthub.engine.intake import (
    Draft,
    DraftClaim,
    FieldError,
    Intake,
    derived_debtor_ref,
    open_draft,
    ready_intake,
)
from collecthub.errors import QuarantineError
from collecthub.formats.electronic_invoice import ElectronicInvoice
from collecthub.formats.invoice_files import media_type_of, read_invoice
from collecthub.model.party import Party
from collecthub.store.connections import read_connection, read_creditor
from collecthub.store.quarantine import quarantine_row
from collecthub.store.queries.scope import Scope

_CLAIM = re.compile(r"claims\[(\d+)\]\.(.+)")
_NAME_LONGEST = 140


class InvoiceResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one file: its case, or every reason why there is none. `warnings` did not stop it."""

    file: str
    number: str = ""
    is_credit: bool = False
    currency: str = ""
    amount: Decimal | None = None
    due_on: dt.date | None = None
    case_id: str | None = None
    case_number: str = ""
    is_duplicate: bool = False
    errors: tuple[FieldError, ...] = ()
    warnings: tuple[str, ...] = ()


class _Read(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice that was understood, and its file as evidence."""

    name: str
    sha256: str
    size: int
    media_type: str
    invoice: ElectronicInvoice
    due_on: dt.date | None
    warnings: tuple[str, ...] = ()


def import_invoices(
    hub: Hub, scope: Scope, creditor_id: str, files: Sequence[tuple[str, bytes]], *,
    due_days: int | None = None, is_strict: bool = False, with_rules: bool = True,
) -> tuple[InvoiceResult, ...]:  # fmt: skip
    """Open the cases of electronic invoices, given as names and bytes. One result per file, in their order.

    `due_days` after the issue date is the due date of an invoice that states none. `is_strict` refuses what the
    document's published schema or the business rules of EN 16931 forbid; otherwise that is a warning. Raises
    `NotThereError` for an unknown creditor.
    """
    connection_id = ready_intake(hub, scope, creditor_id)
    with hub.database.read() as conn:
        creditor = read_creditor(conn, creditor_id)
    seller = creditor.party if creditor else Party(name="")
    results: dict[int, InvoiceResult] = {}
    groups: dict[tuple[str, str], dict[int, _Read]] = {}
    for place, (name, content) in enumerate(files):
        read = _read(hub, name, content, seller, due_days, is_strict=is_strict, with_rules=with_rules)
        if isinstance(read, InvoiceResult):
            results[place] = read
        else:
            key = (derived_debtor_ref(read.invoice.buyer), read.invoice.currency)
            groups.setdefault(key, {})[place] = read
    for group in groups.values():
        with hub.work() as work:
            results.update(_open_group(hub, work, scope, creditor_id, group))
    ordered = tuple(results[place] for place in sorted(results))
    _keep_refused(hub, connection_id, files, ordered)
    return ordered


# --- one file -----------------------------------------------------------------------------------------------------


def _read(
    hub: Hub, name: str, content: bytes, seller: Party, due_days: int | None, *, is_strict: bool, with_rules: bool
) -> _Read | InvoiceResult:
    """The bytes are evidence before anybody reads them."""
    sha256 = hub.evidence.keep(content)
    try:
        invoice = read_invoice(content, with_rules=with_rules)
    except QuarantineError as error:
        return InvoiceResult(file=name, errors=(FieldError(field=error.code, reason=error.message),))
    warnings = tuple(_warnings(invoice))
    due_on = invoice.due_on
    if due_on is None and due_days is not None:
        due_on = invoice.issued_on + dt.timedelta(days=due_days)
    errors = tuple(_objections(invoice, due_on, seller))
    if is_strict:
        errors += tuple(FieldError(field="document", reason=warning) for warning in warnings)
    if errors:
        return _result(name, invoice, due_on, errors=errors)
    return _Read(
        name=name, sha256=sha256, size=len(content), media_type=media_type_of(content), invoice=invoice, due_on=due_on,
        warnings=warnings,
    )  # fmt: skip


def _warnings(invoice: ElectronicInvoice) -> Iterator[str]:
    """What the schema and the business rules say against the document, each with its place."""
    for fault in invoice.faults:
        yield f"{fault.path}, line {fault.line}: {fault.message}"
    for broken in invoice.broken_rules:
        yield f"{broken.element}, line {broken.line}: {broken.reason}"


def _objections(invoice: ElectronicInvoice, due_on: dt.date | None, seller: Party) -> Iterator[FieldError]:
    if not invoice.is_credit and due_on is None:
        yield FieldError(field="due_on", reason="is not stated (BT-9); say after how many days such invoices are due")
    if invoice.payable <= 0:
        yield FieldError(field="payable", reason="nothing is left to pay (BT-115)")
    if not invoice.buyer.name:
        yield FieldError(field="buyer", reason="has no name (BT-44)")
    mine, theirs = _plain(seller.vat_ref), _plain(invoice.seller.vat_ref)
    if mine and theirs and mine != theirs:
        yield FieldError(field="seller", reason="has another VAT number (BT-31) than this creditor")


def _plain(number: str) -> str:
    return re.sub(r"[^0-9A-Z]", "", number.upper())


def _result(name: str, invoice: ElectronicInvoice, due_on: dt.date | None, **told: object) -> InvoiceResult:
    facts = InvoiceResult(
        file=name, number=invoice.number, is_credit=invoice.is_credit, currency=invoice.currency,
        amount=invoice.payable, due_on=due_on,
    )  # fmt: skip
    return msgspec.structs.replace(facts, **told)


# --- one debtor ---------------------------------------------------------------------------------------------------


def _open_group(
    hub: Hub, work: Work, scope: Scope, creditor_id: str, group: dict[int, _Read]
) -> dict[int, InvoiceResult]:
    """One debtor's files. A file that spoils the draft is left out, so that the others still enter."""
    places = [place for place, read in group.items() if not read.invoice.is_credit]
    if not places:
        reason = "a credit note alone opens no case; import it with the invoice that it lowers"
        return {place: _refused(read, "is_credit", reason) for place, read in group.items()}
    found = open_draft(hub, work, scope, creditor_id, _draft(group), origin="file", key=_key(group))
    bad = _bad_claims(found)
    if found.case_id is None and bad:
        refused = {
            places[index]: _result(read.name, read.invoice, read.due_on, errors=errors)
            for index, errors in bad.items()
            for read in (group[places[index]],)
        }
        rest = {place: read for place, read in group.items() if place not in refused}
        return refused | (_open_group(hub, work, scope, creditor_id, rest) if rest else {})
    if found.case_id is not None and found.is_duplicate:
        known = {claim.number for claim in locked_case(work, found.case_id).claims}
        rest = {place: read for place, read in group.items() if read.invoice.number not in known}
        if 0 < len(rest) < len(group):  # the others are new: they do not share the fate of the one that is known
            same = {place: read for place, read in group.items() if place not in rest}
            return _told(same, found) | _open_group(hub, work, scope, creditor_id, rest)
    elif found.case_id is not None:
        _keep_documents(hub, work, scope, creditor_id, found.case_id, group)
    return _told(group, found)


def _told(group: dict[int, _Read], found: Intake) -> dict[int, InvoiceResult]:
    """The same answer for every file of a group."""
    return {
        place: _result(
            read.name, read.invoice, read.due_on, case_id=found.case_id, case_number=found.number,
            is_duplicate=found.is_duplicate, errors=found.errors, warnings=read.warnings,
        )
        for place, read in group.items()
    }  # fmt: skip


def _refused(read: _Read, field: str, reason: str) -> InvoiceResult:
    return _result(read.name, read.invoice, read.due_on, errors=(FieldError(field=field, reason=reason),))


def _key(group: dict[int, _Read]) -> str:
    return min(read.sha256 for read in group.values())


def _draft(group: dict[int, _Read]) -> Draft:
    """Claims of the invoices. A credit note lowers the invoice that it names, else it stays a credit of the case."""
    first = next(iter(group.values())).invoice
    notes = [read.invoice for read in group.values() if read.invoice.is_credit]
    claims: list[DraftClaim] = []
    for read in group.values():
        invoice = read.invoice
        if invoice.is_credit or read.due_on is None:
            continue
        tied = [note for note in notes if invoice.number in note.preceding]
        notes = [note for note in notes if note not in tied]
        lowered = invoice.payable - sum((note.payable for note in tied), Decimal(0))
        if lowered <= 0:  # more is credited than asked: leave both as they are and let the draft's own rule speak
            notes, lowered = notes + tied, invoice.payable
        claims.append(
            DraftClaim(
                number=invoice.number, issued_on=invoice.issued_on, due_on=read.due_on,
                amount=max(invoice.total, invoice.payable), open_amount=lowered,
            )
        )  # fmt: skip
    return Draft(
        debtor=first.buyer, currency=first.currency, claims=tuple(claims),
        credits=sum((note.payable for note in notes), Decimal(0)),
    )  # fmt: skip


def _bad_claims(found: Intake) -> dict[int, tuple[FieldError, ...]]:
    bad: dict[int, tuple[FieldError, ...]] = {}
    for error in found.errors:
        match = _CLAIM.fullmatch(error.field)
        if match:
            index = int(match.group(1))
            bad[index] = (*bad.get(index, ()), FieldError(field=match.group(2), reason=error.reason))
    return bad


def _keep_documents(
    hub: Hub, work: Work, scope: Scope, creditor_id: str, case_id: str, group: dict[int, _Read]
) -> None:
    kept = [
        KeptDocument(
            name=read.name[-_NAME_LONGEST:], kind="invoice", media_type=read.media_type, sha256=read.sha256, size=read.size,
        )
        for read in group.values()
    ]  # fmt: skip
    add_documents(hub, work, locked_case(work, case_id), kept, actor=scope.subject)


def _keep_refused(
    hub: Hub, connection_id: str, files: Sequence[tuple[str, bytes]], results: Sequence[InvoiceResult]
) -> None:
    """What did not enter waits for a person; a file whose case is there already does not."""
    refused = [
        (content, one) for (_, content), one in zip(files, results, strict=True) if one.errors and not one.is_duplicate
    ]
    if not refused:
        return
    with hub.work() as work:
        row = read_connection(work.conn, connection_id)
        assert row is not None, "made before the import began"
        for content, one in refused:
            reason = "; ".join(f"{error.field} {error.reason}" for error in one.errors)
            sha256 = hub.evidence.keep(content)
            quarantine_row(work.conn, row, "file", sha256[:20], "intake.invoice", reason[:2000], sha256, work.now)
