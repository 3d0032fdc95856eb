"""When a partner's office takes new cases; pure."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from collecthub_sftp_batch.settings import Hours

_DAYS_AHEAD = 8


def next_opening(hours: Hours, now: dt.datetime) -> dt.datetime | None:
    """The moment from which new cases may leave; None when they may leave now.

    The clock is the partner's, also on the days on which it is changed.

    >>> brussels = Hours(zone="Europe/Brussels", work_days=(0, 1, 2, 3, 4), opens_at="08:00", cut_off_at="16:30")
    >>> friday = dt.datetime(2026, 3, 27, 15, 31, tzinfo=dt.UTC)  # 16:31 there; summer time begins on Sunday
    >>> next_opening(brussels, friday).isoformat()
    '2026-03-30T08:00:00+02:00'
    >>> next_opening(brussels, friday - dt.timedelta(minutes=2)) is None
    True
    """
    zone = ZoneInfo(hours.zone)
    here = now.astimezone(zone)
    for ahead in range(_DAYS_AHEAD):
        day = here.date() + dt.timedelta(days=ahead)
        if hours.work_days and day.weekday() not in hours.work_days:
            continue
        opens_at = dt.datetime.combine(day, hours.opens_at or dt.time(), zone)
        closes_at = dt.datetime.combine(day, hours.cut_off_at or dt.time.max, zone)
        if here <= closes_at:
            return None if here >= opens_at else opens_at
    return None
