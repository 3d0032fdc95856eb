"""Papers of money: the cost statement as PDF, and receipts given and reversed on the account page."""

from __future__ import annotations

import re

import pypdfium2
from lxml import html
from payments.bank_samples import paid

from collecthub.store.queries.scope import Role
from remittance.conftest import Till
from remittance.test_money_out_doors import post, submit, visitor, words


def text_of(content: bytes) -> str:
    document = pypdfium2.PdfDocument(content)
    said = " ".join(page.get_textpage().get_text_range() for page in document).replace("\u200b", "")
    return re.sub(r"\s+", " ", said)


def test_the_cost_statement_on_paper(till: Till) -> None:
    till.agree(minimum_fee="0.00")
    till.bank(paid("100.00", text=till.case("100.00")["number"]))
    post(till, "operator", "/remittances", {})
    june = {"from_on": "2026-06-01", "until": "2026-06-30", "format": "pdf", "language": "nl"}
    found = till.office.client("kroon").get("/api/v1/cost-statement/file", params=june)
    said = text_of(found.content)
    assert "Kostenstaat" in said and "Brouwerij De Kroon" in said and "de schuldeiser" in said
    # by hand: 10 % of 100.00 is 10.00, 21 % of it 2.10, together 12.10
    assert "\u20ac 10,00" in said and "\u20ac 2,10" in said and "\u20ac 12,10" in said and "RM-2026-000001" in said
    other = text_of(till.office.client("other").get("/api/v1/cost-statement/file", params=june).content)
    assert "Geen kosten." in other and "Kroon" not in other
    client = visitor(till, Role.CREDITOR)
    links = html.fromstring(client.get("/costs").text).xpath("//a[contains(@href, 'as_pdf=fr')]/@href")
    assert "Relev\u00e9 des frais" in text_of(client.get(links[0]).content)


def test_a_receipt_on_the_account_page(till: Till) -> None:
    case = till.case("100.00")
    client, path = visitor(till, Role.OPERATOR), f"/cases/{case['case_id']}"
    given = {"amount": "40,00", "means": "cash", "place": "visit", "received_on": "2026-06-12", "received_by": "Ann"}
    form = next(one for one in html.fromstring(client.get(f"{path}/account").text).forms if one.action == f"{path}/receipts")
    opened = {**dict(form.form_values()), **given}
    assert "The money is booked." in client.post(f"{path}/receipts", data=opened).text
    again = client.post(f"{path}/receipts", data=opened)  # a second click, or the page of another window
    assert (again.status_code, "the case changed since this page was opened" in again.text) == (422, True)
    shown = html.fromstring(client.get(f"{path}/account").text)
    (link,) = shown.xpath("//section[@aria-labelledby='taken']//a/@href")
    assert "€40.00" in text_of(client.get(link).content)
    assert "60.00" in shown.xpath("string(//span[@class='figure-value'])")
    assert "RC-2026-000001" in words(client, f"{path}/account")
    wrong = submit(client, f"{path}/account", f"{path}/receipts", **{**given, "amount": "61.00"})
    assert "only 60.00 EUR is owed" in wrong
    wrong = submit(client, f"{path}/account", f"{path}/receipts", **{**given, "means": "card"})
    assert "Fill this in." in wrong
    reverse = shown.xpath("//form[contains(@action, '/reverse')]/@action")[0]
    assert "The receipt is reversed" in submit(client, f"{path}/account", reverse, reason="a wrong note")
    assert "reversed on" in words(client, f"{path}/account")
    creditor = visitor(till, Role.CREDITOR)
    assert "Cash and card" not in words(creditor, f"{path}/account")
    assert creditor.post(f"{path}/receipts", data=opened).status_code == 403
