"""Reads an invoice from a file of any supported kind: UBL, CII, or a PDF with one of them inside."""

from __future__ import annotations

from lxml import etree

from collecthub.errors import QuarantineError
from collecthub.formats.bundled_schemas import document_of
from collecthub.formats.cii_invoice import ROOT as CII_ROOT
from collecthub.formats.cii_invoice import read_cii
from collecthub.formats.electronic_invoice import ElectronicInvoice
from collecthub.formats.factur_x import is_pdf, xml_in_pdf
from collecthub.formats.ubl_invoice import ROOTS as UBL_ROOTS
from collecthub.formats.ubl_invoice import read_ubl
from collecthub.wire.xml import parse

PDF, XML = "application/pdf", "application/xml"


def read_invoice(content: bytes) -> ElectronicInvoice:
    """The invoice in a file.

    Raises `QuarantineError`: `xml.*`, `pdf.*`, `invoice.unknown` for another document, `invoice.unreadable`.
    """
    root = document_of(parse(xml_in_pdf(content) if is_pdf(content) else content))
    if root.tag == CII_ROOT:
        return read_cii(root)
    if root.tag in UBL_ROOTS:
        return read_ubl(root)
    qualified = etree.QName(root)
    raise QuarantineError(
        f"The XML is {qualified.localname[:64]!r} of namespace {(qualified.namespace or 'none')[:100]!r}, not an invoice.",
        code="invoice.unknown", cure="Give a UBL invoice or credit note, a CII invoice, or a Factur-X PDF.",
    )  # fmt: skip


def media_type_of(content: bytes) -> str:
    """What an invoice file is, for the list of documents."""
    return PDF if is_pdf(content) else XML
