"""Reference rates and other series of dated figures, read from a table with a source for every row."""

from __future__ import annotations

import bisect
import csv
import datetime as dt
import io
import itertools
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from collecthub.errors import ConfigurationError, PermanentError
from collecthub.law.basis import Evidence
from collecthub.model.money import parse_amount

COLUMNS = ("series", "valid_from", "valid_to", "value", "evidence", "source", "note")


class RatePeriod(msgspec.Struct, frozen=True, kw_only=True):
    """One figure and the days it holds for, both included. `value` is None where the figure is not known."""

    valid_from: dt.date
    valid_to: dt.date
    value: Decimal | None
    evidence: Evidence
    source: str = ""
    note: str = ""


class RateSeries(msgspec.Struct, frozen=True, kw_only=True):
    """The periods of one series in order, without overlaps; gaps are days for which nothing is known."""

    series_id: str
    periods: tuple[RatePeriod, ...]

    def period_on(self, day: dt.date) -> RatePeriod | None:
        """The known figure of a day, or None."""
        at = bisect.bisect_right(self.periods, day, key=lambda period: period.valid_from) - 1
        found = self.periods[at] if at >= 0 else None
        return found if found and day <= found.valid_to and found.value is not None else None

    @property
    def known_until(self) -> dt.date | None:
        """The last day with a known figure."""
        return max((period.valid_to for period in self.periods if period.value is not None), default=None)


def read_rates(text: str, name: str = "rates") -> dict[str, RateSeries]:
    """Series by id from a table with the columns `COLUMNS`; rates are in percent a year.

    Raises `ConfigurationError` that names the line: an amount, date or evidence level that is none, a value
    without a source, or two values for one day.
    """
    rows = csv.DictReader(io.StringIO(text))
    if tuple(rows.fieldnames or ()) != COLUMNS:
        raise ConfigurationError(
            f"{name} has other columns than {', '.join(COLUMNS)}", cure="Write this header as its first line."
        )
    found: dict[str, list[RatePeriod]] = {}
    for row in rows:
        try:
            found.setdefault(row["series"], []).append(_period(row))
        except (ValueError, TypeError, PermanentError) as error:
            raise ConfigurationError(
                f"line {rows.line_num} of {name} is not a rate: {error}", cure="Correct the line."
            ) from error
    return {series_id: series_of(series_id, periods) for series_id, periods in found.items()}


def _period(row: Mapping[str, str]) -> RatePeriod:
    value = parse_amount(row["value"]) if row["value"] else None
    if value is not None and not row["source"]:
        raise ValueError("it has no source")
    period = RatePeriod(
        valid_from=dt.date.fromisoformat(row["valid_from"]), valid_to=dt.date.fromisoformat(row["valid_to"]),
        value=value, evidence=Evidence(row["evidence"]), source=row["source"], note=row["note"],
    )  # fmt: skip
    if period.valid_to < period.valid_from:
        raise ValueError("it ends before it begins")
    return period


def series_of(series_id: str, periods: Iterable[RatePeriod]) -> RateSeries:
    """A series from its periods in any order. Raises `ConfigurationError` when two of them share a day."""
    ordered = tuple(sorted(periods, key=lambda period: period.valid_from))
    for one, two in itertools.pairwise(ordered):
        if two.valid_from <= one.valid_to:
            raise ConfigurationError(
                f"{series_id} has two values for {two.valid_from}", cure="Remove or shorten one of the two rows."
            )
    return RateSeries(series_id=series_id, periods=ordered)


def with_more(series: RateSeries, more: RateSeries) -> RateSeries:
    """A series completed by figures published later: they take the place of periods without a known value.

    Raises `ConfigurationError` where both know the same day.
    """
    kept = [period for period in series.periods if period.value is not None or not _meets(period, more.periods)]
    return series_of(series.series_id, [*kept, *more.periods])


def _meets(period: RatePeriod, others: Sequence[RatePeriod]) -> bool:
    return any(other.valid_from <= period.valid_to and period.valid_from <= other.valid_to for other in others)
