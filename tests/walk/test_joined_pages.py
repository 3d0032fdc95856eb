"""The pull room joins pages that come quickly, and loses none when the ERP breaks off."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from collecthub.corridor.pull import JOINED_ROWS, pull
from collecthub.errors import ContractError, RetryableError
from collecthub.model.invoice import ItemState
from collecthub.sdk import ControlTotal, Page, RawInvoice


class Erp:
    """Yields these pages, then breaks off if told to."""

    def __init__(self, *pages: Page, breaks: bool = False) -> None:
        self.pages, self.breaks = pages, breaks

    def pull(self, checkpoint: str) -> Iterator[Page]:
        yield from self.pages
        if self.breaks:
            raise RetryableError("the ERP went away")


def line(ref: str, amount: int = 1, **more: object) -> RawInvoice:
    values = {"debtor_ref": "A", "debtor_name": "A", "number": ref, "currency": "EUR", **more}
    return RawInvoice(item_ref=ref, amount=Decimal(amount), open_amount=Decimal(amount), **values)  # type: ignore[arg-type]  # a test's shorthand


def pulled(erp: Erp) -> Iterator[Page]:
    return pull(erp, "", lambda pages: pages)


def test_pages_are_joined_and_the_last_word_on_a_line_counts() -> None:
    gone = line("2", debtor_ref="", state=ItemState.CANCELLED)
    (page,) = pulled(Erp(Page(rows=[line("1", 5), line("2")], checkpoint="a"), Page(rows=[line("1", 9), gone], checkpoint="b")))
    assert [(row.item_ref, row.amount, row.state) for row in page.rows] == [
        ("1", Decimal(9), ItemState.OPEN), ("2", Decimal(1), ItemState.CANCELLED),
    ]  # fmt: skip
    assert page.checkpoint == "b"


def test_a_joined_page_ends_with_enough_rows_and_with_control_totals() -> None:
    full = [line(str(number)) for number in range(JOINED_ROWS)]
    total = ControlTotal(currency="EUR", count=1, amount=Decimal(1))
    erp = Erp(Page(rows=full, checkpoint="a"), Page(rows=(), checkpoint="b", control=[total]), Page(rows=(), checkpoint="c"))
    assert [page.checkpoint for page in pulled(erp)] == ["a", "b", "c"]


def test_what_came_before_an_error_is_kept() -> None:
    pages = pulled(Erp(Page(rows=[line("1")], checkpoint="a"), Page(rows=[line("2")], checkpoint="b"), breaks=True))
    assert next(pages).checkpoint == "b"
    with pytest.raises(RetryableError):
        next(pages)


def test_what_came_before_a_broken_promise_is_kept() -> None:
    pages = pulled(Erp(Page(rows=[line("1")], checkpoint="a"), Page(rows=["2"], checkpoint="b")))  # type: ignore[list-item]  # the broken promise
    assert next(pages).checkpoint == "a"
    with pytest.raises(ContractError):
        next(pages)
