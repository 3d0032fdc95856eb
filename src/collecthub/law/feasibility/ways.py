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
from collecthub.law.feasibility.assess import CHECKS, Check
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


class Way(msgspec.Struct, frozen=True, kw_only=True, gc=False):
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


Known = dict[str, tuple[Answer, str]]  # with its evidence, by rule and the instrument or step where the rule looks at it


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
        f"{_titles()[name]}: {said}"
        for name, (answer, said) in answers.items()
        if answer.verdict is Verdict.FOUND and (name in _DECIDING or rule.procedure in _blocks()[name])
        and answer.severity not in _MILD
    ]  # fmt: skip
    if against:
        return REJECTED, "; ".join(against)
    open_points = [said for answer, said in answers.values() if answer.verdict is Verdict.UNKNOWN]
    if rule.needs_clause and view.file.clauses is None:
        open_points.insert(0, f"whether the contract has an {rule.needs_clause} clause is not known")
    if open_points:
        return UNKNOWN, "; ".join(open_points)
    return POSSIBLE, "nothing that is known stands against it"


def _asked(view: View, rule: WayRule, known: Known) -> Known:
    """The answers of a way's checks; what says the same for several ways is asked once."""
    asked = _questions()[rule.id]
    missing = [(key, check) for _, key, check in asked if key not in known]
    if missing:
        file = msgspec.structs.replace(view.file, procedure=rule.procedure, instrument=rule.instrument)
        of_way = msgspec.structs.replace(view, file=file)
        for key, check in missing:
            answer = check(of_way)
            known[key] = answer, answer.evidence
    return {name: known[key] for name, key, _ in asked}


@cache
def _questions() -> dict[str, tuple[tuple[str, str, Check], ...]]:
    """By way what it asks: the rule, the key under which its answer is known, the check."""
    return {
        rule.id: tuple(
            (name, f"{name} {_looks_at(name, rule)}", CHECKS[name])
            for name in rule.checks if not (rule.needs_clause and name == "JUR-02")
        )
        for rule in way_book().ways
    }  # fmt: skip


def _looks_at(name: str, rule: WayRule) -> str:
    """What of a way a check looks at, beside that it leads before a court: that is so for all of them."""
    if name.startswith("INS"):
        return rule.instrument
    return rule.procedure.value if name == "LIM-02" else ""


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
