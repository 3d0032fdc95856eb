"""Pulls against the twin: nothing lost, nothing twice, whatever happens on the way."""

from __future__ import annotations

import socket
import threading
from decimal import Decimal
from typing import Any

import pytest

from collecthub.errors import PermanentError, RetryableError
from collecthub.ports import Page
from collecthub.sdk import ItemKind, ItemState
from collecthub_erp_exact.terms import map_terms, read_terms


def last_checkpoint(pages: list[Page]) -> str:
    return pages[-1].checkpoint


def test_a_first_pull_equals_the_vendors_books(world: Any) -> None:
    world.load(2100)
    pages = list(world.connected(compare_daily=False).pull(""))
    assert world.open_state(pages) == world.books()
    assert [len(page.rows) for page in pages if page.rows] == [1000, 1000, 100]
    assert sum(world.open_state(pages).values()) == sum(world.books().values())


def test_the_second_pull_brings_only_what_changed(world: Any) -> None:
    world.load(30)
    connector = world.connected()
    checkpoint = last_checkpoint(list(connector.pull("")))
    assert [page.rows for page in connector.pull(checkpoint)] == [()]
    world.control("pay", number="1003")
    world.control("pay", number="1004", amount="4.05")
    pages = list(connector.pull(checkpoint))
    changed = {
        row.number: row for page in pages for row in page.rows if row.open_amount or row.number == "1003"
    }
    assert changed["1003"].state is ItemState.PAID and changed["1003"].open_amount == 0
    assert changed["1004"].open_amount == Decimal("100.05")


def test_x8_a_connection_cut_in_the_middle_resumes_from_the_last_committed_page(world: Any) -> None:
    world.load(3100)
    connector = world.connected()
    committed: list[Page] = []
    with pytest.raises(RetryableError):
        for page in connector.pull(""):
            committed.append(page)
            if len(committed) == 2:
                cut = {"path": f"/api/v1/{world.division}/sync/Cashflow", "drop_after_bytes": 50_000}
                world.twin.control("faults", cut)
    assert [len(page.rows) for page in committed] == [1000, 1000]
    resumed = list(world.connector(compare_daily=False).pull(last_checkpoint(committed)))
    assert world.open_state(committed + resumed) == world.books()
    references = [row.item_ref for page in committed + resumed for row in page.rows]
    assert len(references) == len(set(references)) == 3100


def test_x9_an_item_that_changes_during_paging_ends_in_its_newest_state(world: Any) -> None:
    world.load(1100)
    connector = world.connected(compare_daily=False)
    pages = []
    for page in connector.pull(""):
        pages.append(page)
        if len(pages) == 1:
            world.control("pay", number="1005")  # already read
            world.control("pay", number="2050", amount="1.10")  # not read yet
            world.control("pay", number="1006", amount="0.60")
    assert world.open_state(pages) == world.books()
    states = [row.state for page in pages for row in page.rows if row.number == "1005"]
    assert states == [ItemState.OPEN, ItemState.PAID]


def test_x10_a_deleted_item_is_cancelled_not_paid(world: Any) -> None:
    world.load(10)
    connector = world.connected()
    checkpoint = last_checkpoint(list(connector.pull("")))
    deleted = world.control("delete", number="1002")["deleted"][0]
    rows = [row for page in connector.pull(checkpoint) for row in page.rows]
    assert [(row.item_ref, row.state, row.open_amount) for row in rows] == [
        (f"{world.division}:{deleted}", ItemState.CANCELLED, 0)
    ]


def test_what_was_deleted_before_the_first_pull_is_not_told(world: Any) -> None:
    world.load(5)
    world.control("delete", number="1001")
    connector = world.connected()
    pages = list(connector.pull(""))
    assert {row.state for page in pages for row in page.rows} == {ItemState.OPEN}
    assert [page.rows for page in connector.pull(last_checkpoint(pages))] == [()]


def test_x11_a_moved_division_is_read_anew(world: Any) -> None:
    world.load(1100)
    connector = world.connected(compare_daily=False)
    first = list(connector.pull(""))
    world.control("pay", number="1001")
    world.control("move_division")
    second = list(connector.pull(last_checkpoint(first)))
    assert sum(len(page.rows) for page in second) == 1100
    assert world.open_state(first + second) == world.books()
    assert [page.rows for page in connector.pull(last_checkpoint(second))] == [()]


