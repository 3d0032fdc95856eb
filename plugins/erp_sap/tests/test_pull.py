"""Pulling open items from a strict twin: complete, resumable, and the same as the ledger's own books."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from collecthub.errors import ConfigurationError, RetryableError
from collecthub.ports import Page
from collecthub.sdk import ItemKind, ItemState, RawInvoice
from collecthub_erp_sap.connector import S4Connector

TOMORROW = dt.date(2026, 6, 16)


def pulled(connector: S4Connector, checkpoint: str = "") -> tuple[dict[str, RawInvoice], list[Page]]:
    """The last statement of every item, as the hub's upsert keeps it."""
    pages = list(connector.pull(checkpoint))
    return {row.item_ref: row for page in pages for row in page.rows}, pages


def netted(items: Iterable[RawInvoice], prefix: str) -> dict[str, str]:
    """Open amount per claim: what names a claim lowers it. The hub's netting, spelt out."""
    rows = [item for item in items if item.state is ItemState.OPEN]
    known = {row.item_ref: row for row in rows}
    sums: dict[str, Decimal] = {}
    for row in rows:
        target = known.get(row.settles_ref, row).item_ref
        sums[target] = sums.get(target, Decimal(0)) + row.open_amount
    return {ref.split("/")[2] + "/" + ref.split("/")[3]: str(amount) for ref, amount in sums.items() if prefix in ref}


def by_key(ledger: Any) -> dict[str, str]:
    """The twin's books under the same names."""
    books = ledger.twin.control("books")["items"]
    return {f"{one['key'][2]}/{one['key'][3]}": one["open_amount"] for one in books if one["company"] == ledger.company}


def test_a_first_pull_is_the_whole_open_set_once(ledger: Any) -> None:
    ledger.load(list(range(998)))
    # One document of five instalments lies across the border of the first page.
    ledger.load_instalments(5)
    ledger.load(list(range(1000, 2400)))
    ledger.load(["partly"], amount="1000.00", open_amount="500.00")
    pages = list(ledger.connector().pull(""))
    refs = [row.item_ref for page in pages for row in page.rows]
    assert len(refs) == len(set(refs)) == 998 + 5 + 1400 + 2
    assert [len(page.rows) for page in pages] == [1000, 1000, 405]
    assert netted([row for page in pages for row in page.rows], ledger.company) == by_key(ledger)
    assert [page.control for page in pages[:-1]] == [None, None]
    (control,) = pages[-1].control or ()
    assert (control.currency, control.count, control.amount) == ("EUR", 2405, Decimal("2403500.00"))
    assert control.amount == sum(map(Decimal, by_key(ledger).values()))


def test_x16_instalments_of_one_document_have_their_own_due_dates(ledger: Any) -> None:
    ledger.load_instalments(3)
    items, _ = pulled(ledger.connector())
    assert {ref.split("/")[3]: row.due_on for ref, row in items.items()} == {
        "001": dt.date(2026, 4, 1), "002": dt.date(2026, 5, 1), "003": dt.date(2026, 6, 1),
    }  # fmt: skip


def test_x15_partial_payments_and_a_residual_item(ledger: Any) -> None:
    """X15 over the wire: 1000 - 300 - 200 = 500, and 1000 paid with 600 leaves a new item of 400."""
    ledger.load(["partial", "residual"])
    connector = ledger.connector()
    first, pages = pulled(connector)
    ledger.do("pay", "partial", amount="300.00")
    ledger.do("pay", "partial", amount="200.00")
    ledger.do("pay", "residual", amount="600.00", mode="residual")
    changes, _ = pulled(connector, pages[-1].checkpoint)
    now = {**first, **changes}
    links = [row for row in now.values() if row.settles_ref and row.state is ItemState.OPEN]
    assert sorted(row.open_amount for row in links) == [Decimal(-300), Decimal(-200)]
    assert {now[row.settles_ref].number for row in links} == {ledger.number("partial")}
    assert netted(now.values(), ledger.company) == by_key(ledger)
    residual = [row for row in now.values() if row.text == "residual item"]
    assert [(row.kind, row.state, row.open_amount) for row in residual] == [
        (ItemKind.INVOICE, ItemState.OPEN, Decimal("400.00"))
    ]
    old = next(row for row in first.values() if row.number == ledger.number("residual"))
    assert now[old.item_ref].state is ItemState.PAID


