"""What a debtor's banking app reads off the printed statement, told by a reader of codes that is not ours (ZXing)."""

from __future__ import annotations

from decimal import Decimal

import pypdfium2
import pytest
import zxingcpp
from money.test_statement import example

from collecthub.formats.bank.epc_code import epc_code_svg
from collecthub.model.payment_reference import find_case_numbers, find_ogm, ogm_digits, payment_reference
from collecthub.paper.statement import FORMATS

NUMBER = "CH-0ZGP-S42G-HW"


def codes(pdf: bytes) -> list[str]:
    """The texts of the codes on the first page, as an app sees them at 216 points an inch."""
    drawn = pypdfium2.PdfDocument(pdf)[0].render(scale=3, grayscale=True)
    pixels = memoryview(bytes(drawn.buffer)).cast("B", (drawn.height, drawn.stride))
    return [found.text for found in zxingcpp.read_barcodes(pixels)]


@pytest.mark.parametrize("country", ["BE", "DE"])
def test_the_code_on_the_statement_pays_this_case(country: str) -> None:
    reference = payment_reference(NUMBER, country)
    drawn = epc_code_svg(beneficiary="De Kroon", account="BE68539007547034", amount=Decimal("9258.63"), reference=reference)
    (text,) = codes(FORMATS["pdf"](example("nl", code_svg=drawn, reference=reference)))
    # EPC069-12: service tag, version, character set (1 is UTF-8), SCT, BIC, name, account, amount, purpose, reference, text
    lines = [*text.split("\n"), ""][:11]
    assert lines[:9] == ["BCD", "002", "1", "SCT", "", "De Kroon", "BE68539007547034", "EUR9258.63", ""]
    assert lines[9:] == (["", reference] if country == "BE" else [reference, ""])
    assert find_ogm(text)[0] == (ogm_digits(NUMBER),) if country == "BE" else find_case_numbers(text) == (NUMBER,)
