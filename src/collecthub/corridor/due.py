"""Room 1 of CLOCK: which waits are over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from collecthub.model.clock import Timer


def due(timers: Iterable[Timer], now: dt.datetime) -> tuple[Timer, ...]:
    """The timers whose time has come, the longest overdue first."""
    return tuple(sorted((timer for timer in timers if timer.due_at <= now), key=lambda timer: timer.due_at))