def test_later_pulls_say_why_an_item_is_closed(ledger: Any) -> None:
    ledger.load(["paid", "credited", "both", "reversed", "lives"])
    connector = ledger.connector()
    first, pages = pulled(connector)
    ledger.do("pay", "paid")
    ledger.do("credit", "credited", credit_number=ledger.number("c1"))
    ledger.do("credit", "both", credit_number=ledger.number("c2"), amount="100.00")
    ledger.do("pay", "both")
    ledger.do("reverse", "reversed")
    ledger.do("block", "lives", reason="D")
    changes, later = pulled(connector, pages[-1].checkpoint)
    states = {
        row.number.partition("-")[2]: row.state for ref, row in {**first, **changes}.items() if ref in first
    }
    assert states == {
        "paid": ItemState.PAID, "credited": ItemState.CREDITED, "both": ItemState.PAID,
        "reversed": ItemState.CANCELLED, "lives": ItemState.OPEN,
    }  # fmt: skip
    blocked = [row.number for row in changes.values() if row.is_blocked]
    assert blocked == [ledger.number("lives")]
    assert all(page.control is None for page in later)  # compared once a day


def test_x17_a_reset_clearing_is_found_by_the_next_daily_comparison(ledger: Any) -> None:
    """X17: no date moves when a clearing is reset, so only the whole open set shows it."""
    ledger.load(["again", "other"])
    first, pages = pulled(ledger.connector())
    ledger.do("credit", "again", credit_number=ledger.number("c"))
    changes, pages = pulled(ledger.connector(), pages[-1].checkpoint)
    (ref,) = (ref for ref, row in first.items() if row.number == ledger.number("again"))
    assert changes[ref].state is ItemState.CREDITED
    ledger.do("reset_clearing", "again")
    unchanged, pages = pulled(ledger.connector(), pages[-1].checkpoint)
    assert ref not in unchanged
    reopened, pages = pulled(ledger.connector(TOMORROW), pages[-1].checkpoint)
    assert (reopened[ref].state, reopened[ref].open_amount) == (ItemState.OPEN, Decimal("1000.00"))
    assert pages[-1].control is not None
    assert netted(reopened.values(), ledger.company) == by_key(ledger)


def test_x18_a_pull_that_breaks_off_closes_nothing_and_goes_on_where_it_was(ledger: Any, cube_path: str) -> None:
    ledger.load(list(range(2500)))
    pages = []
    walk = ledger.connector().pull("")
    pages += [next(walk), next(walk)]
    ledger.twin.control("faults", {"path": cube_path, "drop_after_bytes": 5000})
    with pytest.raises(RetryableError):
        next(walk)
    assert all(page.control is None for page in pages)
    pages += ledger.connector().pull(pages[-1].checkpoint)
    refs = [row.item_ref for page in pages for row in page.rows]
    assert len(refs) == len(set(refs)) == 2500
    assert {row.state for page in pages for row in page.rows} == {ItemState.OPEN}
    (control,) = pages[-1].control or ()
    assert (control.count, control.amount) == (2500, Decimal(2_500_000))


def test_items_that_leave_the_open_set_while_paging_hide_no_others(ledger: Any) -> None:
    ledger.load(list(range(1500)))
    walk = ledger.connector().pull("")
    rows = list(next(walk).rows)
    for name in range(5):  # an offset would now skip five items
        ledger.do("pay", name)
    rows += [row for page in walk for row in page.rows]
    assert len({row.item_ref for row in rows}) == 1500


def test_a_gateway_that_cuts_pages_hides_nothing(ledger: Any) -> None:
    ledger.load(list(range(700)))
    ledger.twin.control("services", {"page_size": 300})
    items, pages = pulled(ledger.connector())
    assert len(items) == 700
    assert [len(page.rows) for page in pages] == [300, 300, 100]
    assert len(list(ledger.connector().open_items())) == 700


