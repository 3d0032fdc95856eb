"""Reads the vendor's own list of open items, once a day, and says what it adds up to per currency."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from collecthub.sdk import ControlTotal
from collecthub_erp_exact.client import ExactClient, typed
from collecthub_erp_exact.odata import Records, columns
from collecthub_erp_exact.records import ListedItem

OPEN_LIST = "read/financial/ReceivablesList"


class Comparison(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reading of the list that is under way: sums so far, where it goes on, and what was known when it began.

    The list shows a moving ledger page by page. Its sums are those of one moment only if no row version rose from its
    first page to its last.
    """

    began_at: dict[str, tuple[int, int]] = {}
    totals: dict[str, tuple[int, Decimal]] = {}
    divisions_done: tuple[int, ...] = ()
    next_url: str = ""

    def control(self) -> Sequence[ControlTotal]:
        """Count and amount per currency."""
        return [
            ControlTotal(currency=currency.strip(), count=count, amount=amount)
            for currency, (count, amount) in sorted(self.totals.items())
        ]


def read_list(client: ExactClient, division: int, comparison: Comparison) -> Iterator[Comparison]:
    """The comparison after each page of a division's list."""
    url = comparison.next_url or client.url(division, OPEN_LIST, {"$select": columns(ListedItem)})
    for _, page in client.pages(division, OPEN_LIST, url, _listed, is_bulk=True):
        totals = dict(comparison.totals)
        for row in page.rows:
            count, amount = totals.get(row.currency, (0, Decimal(0)))
            totals[row.currency] = (count + 1, amount + row.amount)
        done = comparison.divisions_done if page.next_url else (*comparison.divisions_done, division)
        comparison = msgspec.structs.replace(
            comparison, totals=totals, divisions_done=done, next_url=page.next_url
        )
        yield comparison


def _listed(content: bytes) -> Records[ListedItem]:
    return typed(content, ListedItem, OPEN_LIST)
