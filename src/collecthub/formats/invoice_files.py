"""Reads an invoice from a file of any supported kind: UBL, CII, or a PDF with one of them inside."""

from __future__ import annotations

import msgspec
from lxml import etree

from collecthub.errors import QuarantineError
from collecthub.formats.bundled_schemas import document_of
from collecthub.formats.business_rules import rule_findings
from collecthub.formats.cii_invoice import ROOT as CII_ROOT
from collecthub.formats.cii_invoice import read_cii
from collecthub.formats.electronic_invoice import ElectronicInvoice
from collecthub.formats.factur_x import is_pdf, xml_in_pdf
from collecthub.formats.ubl_invoice import ROOTS as UBL_ROOTS
from collecthub.formats.ubl_invoice import read_ubl
from collecthub.wire.xml import parse

PDF, XML = "application/pdf", "application/xml"


def read_invoice(content: bytes, *, with_rules: bool = False) -> ElectronicInvoice:
    """The invoice in a file; `with_rules` has the business rules of EN 16931 look at it as well, which takes longer.

    Raises `QuarantineError`: `xml.*`, `pdf.*`, `invoice.unknown` for another document, `invoice.unreadable`.
    """
    root = document_of(parse(xml_in_pdf(content) if is_pdf(content) else content))
    if root.tag == CII_ROOT or root.tag in UBL_ROOTS:
        invoice = read_cii(root) if root.tag == CII_ROOT else read_ubl(root)
        return msgspec.structs.replace(invoice, broken_rules=rule_findings(root)) if with_rules else invoice
    qualified = etree.QName(root)
    raise QuarantineError(
        f"The XML is {qualified.localname[:64]!r} of namespace {(qualified.namespace or 'none')[:100]!r}, not an invoice.",
        code="invoice.unknown", cure="Give a UBL invoice or credit note, a CII invoice, or a Factur-X PDF.",
    )  # fmt: skip


def media_type_of(content: bytes) -> str:
    """What an invoice file is, for the list of documents."""
    return PDF if is_pdf(content) else XML
