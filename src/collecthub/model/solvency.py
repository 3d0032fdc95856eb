"""What is known of a debtor's ability and will to pay: a score with reasons, and the checks that were logged."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal

import msgspec

CONTEST_DAYS = 30  # within a month, as every request of a person on data about him (GDPR art. 12(3))
VALID_DAYS = 90  # a score or check older than this is made anew before a costly step (monitoring is three-monthly)


class Band(enum.StrEnum):
    """The chance in one word."""

    GOOD = "good"
    FAIR = "fair"
    WEAK = "weak"
    INSOLVENT = "insolvent"


class SolvencyVerdict(enum.StrEnum):
    """What a source said of the debtor's solvency."""

    NOTHING_FOUND = "nothing_found"
    WARNING = "warning"
    INSOLVENT = "insolvent"


class ScoreReason(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one question added, in words."""

    factor: str
    points: int
    text: str


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """A score on a day. `chance` of payment is between 0 and 1, `capacity` an amount a month if anybody stated it."""

    chance: Decimal
    capacity: Decimal | None = None
    band: Band
    reasons: tuple[ScoreReason, ...]
    model: str
    inputs: tuple[tuple[str, str], ...]
    occasion: str
    scored_on: dt.date


class Overruling(msgspec.Struct, frozen=True, kw_only=True):
    """A person decided otherwise than the score."""

    band: Band
    reason: str
    by: str
    on: dt.date


class SolvencyCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One logged look into a source."""

    source: str
    verdict: SolvencyVerdict
    text: str
    checked_on: dt.date


class Solvency(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The newest score, what a person made of it, and every check.

    `contested` is what the debtor says against it while nobody has answered, `answer` what he was answered last.
    """

    score: Score | None = None
    overruling: Overruling | None = None
    contested: str = ""
    answer_by_on: dt.date | None = None
    answer: str = ""
    answered_on: dt.date | None = None
    checks: tuple[SolvencyCheck, ...] = ()

    @property
    def band(self) -> Band | None:
        """What counts: a person's word before the score's."""
        if self.overruling is not None:
            return self.overruling.band
        return self.score.band if self.score is not None else None

    def is_checked(self, on: dt.date) -> bool:
        """Whether a check was logged that is still fresh on this day."""
        return any(0 <= (on - check.checked_on).days <= VALID_DAYS for check in self.checks)

    def is_weighed(self, on: dt.date) -> bool:
        """Whether the sources were asked for a step of this day: on the day, or the day before where a night lies between."""
        return any(0 <= (on - check.checked_on).days <= 1 for check in self.checks)


class DebtorFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub knows of a debtor at this creditor on a day; None is not known, never nought."""

    as_of: dt.date
    segment: str
    country: str
    currency: str
    owed: Decimal
    oldest_days: int
    dunning_level: int
    paid_share: Decimal | None = None  # of what was ever in this debtor's cases
    ended_paid: int = 0
    ended_unpaid: int = 0
    plans_kept: int = 0
    plans_broken: int = 0
    instalments_missed: int = 0
    contacts_made: int = 0  # messages, calls and visits that reached him
    contacts_lost: int = 0  # messages that came back, channels that reach him no more
    promises_broken: int = 0
    reason: str = ""
    is_protected: bool = False
    is_disputed: bool = False
    capacity: Decimal | None = None
    checks: tuple[SolvencyCheck, ...] = ()
