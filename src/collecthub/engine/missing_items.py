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
from collecthub.model.invoice import ItemState
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
    for start in range(0, len(missing), ITEMS_AT_ONCE):
        found = connector.read_items(missing[start : start + ITEMS_AT_ONCE])
        rows = list(hub.walk(f"{row.kind}.read_items", row.connection_id)(found))
        keeper.keep(Page(rows=rows, checkpoint=_checkpoint(hub, row)))
    return len(missing)


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
