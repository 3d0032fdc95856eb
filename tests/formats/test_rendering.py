"""What people read: the HTML is escaped and closed to the outside, the PDF says every value and prints no box."""

from __future__ import annotations

import io
from html.parser import HTMLParser

import msgspec
import pypdfium2
import pytest
from pypdf import PdfReader

from collecthub.errors import PermanentError, QuarantineError
from collecthub.formats.rendering import HtmlRendering, PdfRendering
from collecthub.model.exchange import Exchange
from collecthub.model.party import Address, Party
from collecthub.paper import pdf
from formats.exchanges import MOMENT, case_file, exchange, payment, told_case_file

ARABIC = "شركة الأمل للتجارة"
HOSTILE = '<script>alert(1)</script> #let x = 1 *bold* $x$ {{ 7 * 7 }} "\' &amp;'


def everything() -> Exchange:
    """A case file with scripts of four alphabets and a debtor who tries markup."""
    file = case_file()
    debtors = (*file.debtors, Party(name=ARABIC, country="AE", address=Address(lines=("12 شارع",), city="دبي")))
    file = msgspec.structs.replace(file, debtors=debtors, remarks=f"{HOSTILE}\nКиїв, Łódź", dunning_level=2)
    return msgspec.structs.replace(exchange(file), is_test=True)


class Page(HTMLParser):
    """Everything that a browser would show, load or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.shown: list[str] = []
        self.tags: set[str] = set()
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href") or name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.shown.append(data.strip())


def pdf_text(content: bytes) -> str:
    """The text of all pages as a reader that is not ours extracts it, in one line."""
    document = pypdfium2.PdfDocument(content)
    try:
        pages = [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()
    return " ".join(" ".join(pages).split())


def test_the_html_shows_every_text_as_text_and_loads_nothing() -> None:
    page = Page(HtmlRendering().encode(everything()).decode())
    assert page.loaded == []
    assert not {"script", "link", "img", "iframe"} & page.tags
    shown = " ".join(page.shown)
    for text in (HOSTILE, ARABIC, "Ο Παπαδόπουλος <b>", "150.10 EUR", "2026-03-01", "TEST: this exchange is for trial only"):
        assert text in shown, text
    assert "default-src 'none'" in HtmlRendering().encode(everything()).decode()


def test_the_pdf_says_what_the_case_file_says() -> None:
    text = pdf_text(PdfRendering().encode(everything()))
    for value in (
        "Case file BE-2026-000123", "Šabac & Zonen NV", "Ο Παπαδόπουλος <b>", "150.10 EUR", "-10.00 EUR", "60.10 EUR",
        "2026-03-02", "BE71096123456769", "Factuur 2026-1.pdf", "TEST: this exchange is for trial only",
        "<script>alert(1)</script> #let x = 1 *bold* $x$ {{ 7 * 7 }}", "Київ, Łódź", "1 / 2",
    ):  # fmt: skip
        assert value in text, value


def test_the_pdf_is_archivable_tagged_and_the_same_every_time() -> None:
    content = PdfRendering().encode(everything())
    assert content == PdfRendering().encode(everything())
    reader = PdfReader(io.BytesIO(content))
    metadata = reader.xmp_metadata
    assert metadata is not None
    assert (reader.metadata or {})["/Title"] == "Case file BE-2026-000123"
    assert str(reader.trailer["/Root"]["/MarkInfo"]["/Marked"]) == "True"  # type: ignore[index]  # loosely typed
    assert b"<pdfaid:part>2</pdfaid:part>" in content
    assert b"<pdfaid:conformance>A</pdfaid:conformance>" in content


def test_every_font_is_inside_the_pdf() -> None:
    reader = PdfReader(io.BytesIO(PdfRendering().encode(everything())))
    names: set[str] = set()
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]  # pypdf types objects loosely
            names.add(str(font.get_object()["/BaseFont"]).partition("+")[2])
    assert any("NotoSansArabic" in name for name in names)
    assert all(name.startswith("NotoSans") for name in names), names


def test_a_character_that_no_font_has_is_refused_and_never_printed_as_a_box() -> None:
    """A private-use character is in no font; the one of a machine without extra fonts is the same case."""
    file = msgspec.structs.replace(case_file(), remarks="sign \U0010fffd here")
    with pytest.raises(PermanentError, match="no font on this machine has") as refusal:
        PdfRendering().encode(exchange(file))
    assert "HTML" in refusal.value.cure


def test_a_long_reference_stays_on_the_paper() -> None:
    """The rightmost ink of a page with a reference of 140 characters is inside its margin."""
    claim = msgspec.structs.replace(case_file().claims[0], invoice_ref="X" * 140)
    file = msgspec.structs.replace(case_file(), claims=(claim, case_file().claims[1]))
    document = pypdfium2.PdfDocument(PdfRendering().encode(exchange(file)))
    texts = [page.get_textpage() for page in document]
    rights = [text.get_rect(place)[2] for text in texts for place in range(text.count_rects())]
    width = document[0].get_width()
    for text in texts:
        text.close()
    document.close()
    assert max(rights) < width - 50


def test_what_stands_beside_the_claims_is_told_in_words() -> None:
    """Titles, orders, earlier reminders, interest and the account of a case file, the same on the page and on paper."""
    said = exchange(told_case_file())
    for text in (" ".join(Page(HtmlRendering().encode(said).decode()).shown), pdf_text(PdfRendering().encode(said))):
        flat = " ".join(text.split())
        for words in (
            "judgment, Vredegerecht Gent, 2026-05-04", "served on 2026-05-08", "certificate for use abroad: eeo", "for 2026/1",
            "The creditor allowed costs of 500.00 EUR.", "10.5 %", "from 2026-03-02", "3.02 EUR", "2026-03-24", "letter",
            "2026/2: titled cost; part III; arose from 2026/1", "2026/1: for goods", "Total on 2026-06-15", "153.12 EUR", "-10.00 EUR",
        ):  # fmt: skip
            assert words in flat, words
        assert "Surcharges" not in flat


def test_other_messages_are_shown_field_by_field() -> None:
    text = pdf_text(PdfRendering().encode(exchange(payment(1), payment(2))))
    assert "2 messages" in text
    assert "Payment report case-2" in text
    assert text.count("12.50 EUR") == 2


def test_an_account_can_be_copied_in_one_piece() -> None:
    text = pypdfium2.PdfDocument(PdfRendering().encode(exchange(case_file())))[0].get_textpage().get_text_range()
    assert "BE71096123456769" in text


@pytest.mark.parametrize("rendering", [HtmlRendering(), PdfRendering()], ids=["html", "pdf"])
def test_a_rendering_is_not_read_back(rendering: HtmlRendering | PdfRendering) -> None:
    with pytest.raises(QuarantineError) as refusal:
        rendering.decode(b"")
    assert refusal.value.code == "rendering.one_way"


def test_a_mistake_in_a_template_is_not_taken_for_a_missing_font() -> None:
    with pytest.raises(Exception, match="unknown variable"):
        pdf.print_pdf(b"#no-such-thing", {}, MOMENT)
