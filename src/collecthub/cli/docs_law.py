"""The generated pages of `docs/law`: one per country pack, with every rule's dates, source and evidence level."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from collecthub.bundled.jurisdictions import CHECKS
from collecthub.law import interest as interest_page
from collecthub.law import limitation as limitation_page
from collecthub.law.basis import Evidence, Rule
from collecthub.law.belgium import book_xix
from collecthub.law.limitation import words
from collecthub.law.packs import bundled_countries, bundled_law
from collecthub.law.rates import RateSeries
from collecthub.law.rules import Band, ChargeRule, CountryLaw, InterestRule, InterruptingAct, ReminderRule

FOLDER = "docs/law"
_INTRO = (
    "Dated rules as data (`src/collecthub/law/sheets`) and pure functions. Nothing here is legal advice: every rule shows "
    "its source and how well it is known, and nothing is computed from what is not known. `collecthub law` answers "
    "questions, `/api/v1/law` the same ones; a plugin adds a country with the hook `register_jurisdictions`."
)
R = TypeVar("R", bound=Rule)


def law_pages() -> dict[str, str]:
    """Every page by its place in the checkout."""
    laws = [bundled_law(country) for country in bundled_countries()]
    return {f"{FOLDER}/README.md": _index(laws)} | {f"{FOLDER}/{law.country}.md": _country(law) for law in laws}


def _index(laws: Sequence[CountryLaw]) -> str:
    rows = [
        [
            f"[{law.country}]({law.country}.md)", law.title, law.version, len(law.interest), len(law.charges),
            len(law.limitation), len(law.deadlines), _levels(law.rules()),
        ]
        for law in laws
    ]  # fmt: skip
    levels = [[f"`{level.value}`", meaning] for level, meaning in _LEVELS.items()]
    parts = [
        "# The law, country by country",
        _INTRO,
        "## Evidence levels\n\n" + _table(["level", "meaning"], levels),
        f"## Interest\n\n{inspect.getdoc(interest_page)}",
        f"## Limitation\n\n{inspect.getdoc(limitation_page)}",
        "## Packs\n\n"
        + _table(
            ["country", "name", "version", "interest", "charges", "limitation", "time limits", "levels"], rows
        ),
    ]
    return _joined(parts)


_LEVELS = {
    Evidence.VERIFIED: "the value was read on a public page, named as its source",
    Evidence.PARTLY: "one part was read, the rest is general knowledge",
    Evidence.GENERAL_KNOWLEDGE: "not read anywhere: check it before you rely on it; every answer says so",
    Evidence.UNKNOWN: "deliberately empty: the product refuses",
}


def _levels(rules: Iterable[Rule]) -> str:
    found = [rule.evidence for rule in rules]
    return ", ".join(f"{found.count(level)} {level.value}" for level in Evidence if level in found)


def _country(law: CountryLaw) -> str:
    return _joined(
        [
            f"# {law.title} ({law.country})",
            f"Gathered on {law.version}. Currency {law.currency}. Not legal advice; [levels and conventions](README.md).",
            *_sections(law),
        ]
    )


def _sections(law: CountryLaw) -> Iterator[str]:
    yield from _section("Interest", law.interest, ["formula"], lambda rule: [_formula(rule)])
    yield from _section(
        "Compensation, caps and tariffs", law.charges, ["item", "amount"], lambda rule: [rule.item, _scale(rule)]
    )
    yield from _section(
        "Reminders", law.reminders, ["wait"], lambda rule: [_wait(rule)],
    )  # fmt: skip
    yield from _section(
        "Limitation", law.limitation, ["nature", "period", "from"],
        lambda rule: [rule.nature, words(rule.period), rule.start.value.replace("_", " ")],
    )  # fmt: skip
    if law.acts:
        rows = [[act.act, _effect(act), act.article, act.evidence.value, act.source, act.note] for act in law.acts]
        yield "## What moves limitation\n\n" + _table(
            ["act", "effect", "article", "level", "source", "note"], rows
        )
    yield from _section(
        "Time limits", law.deadlines, ["event", "period", "who acts"],
        lambda rule: [rule.event, words(rule.span), ", ".join(rule.distances)],
    )  # fmt: skip
    yield from _section(
        "What a payment settles first", law.allocation, ["order"],
        lambda rule: [", then ".join(part.value for part in rule.order)],
    )  # fmt: skip
    if law.country in CHECKS:
        asks = "`collecthub law step` asks; an unlawful step names its article."
        yield f"## Lawful steps\n\n{inspect.getdoc(book_xix)}\n\n{asks}"
    for series in law.series.values():
        yield _rates(series)


def _section(title: str, rules: Sequence[R], head: list[str], cells: Callable[[R], list[str]]) -> Iterator[str]:
    """A table of one kind of rules, or nothing."""
    if rules:
        body = [
            [f"`{rule.id}`", *cells(rule), _scope(rule), rule.article, rule.evidence.value, rule.source, rule.note]
            for rule in rules
        ]
        yield f"## {title}\n\n" + _table(["rule", *head, "for", "article", "level", "source", "note"], body)


def _scope(rule: Rule) -> str:
    """Whom and when a rule is for, in words."""
    limits = {
        "days from": rule.valid_from, "days until": rule.valid_to, "contracts from": rule.contract_from,
        "contracts before": rule.contract_before, "delays from": rule.default_from, "delays before": rule.default_before,
    }  # fmt: skip
    parts = [", ".join(rule.segments), f"variant {rule.variant}" if rule.variant else ""]
    return "; ".join(filter(None, [*parts, *(f"{name} {limit}" for name, limit in limits.items() if limit)]))


def _formula(rule: InterestRule) -> str:
    more = [
        "capitalised yearly" if rule.is_compounding else "",
        f"clause up to {rule.ceiling_series}" if rule.ceiling_series else "",
    ]
    return "; ".join(filter(None, [rule.formula, *more]))


def _wait(rule: ReminderRule) -> str:
    begins = (
        f"from {words(rule.electronic)} after sending by electronic means, else from {words(rule.other)} after it"
    )
    free = f"for regular supply {rule.free_due_dates_a_year} due dates a year free"
    fees = f"a later reminder {rule.fee_maximum} at most, {free}" if rule.fee_maximum else "later reminders not regulated"
    return f"{rule.waiting_days} days, {begins}; {fees}"


def _scale(rule: ChargeRule) -> str:
    if rule.series:
        return f"series {rule.series} in {rule.currency}"
    steps = [_band(band, rule) for band in rule.bands]
    edges = [f"at least {rule.minimum}" if rule.minimum else "", f"at most {rule.maximum}" if rule.maximum else ""]
    tax = f", VAT of {rule.vat_percent}% on top" if rule.vat_percent else ""
    return "; ".join(filter(None, [*steps, *edges])) + f" ({rule.currency} per {rule.per}{tax})"


def _band(band: Band, rule: ChargeRule) -> str:
    edge = (
        f"from {band.at_least}"
        if band.at_least is not None
        else f"above {band.above}"
        if band.above is not None
        else ""
    )
    if band.amount is None:
        return f"{edge}: not known"
    percent = f" + {band.percent}% of the part above" if band.percent else ""
    unit = f" {rule.threshold_currency}" if rule.threshold_currency and edge else ""
    return f"{edge}{unit}: {band.amount}{percent}" if edge else f"{band.amount}{percent}"


def _effect(act: InterruptingAct) -> str:
    span = f" ({words(act.span)})" if act.span else ""
    return f"{act.effect.value}{span}{', once' if act.is_once else ''}"


def _rates(series: RateSeries) -> str:
    rows = [
        [
            period.valid_from,
            period.valid_to,
            "not known" if period.value is None else period.value,
            period.evidence.value,
            period.source,
        ]
        for period in series.periods
    ]
    return f"## Series {series.series_id}\n\n" + _table(["from", "to", "value", "level", "source"], rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(" ".join(str(cell).split()).replace("|", "\\|") for cell in line) + " |"
        for line in lines
    )


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(parts).rstrip() + "\n"
