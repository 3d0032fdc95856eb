"""What was deleted before its division moved is in no page and in no tombstone; it is found all the same (X11)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import sqlalchemy as sa
from portal.vendor_hub import VendorHub, open_vendor_hub

from collecthub.engine.missing_items import settle_missing
from collecthub.engine.pulled_pages import PageKeeper
from collecthub.store import tables as t
from collecthub.store.runs import begin_run


def states(place: VendorHub, connection_id: str) -> dict[str, str]:
    query = sa.select(t.invoices.c.number, t.invoices.c.state).where(t.invoices.c.connection_id == connection_id)
    with place.hub.database.read() as conn:
        return dict(tuple(row) for row in conn.execute(query))


def test_an_item_that_went_without_a_trace_is_asked_for_and_cancelled(tmp_path: Path) -> None:
    with open_vendor_hub(tmp_path, dt.date(2026, 6, 15)) as place:
        for number in ("1001", "1002", "1003"):
            place.owe(number, "C1", "500.00")
        connection_id = place.connect()
        place.consent(connection_id)
        place.pull(connection_id)
        place.exact.control("delete", {"number": "1002"})
        place.exact.control("move_division", {})
        place.pull(connection_id)
        assert states(place, connection_id) == dict.fromkeys(("1001", "1002", "1003"), "open")
        row = place.row(connection_id)
        with place.hub.work() as work:
            begin_run(work.conn, "repair", connection_id, work.now)
        place.exact.control("pay", {"number": "1003"})  # open here and not there as well, but paid
        assert settle_missing(place.hub, row, PageKeeper(place.hub, row, "repair")) == 2
        assert states(place, connection_id) == {"1001": "open", "1002": "cancelled", "1003": "paid"}
        assert place.row(connection_id).checkpoint == row.checkpoint
        assert settle_missing(place.hub, row, PageKeeper(place.hub, row, "repair")) == 0
