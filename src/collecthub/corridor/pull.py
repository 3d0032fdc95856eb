"""Room 1 of OUT: fetch pages of receivables from an ERP through the `InvoiceSource` port."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from collecthub.errors import ContractError
from collecthub.model.invoice import RawInvoice
from collecthub.ports import InvoiceSource, Page


def pull(
    source: InvoiceSource, checkpoint: str, walk: Callable[[Iterator[Page]], Iterator[Page]]
) -> Iterator[Page]:
    """Pages since `checkpoint`, each checked against the port's promise. `walk` adds deadline and translation.

    A line that stands twice in a page is taken once, as it was stated last.
    """
    for page in walk(source.pull(checkpoint)):
        if not isinstance(page, Page):
            raise ContractError(
                f"a pull yielded {type(page).__name__} instead of a page", cure="Report it to the plugin's author."
            )
        yield msgspec.structs.replace(page, rows=_last_of_each(page.rows))


def _last_of_each(rows: object) -> list[RawInvoice]:
    by_ref: dict[str, RawInvoice] = {}
    for row in rows:  # type: ignore[attr-defined]  # checked below: the port may break its promise
        if type(row) is not RawInvoice:
            raise ContractError(
                f"a page holds {type(row).__name__} instead of receivables", cure="Report it to the plugin's author."
            )
        by_ref[row.item_ref] = row
    return list(by_ref.values())
