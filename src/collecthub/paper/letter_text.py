"""The words of a message to a debtor, by language and tone, from templates that are data.

What comes from outside (names, numbers) is put in as text after the template was read, never as a template.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Formatter

import msgspec

from collecthub.errors import PermanentError
from collecthub.model.contact import Tone
from collecthub.paper.written import day, money

LANGUAGES = ("nl", "fr", "de", "en")
OWN_OF_A_TONE = ("real", "phone")  # parts that a tone may say in its own way: before the due day there is no case
DATA, DATA_ASK = "data", "data_ask"
CAME_LATER = ("waived", DATA, DATA_ASK)  # parts that people's own older files lack: the shipped words stand in
SLIP = ("title", "paid", "plan", "wrong", "call", "sign")


class LetterItem(msgspec.Struct, frozen=True, kw_only=True):
    """One open invoice, as the debtor knows it. `amount` is what is open of it."""

    number: str
    issued_on: dt.date | None
    due_on: dt.date
    amount: Decimal


class LetterFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says. The items less `credits`, `paid` and `waived`, plus `charges`, are `total`."""

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
    phone: str = ""  # where somebody answers
    is_person: bool = False  # a consumer hears who helps
    on_behalf: bool = False  # whether somebody else than the creditor writes
    sender: str = ""  # who signs, where that is not the creditor
    waived: Decimal = Decimal(0)  # what the creditor gave up: no money came
    operator: str = ""  # who keeps the file; named to a person in the first message (GDPR art. 14), empty in later ones
    controllers: str = ""  # whose data these are, where that is not the one creditor
    is_discreet: bool = False  # health and the like: whom it is about stands inside the message alone


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """A message in one language."""

    language: str
    subject: str
    text: str
    slip: tuple[str, ...] = ()  # heading and lines of the reply slip, for paper


def languages(folder: Path | None = None) -> tuple[str, ...]:
    """The languages there are templates for: the shipped ones, and those of a folder of the operator's own files."""
    own = sorted(file.stem for file in folder.glob("??.toml")) if folder is not None else []
    return tuple(dict.fromkeys((*LANGUAGES, *own)))


def shipped_language(*wanted: str, known: tuple[str, ...] = LANGUAGES) -> str:
    """The first wanted language there are templates for, English when there is none.

    >>> shipped_language("", "pl", "fr-BE"), shipped_language("ja")
    ('fr', 'en')
    """
    return next((short for one in wanted if (short := one[:2].lower()) in known), "en")


def words(facts: LetterFacts, tone: Tone, language: str, folder: Path | None = None) -> Words:
    """The message. Raises `PermanentError` when its figures do not add up: a wrong sum must not leave."""
    _must_add_up(facts)
    template = template_of(language, folder)
    voice = template[tone.value]
    parts = {**template["parts"], **{name: voice[name] for name in OWN_OF_A_TONE if name in voice}}
    known = _known(facts, language)
    pay = parts["pay" if facts.account else "pay_unknown"].format(**known)
    optional = (
        ("on_behalf", facts.on_behalf), ("page", facts.page), ("phone", facts.phone), ("help", facts.is_person),
    )  # fmt: skip
    more = {name: parts[name].format(**known) for name, is_wanted in optional if is_wanted}
    paragraphs = (
        parts["greeting"], more.pop("on_behalf", ""), voice["opening"].format(**known),
        "\n".join([parts["list"], *(f"- {line}" for line in _lines(facts, parts, language, known["amount"]))]),
        f"{pay} {voice['close'].format(**known)}", parts["paid_already"], parts["wrong"], *more.values(), _data(facts, parts, known),
        parts["sign"].format(**{**known, "creditor": facts.sender or facts.creditor}), parts["real"].format(**known),
    )  # fmt: skip
    return Words(
        language=language, subject=voice["subject"].format(**_outside(facts, known)), text="\n\n".join(filter(None, paragraphs)) + "\n",
        slip=tuple(parts[f"slip_{name}"] for name in SLIP),
    )  # fmt: skip


def _data(facts: LetterFacts, parts: Mapping[str, str], known: Mapping[str, str]) -> str:
    """Who is responsible for a person's data and who keeps it; nothing once he was told."""
    if not (facts.is_person and facts.operator):
        return ""
    return parts[DATA if facts.page else DATA_ASK].format(**{**known, "creditor": facts.controllers or facts.creditor})


def with_ways(said: Words, facts: LetterFacts, folder: Path | None = None) -> Words:
    """Another message of a case with what stands on every one: its page, a phone number, who holds his data, whether it is real, the reply slip."""
    parts, known = template_of(said.language, folder)["parts"], _known(facts, said.language)
    more = [parts[name].format(**known) for name, is_wanted in (("page", facts.page), ("phone", facts.phone)) if is_wanted]
    text = "\n\n".join(filter(None, (said.text.rstrip("\n"), *more, _data(facts, parts, known), parts["real"].format(**known)))) + "\n"
    return msgspec.structs.replace(said, text=text, slip=tuple(parts[f"slip_{name}"] for name in SLIP))


