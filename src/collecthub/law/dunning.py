"""Whether a reminder may cost the debtor something, and how much: by the rule of his country, with the article when not.

A pack that checks steps has the first word. Then comes the stored cap on a reminder's fee; where there is none, what is
known of amicable costs in that country. Where nobody knows, nothing is asked.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from collecthub.law.atlas.facts import Fact
from collecthub.law.charges import ChargeQuestion, charge
from collecthub.law.rules import CountryLaw
from collecthub.law.steps import StepQuestion
from collecthub.model.money import round_amount

ITEMS = ("reminder", "later_reminder")
BY_CONTRACT = "the contract"
_CONSUMER = "B2C"


class Fee(msgspec.Struct, frozen=True, kw_only=True):
    """What may be asked for a reminder; nothing with the article and reason where the law forbids it."""

    amount: Decimal = Decimal(0)
    rule: str = ""
    rule_version: dt.date | None = None
    source: str = ""
    evidence: str = ""
    article: str = ""
    reason: str = ""


def reminder_fee(law: CountryLaw | None, country: str, known: Fact | None, question: StepQuestion, currency: str) -> Fee:
    """The fee that `question.claimed` asks for, as far as it is lawful; it is lowered to a cap that is stored.

    `known` is what the atlas says of amicable costs in the country.
    """
    answer = law.check_step(law, question) if law is not None and law.check_step is not None else None
    if answer is not None and answer.obstacles:
        first = answer.obstacles[0]
        return Fee(article=first.article, reason=first.reason, evidence=first.evidence.value, source=first.source)
    capped = _capped(law, question, currency) if law is not None else None
    return capped or _by_contract(country, known, question)


def _capped(law: CountryLaw, question: StepQuestion, currency: str) -> Fee | None:
    for item in ITEMS:
        found = charge(law, ChargeQuestion(
            item=item, segment=question.segment, basis=question.balance, currency=currency, on=question.on,
            due_on=question.due_on,
        ))  # fmt: skip
        if found.rule is None:
            continue
        article = found.rule.article or found.rule.id
        if found.currency != currency:
            return Fee(article=article, reason=f"the fee of a reminder is set in {found.currency}, the case is in {currency}")
        return Fee(
            amount=min(question.claimed, found.amount), rule=found.rule.id, rule_version=law.version, article=article,
            source=found.rule.source, evidence=found.evidence.value,
        )  # fmt: skip
    return None


def _by_contract(country: str, known: Fact | None, question: StepQuestion) -> Fee:
    code = known.code if known is not None else ""
    where = country or "an unknown country"
    if known is None or code in ("", "limited"):
        said = f"the law of {where} limits it, and the limit is not stored here" if code else f"nobody knows here whether {where} allows it"
        return Fee(article=f"costs of reminders in {where}", reason=said, evidence="unknown")
    if code == "none" or (code == "b2b_only" and question.segment == _CONSUMER):
        return Fee(article=f"costs of reminders in {where}", reason=known.value, source=known.source, evidence=known.evidence.value)
    return Fee(amount=question.claimed, rule=BY_CONTRACT, source=known.source, evidence=known.evidence.value)


def asked(fee: Decimal, currency: str) -> Decimal:
    """An agreed fee in the decimals of its currency."""
    return round_amount(fee, currency)
