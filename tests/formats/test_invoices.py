"""Electronic invoices of the norm's own examples: what a parser that is not ours finds is what we read."""

from __future__ import annotations

import datetime as dt
import io
import re
import zlib
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest
import typst
from pypdf import PdfWriter
from pypdf.generic import NameObject, StreamObject

from collecthub.errors import QuarantineError
from collecthub.formats.cii_invoice import fitting_profiles
from collecthub.formats.electronic_invoice import ElectronicInvoice
from collecthub.formats.factur_x import xml_in_pdf
from collecthub.formats.invoice_files import read_invoice
from collecthub.wire.xml import parse

FOLDERS = ("formats/en16931/ubl-examples", "formats/en16931/cii-examples", "formats/peppol-bis3/examples")


def examples(shared_data: Path) -> list[Path]:
    found = sorted(path for folder in FOLDERS for path in (shared_data / folder).glob("*.xml"))
    assert len(found) == 26
    return found


def said(content: bytes, name: str) -> str:
    """The text of the last element with this local name, as Expat finds it."""
    tree = ElementTree.fromstring(content)
    return [found.text or "" for found in tree.iter() if found.tag.rpartition("}")[2] == name][-1].strip()


def test_every_example_of_the_norm_and_of_peppol_imports(shared_data: Path) -> None:
    for path in examples(shared_data):
        content = path.read_bytes()
        invoice = read_invoice(content)
        payable = "PayableAmount" if invoice.syntax == "UBL" else "DuePayableAmount"
        assert invoice.payable == Decimal(said(content, payable)), path.name
        assert invoice.number, path.name
        assert invoice.buyer.name, path.name
        assert invoice.seller.name, path.name
        assert re.fullmatch("[A-Z]{3}", invoice.currency), path.name
        assert invoice.faults == (), path.name
        assert invoice.is_credit == ("credit" in path.name), path.name


def example(shared_data: Path, name: str) -> ElectronicInvoice:
    return read_invoice(next(path for path in examples(shared_data) if path.name == name).read_bytes())


def test_the_same_invoice_in_both_syntaxes_says_the_same(shared_data: Path) -> None:
    """Examples 1 and 2 of the norm exist twice."""
    for number in (1, 2):
        ubl = example(shared_data, f"ubl-tc434-example{number}.xml")
        cii = example(shared_data, f"CII_example{number}.xml")
        for field in ("number", "issued_on", "due_on", "currency", "total", "paid", "payable", "is_credit"):
            assert getattr(ubl, field) == getattr(cii, field), (number, field)
        assert ubl.buyer.name == cii.buyer.name
        assert ubl.buyer.address.country == cii.buyer.address.country


def test_one_example_field_by_field(shared_data: Path) -> None:
    """Read off the file by a person."""
    invoice = example(shared_data, "ubl-tc434-example2.xml")
    assert (invoice.number, invoice.issued_on, invoice.due_on) == ("TOSL108", dt.date(2013, 6, 30), dt.date(2013, 7, 20))
    assert (invoice.total, invoice.paid, invoice.payable, invoice.currency) == (
        Decimal("1801.78"), Decimal("1000.00"), Decimal("801.78"), "NOK",
    )  # fmt: skip
    buyer = invoice.buyer
    assert (buyer.name, buyer.vat_ref) == ("The Buyercompany", "NO987654321MVA")
    assert buyer.address.lines == ("Anystreet 8", "Back door")
    assert (buyer.address.postcode, buyer.address.city, buyer.address.country) == ("101", "Anytown", "NO")


def test_a_due_date_that_is_not_stated_stays_unknown(shared_data: Path) -> None:
    for name in ("vat-category-O.xml", "ubl-tc434-creditnote1.xml"):
        assert example(shared_data, name).due_on is None


def test_a_credit_note_names_the_invoice_that_it_lowers(shared_data: Path) -> None:
    note = example(shared_data, "base-creditnote-correction.xml")
    assert (note.is_credit, note.type_code, note.preceding) == (True, "381", ("Snippet1",))


def test_factur_x_profiles_are_told_apart_by_their_schemas(shared_data: Path) -> None:
    counts: dict[str, int] = {}
    for path in (shared_data / "formats/en16931/cii-examples").glob("*.xml"):
        for profile in fitting_profiles(parse(path.read_bytes())):
            counts[profile] = counts.get(profile, 0) + 1
    assert counts == {"en16931": 10, "extended": 10}