def short_words(facts: LetterFacts, tone: Tone, language: str, folder: Path | None = None) -> Words:
    """The message as one text for a phone: no invoice is named in it. Raises as `words` does."""
    _must_add_up(facts)
    template = template_of(language, folder)
    known = _outside(facts, _known(facts, language))
    page = template["parts"]["page_short"].format(**known) if facts.page else ""
    voice = template[tone.value]
    text = voice["short"].format(**{**known, "account": facts.account or "-", "page": page})
    return Words(language=language, subject=voice["subject"].format(**known), text=text)


def _outside(facts: LetterFacts, known: dict[str, str]) -> dict[str, str]:
    """What a subject or a phone's screen may show: a discreet message names its number there, not the creditor."""
    return {**known, "creditor": facts.number} if facts.is_discreet else known


def _must_add_up(facts: LetterFacts) -> None:
    added = sum((item.amount for item in facts.items), Decimal(0))
    added += facts.charges - facts.credits - facts.paid - facts.waived
    if added != facts.total:
        raise PermanentError(
            f"the figures of case {facts.number} add up to {added}, not to {facts.total}",
            cure="Run `collecthub verify`, and look at the balance of the case.", reference=facts.number,
        )


def _lines(facts: LetterFacts, parts: Mapping[str, str], language: str, total: str) -> list[str]:
    lines = [parts["item"].format(**_item(item, facts.currency, language)) for item in facts.items]
    more = (
        ("credits", facts.credits), ("paid", facts.paid), ("waived", facts.waived), ("charges", facts.charges),
    )  # fmt: skip
    lines += [parts[name].format(amount=money(amount, facts.currency, language)) for name, amount in more if amount]
    return [*lines, parts["total"].format(amount=total)]


def template_of(language: str, folder: Path | None = None) -> Mapping[str, Mapping[str, str]]:
    """The template of a language: the operator's own file where there is one. Raises `PermanentError` naming what lacks."""
    own = folder / f"{language}.toml" if folder is not None else None
    if own is None or not own.is_file():
        return _shipped(language)
    try:
        found: dict[str, dict[str, str]] = tomllib.loads(own.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PermanentError(f"the templates in {own.name} cannot be read: {error}", cure="Correct the file.") from error
    _must_fit(own.name, found)
    spare = _shipped(language if language in LANGUAGES else "en")["parts"]
    return {**found, "parts": {**{name: spare[name] for name in CAME_LATER}, **found["parts"]}}


def _must_fit(name: str, found: Mapping[str, Mapping[str, str]]) -> None:
    model = _shipped("en")
    missing = [
        f"[{part}] {name}"
        for part in model
        for name in model[part]
        if name not in found.get(part, {}) and (part, name) not in _MAY_LACK
    ]
    if missing:
        raise PermanentError(
            f"the templates in {name} lack {', '.join(missing[:5])}", cure="Take a shipped language as the model."
        )
    for part, texts in model.items():
        for key in sorted(texts.keys() & found[part].keys()):
            if wrong := _fields(found[part][key]) - _PLACES:
                raise PermanentError(
                    f"[{part}] {key} in {name} wants {', '.join(sorted(wrong))[:200]}",
                    cure=f"Use only {', '.join(sorted(_PLACES))}.",
                )


_MAY_LACK = {*(("parts", name) for name in CAME_LATER), *(("courtesy", name) for name in OWN_OF_A_TONE)}  # came later than people's own files
_PLACES = frozenset(
    "number creditor operator reference account page code phone amount today pay_by issued_on due_on".split()
)


def _fields(text: object) -> set[str]:
    try:
        return {field for _, field, _, _ in Formatter().parse(str(text)) if field is not None}
    except ValueError as error:
        return {f"other braces ({error})"}


@cache
def _shipped(language: str) -> dict[str, dict[str, str]]:
    return tomllib.loads((files("collecthub.paper") / "letters" / f"{language}.toml").read_text(encoding="utf-8"))


def _known(facts: LetterFacts, language: str) -> dict[str, str]:
    return {
        "number": facts.number, "creditor": facts.creditor, "operator": facts.operator, "reference": facts.reference, "account": facts.account,
        "page": facts.page, "code": facts.code, "phone": facts.phone,
        "amount": money(facts.total, facts.currency, language), "today": day(facts.today, language),
        "pay_by": day(facts.pay_by, language),
    }  # fmt: skip


def _item(item: LetterItem, currency: str, language: str) -> dict[str, str]:
    return {
        "number": item.number, "issued_on": day(item.issued_on or item.due_on, language),
        "due_on": day(item.due_on, language), "amount": money(item.amount, currency, language),
    }  # fmt: skip
