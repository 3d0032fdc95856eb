"""What late payment of one claim costs by law: interest and compensation, with everything that explains them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

import msgspec

from collecthub.law.basis import Evidence, Rule, weakest
from collecthub.law.charges import COMPENSATION, Charge, ChargeQuestion, charge
from collecthub.law.days import add_months
from collecthub.law.interest import Accrued, InterestQuestion, Stretch, UnknownRateError, accrue, rounded
from collecthub.law.reminder import Wait, reminder_rule, wait_after
from collecthub.law.rules import CountryLaw, ReminderRule, Unit

_YEARS_A_CONTRACT_MATTERS = 5


class Reminded(msgspec.Struct, frozen=True, kw_only=True):
    """The first reminder that was sent, and by what."""

    on: dt.date
    channel: str = "letter"


class RuleShown(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as people and programs read it."""

    id: str
    title: str
    article: str
    version: dt.date
    evidence: Evidence
    source: str
    note: str


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """Days at one rate. `interest` is shown with six decimals; the sum is rounded once, from the exact figures."""

    from_on: dt.date
    to_on: dt.date
    days: int
    principal: Decimal
    rate_percent: Decimal
    interest: Decimal
    basis: str
    rule: str
    evidence: Evidence
    source: str


class LatePayment(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. `until` is the last day that was computed; notes say what a reader must know before he relies on it.

    `compensation` is None where the law grants one whose amount is not known.
    """

    country: str
    segment: str
    principal: Decimal
    currency: str
    due_on: dt.date
    start_on: dt.date
    until: dt.date
    interest: Decimal
    compensation: Decimal | None
    compensation_currency: str
    segments: tuple[Segment, ...]
    rule: str
    rule_version: dt.date
    source: str
    evidence: Evidence
    rules: tuple[RuleShown, ...]
    notes: tuple[str, ...]


def late_payment(
    law: CountryLaw, question: InterestQuestion, *, reminded: Reminded | None = None, is_large_creditor: bool = False,
    exchange_rate: Decimal | None = None,
) -> LatePayment:  # fmt: skip
    """Interest and compensation of one claim.

    Where the law makes charges wait for a reminder (Belgian consumers), nothing is charged without one and before
    its wait is over; a `start_on` in the question overrides that.
    """
    if question.until <= question.due_on:
        return _answer(law, question, None, None, ["the claim is not late on that day"])
    rule = None if question.start_on else reminder_rule(law, question.matter, question.until)
    wait = wait_after(rule, reminded.on, reminded.channel, law.country) if rule and reminded else None
    not_yet = [_not_yet(rule, wait)] if rule and (wait is None or question.until < wait.charge_from) else []
    if rule and rule.holds_interest and not_yet:
        return _answer(law, question, None, None, not_yet)
    if rule and rule.holds_interest and wait:
        question = msgspec.structs.replace(
            question, start_on=wait.charge_from if is_large_creditor else wait.interest_from
        )
    accrued = accrue(law, question)
    notes = [*not_yet, *([rule.note] if rule and rule.note else []), *_notes(law, question, accrued)]
    if not_yet:
        return _answer(law, question, accrued, Charge.nothing(question.currency), notes)
    try:
        granted = _compensation(
            law, question, accrued.until, is_consumer=question.segment == "B2C", exchange_rate=exchange_rate
        )
    except UnknownRateError as error:
        return _answer(law, question, accrued, None, [*notes, f"{error.message}. {error.cure}"])
    return _answer(law, question, accrued, granted, notes)


def _not_yet(rule: ReminderRule, wait: Wait | None) -> str:
    what = "neither interest nor compensation" if rule.holds_interest else "no compensation"
    if wait is None:
        return f"no first reminder was sent: {what} may be asked ({rule.article})"
    wait_words = f"the wait after the reminder lasts until {wait.last_on}"
    return f"{wait_words}: {what} may be asked before {wait.charge_from} ({rule.article})"


def _compensation(
    law: CountryLaw,
    question: InterestQuestion,
    until: dt.date,
    *,
    is_consumer: bool,
    exchange_rate: Decimal | None,
) -> Charge:
    """The lump sum of the first day of delay; for consumers the cap on what is open on the last day."""
    paid = sum((part.amount for part in question.reductions if part.on <= until), Decimal(0))
    return charge(
        law,
        ChargeQuestion(
            item=COMPENSATION, segment=question.segment, currency=question.currency, contract_on=question.contract_on,
            basis=max(Decimal(0), question.principal - paid) if is_consumer else question.principal,
            on=until if is_consumer else question.first_day, due_on=question.due_on,
            exchange_rate=exchange_rate,
        ),
    )  # fmt: skip


def _notes(law: CountryLaw, question: InterestQuestion, accrued: Accrued) -> list[str]:
    notes = []
    if accrued.stopped_because:
        notes.append(f"computed to {accrued.until} only, not to {question.until}: {accrued.stopped_because}")
    if question.contract_on is None and _hangs_on_contract(law, question):
        notes.append("the day of the contract was not given: it counts as concluded on the due date")
    if accrued.evidence is not Evidence.VERIFIED and accrued.stretches:
        notes.append(
            f"rests on facts of the level {accrued.evidence.value}: check them before you rely on the figure"
        )
    return [*notes, *_barred_interest(law, question, accrued)]


def _barred_interest(law: CountryLaw, question: InterestQuestion, accrued: Accrued) -> Iterator[str]:
    """Where interest is lost sooner than the claim itself, the part that may be lost by the last day."""
    for rule in law.limitation:
        if rule.nature == "interest" and rule.is_for(question.matter) and rule.period.unit is Unit.YEARS:
            since = add_months(accrued.until, -12 * rule.period.count)
            if question.first_day < since:
                yield f"interest before {since} may be barred after {rule.period.count} years ({rule.article})"


def _hangs_on_contract(law: CountryLaw, question: InterestQuestion) -> bool:
    limits = [
        limit for rule in law.interest if not rule.segments or question.segment in rule.segments
        for limit in (rule.contract_from, rule.contract_before) if limit
    ]  # fmt: skip
    return any(limit.year >= question.due_on.year - _YEARS_A_CONTRACT_MATTERS for limit in limits)


def _answer(
    law: CountryLaw,
    question: InterestQuestion,
    accrued: Accrued | None,
    granted: Charge | None,
    notes: Sequence[str],
) -> LatePayment:
    stretches = accrued.stretches if accrued else ()
    used: list[Rule] = [part.rule for part in stretches]
    sources = [part.rule.source for part in stretches] + [part.rate.source for part in stretches if part.rate]
    levels = [accrued.evidence] if stretches and accrued else []
    if granted and granted.rule:
        used.append(granted.rule)
        sources.append(granted.rule.source)
        levels.append(granted.evidence)
    rules = list(dict.fromkeys(used))
    zero = rounded(Fraction(0), question.currency)
    return LatePayment(
        country=law.country, segment=question.segment, principal=question.principal, currency=question.currency,
        due_on=question.due_on, start_on=question.first_day, until=accrued.until if accrued else question.until,
        interest=rounded(accrued.exact, question.currency) if accrued else zero,
        compensation=granted.amount if granted else None if accrued else zero,
        compensation_currency=granted.currency if granted else question.currency,
        segments=tuple(_shown(part, question.currency) for part in stretches),
        rule="; ".join(rule.id for rule in rules), rule_version=law.version, source=_joined(sources),
        evidence=weakest(levels) if levels else Evidence.VERIFIED,
        rules=tuple(rule_shown(rule, law.version) for rule in rules),
        notes=tuple(dict.fromkeys(filter(None, (*notes, *(rule.note for rule in used), *(granted.notes if granted else ()))))),
    )  # fmt: skip


def _joined(sources: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(filter(None, sources)))


def _shown(part: Stretch, currency: str) -> Segment:
    return Segment(
        from_on=part.from_on, to_on=part.to_on, days=part.days, principal=rounded(part.principal, currency),
        rate_percent=part.percent, interest=_six_decimals(part.exact), basis=part.basis, rule=part.rule.id,
        evidence=weakest([part.rule.evidence, *([part.rate.evidence] if part.rate else [])]),
        source=_joined([part.rule.source, part.rate.source if part.rate else ""]),
    )  # fmt: skip


def _six_decimals(exact: Fraction) -> Decimal:
    return Decimal(int(exact * 10**6 + Fraction(1, 2))).scaleb(-6)


def rule_shown(rule: Rule, version: dt.date) -> RuleShown:
    """A rule with its evidence, for an answer."""
    return RuleShown(
        id=rule.id, title=rule.title, article=rule.article, version=version, evidence=rule.evidence, source=rule.source,
        note=rule.note,
    )  # fmt: skip
