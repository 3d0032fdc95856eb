"""Invoices in PDF with the same invoice as XML inside: Factur-X, ZUGFeRD, XRechnung in PDF."""

from __future__ import annotations

import io

from pypdf import PdfReader
from pypdf.errors import LimitReachedError, PyPdfError

from collecthub.errors import QuarantineError

NAMES = ("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml", "order-x.xml")
PDF_BYTES_MOST = 25_000_000
XML_BYTES_MOST = 10_000_000
_START = b"%PDF-"


def is_pdf(content: bytes) -> bool:
    """Whether the bytes begin like a PDF (some writers put a few bytes before it)."""
    return _START in content[:1024]


def xml_in_pdf(content: bytes) -> bytes:
    """The invoice inside a PDF, by the names that the standards prescribe.

    Raises `QuarantineError`: `pdf.limit`, `pdf.malformed`, `pdf.no_invoice`, `pdf.two_invoices`.
    """
    if len(content) > PDF_BYTES_MOST:
        raise _refused("limit", f"The PDF has {len(content)} bytes; at most {PDF_BYTES_MOST} are read.")
    try:
        attached = PdfReader(io.BytesIO(content), strict=False).attachments
        found = [part for name in attached if name.lower() in NAMES for part in attached[name]]
    except LimitReachedError as error:
        raise _refused("limit", "The PDF unpacks to more than an invoice needs.") from error
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        # A damaged PDF breaks its reader in many ways; whatever it is, the bytes are kept and a person is told.
        raise _refused("malformed", f"The PDF cannot be read ({type(error).__name__}).") from error
    if not found:
        raise _refused("no_invoice", f"The PDF holds no invoice as data (none of {', '.join(NAMES[:3])}).")
    if len(found) > 1:
        raise _refused("two_invoices", f"The PDF holds {len(found)} invoices as data; which one counts is unknown.")
    if len(found[0]) > XML_BYTES_MOST:
        raise _refused("limit", f"The invoice in the PDF has {len(found[0])} bytes; at most {XML_BYTES_MOST} are read.")
    return bytes(found[0])


def _refused(code: str, reason: str) -> QuarantineError:
    return QuarantineError(reason, code=f"pdf.{code}", cure="Ask the sender for a Factur-X or for the XML itself.")
