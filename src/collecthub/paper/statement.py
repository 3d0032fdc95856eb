"""A statement of account as a sheet and as one table, in the reader's language.

Words stand in `words/statement.toml`; numbers and dates are written as the language does (Unicode CLDR, by Babel).
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files

import msgspec
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

from collecthub.errors import PermanentError
from collecthub.paper.sheet import Column, Section, Sheet, Table
from collecthub.paper.written import locale_of
from collecthub.wire.tabular import write_csv, write_xlsx


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """One invoice: what it bears and what of it is open."""

    number: str
    due_on: dt.date
    principal: Decimal
    interest: Decimal
    compensation: Decimal
    open_amount: Decimal


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """One movement. `kind` is a word of the table; `amount` raises (positive) or lowers what is owed."""

    on: dt.date
    kind: str
    detail: str = ""
    amount: Decimal
    owed_after: Decimal
    is_for_creditor: bool = False
    is_reversed: bool = False
    is_grown: bool = False


class Grew(msgspec.Struct, frozen=True, kw_only=True):
    """Days at one rate."""

    number: str
    from_on: dt.date
    to_on: dt.date
    days: int
    base: Decimal
    rate_percent: Decimal
    amount: Decimal


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """A part of what came in or was given up. `kind` (payment, credit, write_off) and `part` are words of the table."""

    on: dt.date
    kind: str = "payment"
    paid: Decimal
    part: str
    number: str
    amount: Decimal


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a statement says, without its words. `parts` are words with their amounts, `total` their sum."""

    language: str
    case_number: str
    creditor: str
    debtor: str
    currency: str
    until: dt.date
    made_on: dt.date
    parts: tuple[tuple[str, Decimal], ...]
    total: Decimal
    claims: tuple[Claimed, ...]
    moved: tuple[Moved, ...]
    grew: tuple[Grew, ...] = ()
    settled: tuple[Settled, ...] = ()
    reference: str = ""
    account: str = ""
    beneficiary: str = ""
    code_svg: str = ""
    per_day: Decimal = Decimal(0)
    country: str = ""
    order: tuple[str, ...] = ()
    rule: str = ""
    evidence: str = "unknown"
    sources: tuple[str, ...] = ()
    sides: tuple[tuple[str, tuple[tuple[str, Decimal], ...]], ...] = ()


@cache
def words(language: str) -> Mapping[str, str]:
    """The words of a language. Raises `PermanentError` for one that is not there."""
    found = _all_words().get(language)
    if found is None:
        raise PermanentError(
            f"there is no statement in {language[:20]!r}", cure=f"Choose one of {', '.join(languages())}."
        )
    return found


@cache
def languages() -> tuple[str, ...]:
    """The languages a statement can be written in."""
    return tuple(sorted(_all_words()))


@cache
def _all_words() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((files("collecthub.paper") / "words" / "statement.toml").read_text(encoding="utf-8"))


class _Writer:
    """Amounts, dates and numbers of one statement in its language."""

    def __init__(self, statement: Statement) -> None:
        self.say = words(statement.language)
        self._locale = locale_of(statement.language)
        self._currency = statement.currency

    def amount(self, value: Decimal) -> str:
        return format_currency(value, self._currency, locale=self._locale, format_type="standard")

    def day(self, value: dt.date) -> str:
        return format_date(value, format=self.say["day_format"], locale=self._locale)

    def percent(self, value: Decimal) -> str:
        return f"{format_decimal(value, locale=self._locale)} %"

    def country(self, code: str) -> str:
        return str(self._locale.territories.get(code, code))


def statement_sheet(statement: Statement) -> Sheet:
    """The statement as a sheet, for HTML and PDF."""
    write = _Writer(statement)
    say = write.say
    return Sheet(
        title=say["title"], subtitle=f"{say['until']} {write.day(statement.until)}", language=statement.language,
        footer=f"{say['case']} {statement.case_number} · {say['until']} {write.day(statement.until)}",
        facts=(
            (say["case"], statement.case_number), (say["creditor"], statement.creditor), (say["debtor"], statement.debtor),
            (say["made_on"], write.day(statement.made_on)),
        ),
        sections=tuple(_sections(statement, write)),
    )  # fmt: skip


def _sections(statement: Statement, write: _Writer) -> Iterator[Section]:
    say = write.say
    parts = (*((say[name], write.amount(value)) for name, value in statement.parts), (say["total"], write.amount(statement.total)))
    yield Section(
        title=say["summary"], table=Table(columns=_columns(say, "what", amounts="amount"), rows=parts, sum_rows=1)
    )
    if statement.reference:
        yield _pay(statement, write)
    yield Section(title=say["claims"], table=_claims(statement, write))
    yield Section(title=say["lines"], table=_moved(statement, write))
    if statement.grew:
        yield Section(title=say["growth"], table=_grew(statement, write), paragraphs=_going_on(statement, write))
    if statement.settled:
        yield Section(title=say["settled"], table=_settled(statement, write))
    for title, sides in statement.sides:
        rows = tuple((what, write.amount(value)) for what, value in sides)
        yield Section(title=say[title], table=Table(columns=_columns(say, "what", amounts="amount"), rows=rows))
    yield Section(title=say["law"], paragraphs=tuple(_rules(statement, write)))


_DAYS = ("date", "due_on", "from_on", "to_on")


