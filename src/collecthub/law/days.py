"""Days as the law counts them: working days, months from date to date, ends that move to a working day."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import TYPE_CHECKING

from collecthub.errors import PermanentError
from collecthub.law.rules import Span, Unit
from collecthub.model.days_off import calendar_of

if TYPE_CHECKING:
    from holidays import HolidayBase

_ONE = dt.timedelta(days=1)


def _calendar(country: str) -> HolidayBase:
    found = calendar_of(country)
    if found is None:
        raise PermanentError(
            f"the public holidays of {country} are not known", cure="Count this time limit by hand."
        )
    return found


def is_working_day(day: dt.date, country: str) -> bool:
    """Neither weekend nor national holiday.

    A Saturday never counts, also where a statute would let it: a wait counted this way is never too short.

    >>> [is_working_day(dt.date(2025, 7, day), "BE") for day in (18, 19, 21)]
    [True, False, False]
    """
    return day.weekday() < 5 and day not in _calendar(country)


def next_working_day(day: dt.date, country: str) -> dt.date:
    """The day itself if it is a working day, else the first one after it."""
    while not is_working_day(day, country):
        day += _ONE
    return day


def previous_working_day(day: dt.date, country: str) -> dt.date:
    """The day itself if it is a working day, else the last one before it."""
    while not is_working_day(day, country):
        day -= _ONE
    return day


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day of the month, or the last one of a shorter month.

    >>> add_months(dt.date(2024, 2, 29), 12), add_months(dt.date(2025, 1, 31), 1)
    (datetime.date(2025, 2, 28), datetime.date(2025, 2, 28))
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def add_span(day: dt.date, span: Span, country: str = "") -> dt.date:
    """The last day of a period that begins the day after `day`; working days are those of `country`.

    >>> add_span(dt.date(2025, 4, 17), Span(count=3, unit=Unit.WORKING_DAYS), "BE")  # Easter in between
    datetime.date(2025, 4, 23)
    """
    match span.unit:
        case Unit.DAYS:
            return day + dt.timedelta(days=span.count)
        case Unit.WEEKS:
            return day + dt.timedelta(weeks=span.count)
        case Unit.MONTHS:
            return add_months(day, span.count)
        case Unit.YEARS:
            return add_months(day, 12 * span.count)
        case Unit.WORKING_DAYS:
            for _ in range(span.count):
                day = next_working_day(day + _ONE, country)
            return day


def month_end(day: dt.date) -> dt.date:
    """The last day of its month."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