def test_x12_the_next_page_on_another_host_is_refused_and_gets_no_token(world: Any) -> None:
    world.load(1100)
    connector = world.connected()
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0.2)
        world.twin.control("next_host", {"url": f"http://127.0.0.1:{elsewhere.getsockname()[1]}"})
        with pytest.raises(PermanentError, match="Refused to follow"):
            list(connector.pull(""))
        with pytest.raises(TimeoutError):
            elsewhere.accept()


def test_trouble_in_one_division_does_not_stop_the_other(world: Any) -> None:
    world.load(3)
    other = world.division + 100_000
    world.load(1, division=other)
    connector = world.connected(divisions=(world.division, other))
    world.twin.control("faults", {"path": f"/api/v1/{world.division}/sync/Cashflow", "status": 503})
    pages = []
    with pytest.raises(RetryableError):
        pages.extend(connector.pull(""))
    assert [row.group_ref for page in pages for row in page.rows] == [str(other)]
    rest = list(connector.pull(last_checkpoint(pages)))
    assert {row.group_ref for page in rest for row in page.rows} == {str(world.division)}
    assert rest[-1].control is not None


@pytest.mark.parametrize("amount", [b'"a lot"', b'"NaN"', b'"-sNaN"', b'"Infinity"'])
def test_a_malformed_row_is_refused_with_its_bytes_and_its_neighbours_go_on(world: Any, amount: bytes) -> None:
    world.load(3)
    connector = world.connected()
    client = connector._client
    url = client.url(world.division, "sync/Cashflow/PaymentTerms", {"$filter": "Timestamp gt 1L"})
    page = client.get(world.division, "x", url).content
    broken = page.replace(b'"AmountFC":101.1', b'"AmountFC":' + amount)
    assert broken != page
    terms = read_terms(broken).rows
    mapped = map_terms(world.division, broken, terms)
    assert [row.number for row in mapped.rows] == ["1000", "1002"]
    assert len(mapped.refused) == 1
    assert b'"AmountFC":' + amount in mapped.refused[0].content and mapped.refused[0].content in broken
    assert mapped.refused[0].item_ref in world.books()
    assert "amount" in mapped.refused[0].reason.lower() and mapped.refused[0].open_amount is None


def test_the_daily_control_goes_on_where_the_minute_ended(world: Any) -> None:
    """900 open items are 15 pages of the list, and this vendor allows 16 calls a minute."""
    world.twin.control("limits", {"a_minute": 16})
    world.load(900)
    connector = world.connected()
    checkpoint, waits, control = "", [], None
    for _ in range(5):
        try:
            for page in connector.pull(checkpoint):
                checkpoint, control = page.checkpoint, page.control
            break
        except RetryableError as wait:
            assert wait.retry_after_seconds is not None
            waits.append(wait.retry_after_seconds)
            world.advance(wait.retry_after_seconds)
    assert waits == [61.0]
    assert control is not None
    books = world.books()
    assert [(total.currency, total.count, total.amount) for total in control] == [
        ("EUR", len(books), sum(books.values()))
    ]
    world.advance(60)
    assert [page.control for page in connector.pull(checkpoint)] == [None]
    world.twin.control("limits", {"a_minute": 60})
    world.advance(86_400)
    assert list(connector.pull(checkpoint))[-1].control is not None


def test_the_daily_control_is_not_taken_from_a_ledger_that_moves(world: Any) -> None:
    """Somebody books while the list is read: its sums are those of no moment, so they are not compared."""
    world.load(10)
    connector = world.connected()
    slow = {"path": f"/api/v1/{world.division}/read/financial", "delay_seconds": 0.6}
    world.twin.control("faults", slow)
    booking = threading.Timer(0.0, lambda: None)
    pages = []
    for page in connector.pull(""):
        pages.append(page)
        if page.changed_debtors and not booking.is_alive():  # the list is read next
            booking = threading.Timer(0.2, world.control, ("pay",), {"number": "1003"})
            booking.start()
    booking.join()
    assert world.open_state(pages) == world.books()  # the payment came with the same run
    assert pages[-1].control is None
    again = list(connector.pull(last_checkpoint(pages)))
    assert [(one.count, one.amount) for one in again[-1].control or ()] == [(9, sum(world.books().values()))]


