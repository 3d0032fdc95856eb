"""How long each kind of data on a debtor is kept, why, and after which source: a table, no code."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec

from collecthub.law.basis import Evidence

CASE_FILE, PAPERS, MESSAGES, SCORES, TRAFFIC, PAYMENTS = "case_file", "papers", "messages", "scores", "traffic", "payments"


class RetentionRule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. `years` count from the last change of the last case, once all are closed."""

    title: str
    years: int
    ground: str
    source: str
    evidence: Evidence

    def until(self, ended_on: dt.date) -> dt.date:
        """The first day on which it need not be kept any more; 29 February becomes 1 March.

        >>> retention()[CASE_FILE].until(dt.date(2026, 6, 15))
        datetime.date(2036, 6, 15)
        """
        try:
            return ended_on.replace(year=ended_on.year + self.years)
        except ValueError:
            return dt.date(ended_on.year + self.years, 3, 1)


@cache
def retention() -> Mapping[str, RetentionRule]:
    """The rules by kind of data."""
    text = (files("collecthub.law") / "retention.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, RetentionRule])