def test_the_books_are_read_anew_and_agree(ledger: Any) -> None:
    ledger.load(["a", "b", "c"])
    connector = ledger.connector()
    assert sum(item.open_amount for item in connector.open_items()) == Decimal(3000)
    ledger.do("pay", "a")
    ledger.do("pay", "b", amount="250.00")
    books = list(connector.open_items())
    assert sum(item.open_amount for item in books) == sum(map(Decimal, by_key(ledger).values())) == Decimal(1750)
    assert {item.debtor_ref for item in books} == {ledger.customer}


def test_several_company_codes_are_one_pull(ledger: Any) -> None:
    other = type(ledger)(ledger.twin, f"9{ledger.company[1:]}")
    ledger.load(["a"])
    other.load(["b"], currency="JPY", amount="98000")
    connector = ledger.connector(company_codes=(ledger.company, other.company))
    items, pages = pulled(connector)
    assert {row.group_ref for row in items.values()} == {ledger.company, other.company}
    controls = {one.currency: (one.count, str(one.amount)) for one in pages[-1].control or ()}
    assert controls == {"EUR": (1, "1000.00"), "JPY": (1, "98000")}


def test_old_debt_of_earlier_fiscal_years_is_there(ledger: Any) -> None:
    ledger.load(["old"], issue_on="2023-11-02", due_on="2023-12-02")
    items, _ = pulled(ledger.connector())
    assert [ref.split("/")[1] for ref in items] == ["2023"]


def test_three_decimals_and_none_survive_the_wire(ledger: Any) -> None:
    ledger.load(["kwd"], currency="KWD", amount="12.345")
    ledger.load(["jpy"], currency="JPY", amount="98000")
    items, pages = pulled(ledger.connector())
    assert sorted(str(row.open_amount) for row in items.values()) == ["12.345", "98000"]
    ledger.do("pay", "kwd", amount="2.005")
    changes, _ = pulled(ledger.connector(), pages[-1].checkpoint)
    assert netted({**items, **changes}.values(), ledger.company) == by_key(ledger)
    assert sorted(by_key(ledger).values()) == ["10.340", "98000"]


def test_special_general_ledger_lines_count_only_when_they_lower_the_debt(ledger: Any) -> None:
    ledger.load(["plain"])
    ledger.load(["down"], kind="payment", amount="-50.00", special_gl="A")
    ledger.load(["guarantee"], special_gl="G", amount="400.00")
    items, pages = pulled(ledger.connector())
    assert sorted(str(row.open_amount) for row in items.values()) == ["-50.00", "1000.00"]
    (control,) = pages[-1].control or ()
    assert (control.count, control.amount) == (2, Decimal(950))


def test_single_items_are_read_as_they_are_now(ledger: Any) -> None:
    ledger.load(["open", "paid", "credited"])
    items, _ = pulled(ledger.connector())
    ledger.do("pay", "paid")
    ledger.do("credit", "credited", credit_number=ledger.number("c"))
    found = list(ledger.connector().read_items([*items, "no/such/item/1", "x"]))
    now = {row.number.partition("-")[2]: row.state for row in found}
    assert now == {"open": ItemState.OPEN, "paid": ItemState.PAID, "credited": ItemState.CREDITED}


def test_x22_a_later_pull_names_the_customers_that_changed(ledger: Any) -> None:
    """X22: who is marked for archiving is read anew, and his contact data goes."""
    ledger.load(["a"])
    _, pages = pulled(ledger.connector())
    assert [page.changed_debtors for page in pages] == [()]
    ledger.twin.control("customer", {"customer_ref": ledger.customer, "archived": 1})
    _, pages = pulled(ledger.connector(), pages[-1].checkpoint)
    assert ledger.customer in pages[-1].changed_debtors
    (record,) = ledger.connector().debtors([ledger.customer])
    assert record.is_anonymised


def test_a_checkpoint_of_something_else_is_refused(ledger: Any) -> None:
    with pytest.raises(ConfigurationError, match="not one of an SAP pull"):
        list(ledger.connector().pull('{"cursor": 7}'))
