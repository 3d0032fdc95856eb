"""Checks of stored cases as facts: on receipt, before a hand-over, and when the data or the rules change.

A check is recorded when it says something new. What stops a case is asked of its owner, who finds it on his list; once
nothing stops it any more, the case goes on by itself.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from collecthub.engine.case_work import change_case, close_tasks, locked_case, open_task
from collecthub.engine.context import Hub, Work
from collecthub.engine.feasibility import Around, Plan, laws_of
from collecthub.law.atlas.reading import bundled_atlas
from collecthub.law.feasibility.assess import Assessment, assess
from collecthub.law.feasibility.finding import CaseFacts, Verdict
from collecthub.law.feasibility.rules import rule_book
from collecthub.law.feasibility.telling import requests
from collecthub.model.case import Case, feasibility_version
from collecthub.model.codes import Status
from collecthub.model.event import Fact, InformationSupplied
from collecthub.model.facts_network import FeasibilityChecked, NotedFinding
from collecthub.store import tables as t
from collecthub.store.facts import read_fact, write_fact

TASK = "feasibility"
INTAKE, HAND_OVER, COSTLY_STEP, DATA_CHANGED = "intake", "hand_over", "costly_step", "data_changed"
CASES_PER_CHUNK = 100
KNOWN_VERSION = "feasibility_version"


def current_version() -> str:
    """Of the rules and facts that a check is made with today."""
    return feasibility_version(rule_book().version, bundled_atlas().version)


def noted(answer: Assessment, occasion: str, partner_id: str = "") -> FeasibilityChecked:
    """An assessment as the history keeps it."""
    return FeasibilityChecked(
        occasion=occasion, procedure=answer.procedure, partner_id=partner_id, checked_on=answer.as_of,
        rule_version=answer.rule_version, atlas_version=answer.atlas_version, is_feasible=answer.is_feasible,
        findings=tuple(
            NotedFinding(
                id=one.id, is_blocking=one.is_blocking, severity=one.severity.value, evidence=one.evidence,
                owner=one.owner, fix=one.fix, deadline_on=one.deadline_on, code=one.code, values=one.values,
            )
            for one in answer.findings if one.verdict is Verdict.FOUND
        ),
        unknown=tuple(one.id for one in answer.findings if one.verdict is Verdict.UNKNOWN),
    )  # fmt: skip


def is_news(case: Case, fact: FeasibilityChecked) -> bool:
    """Whether a check says something that the last one did not."""
    last = case.feasibility
    if last is None:
        return True
    said = (last.procedure, last.partner_id, last.version, last.findings, last.unknown)
    return said != (
        fact.procedure, fact.partner_id, feasibility_version(fact.rule_version, fact.atlas_version),
        tuple((one.id, one.evidence, one.is_blocking) for one in fact.findings), fact.unknown,
    )  # fmt: skip


def ask_owners(work: Work, case: Case, answer: Assessment) -> None:
    """Put what stops a case on the list of whoever can repair it, until the day by which it should be there."""
    for request in requests(answer):
        if request.is_blocking:
            open_task(
                work, kind=TASK, title=f"case {case.number} waits for {request.owner}: {', '.join(request.findings)}",
                owner=request.owner, detail=request.text, creditor_id=case.creditor_id, case_id=case.case_id,
                due_at=dt.datetime.combine(request.by_on, dt.time(), dt.UTC),
            )  # fmt: skip


def check_cases(hub: Hub, creditor_id: str) -> None:
    """Check every open case of a creditor that was never checked, or not with the rules and facts of today."""
    version, after = current_version(), ""
    while True:
        with hub.work() as work:
            found = list(work.conn.scalars(_UNCHECKED, {"of": creditor_id, "after": after, "version": version}))
            work.hold(found)
            around = Around(work.conn, hub.business_date())
            cases = [case for case_id in found if (case := work.book.held(case_id)) is not None and case.is_open]
            for case, file in zip(cases, around.files(cases, Plan()), strict=True):
                _check(hub, work, case, file, INTAKE if case.feasibility is None else DATA_CHANGED)
            nothing_new = t.cases.c.case_id.in_(found) & (t.cases.c.checked == "")
            work.conn.execute(sa.update(t.cases).where(nothing_new).values(checked=version))
        if len(found) < CASES_PER_CHUNK:
            return
        after = found[-1]


_UNCHECKED = (
    sa.select(t.cases.c.case_id)
    .where(
        t.cases.c.creditor_id == sa.bindparam("of"), t.cases.c.case_id > sa.bindparam("after"),
        t.cases.c.checked != sa.bindparam("version"), t.cases.c.status != Status.CLOSED.value,
    )
    .order_by(t.cases.c.case_id)
    .limit(CASES_PER_CHUNK)
)


def recheck(hub: Hub, case_id: str) -> None:
    """Check one case anew because what is known of it changed; a blocked one that nothing stops any more goes on."""
    with hub.work() as work:
        case = locked_case(work, case_id)
        if case.is_open:
            (file,) = Around(work.conn, hub.business_date()).files([case], Plan())
            _check(hub, work, case, file, DATA_CHANGED)


def _check(hub: Hub, work: Work, case: Case, file: CaseFacts, occasion: str) -> None:
    answer = assess(file, hub.business_date(), bundled_atlas(), lambda code: laws_of(hub, code))
    partner_id = file.partner.partner_id if file.partner else ""
    fact = noted(answer, occasion, partner_id)
    facts: list[Fact] = [fact] if is_news(case, fact) else []
    stopped = was_stopped(case)
    if answer.is_feasible and case.status is Status.NEEDS_INFO and stopped:
        facts.append(InformationSupplied(text="what stood against the case is settled"))
    if facts:
        case = change_case(hub, work, case, facts, actor="hub")
    if answer.is_feasible and stopped:
        close_tasks(work, done_by="hub", case_id=case.case_id, kind=TASK)
    elif not answer.is_feasible:
        ask_owners(work, case, answer)


def was_stopped(case: Case) -> bool:
    """Whether the last check found something that stops the case."""
    return case.feasibility is not None and not case.feasibility.is_feasible


def watch_rules(hub: Hub) -> None:
    """When the rules or the facts of the world are new, have every creditor's cases looked at again."""
    version = current_version()
    with hub.database.read() as conn:
        if read_fact(conn, KNOWN_VERSION) == version:
            return
    with hub.work() as work:
        known = read_fact(work.conn, KNOWN_VERSION)
        write_fact(work.conn, KNOWN_VERSION, version)
        if known is not None:
            for creditor_id in list(work.conn.scalars(sa.select(t.creditors.c.creditor_id))):
                work.wake("check", creditor_id)
