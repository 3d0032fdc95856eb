"""When a webhook that was not taken is tried again, and the log of every try.

The waits are those that Standard Webhooks 1.0.0 recommends ("Deliverability and reliability": 5 seconds, 5 and 30 minutes,
2, 5, 10, 14, 20 and 24 hours): more than 75 hours from the first try to the last. Each wait is lengthened by up to a tenth,
by chance but the same for the same webhook, so that the webhooks of an endpoint that was down do not come back together.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import sqlalchemy as sa

from collecthub.engine.context import Work
from collecthub.store import partner_tables as p

_WAITS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
_JITTER = 0.1


def webhook_wait(report_id: str, attempts: int) -> dt.timedelta | None:
    """How long to wait after so many tries; None when it was the last one.

    >>> [round(webhook_wait("r", n).total_seconds() / 3600) for n in (4, 9)], webhook_wait("r", 10)
    ([2, 25], None)
    """
    if not 1 <= attempts <= len(_WAITS):
        return None
    chance = int.from_bytes(hashlib.sha256(f"{report_id}/{attempts}".encode()).digest()[:4]) / 2**32
    return dt.timedelta(seconds=_WAITS[attempts - 1] * (1 + _JITTER * chance))


def log_attempts(work: Work, entries: list[tuple[Any, str]], *, is_delivered: bool) -> None:
    """Note tries of reports, each with what came of it. Numbers go on after a replay, whose schedule begins anew."""
    if not entries:
        return
    counted = _COUNT.where(p.webhook_attempts.c.report_id.in_([entry.report_id for entry, _ in entries]))
    before: dict[str, int] = {row[0]: row[1] for row in work.conn.execute(counted)}
    rows = [
        {
            "report_id": entry.report_id, "attempt": before.get(entry.report_id, 0) + 1,
            "connection_id": entry.connection_id, "tried_at": work.now, "is_delivered": is_delivered,
            "detail": detail[:400],
        }
        for entry, detail in entries
    ]
    work.conn.execute(sa.insert(p.webhook_attempts), rows)


_COUNT = sa.select(p.webhook_attempts.c.report_id, sa.func.max(p.webhook_attempts.c.attempt)).group_by(
    p.webhook_attempts.c.report_id
)
