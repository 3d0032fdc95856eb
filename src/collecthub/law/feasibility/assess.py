"""Feasibility of a case on a day: every rule is asked, what hits or cannot be said becomes a finding.

Pure: the same file, day, atlas and laws give the same findings. Run at intake, before each costly step, and when the
data or the file changes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

import msgspec

from collecthub.law.atlas.facts import Atlas
from collecthub.law.feasibility import duties, forum, money, papers
from collecthub.law.feasibility.finding import Answer, CaseFacts, Finding, Laws, Severity, Verdict, View
from collecthub.law.feasibility.rules import FeasibilityRule, rule_book
from collecthub.model.exchange import Procedure

Check = Callable[[View], Answer]

CHECKS: Mapping[str, Check] = {
    "LIM-01": money.limitation_of_claims,
    "LIM-02": money.age_of_title,
    "INT-01": money.basis_of_interest,
    "INT-02": money.rate_of_interest,
    "INT-03": money.fixing_of_interest,
    "INT-04": money.compound_interest,
    "INT-05": money.interest_on_form,
    "CST-01": money.penalty_clause,
    "CST-02": money.amicable_costs,
    "CST-03": money.fixed_sum,
    "DOC-01": papers.proof,
    "DOC-02": papers.power_of_attorney,
    "DOC-03": papers.language_of_documents,
    "DOC-04": papers.figures,
    "DOC-05": papers.agreed_terms,
    "PAR-01": papers.identity_of_debtor,
    "PAR-02": papers.issuer_of_invoices,
    "PAR-03": papers.insolvency,
    "JUR-01": forum.consumer_at_home,
    "JUR-02": forum.binding_clause,
    "JUR-03": forum.ground_of_court,
    "INS-01": forum.available_instrument,
    "INS-02": forum.undisputed,
    "INS-03": forum.recognition,
    "SRV-01": forum.service_route,
    "CON-01": duties.consumer_steps,
    "CON-02": duties.terms_to_consumer,
    "LIC-01": duties.licence,
    "GDP-01": duties.data_transfer,
    "SAN-01": duties.sanctions,
    "CUR-01": money.currency_that_ended,
    "ADR-01": duties.step_before_suit,
    "ECO-01": money.economics,
}


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """A case on a day: what every rule said, and the findings among it, the worst first."""

    case_id: str
    procedure: Procedure
    as_of: dt.date
    atlas_version: dt.date
    rule_version: dt.date
    is_feasible: bool  # nothing that is known stops the procedure
    verdicts: dict[str, Verdict]
    findings: tuple[Finding, ...]


def findings(file: CaseFacts, as_of: dt.date, atlas: Atlas, laws: Laws) -> tuple[Finding, ...]:
    """What was found or cannot be said, the worst first."""
    return assess(file, as_of, atlas, laws).findings


def assess(file: CaseFacts, as_of: dt.date, atlas: Atlas, laws: Laws) -> Assessment:
    """Ask every rule."""
    view = View(file=file, as_of=as_of, atlas=atlas, laws=laws)
    book = rule_book()
    answers = {rule.id: (rule, CHECKS[rule.id](view)) for rule in book.rules}
    found = [
        _finding(view, rule, answer, book.version)
        for rule, answer in answers.values()
        if answer.verdict is Verdict.FOUND or answer.verdict is Verdict.UNKNOWN
    ]
    found.sort(key=_badness)
    return Assessment(
        case_id=file.case.case_id, procedure=file.procedure, as_of=as_of, atlas_version=atlas.version,
        rule_version=book.version, is_feasible=not any(one.is_blocking for one in found),
        verdicts={rule_id: answer.verdict for rule_id, (_, answer) in answers.items()}, findings=tuple(found),
    )


def _finding(view: View, rule: FeasibilityRule, answer: Answer, version: dt.date) -> Finding:
    severity = answer.severity or rule.severity
    stops = severity is Severity.BLOCK and view.file.procedure in rule.blocks
    return Finding(
        id=rule.id, category=rule.category, title=rule.title, verdict=answer.verdict, severity=severity,
        is_blocking=stops and answer.verdict is Verdict.FOUND, evidence=answer.evidence, code=answer.code,
        values={name: str(value) for name, value in answer.values.items()}, owner=rule.owner, fix=rule.fix,
        deadline_on=answer.deadline_on or view.as_of + dt.timedelta(days=rule.answer_days), rule_version=version,
        source=rule.source, evidence_level=answer.level or rule.evidence,
    )  # fmt: skip


_ORDER = {Severity.BLOCK: 0, Severity.HIGH: 1, Severity.MEDIUM: 2}


def _badness(one: Finding) -> tuple[bool, bool, int]:
    return (not one.is_blocking, one.verdict is not Verdict.FOUND, _ORDER[one.severity])
