"""What people do in the portal, done in Chromium against the served application."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from collecthub.store import tables as t
from collecthub.store.case_log import read_cases
from collecthub.testing.inline import run_until_idle
from portal.conftest import LogIn
from portal.town import PASSWORD, RUNS_IF_NOT_TEXT, Town

pytestmark = pytest.mark.browser


# --- login ----------------------------------------------------------------------------------------


def test_a_stranger_is_led_to_the_login_and_back_to_what_he_wanted(
    new_page: Callable[..., Page], url: str
) -> None:
    page = new_page()
    page.goto(f"{url}/cases?q=F-10001")
    assert "/login?next=" in page.url
    page.get_by_label("E-mail address").fill("operator@town.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}/cases?q=F-10001")
    expect(page.get_by_role("link", name="Bakkerij Van den Broeck BV")).to_be_visible()


def test_wrong_passwords_are_answered_alike_and_then_slowed_down(
    new_page: Callable[..., Page], url: str
) -> None:
    page = new_page()
    for email in ("nobody@town.example", "lumen@town.example"):
        _try(page, url, email, "not the password")
        expect(page.get_by_role("alert")).to_contain_text("The e-mail address or the password is wrong")
    form = {"email": "nobody@town.example", "password": "not the password"}
    for _ in range(5):
        page.request.post(f"{url}/login", form=form)
    alert = page.get_by_role("alert")
    for _ in range(6):  # waits double from one second on, so even a slow machine is caught by one
        _try(page, url, "nobody@town.example", "not the password")
        if "Too many" in alert.inner_text():
            break
    expect(alert).to_contain_text(re.compile(r"Too many tries.* Try again in \d+ seconds"))
    _try(page, url, "lumen@town.example", PASSWORD)  # somebody else is not locked out
    page.wait_for_url(f"{url}/")


def _try(page: Page, url: str, email: str, password: str) -> None:
    page.goto(f"{url}/login")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_load_state()


def test_logging_out_ends_the_session(log_in: LogIn, url: str) -> None:
    page = log_in(fresh=True)
    cookies = page.context.cookies()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url(f"{url}/login")
    page.context.add_cookies(cookies)  # a copied cookie opens nothing any more
    page.goto(f"{url}/cases")
    assert "/login" in page.url


# --- reading --------------------------------------------------------------------------------------


def test_the_overview_adds_up_to_the_open_cases(log_in: LogIn, town: Town) -> None:
    page = log_in("kroon")
    with town.hub.database.read() as conn:  # other tests of the folder open cases in this town too
        cases = read_cases(conn, (t.cases.c.creditor_id == "kroon") & (t.cases.c.currency == "EUR"))
    open_amount = sum((case.balance.total for case in cases if case.is_open), Decimal(0))
    expect(page.locator(".figure").first).to_contain_text(f"{open_amount:,.2f}")
    for title in ("Open by phase", "Open by age", "Open by country"):
        rows = page.get_by_role("region", name=title).locator("tbody tr .amount .money").all_inner_texts()
        assert sum(Decimal(re.sub(r"[^0-9.]", "", row)) for row in rows) == open_amount
        assert page.get_by_role("region", name=title).get_by_role("img").count() == len(rows)
    expect(page.get_by_role("region", name="Recovered by month").get_by_role("img")).to_have_count(12)
    assert page.get_by_role("img", name="May 2026: 3,500.00 EUR").count() == 1


@pytest.mark.parametrize(
    "words", ["van den broeck", "F-10001", "D-10001", "CH-"], ids=["debtor", "invoice", "reference", "number"]
)
def test_one_search_box_finds_a_case(log_in: LogIn, town: Town, words: str) -> None:
    page = log_in()
    wanted = town.case_of("10001")
    box = page.get_by_role("searchbox", name=re.compile("Search cases"))
    box.fill(wanted.number if words == "CH-" else words)
    box.press("Enter")
    link = page.get_by_role("link", name="Bakkerij Van den Broeck BV")
    expect(link).to_have_attribute("href", f"/cases/{wanted.case_id}")
    assert page.locator("table.list tbody tr").count() == 1


def test_filters_narrow_the_list(log_in: LogIn) -> None:
    page = log_in()
    page.goto(page.url + "cases")
    page.get_by_text("Filters").click()
    page.get_by_label("Country").fill("NL")
    page.get_by_label("Status").select_option("accepted")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("table.list tbody tr")).to_have_count(1)
    expect(page.get_by_role("link", name="Van Dijk Horeca")).to_be_visible()


def test_a_case_page_tells_everything(log_in: LogIn, town: Town, url: str) -> None:
    page = log_in("kroon")
    case = town.case_of("10001")
    page.goto(f"{url}/cases/{case.case_id}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Bakkerij Van den Broeck BV")
    expect(page.locator(".case-sum")).to_contain_text(f"{case.balance.total:,.2f}")
    ledger = page.locator("table.ledger tbody tr")
    assert (
        Decimal(re.sub(r"[^0-9.]", "", ledger.last.locator(".amount").last.inner_text()))
        == case.balance.total
    )
    states = page.locator(".ladder .rung").evaluate_all(
        "rungs => rungs.map(r => [r.innerText.split('\\n')[0], r.className])"
    )
    assert [(name, style.split("-")[-1]) for name, style in states] == [
        ("Prepared", "done"), ("Sent", "done"), ("Received", "done"), ("Validated", "done"),
        ("Accepted", "done"), ("Acted", "done"), ("Result", "now"),
    ]  # fmt: skip
    history = page.locator(".history")
    expect(history).to_contain_text("The holder received 400.00 EUR on 2026-05-20")
    expect(history).to_contain_text(
        "A cost arose: bailiff act, 75.02 EUR (13.02 EUR of it tax), borne by the debtor."
    )
    people = page.get_by_role("region", name="People")
    expect(people).to_contain_text("Nora Claes")
    expect(people).to_contain_text("Tom Willems")


def test_markup_in_names_is_text(log_in: LogIn, town: Town, url: str, complaints: list[str]) -> None:
    page = log_in()
    for path in (
        "/cases",
        f"/cases/{town.case_of('10004').case_id}",
        f"/cases/{town.case_of('10014').case_id}",
        "/cases?q=%3Cscript",
    ):
        page.goto(url + path)
        assert page.title().endswith("collecthub")
    page.goto(f"{url}/cases/{town.case_of('10004').case_id}")
    assert RUNS_IF_NOT_TEXT in page.get_by_role("heading", level=1).inner_text()
    page.goto(f"{url}/cases/{town.case_of('20003').case_id}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Société {{7*7}}")
    assert complaints == []


# --- acting ---------------------------------------------------------------------------------------


def test_a_creditor_records_a_payment_and_sees_the_new_balance(log_in: LogIn, town: Town, url: str) -> None:
    page = log_in("kroon")
    before = town.case_of("10016")
    page.goto(f"{url}/cases/{before.case_id}")
    page.get_by_text("Record a payment").click()
    form = page.locator("#do-payment")
    form.get_by_label("Amount in EUR").fill("1.234,50")
    form.get_by_role("button").click()
    expect(form.locator(".wrong")).to_have_text("Write the amount without grouping, for example 1234.50.")
    expect(form.get_by_label("Amount in EUR")).to_have_value("1.234,50")
    form.get_by_label("Amount in EUR").fill("25,50")
    form.get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("The payment is recorded.")
    after = town.case_of("10016")
    assert after.balance.total == before.balance.total - Decimal("25.50")
    expect(page.locator(".case-sum")).to_contain_text(f"{after.balance.total:,.2f}")
    expect(page.locator(".history")).to_contain_text(
        "A payment of 25.50 EUR to the creditor on 2026-06-15 was recorded."
    )


def test_a_form_on_a_case_that_changed_meanwhile_is_refused(log_in: LogIn, town: Town, url: str) -> None:
    page = log_in("kroon")
    case_id = town.case_of("10012").case_id
    page.goto(f"{url}/cases/{case_id}")
    other = page.context.new_page()
    other.goto(f"{url}/cases/{case_id}")
    for tab in (page, other):
        tab.get_by_text("Record a payment").click()
        tab.locator("#do-payment").get_by_label("Amount in EUR").fill("10")
        tab.locator("#do-payment").get_by_role("button").click()
    expect(other.get_by_role("alert").first).to_contain_text("is at version")
    assert town.case_of("10012").balance.payments == Decimal("10.00")


def test_a_question_is_answered_and_the_case_goes_on(log_in: LogIn, town: Town, url: str) -> None:
    page = log_in("kroon")
    page.goto(f"{url}/cases/{town.case_of('10002').case_id}")
    expect(page.locator(".notice-warn")).to_contain_text("Do you have a return note?")
    page.get_by_label("Your answer").fill("No goods came back.")
    page.get_by_role("button", name="Send the answer").click()
    expect(page.get_by_role("status")).to_contain_text("The answer is recorded")
    run_until_idle(town.hub)
    assert not town.case_of("10002").held_for("waiting_creditor")
    assert town.worlds["line-office"].messages[-1].text == "No goods came back."


def test_a_document_is_kept_and_comes_back_as_it_was(
    log_in: LogIn, town: Town, url: str, tmp_path: Path
) -> None:
    page = log_in("kroon")
    page.goto(f"{url}/cases/{town.case_of('10003').case_id}")
    page.get_by_text("Add a document").click()
    content = b"<script>document.title='ran'</script>"
    page.get_by_label("File").set_input_files(
        {"name": "a <b> note.html", "mimeType": "text/html", "buffer": content}
    )
    page.get_by_role("button", name="Keep the document").click()
    expect(page.get_by_role("status")).to_contain_text("The document is kept.")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="a b note.html").click()
    waiting.value.save_as(tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == content


def test_the_first_wave_is_seen_narrowed_and_released(log_in: LogIn, town: Town, url: str) -> None:
    page = log_in()
    page.goto(f"{url}/connections/livres/first-wave")
    expect(page.locator(".wave-sentence")).to_contain_text(
        "8 items pulled, 8 overdue: 4,855.00 EUR. Nothing has been sent."
    )
    expect(page.locator(".wave-sentence")).to_contain_text("3 cases, while 1 stays.")
    page.get_by_label("Customers by number").fill("20002")
    page.get_by_label("Smallest amount").fill("150")
    page.get_by_role("button", name="Show what would leave then").click()
    expect(page.locator(".wave-sentence")).to_contain_text("1 case, while 3 stay.")
    assert town.case_of("20001").held_for("shadow")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Release the first wave").click()
    expect(page.get_by_role("status")).to_contain_text("The first wave is released")
    run_until_idle(town.hub)
    assert town.case_of("20001").status == "sent"
    assert town.case_of("20002").held_for("excluded")
    assert len(town.worlds["line-delmas"].delivered) == 1


def test_a_doubt_is_settled_by_a_person(log_in: LogIn, town: Town, url: str) -> None:
    page = log_in()
    page.get_by_role("link", name="Find out and settle").click()
    page.locator("table.list tbody a").first.click()
    page.get_by_role("button", name="It arrived").click()
    expect(page.get_by_role("status")).to_contain_text("it arrived")
    assert town.case_of("10005").status == "sent"
    assert len(town.worlds["line-aegean"].delivered) == 1  # not sent again


def test_quarantine_shows_its_reason_and_is_read_again(log_in: LogIn, town: Town, url: str) -> None:
    page = log_in()
    page.goto(f"{url}/quarantine")
    page.locator("tr", has_text="ZZ-77").get_by_role("link").first.click()
    expect(page.locator("pre")).to_contain_text("ZZ-77")
    page.get_by_role("button", name="Read it again").click()
    expect(page.get_by_role("status")).to_contain_text("It is read again")


def test_a_case_is_opened_by_hand_once(log_in: LogIn, url: str) -> None:
    page = log_in("kroon")
    page.goto(f"{url}/new")
    page.get_by_label("Debtor's name").fill("Nachtwinkel Ster")
    page.get_by_label("Country").fill("be")
    page.get_by_label("Number", exact=True).first.fill("2026-77")
    page.get_by_label("Due on").first.fill("2026-07-01")
    page.get_by_label("Amount").first.fill("99.90")
    page.get_by_role("button", name="Open the case").click()
    expect(page.locator("#claim-0-due-wrong")).to_contain_text("Is not overdue on 2026-06-15.")
    page.get_by_label("Due on").first.fill("2026-05-01")
    fields = page.evaluate("Object.fromEntries(new FormData(document.querySelector('main form')))")
    page.get_by_role("button", name="Open the case").click()
    expect(page.get_by_role("status")).to_contain_text("The case is open.")
    expect(page.locator(".case-sum")).to_contain_text("99.90")
    opened = page.url.partition("?")[0]
    again = page.request.post(
        f"{url}/new", form=fields
    )  # the same form once more, as by an impatient double click
    assert again.url == f"{opened}?done=known"


def test_a_file_is_mapped_looked_at_and_imported(log_in: LogIn, url: str) -> None:
    page = log_in("kroon")
    page.goto(f"{url}/imports")
    rows = (
        "Klant;Factuur;Vervaldatum;Bedrag;Land\n"
        "Snackbar ’t Hoekje;A-1;01/05/2026;1.250,00;BE\n"
        "Snackbar ’t Hoekje;A-2;31/02/2026;10,00;BE\n"
        "Fietsen Peeters;B-1;12/04/2026;80,40;BE\n"
    )
    page.get_by_label("File").set_input_files(
        {"name": "open.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    )
    page.get_by_role("button", name="Look at it").click()
    page.get_by_label("Dates are written").select_option("DD/MM/YYYY")
    page.get_by_label("Decimal mark").select_option(",")
    page.get_by_label("Fixed value for Currency").fill("EUR")
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_role("region", name=re.compile("first 3 rows"))).to_contain_text(
        "1 of them cannot be read"
    )
    page.get_by_role("button", name="Import the file").click()
    expect(page.locator(".wave-sentence")).to_have_text("3 rows read, 2 cases opened, 1 row refused.")
    expect(page.get_by_role("region", name="Refused, and why")).to_contain_text(
        "Vervaldatum is not a date written DD/MM/YYYY"
    )
