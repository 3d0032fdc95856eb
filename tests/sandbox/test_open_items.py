"""What the ERP twins are filled with: the bundled portfolio, and files of open items from outside."""

from __future__ import annotations

import datetime as dt
import hashlib
import unicodedata
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from collecthub.errors import ConfigurationError
from collecthub.sandbox.open_item import Customer, item_json, load_chunks
from collecthub.sandbox.open_items_file import (
    OpenItemsFile,
    RowError,
    assign_countries,
    read_open_items,
    split_between,
)
from collecthub.sandbox.portfolio import BUSINESS_DATE, CreditorBooks, bundled_portfolio
from collecthub.sandbox.twin import start_twin

HEADER = "customer,name,number,issued,due,amount,currency,country\n"


@pytest.fixture(scope="module")
def creditors() -> tuple[CreditorBooks, CreditorBooks]:
    return bundled_portfolio()


@pytest.fixture(scope="module")
def highradius(shared_data: Path) -> OpenItemsFile:
    return read_open_items(shared_data / "ar" / "highradius_open_invoices.csv")


def read(tmp_path: Path, rows: str, header: str = HEADER) -> OpenItemsFile:
    path = tmp_path / "items.csv"
    path.write_text(header + rows, encoding="utf-8")
    return read_open_items(path)


def test_the_portfolio_is_the_same_in_every_run_and_on_every_machine() -> None:
    lines = [repr(one) for books in bundled_portfolio() for one in (*books.customers, *books.items)]
    assert lines == [repr(one) for books in bundled_portfolio() for one in (*books.customers, *books.items)]
    assert lines != [repr(one) for books in bundled_portfolio(7) for one in (*books.customers, *books.items)]
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16] == "8798a5114b9475e8"


def test_the_portfolio_holds_what_life_holds(creditors: tuple[CreditorBooks, CreditorBooks]) -> None:
    customers = [one for books in creditors for one in books.customers]
    items = [one for books in creditors for one in books.items]
    assert (len(customers), len(items)) == (260, 700)
    countries = Counter(one.country for one in customers)
    assert len(countries) == 30
    assert countries["BE"] == 156
    assert {one.kind for one in customers} == {"person", "company", "public"}
    assert {one.kind for one in items} == {"invoice", "credit_note", "payment", "instalment"}
    assert {(one.kind, bool(one.settles)) for one in items} >= {
        ("credit_note", True), ("credit_note", False), ("payment", True), ("payment", False),
    }  # fmt: skip
    assert {"EUR", "JPY", "KWD", "USD"} <= {one.currency for one in items}
    assert any(one.open_amount != one.amount for one in items)
    assert 0.1 < sum(one.due_on >= BUSINESS_DATE for one in items) / len(items) < 0.3
    assert {item.company for item in creditors[1].items} == {"1000", "2000"}


def test_names_come_in_several_scripts(creditors: tuple[CreditorBooks, CreditorBooks]) -> None:
    letters = {
        letter for books in creditors for one in books.customers for letter in one.name if letter.isalpha()
    }
    scripts = {unicodedata.name(letter).split()[0] for letter in letters}
    assert scripts >= {"LATIN", "GREEK", "CYRILLIC", "ARABIC", "CJK"}
    names = [one.name for books in creditors for one in books.customers]
    assert any("<script>" in name for name in names)
    assert any('"' in name for name in names)


def test_belgian_vat_numbers_have_valid_check_digits(creditors: tuple[CreditorBooks, CreditorBooks]) -> None:
    numbers = [
        one.vat_ref for books in creditors for one in books.customers if one.country == "BE" and one.vat_ref
    ]
    assert len(numbers) > 50
    assert all((int(number[2:10]) + int(number[10:])) % 97 == 0 for number in numbers)


def test_every_item_makes_sense(creditors: tuple[CreditorBooks, CreditorBooks]) -> None:
    for books in creditors:
        known = {one.customer_ref for one in books.customers}
        assert {one.customer_ref for one in books.items} == known
        numbers = [one.number for one in books.items]
        assert len(set(numbers)) == len(numbers)
        owed: dict[str, Decimal] = defaultdict(Decimal)
        for item in books.items:
            owed[item.customer_ref] += item.open_amount
            assert item.issue_on <= item.due_on
            assert (item.amount > 0) == (item.kind in ("invoice", "instalment"))
            assert abs(item.open_amount) <= abs(item.amount)
            if item.settles and item.kind != "instalment":
                assert item.settles in numbers
        assert all(amount > 0 for amount in owed.values())


def test_mail_goes_only_to_domains_kept_for_examples(creditors: tuple[CreditorBooks, CreditorBooks]) -> None:
    domains = {one.email.partition("@")[2] for books in creditors for one in books.customers if one.email}
    assert domains == {"example.com", "example.org", "example.net"}


@pytest.mark.parametrize("place", [0, 1])
def test_both_twins_hold_the_portfolio_to_the_cent(tmp_path: Path, place: int) -> None:
    books = bundled_portfolio()[place]
    wanted: dict[str, Decimal] = defaultdict(Decimal)
    for item in books.items:
        wanted[item.currency] += item.open_amount
    twin = start_twin(books.erp, tmp_path)
    try:
        for chunk in load_chunks(books.customers, books.items, size=100):
            twin.control("load", chunk)
        totals = twin.control("books")["totals"]
    finally:
        twin.stop()
    assert {currency: Decimal(total) for currency, total in totals.items()} == wanted


