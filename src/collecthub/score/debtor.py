"""The transparent score of a debtor: the card's points as a chance, a band, and the reasons in words."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from collecthub.model.solvency import VALID_DAYS, Band, DebtorFacts, Score, ScoreReason, SolvencyVerdict
from collecthub.score.logistic import sigmoid
from collecthub.score.scorecard import scorecard

EVEN_POINTS, POINTS_PER_STEP = 50, 15  # at 50 points the chance is even; 15 more turn 50 % into 27 %
FOREVER = 999.0  # months, where nothing can be paid
GOOD_FROM, FAIR_FROM = Decimal("0.65"), Decimal("0.35")


def score_by_card(facts: DebtorFacts, occasion: str) -> Score:
    """The score with every reason. An insolvency notice decides alone: then points are not the question."""
    card = scorecard("debtor")
    answers = card_answers(facts)
    insolvent = [check for check in facts.checks if check.verdict is SolvencyVerdict.INSOLVENT]
    points = card.points(answers)
    chance = Decimal("0.02") if insolvent else _chance(points)
    band = Band.INSOLVENT if insolvent else _band(chance)
    told = [ScoreReason(factor=f"notice in {one.source}", points=100, text=one.text) for one in insolvent]
    told += [ScoreReason(factor=one.factor, points=one.points, text=one.text) for one in card.reasons(answers)]
    known = tuple((name, "not known" if value is None else f"{value:g}") for name, value in answers.items())
    return Score(
        chance=chance, capacity=facts.capacity, band=band, reasons=tuple(told), model=card.version, occasion=occasion,
        inputs=known, scored_on=facts.as_of,
    )  # fmt: skip


def _chance(points: int) -> Decimal:
    return Decimal(f"{sigmoid((EVEN_POINTS - points) / POINTS_PER_STEP):.3f}")


def _band(chance: Decimal) -> Band:
    if chance >= GOOD_FROM:
        return Band.GOOD
    return Band.FAIR if chance >= FAIR_FROM else Band.WEAK


def card_answers(facts: DebtorFacts) -> Mapping[str, float | None]:
    """The card's questions answered; None where nobody knows."""
    ended, plans = facts.ended_paid + facts.ended_unpaid, facts.plans_kept + facts.plans_broken
    fresh = [one for one in facts.checks if (facts.as_of - one.checked_on).days <= VALID_DAYS]
    return {
        "oldest claim, days overdue": float(facts.oldest_days),
        "share paid so far": None if facts.paid_share is None else float(facts.paid_share),
        "months at what he can pay": _months(facts),
        "earlier cases that ended unpaid": float(facts.ended_unpaid) if ended else None,
        "plans broken": float(facts.plans_broken) if plans else None,
        "instalments missed": float(facts.instalments_missed) if plans or facts.instalments_missed else None,
        "reminders without effect": float(facts.dunning_level),
        "promises broken": float(facts.promises_broken) if facts.contacts_made else None,
        "messages that came back": float(facts.contacts_lost) if facts.contacts_made + facts.contacts_lost else None,
        "cannot pay": float(facts.reason == "cannot") if facts.reason else None,
        "warnings of sources": float(any(one.verdict is SolvencyVerdict.WARNING for one in fresh)) if fresh else None,
    }


def _months(facts: DebtorFacts) -> float | None:
    """How long the balance takes at the capacity that somebody stated; endless where that is nothing."""
    if facts.capacity is None:
        return None
    return float(facts.owed / facts.capacity) if facts.capacity > 0 else FOREVER
