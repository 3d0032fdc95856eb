"""A second, slow calculator: day by day, straight from the tables that the product's own data were restated from.

It shares nothing with the product but the tables: other code, other data files, other arithmetic.
"""

from __future__ import annotations

import csv
import datetime as dt
import math
from fractions import Fraction
from pathlib import Path

# Where the tables publish the sum of reference and margin instead of the reference.
TOTALS = {
    "AT_BASISZINS": "AT_COMMERCIAL_RATE",
    "BNB_BASE": "BG_LEGAL_RATE",
    "CNB_REPO_HALF": "CZ_DEFAULT_RATE",
    "DK_UDLAANSRENTE": "DK_DEFAULT_RATE",
    "NO_POLICY_RATE": "NO_DEFAULT_RATE",
    "NBP_REFERENCE_HALF": "PL_COMMERCIAL_RATE",
}


def rows(shared: Path, name: str) -> list[dict[str, str]]:
    with (shared / "jurisdictions" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Tables:
    """The published rates by series and day."""

    def __init__(self, shared: Path) -> None:
        self.rates: dict[str, list[tuple[str, str, Fraction]]] = {}
        for row in rows(shared, "reference_rates.csv"):
            if row["rate_percent"]:
                found = (row["valid_from"], row["valid_to"], Fraction(row["rate_percent"]))
                self.rates.setdefault(row["series"], []).append(found)
        self.rules = rows(shared, "late_payment_rules.csv")

    def rate(self, series: str, day: dt.date) -> Fraction:
        for first, last, value in self.rates.get(series, ()):
            if first <= day.isoformat() <= last:
                return value
        raise KeyError((series, day))

    def percent(self, rule: dict[str, str], day: dt.date, due: dt.date) -> Fraction:
        """The yearly rate of a day under one row of the rules."""
        fixed = {
            "fixed_by_half_year_of_default": due + dt.timedelta(days=1),
            "fixed_by_half_year_when_interest_starts": due + dt.timedelta(days=1),
            "single_rate_at_due_date": due,
        }.get(rule["rate_fixing"], day)
        series = rule["reference_series"]
        if series == "FIXED":
            return Fraction(rule["margin_points"])
        if series in TOTALS:
            return self.rate(TOTALS[series], fixed)
        reference = self.rate(series, fixed)
        if "next 0.5" in rule["rounding"]:
            reference = Fraction(math.ceil(reference * 2), 2)
        return reference + Fraction(rule["margin_points"])

    def interest(self, rule: dict[str, str], principal: int, due: dt.date, until: dt.date) -> Fraction:
        """Simple interest, day by day, on 365 days a year."""
        total = Fraction(0)
        day = due + dt.timedelta(days=1)
        while day <= until:
            total += principal * self.percent(rule, day, due) / 36500
            day += dt.timedelta(days=1)
        return total


def cents(exact: Fraction) -> str:
    """Half up to the cent, on whole numbers only."""
    whole = (2 * exact.numerator * 100 + exact.denominator) // (2 * exact.denominator)
    return f"{whole // 100}.{whole % 100:02d}"
