"""Days on which nobody works at a place: its weekend and its public holidays, by the library `holidays`.

A wait for a person there never ends on such a day; it ends at the same hour of the next one that is none, as periods do
under Regulation (EEC, Euratom) 1182/71 art. 3(4). Where the holidays are not known, nothing is moved.
"""

from __future__ import annotations

import datetime as dt
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.core import get_global

if TYPE_CHECKING:
    from holidays import HolidayBase

_LONGEST = 21  # days looked ahead; no known run of days off lasts so long


@lru_cache(maxsize=300)
def calendar_of(country: str) -> HolidayBase | None:
    """The public holidays of a country; None where they are not known."""
    import holidays  # heavy, and most figures need no working day

    if country not in holidays.list_supported_countries(include_aliases=False):
        return None
    return holidays.country_holidays(country)


@cache
def zones_of(country: str) -> tuple[ZoneInfo, ...]:
    """The time zones of a country; UTC where none is known."""
    names = sorted(name for name, territory in get_global("zone_territories").items() if territory == country)
    found = []
    for name in names:
        try:
            found.append(ZoneInfo(name))
        except ZoneInfoNotFoundError:  # a name that only CLDR still has
            continue
    return tuple(found) or (ZoneInfo("UTC"),)


def working_moment(moment: dt.datetime, country: str) -> dt.datetime:
    """The moment itself, or the same hour by the clock there of the next day on which people work.

    >>> friday = dt.datetime(2026, 6, 19, 12, tzinfo=dt.UTC)  # a day of rest in Egypt, a holiday in Uruguay
    >>> [str(working_moment(friday, country).date()) for country in ("BE", "UY", "EG", "")]
    ['2026-06-19', '2026-06-22', '2026-06-21', '2026-06-19']
    """
    calendar = calendar_of(country) if country else None
    if calendar is None:
        return moment
    local = moment.astimezone(zones_of(country)[0])
    for _ in range(_LONGEST):
        if calendar.is_working_day(local.date()):
            return local.astimezone(dt.UTC)
        local += dt.timedelta(days=1)
    return moment
