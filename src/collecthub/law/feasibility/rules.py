"""The 33 rules as data: what each finding is called, how bad it is, who repairs it, by when, and where it comes from."""

from __future__ import annotations

import datetime as dt
import tomllib
from functools import cache
from importlib.resources import files

import msgspec

from collecthub.law.basis import Evidence
from collecthub.law.feasibility.finding import Severity
from collecthub.model.exchange import Procedure


class FeasibilityRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of finding. `blocks`: the procedures that it stops when found at severity `block`."""

    id: str
    category: str
    title: str
    severity: Severity
    blocks: tuple[Procedure, ...] = ()
    owner: str  # creditor, operator, partner
    answer_days: int
    fix: str
    source: str
    evidence: Evidence


class RuleBook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every rule, with the day on which the book was made."""

    version: dt.date
    rules: tuple[FeasibilityRule, ...]


@cache
def rule_book() -> RuleBook:
    """The bundled rules.

    >>> len(rule_book().rules)
    33
    """
    text = (files("collecthub.law.feasibility") / "rules.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), RuleBook)


@cache
def _remarks() -> dict[str, dict[str, str]]:
    text = (files("collecthub.law.feasibility") / "remarks.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, dict[str, str]])


def remark_in(rule: FeasibilityRule, language: str) -> str:
    """A rule's finding in nl, fr, de or es; in any other language its English title.

    >>> remark_in(rule_book().rules[0], "de")
    'Die Forderung ist nach einem möglicherweise anwendbaren Recht verjährt'
    """
    return _remarks()[rule.id].get(language, rule.title)
