"""Invoice PDFs of billing documents. Invoices that were entered in accounting by hand have none."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence

import msgspec

from collecthub.sdk import InvoiceDocument, PermanentError
from collecthub_erp_sap.client import SapClient
from collecthub_erp_sap.cube import ref_of
from collecthub_erp_sap.odata import literal
from collecthub_erp_sap.open_items import OpenItemReader
from collecthub_erp_sap.settings import S4Settings

_PDF = b"%PDF-"


class _Binary(msgspec.Struct):
    content: str = msgspec.field(name="BillingDocumentBinary", default="")


class _PdfAnswer(msgspec.Struct):
    """SAP wraps a function's answer in its name; some gateways do not."""

    wrapped: _Binary = msgspec.field(name="GetPDF", default_factory=_Binary)
    content: str = msgspec.field(name="BillingDocumentBinary", default="")


class _Envelope(msgspec.Struct):
    d: _PdfAnswer


_ENVELOPE = msgspec.json.Decoder(_Envelope)


class DocumentReader:
    """Reads the PDFs of one connection."""

    def __init__(self, client: SapClient, items: OpenItemReader, settings: S4Settings) -> None:
        self._client = client
        self._items = items
        self._path = f"{settings.billing_path}/GetPDF"

    def documents(self, item_refs: Sequence[str]) -> Iterator[InvoiceDocument]:
        """The PDFs there are. SAP may print an invoice hours after posting it, so a missing one is only left out."""
        for row in self._items.by_refs(item_refs):
            content = self._pdf(row.billing_document) if row.billing_document else b""
            if content.startswith(_PDF):
                yield InvoiceDocument(
                    item_ref=ref_of(row),
                    name=f"{row.reference or row.billing_document}.pdf".replace("/", "-"),
                    media_type="application/pdf",
                    content=content,
                )

    def _pdf(self, billing_document: str) -> bytes:
        options = {"BillingDocument": literal(billing_document), "$format": "json"}
        try:
            answer = self._client.read(self._path, options, _ENVELOPE).d
        except PermanentError:  # no output exists for this document, at least not yet
            return b""
        try:
            return base64.b64decode(answer.wrapped.content or answer.content, validate=True)
        except binascii.Error:
            return b""
