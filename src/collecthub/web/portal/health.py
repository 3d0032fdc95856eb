"""What a connection page says about health: ages, calls left, and what became of the rows of a pull."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from collecthub.engine.consent import asks_consent
from collecthub.engine.context import Hub
from collecthub.errors import CollecthubError
from collecthub.ports import Budget, Budgeted, Divided
from collecthub.store.connections import ConnectionRow
from collecthub.store.queries import doors

_AGAIN_RUNNING_MS, _AGAIN_IDLE_MS = 1500, 3000
_PERIODS: Mapping[str, str] = {"minute": "this minute", "hour": "this hour", "day": "today"}


class ConnectorFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the connector object of a connection can do and knows; all empty when it cannot be built."""

    asks_consent: bool = False
    has_divisions: bool = False
    budgets: tuple[Budget, ...] = ()


def connector_facts(hub: Hub, row: ConnectionRow) -> ConnectorFacts:
    """Ask the connector about itself. A plugin in trouble never spoils the page that shows its trouble."""
    try:
        connector = hub.connector_for(row)
        budgets: Sequence[Budget] = ()
        if isinstance(connector, Budgeted):
            budgets = hub.call(connector.budgets, what=f"{row.kind}.budgets", connection_id=row.connection_id)
        return ConnectorFacts(
            asks_consent=asks_consent(hub, row), has_divisions=isinstance(connector, Divided), budgets=tuple(budgets)
        )
    except CollecthubError:
        return ConnectorFacts()


def calls_left(budget: Budget, now: dt.datetime) -> str:
    """One allowance in words; once its period is over nothing is known but its size. `now` is the real moment.

    >>> noon = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)
    >>> day = Budget(name="day", subject="123", remaining=412, limit=5000, resets_at=noon + dt.timedelta(hours=12))
    >>> calls_left(day, noon)
    '412 of 5,000 left today, counted anew at 00:00'
    >>> calls_left(day, noon + dt.timedelta(days=1))
    'all 5,000 left today'
    """
    period = _PERIODS.get(budget.name, f"this {budget.name}")
    if budget.resets_at <= now:
        return f"all {budget.limit:,} left {period}" if budget.limit is not None else f"counted anew {period}"
    of = f" of {budget.limit:,}" if budget.limit is not None else ""
    return f"{budget.remaining:,}{of} left {period}, counted anew at {budget.resets_at.astimezone(dt.UTC):%H:%M}"


def calls(budgets: Sequence[Budget]) -> dict[str, list[str]]:
    """Allowances in words, by what they are counted for."""
    now = dt.datetime.now(dt.UTC)
    found: dict[str, list[str]] = {}
    for budget in budgets:
        found.setdefault(budget.subject, []).append(calls_left(budget, now))
    return found


def age(since: dt.datetime | None, now: dt.datetime) -> str:
    """How long ago, as people say it.

    >>> noon = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)
    >>> [age(noon - dt.timedelta(minutes=m), noon) for m in (0, 1, 59, 60, 60 * 47, 60 * 48)]
    ['just now', '1 minute ago', '59 minutes ago', '1 hour ago', '47 hours ago', '2 days ago']
    """
    if since is None:
        return "never"
    minutes = int((now - since).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    for size, unit, until in ((1, "minute", 60), (60, "hour", 48 * 60), (24 * 60, "day", None)):
        if until is None or minutes < until:
            count = minutes // size
            return f"{count} {unit}{'s' if count != 1 else ''} ago"
    return ""


def health(hub: Hub, row: ConnectionRow, detail: doors.ConnectionDetail) -> dict[str, Any]:
    """What both the page and its part that keeps itself fresh show. `again` is when to look again, in milliseconds."""
    outside = connector_facts(hub, row)
    last = detail.runs[0] if detail.runs else None
    before = next((run.rows for run in detail.runs[1:] if run.state == "complete" and run.rows), 0)
    moved = next((run.ended_at or run.started_at for run in detail.runs if run.pages), None)
    is_running = last is not None and last.ended_at is None
    return {
        "door": detail.connection, "outside": outside, "calls": calls(outside.budgets), "now": hub.now(), "age": age,
        "last": last, "is_running": is_running, "rows_before": before, "cursor_at": moved,
        "again": _AGAIN_RUNNING_MS if is_running else _AGAIN_IDLE_MS,
    }  # fmt: skip
