"""Dates as they are typed on the command line."""

from __future__ import annotations

import datetime as dt

import typer

FIRST_YEAR, LAST_YEAR = 1990, 2199  # arithmetic on dates stays far from the ends of the calendar


def day(text: str) -> dt.date:
    """A date of our time. Raises `typer.BadParameter` for anything else.

    >>> day("2026-06-15")
    datetime.date(2026, 6, 15)
    """
    try:
        found = dt.date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text[:40]!r} is not a date such as 2026-06-15") from error
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise typer.BadParameter(f"{text[:40]!r} is not a date of our time ({FIRST_YEAR} to {LAST_YEAR})")
    return found
