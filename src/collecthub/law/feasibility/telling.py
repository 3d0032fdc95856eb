"""What an assessment asks of whom, in sentences: the reason that stops a step, requests by owner, warnings.

Pure, so that the clock, the dispatch and the intake say the same thing of the same findings.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from collecthub.law.feasibility.assess import Assessment
from collecthub.law.feasibility.finding import Finding, Severity, Verdict


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What one owner should do, by the earliest of its days; `findings` are the ids it would settle."""

    owner: str
    by_on: dt.date
    is_blocking: bool
    text: str
    findings: tuple[str, ...]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is new since the last look, and what is settled."""

    new: tuple[Finding, ...]
    settled: tuple[str, ...]


def reason_to_stop(assessment: Assessment) -> tuple[str, str] | None:
    """Code and reason of the worst finding that stops the planned step, for a veto or a block; None to go on."""
    worst = next((one for one in assessment.findings if one.is_blocking), None)
    if worst is None:
        return None
    more = sum(one.is_blocking for one in assessment.findings) - 1
    others = f" (and {more} more)" if more else ""
    return f"feasibility.{worst.id.lower()}", f"{worst.title}: {worst.evidence}. {worst.fix}{others}"


def requests(assessment: Assessment, *, is_unknown_asked: bool = False) -> tuple[Request, ...]:
    """One request per owner for everything found, blocking ones first; with `is_unknown_asked` also for open points."""
    wanted = [one for one in assessment.findings if is_unknown_asked or one.verdict is Verdict.FOUND]
    owners = dict.fromkeys(one.owner for one in wanted)
    made = [_request(owner, [one for one in wanted if one.owner == owner]) for owner in owners]
    return tuple(sorted(made, key=lambda request: (not request.is_blocking, request.by_on)))


def _request(owner: str, asked: Sequence[Finding]) -> Request:
    return Request(
        owner=owner, by_on=min(one.deadline_on for one in asked), is_blocking=any(one.is_blocking for one in asked),
        text="\n".join(f"{one.title} ({one.evidence}): {one.fix}" for one in asked),
        findings=tuple(one.id for one in asked),
    )


def warnings(assessment: Assessment) -> tuple[str, ...]:
    """What a holder should know when it takes the case: found, not stopping, and at least of severity high."""
    return tuple(
        f"{one.id} {one.title}: {one.evidence}"
        for one in assessment.findings
        if one.verdict is Verdict.FOUND and not one.is_blocking and one.severity is not Severity.MEDIUM
    )


def change(before: Assessment | None, after: Assessment) -> Change:
    """Against the assessment before: findings that were not there or say something else, and rules that are settled."""
    known = {one.id: (one.verdict, one.evidence, one.is_blocking) for one in before.findings} if before else {}
    now = {one.id for one in after.findings}
    return Change(
        new=tuple(one for one in after.findings if known.get(one.id) != (one.verdict, one.evidence, one.is_blocking)),
        settled=tuple(rule_id for rule_id in known if rule_id not in now),
    )
