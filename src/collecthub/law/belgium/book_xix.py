"""Book XIX of the Code of Economic Law, debts of consumers, as a sequence of dated events.

A free first reminder opens a wait of fourteen days, counted by its channel; only then may clause and interest be
asked, up to caps on the balance of that moment. A professional collector begins with a written notice and stands
still for fourteen days; a reasoned dispute, a request for a plan or for debt mediation stops him.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from collecthub.law.basis import Evidence, Matter
from collecthub.law.charges import COMPENSATION, ChargeQuestion, charge
from collecthub.law.reminder import Wait, reminder_rule, wait_after
from collecthub.law.rules import CountryLaw, ReminderRule
from collecthub.law.steps import Happened, Happening, Obstacle, Step, StepQuestion

COMMERCIAL_RATE = "BE_COMMERCIAL"
STOPS = (Happening.DISPUTE, Happening.PLAN_REQUEST, Happening.MEDIATION_REQUEST)
_STOP_WORDS = {
    Happening.DISPUTE: "the debtor disputes the debt with reasons",
    Happening.PLAN_REQUEST: "the debtor asked for a payment plan",
    Happening.MEDIATION_REQUEST: "a debt mediation was asked for",
}
_SOURCE = "advocaat-baki.be; rtbf.be 2022"


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where a consumer debt stands on a day."""

    rule: ReminderRule
    balance: Decimal
    reminder: Wait | None  # of the first reminder
    standstill: Wait | None  # after the collector's last notice
    stopped_by: Happened | None
    clause_ceiling: Decimal
    rate_ceiling: Decimal | None  # percent a year; None where the rate of the day is not known


def position(law: CountryLaw, question: StepQuestion) -> Position | None:
    """Where the debt stands, or None where Book XIX does not govern it."""
    matter = Matter(
        segment=question.segment, contract_on=question.contract_on or question.due_on,
        default_on=question.due_on + dt.timedelta(days=1),
    )  # fmt: skip
    rule = reminder_rule(law, matter, question.on)
    if rule is None:
        return None
    cap = ChargeQuestion(
        item=COMPENSATION, segment=question.segment, basis=question.balance, currency="EUR", on=question.on,
        contract_on=question.contract_on, due_on=question.due_on,
    )  # fmt: skip
    rate = law.series[COMMERCIAL_RATE].period_on(question.on)
    return Position(
        rule=rule, balance=question.balance, reminder=_wait(rule, question.first(Happening.REMINDER)),
        standstill=_wait(rule, question.last(Happening.NOTICE)), stopped_by=_stop(question),
        clause_ceiling=charge(law, cap).amount, rate_ceiling=rate.value if rate else None,
    )  # fmt: skip


def _wait(rule: ReminderRule, sent: Happened | None) -> Wait | None:
    return wait_after(rule, sent.on, sent.channel, "BE") if sent else None


def _stop(question: StepQuestion) -> Happened | None:
    """The dispute or request that nobody has answered yet."""
    last = question.last(*STOPS, Happening.ANSWERED)
    return last if last and last.kind is not Happening.ANSWERED else None


def obstacles(at: Position, question: StepQuestion) -> Iterable[Obstacle | None]:
    """What Book XIX has against a step."""
    match question.step:
        case Step.REMIND:
            yield _reminder_fee(at, question)
        case Step.CHARGE_CLAUSE:
            yield from (_too_early(at, question.on), _over_cap(at, question.claimed))
        case Step.CHARGE_INTEREST:
            yield from (_too_early(at, question.on), _over_rate(at, question.rate_percent))
        case Step.COLLECTOR_NOTICE:
            yield _stopped(at)
            if question.claimed:
                yield from (_too_early(at, question.on), _over_cap(at, question.claimed))
        case Step.COLLECT:
            yield from (_stopped(at), _standstill(at, question.on))
        case Step.CHARGE_COLLECTOR:
            yield _own_costs()
        case Step.UNCONTESTED_ROUTE | Step.SUMMON | Step.ENFORCE:
            yield None


