"""The words of a message to a debtor, by language and tone, from templates that are data.

What comes from outside (names, numbers) is put in as text after the template was read, never as a template.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from decimal import Decimal
from functools import cache
from importlib.resources import files

import msgspec
from babel.dates import format_date
from babel.numbers import format_currency

from collecthub.errors import PermanentError
from collecthub.model.contact import Tone

LANGUAGES = ("nl", "fr", "de", "en")


class LetterItem(msgspec.Struct, frozen=True, kw_only=True):
    """One open invoice, as the debtor knows it. `amount` is what is open of it."""

    number: str
    issued_on: dt.date | None
    due_on: dt.date
    amount: Decimal


class LetterFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says. The items less `credits` and `paid`, plus `charges`, are `total`."""

    number: str
    creditor: str
    currency: str
    items: tuple[LetterItem, ...]
    credits: Decimal
    paid: Decimal
    charges: Decimal
    total: Decimal
    reference: str
    account: str  # empty when it is not known
    today: dt.date
    pay_by: dt.date
    page: str = ""  # address of the debtor's own page, and the code that opens it
    code: str = ""


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """A message in one language."""

    language: str
    subject: str
    text: str


def shipped_language(*wanted: str) -> str:
    """The first wanted language there are templates for, English when there is none.

    >>> shipped_language("", "pl", "fr-BE"), shipped_language("ja")
    ('fr', 'en')
    """
    return next((short for one in wanted if (short := one[:2].lower()) in LANGUAGES), "en")


def words(facts: LetterFacts, tone: Tone, language: str) -> Words:
    """The message. Raises `PermanentError` when its figures do not add up: a wrong sum must not leave."""
    added = sum((item.amount for item in facts.items), Decimal(0)) - facts.credits - facts.paid + facts.charges
    if added != facts.total:
        raise PermanentError(
            f"the figures of case {facts.number} add up to {added}, not to {facts.total}",
            cure="Run `collecthub verify`, and look at the balance of the case.", reference=facts.number,
        )
    template = _template(language)
    parts, voice = template["parts"], template[tone.value]
    known = _known(facts, language)
    lines = [parts["item"].format(**_item(item, facts.currency, language)) for item in facts.items]
    lines += [
        parts[name].format(amount=_money(amount, facts.currency, language))
        for name, amount in (("credits", facts.credits), ("paid", facts.paid), ("charges", facts.charges))
        if amount
    ]
    lines.append(parts["total"].format(amount=known["amount"]))
    pay = parts["pay" if facts.account else "pay_unknown"].format(**known)
    page = (parts["page"].format(**known),) if facts.page else ()
    paragraphs = (
        parts["greeting"], voice["opening"].format(**known),
        "\n".join([parts["list"], *(f"- {line}" for line in lines)]),
        f"{pay} {voice['close'].format(**known)}", parts["paid_already"], parts["wrong"], *page,
        parts["sign"].format(**known), parts["real"].format(**known),
    )  # fmt: skip
    return Words(
        language=language, subject=voice["subject"].format(**known), text="\n\n".join(paragraphs) + "\n"
    )


@cache
def _template(language: str) -> dict[str, dict[str, str]]:
    return tomllib.loads((files("collecthub.paper") / "letters" / f"{language}.toml").read_text(encoding="utf-8"))


def _known(facts: LetterFacts, language: str) -> dict[str, str]:
    return {
        "number": facts.number, "creditor": facts.creditor, "reference": facts.reference, "account": facts.account,
        "page": facts.page, "code": facts.code,
        "amount": _money(facts.total, facts.currency, language), "today": _day(facts.today, language),
        "pay_by": _day(facts.pay_by, language),
    }  # fmt: skip


def _item(item: LetterItem, currency: str, language: str) -> dict[str, str]:
    return {
        "number": item.number, "issued_on": _day(item.issued_on or item.due_on, language),
        "due_on": _day(item.due_on, language), "amount": _money(item.amount, currency, language),
    }  # fmt: skip


def _money(amount: Decimal, currency: str, language: str) -> str:
    return str(format_currency(amount, currency, locale=language, currency_digits=True))


def _day(day: dt.date, language: str) -> str:
    return str(format_date(day, format="long", locale=language))
