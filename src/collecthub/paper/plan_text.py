"""What a debtor reads about his payment plan: confirmation, free reminder, word at half way, settlement. Four languages."""

from __future__ import annotations

import enum
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from collecthub.law.plan_settlement import Settlement
from collecthub.model.plan import DECISION_DAYS, REMINDER_DAYS, Plan
from collecthub.paper.letter_text import Words
from collecthub.paper.written import day, money


class PlanWord(enum.StrEnum):
    """Which message."""

    CONFIRMATION = "confirmation"
    REMINDER = "reminder"
    HALFWAY = "halfway"
    STATEMENT = "statement"


class PlanFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a message about a plan says. `settlement` is for the last message alone."""

    number: str
    creditor: str
    currency: str
    plan: Plan
    paid: Decimal
    missing: Decimal
    reference: str
    account: str
    is_discreet: bool = False
    settlement: Settlement | None = None


def plan_words(facts: PlanFacts, about: PlanWord, language: str) -> Words:
    """The message in one of the shipped languages."""
    say = _all_words()[language]
    voice, known = say[about.value], _known(facts, language)
    lines = {
        PlanWord.CONFIRMATION: _instalments(facts, say, language), PlanWord.STATEMENT: _claims(facts, say, language),
    }.get(about, [])  # fmt: skip
    body = "\n".join([voice["body"].format(**known), *(f"- {line}" for line in lines)])
    pay = "" if about is PlanWord.HALFWAY else say["pay" if facts.account else "pay_unknown"].format(**known)
    paragraphs = (say["greeting"], body, pay, voice["close"].format(**known), say["wrong"], say["sign"].format(**known))
    outside = {**known, "creditor": facts.number} if facts.is_discreet else known
    return Words(
        language=language, subject=voice["subject"].format(**outside), text="\n\n".join(filter(None, paragraphs)) + "\n"
    )


@cache
def _all_words() -> Mapping[str, Any]:
    return tomllib.loads((files("collecthub.paper") / "words" / "plan.toml").read_text(encoding="utf-8"))


def _known(facts: PlanFacts, language: str) -> dict[str, object]:
    plan, awaited = facts.plan, facts.plan.next_instalment
    return {
        "creditor": facts.creditor, "number": facts.number, "reference": facts.reference, "account": facts.account,
        "total": money(plan.total, facts.currency, language), "paid": money(facts.paid, facts.currency, language),
        "rest": money(plan.total - facts.paid, facts.currency, language), "missing": money(facts.missing, facts.currency, language),
        "due_on": day(awaited.due_on, language) if awaited else "", "last_on": day(plan.instalments[-1].due_on, language),
        "days": REMINDER_DAYS, "decide": DECISION_DAYS,
    }  # fmt: skip


def _instalments(facts: PlanFacts, say: Mapping[str, str], language: str) -> list[str]:
    return [
        say["instalment"].format(
            place=one.number, amount=money(one.amount, facts.currency, language), due_on=day(one.due_on, language),
            mark=say["is_paid"] if one.number <= facts.plan.met else "",
        )
        for one in facts.plan.instalments
    ]  # fmt: skip


def _claims(facts: PlanFacts, say: Mapping[str, str], language: str) -> list[str]:
    if facts.settlement is None:
        return []
    return [
        say["claim"].format(
            number=one.number, principal=money(one.principal, facts.currency, language), paid=money(one.paid, facts.currency, language),
            open=money(one.open, facts.currency, language), interest=money(one.interest, facts.currency, language),
            until=day(one.interest_until, language),
        )
        for one in facts.settlement.claims
    ]  # fmt: skip
