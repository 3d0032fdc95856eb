"""Amounts that the law grants, caps or tariffs: lump sums for late payment, clauses, reminder fees, bailiff's fees."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from collecthub.law.basis import Evidence, Matter, weakest
from collecthub.law.days import add_months, month_end, previous_working_day
from collecthub.law.interest import UnknownRateError
from collecthub.law.rules import Band, ChargeRule, CountryLaw
from collecthub.model.money import round_amount

COMPENSATION = "compensation"
_ONE = dt.timedelta(days=1)


class ChargeQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """How much may be asked for an item on a day? `basis` is the amount that scales and caps look at.

    `nature` is the kind of claim (energy, medical, family, ...) where a tariff looks at it. With `may_use_last` an
    amount that is known only up to an earlier day is used and the answer says so.
    """

    item: str
    segment: str
    basis: Decimal
    currency: str
    on: dt.date
    contract_on: dt.date | None = None
    due_on: dt.date | None = None
    variant: str = ""
    nature: str = ""
    exchange_rate: Decimal | None = None
    may_use_last: bool = False


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """An amount that may be asked, with its rule; without a rule nothing may be asked, as far as is known here."""

    amount: Decimal
    currency: str
    rule: ChargeRule | None
    evidence: Evidence
    notes: tuple[str, ...] = ()

    @classmethod
    def nothing(cls, currency: str, *notes: str) -> Charge:
        """No amount, because no rule grants one, or not yet."""
        zero = round_amount(Decimal(0), currency)
        return cls(amount=zero, currency=currency, rule=None, evidence=Evidence.UNKNOWN, notes=notes)


def charge(law: CountryLaw, question: ChargeQuestion) -> Charge:
    """The amount for an item. Raises `UnknownRateError` where the rule exists but its figure is not known."""
    rule, is_late = _governing(law, question)
    if rule is None:
        note = f"nothing is stored here that lets {question.item} be asked from {question.segment} in {law.title}"
        return Charge.nothing(question.currency, note)
    notes = [_late_note(rule)] if is_late else []
    amount, evidence = _amount(law, rule, question, notes)
    return _converted(rule, question, amount, weakest([rule.evidence, evidence]), notes, law)


class ChargeShown(msgspec.Struct, frozen=True, kw_only=True):
    """A charge as an answer: amount, currency, rule, version, source, evidence, notes. `amount` is without VAT."""

    country: str
    item: str
    segment: str
    amount: Decimal
    currency: str
    on: dt.date
    basis: Decimal
    per: str
    is_ceiling: bool
    vat_percent: Decimal | None
    amount_with_vat: Decimal
    rule: str
    rule_version: dt.date
    article: str
    source: str
    evidence: Evidence
    notes: tuple[str, ...]


def charge_shown(law: CountryLaw, question: ChargeQuestion) -> ChargeShown:
    """The amount for an item with everything that explains it. Raises like `charge`."""
    found = charge(law, question)
    rule = found.rule
    vat = rule.vat_percent if rule else None
    return ChargeShown(
        country=law.country, item=question.item, segment=question.segment, amount=found.amount, currency=found.currency,
        on=question.on, basis=question.basis, per=rule.per if rule else "", is_ceiling=rule is not None and rule.is_ceiling,
        rule=rule.id if rule else "", rule_version=law.version, article=rule.article if rule else "",
        source=rule.source if rule else "", evidence=found.evidence, notes=found.notes, vat_percent=vat,
        amount_with_vat=round_amount(found.amount * (100 + (vat or Decimal(0))) / 100, found.currency),
    )  # fmt: skip


def _governing(law: CountryLaw, question: ChargeQuestion) -> tuple[ChargeRule | None, bool]:
    """The rule of the day, the one for the claim's nature before the general one; or the last, if that is wanted."""
    due_on = question.due_on or question.on
    matter = Matter(
        segment=question.segment, contract_on=question.contract_on or due_on, default_on=due_on + _ONE,
        variant=question.variant,
    )  # fmt: skip
    rules = [
        rule for rule in law.charges
        if rule.item == question.item and rule.is_for(matter) and (not rule.natures or question.nature in rule.natures)
    ]  # fmt: skip
    in_force = _most_special([rule for rule in rules if rule.is_in_force(question.on)])
    past = [rule for rule in rules if rule.valid_to and rule.valid_to < question.on]
    if in_force or not past:
        return in_force, False
    last = max(past, key=lambda rule: rule.valid_to or dt.date.min)
    if not question.may_use_last:
        raise UnknownRateError(
            f"the amount of {last.title or last.item} is known only until {last.valid_to}", day=question.on,
            cure="Use the last known amount with --to-last-known, or take the amount from the official notice.",
        )  # fmt: skip
    return _most_special([rule for rule in past if rule.valid_to == last.valid_to]), True


