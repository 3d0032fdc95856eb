"""Whether a step towards a debtor is lawful on a day: the question, the answer, and what happened before."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from collecthub.law.basis import Evidence


class Step(enum.StrEnum):
    """What somebody wants to do."""

    REMIND = "remind"
    CHARGE_CLAUSE = "charge_clause"
    CHARGE_INTEREST = "charge_interest"
    COLLECTOR_NOTICE = "collector_notice"
    COLLECT = "collect"  # a collector's contact after its notice: letter, call, visit
    CHARGE_COLLECTOR = "charge_collector"  # the collector's own costs to the debtor
    UNCONTESTED_ROUTE = "uncontested_route"  # Belgium: IOS
    SUMMON = "summon"
    ENFORCE = "enforce"


class Happening(enum.StrEnum):
    """What the file knows, as far as the law asks for it."""

    REMINDER = "reminder"
    NOTICE = "notice"  # the collector's written notice
    PAYMENT = "payment"
    CREDIT = "credit"
    DISPUTE = "dispute"
    PLAN_REQUEST = "plan_request"
    MEDIATION_REQUEST = "mediation_request"
    ANSWERED = "answered"  # the creditor's reasoned answer to a dispute or request
    SOLVENCY_CHECK = "solvency_check"
    SETTLEMENT_ADMITTED = "settlement_admitted"  # collective debt settlement
    SETTLEMENT_ENDED = "settlement_ended"
    BANKRUPTCY = "bankruptcy"
    REORGANISATION = "reorganisation"
    REORGANISATION_ENDED = "reorganisation_ended"
    TITLE = "title"


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """One fact of the file. `amount` is money that came in, `fee` what the debtor was charged for the step."""

    kind: Happening
    on: dt.date
    channel: str = "letter"
    amount: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)


class StepQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """May this be done on this day? `claimed` is what the step would ask beside the principal.

    `rate_percent` is the rate of interest that the step would ask. `is_collector`: a professional acts, also a
    bailiff or lawyer. `free_reminders_used` counts this calendar year's due dates of one contract.
    """

    step: Step
    on: dt.date
    segment: str
    principal: Decimal
    due_on: dt.date
    contract_on: dt.date | None = None
    happened: tuple[Happened, ...] = ()
    claimed: Decimal = Decimal(0)
    rate_percent: Decimal | None = None
    is_regular_supply: bool = False
    free_reminders_used: int = 0
    is_registered: bool = True  # the debtor stands in the enterprise database
    is_collector: bool = True

    def before(self) -> tuple[Happened, ...]:
        """What had happened up to the day, in order."""
        return tuple(sorted((fact for fact in self.happened if fact.on <= self.on), key=lambda fact: fact.on))

    @property
    def balance(self) -> Decimal:
        """The principal that was open on the day."""
        return self.principal - sum(
            (fact.amount for fact in self.before() if fact.kind in (Happening.PAYMENT, Happening.CREDIT)),
            Decimal(0),
        )

    def last(self, *kinds: Happening) -> Happened | None:
        """The last fact of these kinds up to the day."""
        return next((fact for fact in reversed(self.before()) if fact.kind in kinds), None)

    def first(self, *kinds: Happening) -> Happened | None:
        """The first fact of these kinds up to the day."""
        return next((fact for fact in self.before() if fact.kind in kinds), None)


class Obstacle(msgspec.Struct, frozen=True, kw_only=True):
    """Why a step is unlawful: the article, the reason, what to do, and from when on it is lawful if a day is known."""

    article: str
    reason: str
    cure: str
    evidence: Evidence
    source: str = ""
    allowed_from: dt.date | None = None


class StepAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the step is lawful, what stands against it, and the limits that hold on the day.

    `allowed_from` is the day from which it is lawful if nothing else happens; None where only an act of somebody helps.
    """

    is_allowed: bool
    allowed_from: dt.date | None = None
    obstacles: tuple[Obstacle, ...] = ()
    limits: dict[str, str] = {}
    notes: tuple[str, ...] = ()


def answer_of(obstacles: Iterable[Obstacle | None], limits: dict[str, str], *notes: str) -> StepAnswer:
    """The answer that follows from what was found."""
    found = tuple(obstacle for obstacle in obstacles if obstacle is not None)
    days = [obstacle.allowed_from for obstacle in found]
    return StepAnswer(
        is_allowed=not found, allowed_from=max(filter(None, days), default=None) if all(days) else None, obstacles=found,
        limits=limits, notes=tuple(filter(None, notes)),
    )  # fmt: skip
