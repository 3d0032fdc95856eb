"""Finds items that the hub holds as open and the ERP does not, and asks the ERP what became of each.

An ERP keeps its notes of deletions for a while only, and a division that was moved to another server begins without
them. Reading everything anew does not help then: what is gone is in no page. Not being on a list proves nothing either,
so every missing item is read by itself before it is settled or cancelled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from collecthub.engine.context import Hub
from collecthub.engine.pulled_pages import PageKeeper
from collecthub.erp_ports import ItemSource
from collecthub.model.invoice import ItemKind, ItemState
from collecthub.ports import OpenItemBooks, Page
from collecthub.store import tables as t
from collecthub.store.connections import ConnectionRow, read_connection

ITEMS_AT_ONCE = 200
MOST = 1000  # above this reading everything anew is cheaper, and a list that is so short is not to be believed


def settle_missing(hub: Hub, row: ConnectionRow, keeper: PageKeeper, groups: Sequence[str] = ()) -> int:
    """Read anew what is open here and not there; returns how many items that were. Raises what the ERP raises.

    `groups` are the divisions that a person chose; without any, all count.
    """
    connector = hub.connector_for(row)
    if not isinstance(connector, OpenItemBooks) or not isinstance(connector, ItemSource):
        return 0
    theirs = {
        item.item_ref for item in hub.walk(f"{row.kind}.open_items", row.connection_id)(connector.open_items())
    }
    missing = [ref for ref in _open_here(hub, row.connection_id, groups) if ref not in theirs]
    if len(missing) > MOST:
        return 0
    _read_anew(hub, row, keeper, connector, missing)
    return len(missing)


def read_freed(hub: Hub, row: ConnectionRow, keeper: PageKeeper) -> None:
    """Read anew what a debtor had settled, when money or a credit that was used up is open again.

    A clearing that is reset moves no date of the invoice in some ERPs: the money would stand on account beside an
    invoice that still counts as paid, and cover another one. Raises what the ERP raises.
    """
    connector = hub.connector_for(row)
    if not keeper.freed or not isinstance(connector, ItemSource):
        return
    settled = sa.select(t.invoices.c.item_ref).where(
        t.invoices.c.connection_id == row.connection_id, t.invoices.c.debtor_ref.in_(sorted(keeper.freed)),
        t.invoices.c.kind == ItemKind.INVOICE.value,
        t.invoices.c.state.in_((ItemState.PAID.value, ItemState.CREDITED.value)),
    )
    with hub.database.read() as conn:
        refs = list(conn.scalars(settled.limit(MOST + 1)))
    _read_anew(hub, row, keeper, connector, refs if len(refs) <= MOST else ())


def _read_anew(
    hub: Hub, row: ConnectionRow, keeper: PageKeeper, connector: ItemSource, item_refs: Sequence[str]
) -> None:
    for start in range(0, len(item_refs), ITEMS_AT_ONCE):
        found = connector.read_items(item_refs[start : start + ITEMS_AT_ONCE])
        rows = list(hub.walk(f"{row.kind}.read_items", row.connection_id)(found))
        keeper.keep(Page(rows=rows, checkpoint=_checkpoint(hub, row)))


def _open_here(hub: Hub, connection_id: str, groups: Sequence[str]) -> Iterator[str]:
    query = sa.select(t.invoices.c.item_ref).where(
        t.invoices.c.connection_id == connection_id, t.invoices.c.state == ItemState.OPEN.value
    )
    if groups:
        query = query.where(t.invoices.c.group_ref.in_(groups))
    with hub.database.read() as conn:
        yield from conn.scalars(query)


def _checkpoint(hub: Hub, row: ConnectionRow) -> str:
    with hub.database.read() as conn:
        newest = read_connection(conn, row.connection_id)
    return (newest or row).checkpoint
