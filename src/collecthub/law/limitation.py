"""The limitation clock of a claim: when it is lost, what moved that day, and alarms ahead of it.

Nothing here is generous: an act whose effect is not known does not count, a claim whose nature is not known gets
the earliest of the ordinary periods, and no holiday moves the last day. A date that is too early costs an alarm,
one that is too late costs the claim.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import msgspec

from collecthub.errors import PermanentError
from collecthub.law.basis import Evidence, Matter, weakest
from collecthub.law.days import add_span, month_end, previous_working_day
from collecthub.law.late_payment import RuleShown, rule_shown
from collecthub.law.rules import CountryLaw, Effect, InterruptingAct, LimitationRule, Span, Start

ALARM_DAYS = (180, 90, 30)


class LegalAct(msgspec.Struct, frozen=True, kw_only=True):
    """Something done about the claim that may move its limitation. `ended_on` closes a suit or a suspension."""

    act: str
    on: dt.date
    ended_on: dt.date | None = None


class LimitationQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """When is this claim lost? `nature` is the kind of claim (goods, utilities, medical, judgment, ...), if known."""

    segment: str
    due_on: dt.date
    as_of: dt.date
    nature: str = ""
    variant: str = ""
    contract_on: dt.date | None = None
    acts: tuple[LegalAct, ...] = ()


class ActShown(msgspec.Struct, frozen=True, kw_only=True):
    """One act and what it did. `limitation_on` is the last day after it; None while the clock stands."""

    act: str
    on: dt.date
    effect: str
    limitation_on: dt.date | None
    reason: str
    evidence: Evidence


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """A day on which somebody has to look at a claim before it is lost."""

    due_on: dt.date
    days_left: int
    limitation_on: dt.date


class OtherPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """What would hold if the claim were of this nature; no act is counted in it."""

    nature: str
    period: str
    limitation_on: dt.date
    rule: str


class Limitation(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. `limitation_on` is the last day on which the claim can be brought; None while the clock stands."""

    country: str
    segment: str
    nature: str
    due_on: dt.date
    began_on: dt.date
    period: str
    limitation_on: dt.date | None
    as_of: dt.date
    is_barred: bool
    days_left: int | None
    acts: tuple[ActShown, ...]
    alarms: tuple[Alarm, ...]
    by_nature: tuple[OtherPeriod, ...]
    rule: str
    rule_version: dt.date
    article: str
    source: str
    evidence: Evidence
    rules: tuple[RuleShown, ...]
    notes: tuple[str, ...]


class _Clock(msgspec.Struct, frozen=True, kw_only=True):
    """Where the period stands: its last day, or None while it stands still."""

    last_day: dt.date | None
    used: frozenset[str] = frozenset()


def limitation(law: CountryLaw, question: LimitationQuestion) -> Limitation:
    """The limitation of a claim with everything that moved it. Raises `PermanentError` where no rule is known."""
    rules = _rules(law, question)
    chosen = min(
        (rule for rule in rules if _is_meant(rule, question)),
        key=lambda rule: _last_day(rule, question),
        default=None,
    )
    if chosen is None:
        raise PermanentError(
            f"no limitation period of {law.title} is known for {question.segment} {question.nature or 'claims'}",
            cure=f"Known natures: {', '.join(sorted({rule.nature for rule in rules})) or 'none'}.",
        )
    acts, clock = _played(law, chosen, question)
    last_day = clock.last_day
    counted = [act.evidence for act in acts if act.effect not in (Effect.NONE, "not counted", "too late")]
    return Limitation(
        country=law.country, segment=question.segment, nature=question.nature, due_on=question.due_on,
        began_on=_began(chosen, question.due_on), period=words(chosen.period), limitation_on=last_day, as_of=question.as_of,
        is_barred=last_day is not None and last_day < question.as_of,
        days_left=(last_day - question.as_of).days if last_day else None,
        acts=acts, alarms=limitation_alarms(last_day, question.as_of, country=law.country) if last_day else (),
        by_nature=tuple(_other(rule, question) for rule in rules),
        rule=chosen.id, rule_version=law.version, article=chosen.article, source=chosen.source,
        evidence=weakest([chosen.evidence, *counted]), rules=(rule_shown(chosen, law.version),),
        notes=_notes(chosen, question, rules),
    )  # fmt: skip


def earliest(answers: Iterable[Limitation]) -> Limitation:
    """Of several laws that may govern a claim, the one under which it is lost first; a standing clock comes last."""
    return min(answers, key=lambda answer: answer.limitation_on or dt.date.max)


def limitation_alarms(
    limitation_on: dt.date, as_of: dt.date, *, days: Sequence[int] = ALARM_DAYS, country: str = ""
) -> tuple[Alarm, ...]:
    """Days to look at a claim, counted back from its last day; those that are past already come down to today.

    With a country an alarm never falls on a day off: it moves to the working day before.
    """
    found: dict[dt.date, Alarm] = {}
    if limitation_on < as_of:
        return ()
    for ahead in sorted(days, reverse=True):
        day = limitation_on - dt.timedelta(days=ahead)
        day = max(previous_working_day(day, country) if country else day, as_of)
        found[day] = Alarm(due_on=day, days_left=(limitation_on - day).days, limitation_on=limitation_on)
    return tuple(found.values())


