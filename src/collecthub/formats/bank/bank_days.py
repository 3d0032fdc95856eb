"""On which days euro payments are settled: the calendar of the European Central Bank's T2 (TARGET), by `holidays`."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holidays import HolidayBase

_ONE = dt.timedelta(days=1)


@cache
def _closing_days() -> HolidayBase:
    from holidays import financial_holidays  # half a second, and only orders to a bank need it

    return financial_holidays("ECB")


def is_bank_day(day: dt.date) -> bool:
    """Neither a weekend nor a closing day of T2.

    >>> [is_bank_day(dt.date(2026, month, day)) for month, day in ((4, 3), (4, 7), (5, 1), (12, 26), (7, 21))]
    [False, True, False, False, True]
    """
    return day.weekday() < 5 and day not in _closing_days()


def next_bank_day(day: dt.date) -> dt.date:
    """The day itself, or the first one after it on which euro payments are settled.

    >>> next_bank_day(dt.date(2026, 4, 3))
    datetime.date(2026, 4, 7)
    """
    while not is_bank_day(day):
        day += _ONE
    return day
