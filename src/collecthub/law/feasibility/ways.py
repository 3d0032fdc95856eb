"""Every way before a court or tribunal towards a debtor, each with what it needs and why it is open or not.

Pure, and beside the amicable routes of partners. A way is `rejected` by what is known against it, `unknown` when a check
of it could not be made (a person must look), else `possible`. Cost is not in the data for any country: it stays open.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from functools import cache
from importlib.resources import files

import msgspec

from collecthub.law.basis import Evidence
from collecthub.law.feasibility.assess import CHECKS
from collecthub.law.feasibility.finding import Answer, Verdict, View
from collecthub.law.feasibility.money import limitation_day
from collecthub.law.feasibility.rules import rule_book
from collecthub.model.exchange import Procedure

POSSIBLE, REJECTED, UNKNOWN = "possible", "rejected", "unknown"


class WayRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way as the data has it."""

    id: str
    title: str
    procedure: Procedure
    instrument: str = ""
    rank: int
    is_cross_border: bool
    needs_title: bool = False
    needs_clause: str = ""
    checks: tuple[str, ...]
    documents: tuple[str, ...]
    days: int | None = None
    days_basis: str = ""
    source: str
    evidence: Evidence


class WayBook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All ways, with the day on which they were gathered."""

    version: dt.date
    ways: tuple[WayRule, ...]


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """A way for one case on one day."""

    rule: WayRule
    standing: str
    reason: str
    limitation_on: dt.date | None


@cache
def way_book() -> WayBook:
    """The bundled ways.

    >>> [way.id for way in way_book().ways][:3]
    ['order_for_payment', 'epo', 'escp']
    """
    text = (files("collecthub.law.feasibility") / "ways.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), WayBook)


Known = dict[tuple[str, str], Answer]  # by rule, and by instrument where the rule looks at it


def ways(view: View, limitation_on: dt.date | None = None) -> tuple[Way, ...]:
    """Each way of the book, with its standing for this file on this day."""
    day = limitation_on or limitation_day(view)
    known: Known = {}
    return tuple(_way(view, rule, day, known) for rule in way_book().ways)


def _way(view: View, rule: WayRule, limitation_on: dt.date | None, known: Known) -> Way:
    standing, reason = _judged(view, rule, known)
    return Way(rule=rule, standing=standing, reason=reason, limitation_on=limitation_on)


def _judged(view: View, rule: WayRule, known: Known) -> tuple[str, str]:
    closed = _closed(view, rule)
    if closed:
        return REJECTED, closed
    answers = _asked(view, rule, known)
    against = [
        f"{_titles()[name]}: {answer.evidence}"
        for name, answer in answers.items()
        if answer.verdict is Verdict.FOUND and (name in _DECIDING or rule.procedure in _blocks()[name])
        and answer.severity not in _MILD
    ]  # fmt: skip
    if against:
        return REJECTED, "; ".join(against)
    open_points = [answer.evidence for answer in answers.values() if answer.verdict is Verdict.UNKNOWN]
    if open_points:
        return UNKNOWN, "; ".join(open_points)
    return POSSIBLE, "nothing that is known stands against it"


def _asked(view: View, rule: WayRule, known: Known) -> dict[str, Answer]:
    """The answers of a way's checks; what says the same for several ways is asked once."""
    asked = [name for name in rule.checks if not (rule.needs_clause and name == "JUR-02")]
    missing = [name for name in asked if _key(name, rule) not in known]
    if missing:
        file = msgspec.structs.replace(view.file, procedure=rule.procedure, instrument=rule.instrument)
        of_way = msgspec.structs.replace(view, file=file)
        known.update({_key(name, rule): CHECKS[name](of_way) for name in missing})
    return {name: known[_key(name, rule)] for name in asked}


def _key(name: str, rule: WayRule) -> tuple[str, str]:
    return (name, rule.instrument if name.startswith("INS") else rule.procedure.value)


def _closed(view: View, rule: WayRule) -> str:
    """What rules a way out before any check."""
    here, there = view.creditor_country, view.debtor_country
    if not there:
        return "the debtor's country is not known"
    if rule.is_cross_border and here == there:
        return f"both parties are in {there}"
    if rule.needs_title and view.file.title_on is None and not view.has("judgment"):
        return "there is no judgment or title yet"
    if rule.needs_clause and view.file.clauses is None:
        return ""  # whether the contract has one is an open point, not an objection
    if rule.needs_clause and not any(clause.kind == rule.needs_clause for clause in view.file.clauses or ()):
        return f"the contract has no {rule.needs_clause} clause"
    return ""


# These decide whether the way exists at all; the others stop it where the rule book says that they block.
_DECIDING = frozenset({"INS-01", "INS-02", "INS-03", "SRV-01"})
_MILD = frozenset({"high", "medium"})


@cache
def _titles() -> dict[str, str]:
    return {rule.id: rule.title for rule in rule_book().rules}


@cache
def _blocks() -> dict[str, tuple[Procedure, ...]]:
    return {rule.id: rule.blocks for rule in rule_book().rules}
