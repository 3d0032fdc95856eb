"""Cases from a CSV or XLSX file: upload, say which column is what, look, import."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from itertools import islice

import msgspec
from fastapi import APIRouter, Response
from starlette.datastructures import FormData, UploadFile

from collecthub.engine.intake_file import (
    DATE_FORMATS,
    OPTIONAL,
    REQUIRED,
    FileMapping,
    Imported,
    PreviewRow,
    import_file,
    preview_file,
    read_mappings,
    save_mapping,
)
from collecthub.errors import CollecthubError, ConfigurationError, PermanentError, QuarantineError
from collecthub.formats.sap_files import read_table
from collecthub.store.queries.case_file import check_creditor
from collecthub.store.queries.names import creditor_names
from collecthub.web.portal.entered import Entered, EnteredError
from collecthub.web.portal.pages import CreditorSide, Form, PageRoute, Visitor, page

router = APIRouter(prefix="/imports", route_class=PageRoute, include_in_schema=False)

FIELDS: Mapping[str, str] = {
    "debtor_name": "Debtor's name", "number": "Invoice number", "due_on": "Due date", "amount": "Amount",
    "currency": "Currency", "open_amount": "Open amount", "issued_on": "Invoice date",
    "debtor_ref": "Customer number", "debtor_kind": "Company, person or public", "country": "Country",
    "vat_ref": "VAT number", "email": "E-mail",
    "phone": "Phone", "street": "Street", "postcode": "Postcode", "city": "City", "language": "Language",
}  # fmt: skip
# Words that headers use, without spaces and signs, per field. A guess fills the form; a person confirms it.
_HEADERS: Mapping[str, str] = {
    "debtor_name": "debtorname debtor customername customer name klant klantnaam client nom kunde",
    "number": "invoicenumber invoice number invoiceno factuurnummer factuur facture rechnung invoiceid",
    "due_on": "duedate due dueon vervaldatum echeance faellig dueindate",
    "amount": "amount total invoiceamount bedrag montant betrag totalopenamount",
    "open_amount": "openamount open outstanding saldo solde balance",
    "issued_on": "invoicedate issuedon date factuurdatum documentcreatedate",
    "currency": "currency invoicecurrency valuta devise waehrung",
    "debtor_ref": "customernumber custnumber debtorref customerid klantnummer customerno",
    "country": "country countrycode land pays", "vat_ref": "vat vatnumber btw btwnummer tva",
    "email": "email mail", "phone": "phone telephone telefoon tel", "street": "street address straat rue",
    "postcode": "postcode zip zipcode plz", "city": "city town gemeente ville stadt",
    "language": "language taal langue",
    "debtor_kind": "kind type debtorkind",
}  # fmt: skip
_ROWS_SHOWN = 200


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A file between two pages: kept by its hash, carried by a token that only this tenant can use."""

    sha256: str
    name: str


@router.get("")
def show(visitor: CreditorSide) -> Response:
    """Choose a file."""
    return _first_page(visitor)


def _first_page(visitor: Visitor, problem: CollecthubError | None = None) -> Response:
    with visitor.hub.database.read() as conn:
        creditors = creditor_names(conn, visitor.scope)
        saved = read_mappings(conn, visitor.scope)
    return page(
        visitor,
        "imports.html",
        status=422 if problem else 200,
        creditors=creditors,
        saved=saved,
        problem=problem,
    )


@router.post("/preview")
def preview(visitor: CreditorSide, form: Form) -> Response:
    """The first rows as they would be read, and the columns to correct."""
    try:
        upload, content = _received(visitor, form)
        headers = _headers(content, upload.name)
    except (PermanentError, QuarantineError, ConfigurationError) as error:
        return _first_page(visitor, error)
    entered = Entered(form)
    if "date_format" not in entered.given:
        entered.given.update(_guess(visitor, entered.given.get("mapping_id", ""), headers))
    return _mapping_page(visitor, upload, content, headers, entered)


@router.post("")
def import_now(visitor: CreditorSide, form: Form) -> Response:
    """Open the cases; say what became of every row."""
    entered = Entered(form)
    try:
        upload, content = _received(visitor, form)
        headers = _headers(content, upload.name)
    except (PermanentError, QuarantineError, ConfigurationError) as error:
        return _first_page(visitor, error)
    try:
        mapping = _mapping(entered, headers)
        creditor_id = _creditor(visitor, entered)
        if mapping.name:
            with visitor.hub.work() as work:
                save_mapping(work, visitor.scope, creditor_id, mapping)
        found = import_file(visitor.hub, visitor.scope, creditor_id, content, upload.name, mapping)
    except (PermanentError, QuarantineError) as error:
        return _mapping_page(visitor, upload, content, headers, entered, error)
    return _result_page(visitor, upload, found)


# --- the file between pages -----------------------------------------------------------------------