def test_a_control_that_was_interrupted_begins_anew_when_something_was_booked_meanwhile(world: Any) -> None:
    world.twin.control("limits", {"a_minute": 16})
    world.load(900)
    connector = world.connected()
    pages: list[Page] = []
    with pytest.raises(RetryableError):
        pages.extend(connector.pull(""))
    world.control("pay", number="1003")
    world.advance(61)
    world.twin.control("limits", {"a_minute": 60})
    pages.extend(connector.pull(last_checkpoint(pages)))
    books = world.books()
    assert [(one.count, one.amount) for one in pages[-1].control or ()] == [(899, sum(books.values()))]


def test_money_on_account_is_tied_to_the_one_item_that_it_pays(world: Any) -> None:
    world.load(3)
    money = {"customers": [], "items": [
        payment("9001", "C1", "1001", "-20.00"),
        payment("9002", "C1", "", "-5.00"),
        payment("9003", "C0", "1001", "-6.00"),  # names an invoice of someone else
    ]}  # fmt: skip
    world.control("load", **money)
    rows = [row for page in world.connected().pull("") for row in page.rows]
    by_amount = {row.open_amount: row for row in rows}
    invoice = next(row for row in rows if row.number == "1001")
    assert by_amount[Decimal(-20)].kind is ItemKind.PAYMENT
    assert by_amount[Decimal(-20)].settles_ref == invoice.item_ref
    assert by_amount[Decimal(-5)].settles_ref == by_amount[Decimal(-6)].settles_ref == ""


def payment(number: str, customer_ref: str, settles: str, amount: str) -> dict[str, str]:
    return {
        "customer_ref": customer_ref, "number": number, "kind": "payment", "settles": settles, "currency": "EUR",
        "issue_on": "2026-03-01", "due_on": "2026-03-01", "amount": amount, "open_amount": amount,
    }  # fmt: skip


def test_money_on_account_that_is_matched_later_settles_both_sides(world: Any) -> None:
    world.load(2)
    money = [payment("9001", "C1", "", "-30.00")]
    world.control("load", customers=[], items=money)
    connector = world.connected()
    first = list(connector.pull(""))
    world.control("allocate", payment="9001", number="1001")
    second = list(connector.pull(last_checkpoint(first)))
    state = world.open_state(first + second)
    assert state == world.books()
    assert sorted(state.values()) == [Decimal("71.10"), Decimal("100.10")]


def test_instalments_and_split_receivables_are_lines_of_their_own(world: Any) -> None:
    world.load(2)
    parts = [
        {**payment(f"2001-{n}", "C1", "2001", "50.00"), "kind": "instalment", "due_on": f"2026-0{n}-01"}
        for n in (3, 4, 5)
    ]
    world.control("load", customers=[], items=parts)
    connector = world.connected()
    pages = list(connector.pull(""))
    rows = [row for page in pages for row in page.rows]
    instalments = [row for row in rows if row.number == "2001"]
    assert sorted(str(row.due_on) for row in instalments) == ["2026-03-01", "2026-04-01", "2026-05-01"]
    assert len({row.document_ref for row in instalments}) == 1
    world.control("split", number="1001", amount="41.10", due_on="2026-09-30")
    later = list(connector.pull(last_checkpoint(pages)))
    halves = [row for page in later for row in page.rows]
    assert sorted((str(row.due_on), row.open_amount) for row in halves) == [
        ("2026-02-04", Decimal("60.00")),
        ("2026-09-30", Decimal("41.10")),
    ]
    assert world.open_state(pages + later) == world.books()


def test_a_reversed_invoice_is_cancelled_not_paid(world: Any) -> None:
    world.load(4)
    connector = world.connected()
    first = list(connector.pull(""))
    world.control("reverse", number="1001")
    world.control("pay", number="1002")
    world.control("reverse", number="1003", matched=False)
    second = list(connector.pull(last_checkpoint(first)))
    rows = [row for page in second for row in page.rows]
    assert {row.number: row.state for row in rows if row.amount > 0} == {
        "1001": ItemState.CANCELLED, "1002": ItemState.PAID, "1003": ItemState.OPEN,
    }  # fmt: skip
    assert [(row.kind, row.open_amount) for row in rows if row.number == "1003" and row.amount < 0] == [
        (ItemKind.CREDIT_NOTE, Decimal("-103.10"))
    ]
    assert world.open_state(first + second) == world.books()
    assert sum(world.books().values()) == Decimal("100.10")