def test_the_schema_is_asked_but_does_not_stop_the_reading(shared_data: Path) -> None:
    content = (shared_data / "formats/en16931/cii-examples/CII_example1.xml").read_bytes()
    broken = content.replace(b"<ram:TypeCode>380</ram:TypeCode>", b"<ram:Kind>380</ram:Kind><ram:TypeCode>380</ram:TypeCode>", 1)
    invoice = read_invoice(broken)
    assert invoice.number == "12115118"
    assert any("Kind" in fault.message and fault.line > 1 for fault in invoice.faults)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"<cbc:ID>TOSL108</cbc:ID>", b"", "BT-1"),
        (b"2013-06-30", b"2013-06-31", "BT-2"),
        (b">801.78<", b">8e2<", "BT-115"),
        (b">801.78<", b">NaN<", "BT-115"),
    ],
)
def test_what_an_invoice_cannot_lack_is_named(old: bytes, new: bytes, reason: str, shared_data: Path) -> None:
    content = (shared_data / "formats/en16931/ubl-examples/ubl-tc434-example2.xml").read_bytes()
    assert old in content
    with pytest.raises(QuarantineError, match=reason) as refusal:
        read_invoice(content.replace(old, new))
    assert refusal.value.code == "invoice.unreadable"


def test_another_document_is_no_invoice(shared_data: Path) -> None:
    content = (shared_data / "formats/ubl-2.1/samples/UBL-Reminder-2.1-Example.xml").read_bytes()
    with pytest.raises(QuarantineError, match="'Reminder'") as refusal:
        read_invoice(content)
    assert refusal.value.code == "invoice.unknown"


# --- PDF ------------------------------------------------------------------------------------------------------------


def typeset(xml: Path, name: str) -> bytes:
    """A PDF/A-3 with the file inside, made by Typst's own attachment."""
    source = f'#pdf.attach("{name}", read("{xml.name}", encoding: none), mime-type: "text/xml", description: "Invoice data")\nInvoice'
    return typst.compile(source.encode(), root=str(xml.parent), format="pdf", pdf_standards="a-3b")


def with_attachments(*parts: tuple[str, bytes]) -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    for name, content in parts:
        writer.add_attachment(name, content)
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


@pytest.mark.parametrize("name", ["factur-x.xml", "ZUGFeRD-invoice.xml"])
def test_an_invoice_inside_a_pdf_is_the_invoice(name: str, shared_data: Path, tmp_path: Path) -> None:
    source = tmp_path / "invoice.xml"
    source.write_bytes((shared_data / "formats/en16931/cii-examples/CII_example1.xml").read_bytes())
    assert read_invoice(typeset(source, name)) == read_invoice(source.read_bytes())


def test_pdfs_that_cannot_be_trusted_are_refused_each_with_its_reason() -> None:
    refused = {
        "pdf.no_invoice": with_attachments(("notes.xml", b"<x/>")),
        "pdf.two_invoices": with_attachments(("factur-x.xml", b"<x/>"), ("xrechnung.xml", b"<x/>")),
        "pdf.malformed": b"%PDF-1.7\nnot really\n%%EOF",
        "pdf.limit": with_attachments(("factur-x.xml", b" " * 10_000_001)),
        "xml.doctype": with_attachments(("factur-x.xml", b"<!DOCTYPE x><x/>")),
    }
    for code, content in refused.items():
        with pytest.raises(QuarantineError) as refusal:
            read_invoice(content)
        assert refusal.value.code == code


def test_a_pdf_cut_anywhere_is_refused_and_never_breaks_the_reader() -> None:
    whole = with_attachments(("factur-x.xml", b"<x/>"))
    for length in range(20, len(whole), 97):
        with pytest.raises(QuarantineError):
            read_invoice(whole[:length])
    assert xml_in_pdf(whole) == b"<x/>"


def test_a_pdf_that_unpacks_to_hundreds_of_megabytes_is_refused() -> None:
    """100 KB that become 100 MB: the reader stops at its limit."""
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.add_attachment("factur-x.xml", b"<x/>")
    (part,) = (one for one in writer._objects if isinstance(one, StreamObject) and one.get("/Type") == "/EmbeddedFile")
    part._data = zlib.compress(b" " * 100_000_000, 1)
    part[NameObject("/Filter")] = NameObject("/FlateDecode")
    stream = io.BytesIO()
    writer.write(stream)
    assert len(stream.getvalue()) < 1_000_000
    with pytest.raises(QuarantineError) as refusal:
        read_invoice(stream.getvalue())
    assert refusal.value.code == "pdf.limit"