def test_highradius_to_the_cent(highradius: OpenItemsFile) -> None:
    assert len(highradius.items) == 9681
    assert sum(item.amount for item in highradius.items) == Decimal("310427859.02")
    assert len(highradius.customers) == 694
    assert sum(bool(one.aliases) for one in highradius.customers) == 384
    assert highradius.row_errors == ()
    assert highradius.items[0].number == "2960623488"
    assert highradius.items[0].amount == Decimal("2309.79")
    assert {"CCU013", "0140105686"} <= {one.customer_ref for one in highradius.customers}


def test_ibm_is_read_as_it_stood_on_a_day(shared_data: Path) -> None:
    path = shared_data / "ar" / "ibm_late_payments.csv"
    found = read_open_items(path, as_of=dt.date(2013, 6, 30))
    assert len(found.items) == 84
    assert len(found.items) + found.settled_rows == 2466
    assert found.row_errors == ()
    with pytest.raises(ConfigurationError, match="history"):
        read_open_items(path)


def test_countries_are_assigned_by_customer_and_never_change(highradius: OpenItemsFile) -> None:
    assigned = assign_countries(highradius.customers, "BE", ["BE", "DE", "UY"])
    share = Counter(one.country for one in assigned)
    assert set(share) == {"BE", "DE", "UY"}
    assert 0.5 < share["BE"] / len(assigned) < 0.7
    backwards = assign_countries(highradius.customers[::-1], "BE", ["BE", "DE", "UY"])
    assert set(backwards) == set(assigned)
    known = Customer(customer_ref="1", name="A", country="NL")
    assert assign_countries([known], "BE", ["BE"]) == (known,)


def test_a_split_keeps_a_customer_together(highradius: OpenItemsFile) -> None:
    parts = split_between(highradius.customers, highradius.items, 2)
    assert sum(len(items) for _, items in parts) == 9681
    homes = [{item.customer_ref for item in items} for _, items in parts]
    assert not homes[0] & homes[1]
    assert [{one.customer_ref for one in customers} for customers, _ in parts] == homes


def test_every_bad_row_is_named_and_its_neighbours_live(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "C1,Good,1,2026-01-05,2026-02-04,100.005,EUR,BE\n"
        "C1,Impossible,2,2026-02-30,2026-03-01,100,EUR,BE\n"
        "C1,Negative,3,2026-01-05,2026-02-04,-5,EUR,BE\n"
        "C1,Words,4,2026-01-05,2026-02-04,many,EUR,BE\n"
        'C1,"Never closed,5,2026-01-05,2026-02-04,100,EUR,BE\n'
        "C1,Short,6,2026-01-05\n"
        ",Nobody,7,2026-01-05,2026-02-04,100,EUR,BE\n"
        "C1,Money,8,2026-01-05,2026-02-04,100,EURO,BE\n"
        "C1,Twice,1,2026-01-05,2026-02-04,100,EUR,BE\n"
        "C1,Infinite,9,2026-01-05,2026-02-04,NaN,EUR,BE\n"
        "C2,<script>,10,2026-01-05,2026-02-04,0100,JPY,JP\n",
    )
    assert [(item.number, str(item.amount)) for item in found.items] == [("1", "100.01"), ("10", "100")]
    assert [(error.line, error.column) for error in found.row_errors] == [
        (3, "issued"), (4, "amount"), (5, "amount"), (6, ""), (7, ""), (8, "customer"), (9, "currency"),
        (10, "number"), (11, "amount"),
    ]  # fmt: skip
    assert found.row_errors[0] == RowError(3, "issued", "'2026-02-30' is not a date")


def test_the_most_frequent_spelling_is_the_name(tmp_path: Path) -> None:
    rows = "".join(
        f"007,{name},{number},2026-01-05,2026-02-04,10,EUR,\n"
        for number, name in enumerate(["ACME corp", "ACME", "ACME", "Acme us"])
    )
    (one,) = read(tmp_path, rows).customers
    assert (one.customer_ref, one.name, one.aliases) == ("007", "ACME", ("ACME corp", "Acme us"))


def test_an_unknown_header_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        read(tmp_path, "1,2\n", header="klant,bedrag\n")
    assert "customer, name, number" in refusal.value.cure
    with pytest.raises(ConfigurationError):
        read_open_items(tmp_path / "absent.csv")


@pytest.mark.parametrize("content", [b'"a header that\nnever ends', b'PK\x03\x04"x"y\rz\x00', b"\x7fELF\rx\x00\n"])
def test_what_is_no_csv_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "books.csv").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"books\.csv"):
        read_open_items(tmp_path / "books.csv")


def test_a_file_in_which_nothing_is_open_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"has no row that is open"):
        read(tmp_path, "")


def test_lines_may_end_as_on_an_old_machine(tmp_path: Path) -> None:
    header = "customer,name,number,issued,due,amount,currency,country"
    (tmp_path / "books.csv").write_text(f"{header}\rC1,Good,1,2026-01-05,2026-02-04,10,EUR,BE\r", newline="")
    assert [item.number for item in read_open_items(tmp_path / "books.csv").items] == ["1"]


def test_an_item_travels_as_text(creditors: tuple[CreditorBooks, CreditorBooks]) -> None:
    payload = item_json(creditors[0].items[0])
    assert payload["issue_on"] == creditors[0].items[0].issue_on.isoformat()
    assert Decimal(payload["amount"]) == creditors[0].items[0].amount
    assert isinstance(payload["amount"], str)