def test_a_reversed_invoice_that_comes_a_page_after_its_reversal_is_cancelled_too(world: Any) -> None:
    world.load(3)
    world.control("reverse", number="1001")
    world.load(1000, first=5000)
    world.control("term", number="1001", changes={"Description": "touched after its reversal"})
    pages = [page for page in world.connected(compare_daily=False).pull("") if page.rows]
    assert len(pages) == 2 and [row.number for row in pages[1].rows][-1] == "1001"
    assert [row.state for row in pages[1].rows if row.number == "1001"] == [ItemState.CANCELLED]


def test_currencies_are_added_up_apart_and_amounts_are_those_of_the_invoice(world: Any) -> None:
    items = []
    for number, currency, amount in (("1", "USD", "1000.10"), ("2", "JPY", "125000"), ("3", "KWD", "12.345")):
        items.append({**payment(number, "C1", "", amount), "kind": "invoice", "currency": currency})
    world.load(2)
    world.control("load", customers=[], items=items)
    world.control("pay", number="1", amount="0.11")
    pages = list(world.connected().pull(""))
    assert world.open_state(pages) == world.books()
    control = pages[-1].control or ()
    assert [(one.currency, one.count, one.amount) for one in control] == [
        ("EUR", 2, Decimal("201.20")),
        ("JPY", 1, Decimal(125000)),
        ("KWD", 1, Decimal("12.345")),
        ("USD", 1, Decimal("999.99")),
    ]


def test_the_same_numbers_in_two_divisions_are_different_invoices(world: Any) -> None:
    other = world.division + 100_000
    world.load(3)
    world.load(3, division=other)
    connector = world.connected(divisions=(world.division, other))
    pages = list(connector.pull(""))
    rows = [row for page in pages for row in page.rows]
    assert len(rows) == 6 and len({row.item_ref for row in rows}) == 6
    assert sorted(row.number for row in rows) == sorted(["1000", "1001", "1002"] * 2)
    assert {row.debtor_ref.partition(":")[0] for row in rows} == {str(world.division), str(other)}
    assert [(one.count, one.amount) for one in pages[-1].control or ()] == [(6, Decimal("606.60"))]
    world.twin.control("pay", {"division": other, "number": "1001"})
    (paid,) = [row for page in connector.pull(last_checkpoint(pages)) for row in page.rows]
    assert paid.group_ref == str(other) and paid.state is ItemState.PAID


def test_the_whole_ledger_equals_the_books_after_every_kind_of_change(world: Any) -> None:
    """Count and amount of the vendor's own list, and row by row, after one of everything."""
    world.load(12)
    connector = world.connected()
    pages = list(connector.pull(""))
    world.control("load", customers=[], items=[payment("9001", "C1", "", "-30.00")])
    world.control("pay", number="1000")
    world.control("pay", number="1001", amount="1.10")
    world.control("credit", number="1002", credit_number="8001")
    world.control("credit", number="1003", credit_number="8002", amount="3.00", allocated=False)
    world.control("split", number="1004", amount="4.10", due_on="2026-12-31")
    world.control("reverse", number="1005")
    world.control("delete", number="1006")
    world.control("allocate", payment="9001", number="1007", amount="10.00")
    world.control("pay", number="1008")
    world.control("reopen", number="1008")
    world.advance(86_400)
    pages += list(connector.pull(last_checkpoint(pages)))
    state = world.open_state(pages)
    assert state == world.books()
    assert [(one.count, one.amount) for one in pages[-1].control or ()] == [(len(state), sum(state.values()))]


def test_open_items_read_anew_equal_the_books(world: Any) -> None:
    world.load(1010)
    connector = world.connected()
    world.control("pay", number="1001")
    world.control("pay", number="1002", amount="2.10")
    world.control("credit", number="1003", credit_number="8001", amount="50.00", allocated=False)
    found = {item.item_ref: item.open_amount for item in connector.open_items()}
    assert found == world.books()


def test_an_unreadable_checkpoint_says_what_to_do(world: Any) -> None:
    with pytest.raises(PermanentError) as refused:
        list(world.connected().pull("page 7"))
    assert "Empty it" in refused.value.cure