def words(period: Span) -> str:
    """A period as people say it.

    >>> from collecthub.law.rules import Unit
    >>> words(Span(count=1, unit=Unit.YEARS)), words(Span(count=6, unit=Unit.MONTHS))
    ('1 year', '6 months')
    """
    name = period.unit.value.replace("_", " ")
    return f"{period.count} {name[:-1] if period.count == 1 else name}"


def _rules(law: CountryLaw, question: LimitationQuestion) -> list[LimitationRule]:
    matter = Matter(
        segment=question.segment, contract_on=question.contract_on or question.due_on, default_on=question.due_on,
        variant=question.variant,
    )  # fmt: skip
    return [rule for rule in law.limitation if rule.is_for(matter) and rule.is_in_force(question.due_on)]


def _is_meant(rule: LimitationRule, question: LimitationQuestion) -> bool:
    return rule.nature == question.nature if question.nature else rule.is_ordinary


def _began(rule: LimitationRule, day: dt.date) -> dt.date:
    match rule.start:
        case Start.DUE:
            return day
        case Start.MONTH_END:
            return month_end(day)
        case Start.YEAR_END:
            return dt.date(day.year, 12, 31)


def _last_day(rule: LimitationRule, question: LimitationQuestion) -> dt.date:
    return add_span(_began(rule, question.due_on), rule.period)


def _other(rule: LimitationRule, question: LimitationQuestion) -> OtherPeriod:
    return OtherPeriod(
        nature=rule.nature, period=words(rule.period), limitation_on=_last_day(rule, question), rule=rule.id
    )


def _notes(
    chosen: LimitationRule, question: LimitationQuestion, rules: Sequence[LimitationRule]
) -> tuple[str, ...]:
    natures = sorted({rule.nature for rule in rules} - {chosen.nature})
    unsure = (
        f"the nature of the claim was not given: counted as {chosen.nature}; "
        f"by nature it may differ ({', '.join(natures)})"
    )
    level = f"the period is of the level {chosen.evidence.value}: check it before you rely on it"
    return tuple(
        filter(
            None,
            (
                "" if question.nature or not natures else unsure,
                "" if chosen.evidence is Evidence.VERIFIED else level,
                chosen.note,
            ),
        )
    )


# --- the clock ------------------------------------------------------------------------------------


def _played(
    law: CountryLaw, rule: LimitationRule, question: LimitationQuestion
) -> tuple[tuple[ActShown, ...], _Clock]:
    """Every act in order, each on the clock that the one before left."""
    effects = {act.act: act for act in law.acts}
    clock, shown = _Clock(last_day=_last_day(rule, question)), []
    for act in sorted(question.acts, key=lambda act: act.on):
        if act.on > question.as_of:
            continue
        known = effects.get(act.act)
        clock, effect, reason = _after(clock, act, known, rule)
        shown.append(
            ActShown(
                act=act.act,
                on=act.on,
                effect=effect,
                limitation_on=clock.last_day,
                reason=reason,
                evidence=known.evidence if known else Evidence.UNKNOWN,
            )
        )
    return tuple(shown), clock


def _after(
    clock: _Clock, act: LegalAct, known: InterruptingAct | None, rule: LimitationRule
) -> tuple[_Clock, str, str]:
    """The clock after an act, the effect it had, and why."""
    if known is None:
        return clock, "not counted", "its effect is not known here, so it moves nothing"
    if clock.last_day is None:
        return clock, "not counted", "the clock stands already"
    if act.on > clock.last_day:
        return clock, "too late", f"the claim was lost on {clock.last_day}"
    if known.is_once and known.act in clock.used:
        return (
            clock,
            Effect.NONE.value,
            f"it counts once only ({known.article})" if known.article else "it counts once only",
        )
    moved = _moved(clock.last_day, act, known, known.span or rule.period)
    reason = known.note or known.article or known.source
    if known.effect is Effect.CONDITIONAL and known.span:
        reason = f"counts only if a suit follows by {add_span(act.on, known.span)}"
    return _Clock(last_day=moved, used=clock.used | {known.act}), known.effect.value, reason


def _moved(last_day: dt.date, act: LegalAct, known: InterruptingAct, span: Span) -> dt.date | None:
    match known.effect:
        case Effect.RESTARTS:
            return max(last_day, add_span(act.on, span))
        case Effect.EXTENDS:
            return max(last_day, add_span(act.on, span))
        case Effect.PENDS:
            return max(last_day, add_span(act.ended_on, span)) if act.ended_on else None
        case Effect.SUSPENDS:
            return last_day + (act.ended_on - act.on) if act.ended_on else None
        case Effect.CONDITIONAL | Effect.NONE:
            return last_day
