"""Hours in which nobody is written to: nights, Sundays and public holidays where the debtor lives.

A country of several zones is written to when it is day in all of them. Nothing here replaces a stricter national rule.
"""

from __future__ import annotations

import datetime as dt
from functools import cache

from collecthub.errors import PermanentError
from collecthub.law.days import is_working_day
from collecthub.model.days_off import zones_of

OPENS, CLOSES = dt.time(8), dt.time(20)
_HOUR = dt.timedelta(hours=1)
_LONGEST = 24 * 14  # hours looked ahead; holidays never last so long


def is_quiet(moment: dt.datetime, country: str) -> bool:
    """Whether a debtor in this country is left alone at this moment.

    >>> at = dt.datetime(2026, 7, 21, 12, tzinfo=dt.UTC)  # Belgium's national holiday
    >>> is_quiet(at, "BE"), is_quiet(at, "NL"), is_quiet(at.replace(hour=22), "NL")
    (True, False, True)
    """
    local = [moment.astimezone(zone) for zone in zones_of(country)]
    awake = [OPENS <= here.time() < CLOSES for here in local]
    # From coast to coast there may be no common hour; then the first zone decides.
    is_day = all(awake) if _has_common_hour(country, moment) else awake[0]
    return not is_day or not _is_open_day(local[0].date(), country)


@cache
def _spread(country: str, day: dt.date) -> dt.timedelta:
    noon = dt.datetime.combine(day, dt.time(12), dt.UTC)
    offsets = [noon.astimezone(zone).utcoffset() or dt.timedelta() for zone in zones_of(country)]
    return max(offsets) - min(offsets)


def _has_common_hour(country: str, moment: dt.datetime) -> bool:
    return _spread(country, moment.date()) < dt.timedelta(hours=CLOSES.hour - OPENS.hour)


def _is_open_day(day: dt.date, country: str) -> bool:
    if day.weekday() == 6:
        return False
    try:
        return day.weekday() == 5 or is_working_day(day, country)
    except PermanentError:  # its holidays are not known
        return True


def next_open(moment: dt.datetime, country: str) -> dt.datetime:
    """The moment itself when it is not quiet, else the next full hour that is not."""
    if not is_quiet(moment, country):
        return moment
    hour = moment.replace(minute=0, second=0, microsecond=0)
    for _ in range(_LONGEST):
        hour += _HOUR
        if not is_quiet(hour, country):
            return hour
    return hour