def _received(visitor: Visitor, form: FormData) -> tuple[Upload, bytes]:
    """The uploaded file, or the one that an earlier page already holds."""
    file, token = form.get("file"), form.get("upload")
    if isinstance(file, UploadFile) and (content := file.file.read()):
        name = re.sub(r"[\x00-\x1f\x7f/\\]+", "_", file.filename or "file")[-140:]
        return Upload(sha256=visitor.hub.evidence.keep(content), name=name), content
    if isinstance(token, str) and token:
        upload = _unsealed(visitor, token)
        return upload, visitor.hub.evidence.read(upload.sha256)
    raise PermanentError("No file was chosen", cure="Choose a CSV or XLSX file that is not empty.")


def _sealed(visitor: Visitor, upload: Upload) -> str:
    sealed = visitor.hub.key.seal(msgspec.json.encode(upload).decode(), "upload", visitor.scope.tenant)
    return base64.urlsafe_b64encode(sealed).decode()


def _unsealed(visitor: Visitor, token: str) -> Upload:
    try:
        plain = visitor.hub.key.unseal(base64.urlsafe_b64decode(token), "upload", visitor.scope.tenant)
        return msgspec.json.decode(plain, type=Upload)
    except (ConfigurationError, binascii.Error, ValueError) as error:
        raise PermanentError("The file is not at hand any more", cure="Choose it again.") from error


def _headers(content: bytes, name: str) -> tuple[str, ...]:
    first = next(iter(islice(read_table(content, name), 1)), None)
    if first is None:
        raise PermanentError(f"The file {name} has no rows below its header", cure="Choose another file.")
    return tuple(first.cells)


# --- the mapping ----------------------------------------------------------------------------------


def _guess(visitor: Visitor, mapping_id: str, headers: Sequence[str]) -> dict[str, str]:
    """Form values to begin with: a saved mapping, or what the headers look like."""
    with visitor.hub.database.read() as conn:
        saved = next(
            (entry for entry in read_mappings(conn, visitor.scope) if entry.mapping_id == mapping_id), None
        )
    if saved is not None:
        mapping = saved.mapping
        return {
            **{f"column.{field}": column for field, column in mapping.columns.items() if column in headers},
            **{f"default.{field}": value for field, value in mapping.defaults.items()},
            "date_format": mapping.date_format,
            "decimal_mark": mapping.decimal_mark,
            "mapping_name": mapping.name,
        }
    found: dict[str, str] = {"date_format": "YYYY-MM-DD", "decimal_mark": "."}
    for header in headers:
        plain = re.sub(r"[^a-z0-9]", "", header.casefold())
        for field, known in _HEADERS.items():
            if plain in known.split() and f"column.{field}" not in found:
                found[f"column.{field}"] = header
                break
    return found


def _mapping(entered: Entered, headers: Sequence[str]) -> FileMapping:
    """The mapping that the form describes. Raises `EnteredError`."""
    columns, defaults = {}, {}
    for field in (*REQUIRED, *OPTIONAL):
        column = entered.choice(f"column.{field}", ("", *headers))
        fallback = entered.text(f"default.{field}", longest=300)
        if column:
            columns[field] = column
        if fallback:
            defaults[field] = fallback
        if field in REQUIRED and not column and not fallback:
            entered.wrong[f"column.{field}"] = "Choose a column or a fixed value."
    mapping = FileMapping(
        name=entered.text("mapping_name", longest=140),
        columns=columns,
        defaults=defaults,
        date_format=entered.choice("date_format", DATE_FORMATS),
        decimal_mark=entered.choice("decimal_mark", (".", ",")),
    )
    entered.check()
    return mapping


def _creditor(visitor: Visitor, entered: Entered) -> str:
    creditor_id = visitor.scope.creditor_id or entered.text("creditor_id", required=True, longest=64)
    entered.check()
    with visitor.hub.database.read() as conn:
        check_creditor(conn, visitor.scope, creditor_id)
    return creditor_id


# --- pages ----------------------------------------------------------------------------------------


def _mapping_page(
    visitor: Visitor,
    upload: Upload,
    content: bytes,
    headers: Sequence[str],
    entered: Entered,
    problem: CollecthubError | None = None,
) -> Response:
    rows: tuple[PreviewRow, ...] = ()
    if problem is None:
        try:
            rows = preview_file(content, upload.name, _mapping(entered, headers))
        except (EnteredError, QuarantineError, PermanentError) as error:
            problem = error
    with visitor.hub.database.read() as conn:
        creditors = creditor_names(conn, visitor.scope)
    return page(
        visitor,
        "mapping.html",
        status=422 if problem else 200,
        upload=upload,
        token=_sealed(visitor, upload),
        columns=headers,
        given=entered.given,
        wrong=entered.wrong,
        rows=rows,
        problem=problem,
        creditors=creditors,
        fields=FIELDS,
        required=REQUIRED,
        date_formats=tuple(DATE_FORMATS),
        bad=sum(bool(row.errors) for row in rows),
    )


def _result_page(visitor: Visitor, upload: Upload, found: Imported) -> Response:
    refused = [result for result in found.results if result.errors]
    opened = {
        result.case_id: result for result in reversed(found.results) if result.case_id and not result.errors
    }
    return page(
        visitor,
        "imported.html",
        upload=upload,
        found=found,
        refused=refused[:_ROWS_SHOWN],
        opened=list(reversed(opened.values()))[:_ROWS_SHOWN],
        shown=_ROWS_SHOWN,
    )