def limits(at: Position) -> dict[str, str]:
    """The figures and days that hold, for people."""
    found: dict[str, object] = {
        "balance": at.balance, "clause_ceiling": at.clause_ceiling, "rate_ceiling_percent": at.rate_ceiling,
        "waiting_from": at.reminder and at.reminder.first_on, "waiting_until": at.reminder and at.reminder.last_on,
        "charge_from": at.reminder and at.reminder.charge_from,
        "standstill_until": at.standstill and at.standstill.last_on,
        "stopped_by": at.stopped_by and at.stopped_by.kind.value,
    }  # fmt: skip
    return {name: str(value) for name, value in found.items() if value is not None}


def _obstacle(
    article: str, reason: str, cure: str, source: str = "", allowed_from: dt.date | None = None,
    evidence: Evidence = Evidence.VERIFIED,
) -> Obstacle:  # fmt: skip
    return Obstacle(
        article=f"CEL {article}", reason=reason, cure=cure, evidence=evidence, source=source or _SOURCE,
        allowed_from=allowed_from,
    )  # fmt: skip


def _too_early(at: Position, on: dt.date) -> Obstacle | None:
    if at.reminder is None:
        return _obstacle(
            "XIX.2", "no free first reminder was sent", "Send the first reminder, free of charge, and wait fourteen days.",
            at.rule.source,
        )  # fmt: skip
    if on < at.reminder.charge_from:
        return _obstacle(
            "XIX.2", f"the debtor may pay without more until {at.reminder.last_on}",
            f"Wait until {at.reminder.charge_from}.", at.rule.source, at.reminder.charge_from,
        )  # fmt: skip
    return None


def _over_cap(at: Position, claimed: Decimal) -> Obstacle | None:
    if claimed <= at.clause_ceiling:
        return None
    return _obstacle(
        "XIX.4", f"{claimed} EUR is above the cap of {at.clause_ceiling} EUR on a balance of {at.balance} EUR",
        f"Ask {at.clause_ceiling} EUR at most; a clause above the cap is void as a whole.", "creno.be; clinique-reding.be",
    )  # fmt: skip


def _over_rate(at: Position, percent: Decimal | None) -> Obstacle | None:
    if percent is None:
        return None
    if at.rate_ceiling is None:
        return _obstacle(
            "XIX.4", "the highest lawful rate of that day is not known here", "Load the published commercial rate first.",
            evidence=Evidence.UNKNOWN,
        )  # fmt: skip
    if percent <= at.rate_ceiling:
        return None
    return _obstacle(
        "XIX.4; VI.83", f"{percent}% is above the highest lawful rate of {at.rate_ceiling}%",
        "Only the civil legal rate is left: compute it without a clause.", "leuropeinfo.eu (Schoups)",
    )  # fmt: skip


def _reminder_fee(at: Position, question: StepQuestion) -> Obstacle | None:
    is_first = at.reminder is None
    is_free = is_first and not (
        question.is_regular_supply and question.free_reminders_used >= at.rule.free_due_dates_a_year
    )
    allowed = Decimal(0) if is_free else at.rule.fee_maximum
    if question.claimed <= allowed:
        return None
    what = (
        "the first reminder is free"
        if is_free
        else f"a reminder costs {allowed} EUR at most, beside the postage in force"
    )
    return _obstacle("XIX.2", what, f"Charge {allowed} EUR at most.", at.rule.source)


def _standstill(at: Position, on: dt.date) -> Obstacle | None:
    if at.standstill is None:
        return _obstacle(
            "XIX.7",
            "the collector has not sent his written notice",
            "Send the written notice and stand still for fourteen days.",
        )
    if on < at.standstill.charge_from:
        return _obstacle(
            "XIX.7", f"the collector stands still until {at.standstill.last_on}", f"Wait until {at.standstill.charge_from}.",
            allowed_from=at.standstill.charge_from,
        )  # fmt: skip
    return None


def _stopped(at: Position) -> Obstacle | None:
    if at.stopped_by is None:
        return None
    reason = f"{_STOP_WORDS[at.stopped_by.kind]} on {at.stopped_by.on}, and nobody has answered"
    return _obstacle("XIX.9", reason, "Let the creditor answer with reasons; collection goes on after that.")


def _own_costs() -> Obstacle:
    return _obstacle(
        "XIX.10", "a collector may ask a consumer nothing beyond the agreed and capped amounts",
        "Charge the creditor instead.", "advocaat-baki.be",
    )  # fmt: skip
