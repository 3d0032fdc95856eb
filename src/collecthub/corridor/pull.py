"""Room 1 of OUT: fetch pages of receivables from an ERP through the `InvoiceSource` port."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import msgspec

from collecthub.errors import CollecthubError, ContractError
from collecthub.model.invoice import RawInvoice
from collecthub.ports import InvoiceSource, Page

JOINED_ROWS = 10_000  # a commit rewrites the same index pages whether it brings 1,000 rows or ten times as many
JOINED_SECONDS = 1.0  # what a slow ERP said is not held back: a crash would ask for it again


def pull(
    source: InvoiceSource, checkpoint: str, walk: Callable[[Iterator[Page]], Iterator[Page]]
) -> Iterator[Page]:
    """Pages since `checkpoint`, each checked against the port's promise. `walk` adds deadline and translation.

    Pages that come quickly are joined, up to `JOINED_ROWS` rows; those that came before an error are given before it
    is raised. A line that stands twice is taken once, as it was stated last.
    """
    held: list[Page] = []
    since = 0.0
    try:
        for page in walk(source.pull(checkpoint)):
            since = since if held else time.monotonic()
            held.append(_checked(page))
            rows = sum(len(one.rows) + len(one.refused) for one in held)
            if rows >= JOINED_ROWS or page.control is not None or time.monotonic() - since > JOINED_SECONDS:
                yield _joined(held)
                held = []
    except CollecthubError:
        if held:
            yield _joined(held)
        raise
    if held:
        yield _joined(held)


def _checked(page: object) -> Page:
    if not isinstance(page, Page):
        raise ContractError(
            f"a pull yielded {type(page).__name__} instead of a page", cure="Report it to the plugin's author."
        )
    for row in page.rows:
        if type(row) is not RawInvoice:
            raise ContractError(
                f"a page holds {type(row).__name__} instead of receivables", cure="Report it to the plugin's author."
            )
    return page


def _joined(pages: Sequence[Page]) -> Page:
    """One page that says what these said in turn; checkpoint and control are the last one's."""
    by_ref = {row.item_ref: row for page in pages for row in page.rows}
    refused = [row for page in pages for row in page.refused]
    changed = dict.fromkeys(ref for page in pages for ref in page.changed_debtors)
    return msgspec.structs.replace(
        pages[-1], rows=list(by_ref.values()), refused=refused, changed_debtors=tuple(changed)
    )