def _columns(say: Mapping[str, str], names: str, *, amounts: str) -> tuple[Column, ...]:
    texts = (Column(name=say[name], is_whole=name in _DAYS) for name in names.split())
    return (*texts, *(Column(name=say[name], is_amount=True) for name in amounts.split()))


def _pay(statement: Statement, write: _Writer) -> Section:
    say = write.say
    known = (
        (say["amount"], write.amount(statement.total)), (say["account"], statement.account),
        (say["beneficiary"], statement.beneficiary), (say["reference"], statement.reference),
    )  # fmt: skip
    return Section(
        title=say["pay"], facts=tuple((label, text) for label, text in known if text), picture=statement.code_svg,
        paragraphs=(say["scan"] if statement.code_svg else say["ask"],), picture_text=say["scan"] if statement.code_svg else "",
    )  # fmt: skip


def _claims(statement: Statement, write: _Writer) -> Table:
    names = "principal interest compensation open"
    rows = tuple(
        (claim.number, write.day(claim.due_on), *map(write.amount, (claim.principal, claim.interest, claim.compensation, claim.open_amount)))
        for claim in statement.claims
    )  # fmt: skip
    return Table(columns=_columns(write.say, "invoice due_on", amounts=names), rows=rows)


def _moved(statement: Statement, write: _Writer) -> Table:
    rows = tuple(
        (write.day(one.on), _what(one, write.say), write.amount(one.amount), write.amount(one.owed_after)) for one in statement.moved
    )
    total = ("", write.say["total"], "", write.amount(statement.total))
    return Table(columns=_columns(write.say, "date what", amounts="amount owed_after"), rows=(*rows, total), sum_rows=1)


def _what(one: Moved, say: Mapping[str, str]) -> str:
    marks = (
        say["reversed"] if one.is_reversed else "", say["for_creditor"] if one.is_for_creditor else "",
        say["grown"] if one.is_grown else "",
    )  # fmt: skip
    return ", ".join(filter(None, (f"{say[one.kind]} {one.detail}".strip(), *marks)))


def _grew(statement: Statement, write: _Writer) -> Table:
    rows = tuple(
        (one.number, write.day(one.from_on), write.day(one.to_on), str(one.days), write.amount(one.base),
         write.percent(one.rate_percent), write.amount(one.amount))
        for one in statement.grew
    )  # fmt: skip
    return Table(columns=_columns(write.say, "invoice from_on to_on", amounts="days base rate amount"), rows=rows)


def _going_on(statement: Statement, write: _Writer) -> tuple[str, ...]:
    return (write.say["per_day"].format(amount=write.amount(statement.per_day)),) if statement.per_day else ()


def _settled(statement: Statement, write: _Writer) -> Table:
    rows = tuple(
        (write.day(one.on), write.say[one.kind], write.amount(one.paid), write.say[one.part], one.number, write.amount(one.amount))
        for one in statement.settled
    )
    say = write.say
    columns = (
        Column(name=say["date"]), Column(name=say["what"]), Column(name=say["amount"], is_amount=True), Column(name=say["with"]), Column(name=say["invoice"]),
        Column(name=say["amount"], is_amount=True),
    )  # fmt: skip
    return Table(columns=columns, rows=rows)


def _rules(statement: Statement, write: _Writer) -> Iterator[str]:
    if statement.country:
        yield write.say["governing"].format(country=write.country(statement.country))
    order = ", ".join(write.say[part].lower() if statement.language != "de" else write.say[part] for part in statement.order)
    rule = ", ".join(filter(None, (statement.rule, write.say[statement.evidence])))
    yield write.say["order"].format(order=order, rule=rule)
    if statement.sources:
        yield f"{write.say['sources']}: {'; '.join(statement.sources)}."


# --- one table ------------------------------------------------------------------------------------


def statement_csv(statement: Statement) -> bytes:
    """Every movement as one line, amounts with a point, dates ISO 8601; the sum stands in the last line."""
    return write_csv(*_table(statement))


def statement_xlsx(statement: Statement) -> bytes:
    """The same table as a workbook."""
    headers, rows = _table(statement)
    return write_xlsx(headers, rows, title=words(statement.language)["title"])


def _table(statement: Statement) -> tuple[list[str], list[list[object]]]:
    say = words(statement.language)
    headers = [say[name] for name in ("date", "what", "amount", "owed_after")]
    headers.insert(1, say["case"])
    rows: list[list[object]] = [
        [one.on.isoformat(), statement.case_number, _what(one, say), one.amount, one.owed_after] for one in statement.moved
    ]
    rows.append([statement.until.isoformat(), statement.case_number, say["total"], None, statement.total])
    return [*headers, "ISO 4217"], [[*row, statement.currency] for row in rows]


def _html(statement: Statement) -> bytes:
    from collecthub.paper.html import sheet_html  # the printers are large: only who prints loads them

    return sheet_html(statement_sheet(statement))


def _pdf(statement: Statement) -> bytes:
    from collecthub.paper.pdf import sheet_pdf

    return sheet_pdf(statement_sheet(statement), dt.datetime.combine(statement.made_on, dt.time(), dt.UTC))


FORMATS: Mapping[str, Callable[[Statement], bytes]] = {
    "html": _html, "pdf": _pdf, "xlsx": statement_xlsx, "csv": statement_csv,
}  # fmt: skip
