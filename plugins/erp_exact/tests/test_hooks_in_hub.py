"""A webhook of the vendor shortens the way into the hub: from its own sender over HTTP to a changed invoice."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from portal.vendor_hub import VendorHub, open_vendor_hub

from collecthub.engine.hook_subscriptions import hook_address, keep_subscribed
from collecthub.sandbox.exact import WEBHOOK_SECRET
from collecthub.store import tables as t


def open_amount(place: VendorHub, connection_id: str) -> int:
    place.work()
    query = sa.select(sa.func.sum(t.invoices.c.open_minor)).where(t.invoices.c.connection_id == connection_id)
    with place.hub.database.read() as conn:
        return int(conn.scalar(query) or 0)


def subscriptions(place: VendorHub) -> list[dict[str, object]]:
    return list(place.exact.control("webhooks")["log"])


def until(condition: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_payment_is_known_without_a_pull_of_our_own(tmp_path: Path) -> None:
    with open_vendor_hub(tmp_path, dt.date(2026, 6, 15)) as place:
        place.owe("1001", "C1", "500.00")
        connection_id = place.connect(webhook_secret=WEBHOOK_SECRET)
        place.consent(connection_id)
        place.pull(connection_id)
        assert open_amount(place, connection_id) == 50_000
        place.hub.settings = place.hub.settings.model_copy(update={"public_url": place.url})
        keep_subscribed(place.hub, place.row(connection_id))
        keep_subscribed(place.hub, place.row(connection_id))
        until(lambda: [one["status"] for one in subscriptions(place)] == [200, 200])  # the empty calls, once a topic
        assert {one["url"] for one in subscriptions(place)} == {hook_address(place.url, connection_id)}
        place.exact.control("pay", {"number": "1001", "amount": "120.00"})
        until(lambda: open_amount(place, connection_id) == 38_000)
        assert subscriptions(place)[-1]["status"] == 200
