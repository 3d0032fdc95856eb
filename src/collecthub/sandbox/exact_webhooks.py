"""Webhooks as Exact Online sends them: the empty validation POST, then thin notifications with a HashCode."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sqlite3
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

TOPICS = frozenset(
    "Accounts Contacts Items StockPositions FinancialTransactions SalesInvoices SalesOrders PurchaseOrders "
    "GoodsDeliveries CostTransactions TimeTransactions Documents Quotations BankAccounts".split()
)


def notification(content: dict[str, Any], secret: str) -> bytes:
    """The body of a notification: compact JSON; HashCode is HMAC-SHA256 over the raw characters of Content.

    >>> notification({"Topic": "Accounts"}, "s")[:44]
    b'{"Content":{"Topic":"Accounts"},"HashCode":"'
    """
    raw = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    code = hmac.new(secret.encode(), raw.encode(), hashlib.sha256).hexdigest().upper()
    return f'{{"Content":{raw},"HashCode":"{code}"}}'.encode()


@dataclass
class Delivery:
    """How notifications are delivered: each `repeat` times, and `held` back until released, maybe in reverse."""

    repeat: int = 1
    held: bool = False


class WebhookSender:
    """Sends to callbacks from the event loop, each call in a thread; nothing is retried and nothing is durable."""

    def __init__(self, connection: sqlite3.Connection, delay_seconds: float) -> None:
        self._db = connection
        self._delay = delay_seconds
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: list[tuple[str, bytes]] = []
        self.delivery = Delivery()
        self.log: list[dict[str, Any]] = []

    def validate(self, subscription_id: str, url: str) -> None:
        """Send the empty POST after the delay; only a 2xx makes the subscription live."""
        self._start(self._validate(subscription_id, url))

    def notify(self, url: str, body: bytes) -> None:
        """Send a notification, or keep it while deliveries are held."""
        if self.delivery.held:
            self._waiting.append((url, body))
            return
        for _ in range(self.delivery.repeat):
            self._start(self._deliver(url, body))

    def release(self, *, reverse: bool) -> int:
        """Send what was held back, in order or in reverse; the number of notifications."""
        waiting, self._waiting = self._waiting, []
        self.delivery.held = False
        self._start(self._deliver_all(waiting[::-1] if reverse else waiting))
        return len(waiting)

    def _start(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _validate(self, subscription_id: str, url: str) -> None:
        await asyncio.sleep(self._delay)
        if 200 <= await self._deliver(url, b"") < 300:
            self._db.execute("UPDATE subscription SET validated = 1 WHERE ID = ?", (subscription_id,))

    async def _deliver_all(self, waiting: list[tuple[str, bytes]]) -> None:
        for url, body in waiting:
            await self._deliver(url, body)

    async def _deliver(self, url: str, body: bytes) -> int:
        status = await asyncio.to_thread(_post, url, body)
        self.log.append({"url": url, "bytes": len(body), "status": status})
        return status


_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _post(url: str, body: bytes) -> int:
    """POST and return the status, 0 when nobody answers."""
    request = urllib.request.Request(
        url, data=body, headers={"Content-Type": "application/json"}, method="POST"
    )
    try:
        with _DIRECT.open(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0