def _most_special(rules: Sequence[ChargeRule]) -> ChargeRule | None:
    return max(rules, key=lambda rule: len(rule.natures) > 0, default=None)


def _late_note(rule: ChargeRule) -> str:
    return f"the amount is that of {rule.valid_to}, the last known one; a later indexation is not in it"


def _amount(
    law: CountryLaw, rule: ChargeRule, question: ChargeQuestion, notes: list[str]
) -> tuple[Decimal, Evidence]:
    if rule.series:
        period = law.series[rule.series].period_on(question.on) if rule.series in law.series else None
        if period is None or period.value is None:
            raise UnknownRateError(
                f"the amount of {rule.title or rule.item} is not known for {question.on}", day=question.on,
                cure="Take it from the official notice and give it in a table with --rates.",
            )  # fmt: skip
        return period.value, period.evidence
    basis = question.basis
    threshold_currency = rule.threshold_currency or rule.currency
    if len(rule.bands) > 1 and threshold_currency != question.currency:
        basis = Decimal(0)
        notes.append(
            f"the tiers are in {threshold_currency}: the lowest one is taken for a debt in {question.currency}"
        )
    return scaled(rule, basis), rule.evidence


def scaled(rule: ChargeRule, basis: Decimal) -> Decimal:
    """The unrounded amount of a scale for a basis. Raises `UnknownRateError` in a band that is not known."""
    band = highest_band(rule, basis)
    if band is None:
        return Decimal(0)
    if band.amount is None:
        raise UnknownRateError(
            f"{rule.title or rule.item} above {band.threshold} {rule.currency} is not known here", day=dt.date.max,
            cure=f"Take the scale from {rule.article or 'the official tariff'}.",
        )  # fmt: skip
    amount = band.amount + band.percent * (basis - band.threshold) / 100
    amount = max(amount, rule.minimum) if rule.minimum is not None else amount
    return min(amount, rule.maximum) if rule.maximum is not None else amount


def highest_band(rule: ChargeRule, basis: Decimal) -> Band | None:
    """The band that decides for a basis."""
    return max((band for band in rule.bands if band.holds(basis)), key=lambda band: band.threshold, default=None)


def _converted(
    rule: ChargeRule,
    question: ChargeQuestion,
    amount: Decimal,
    evidence: Evidence,
    notes: list[str],
    law: CountryLaw,
) -> Charge:
    """The charge in its own currency, or in the claim's if a rate was given."""
    currency = rule.currency
    if currency != question.currency and question.exchange_rate is not None:
        amount, currency = amount * question.exchange_rate, question.currency
        notes.append(f"converted at {question.exchange_rate} {question.currency} for 1 {rule.currency}")
    elif rule.conversion:
        notes.append(f"{rule.conversion}{_conversion_day(rule, question, law)}")
    if rule.is_ceiling:
        notes.append("the most that may be asked, and only if the contract grants it")
    return Charge(
        amount=round_amount(amount, currency), currency=currency, rule=rule, evidence=evidence,
        notes=tuple(filter(None, (*notes, rule.note))),
    )  # fmt: skip


def _conversion_day(rule: ChargeRule, question: ChargeQuestion, law: CountryLaw) -> str:
    """The day whose exchange rate the law names, where it is the last working day before the month of the due date."""
    if not question.due_on or "last working day" not in rule.conversion:
        return ""
    return f": {previous_working_day(month_end(add_months(question.due_on, -1)), law.country)}"
