"""Scores and solvency checks of cases: gather what is known, ask every source and scorer, log the answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import change_case, close_tasks
from collecthub.engine.context import Hub, Work
from collecthub.engine.debtor_facts import Known
from collecthub.engine.desk import case_for
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.model.codes import Status
from collecthub.model.event import Fact, InformationSupplied
from collecthub.model.facts_human import (
    ContestAnswered,
    DebtorScored,
    ScoreContested,
    ScoreOverruled,
    SolvencyChecked,
)
from collecthub.model.human_tasks import CHECK_JOB, WAITING_CHECK
from collecthub.model.solvency import CONTEST_DAYS, Band, Score
from collecthub.store import tables as t
from collecthub.store.queries.scope import Scope

CASES_PER_CHUNK = 100
AT_START = "at the start"
NEW_CASES = dt.timedelta(days=3)  # opened so lately: also scored after days on which the hub was down


def score_facts(hub: Hub, conn: sa.Connection, case: Case, occasion: str, capacity: Decimal | None = None) -> list[Fact]:
    """A fresh check of every source and the score that follows, as facts. Raises `PermanentError` without a scorer."""
    [facts] = _scored(hub, conn, [case], occasion, capacity)
    return facts


def _scored(
    hub: Hub, conn: sa.Connection, cases: Sequence[Case], occasion: str, capacity: Decimal | None = None
) -> list[list[Fact]]:
    """As `score_facts`, for many cases at once."""
    as_of, known = hub.business_date(), Known(conn, cases)
    looked = hub.plugins.ask_each("look_up_solvency", [{"case": case, "as_of": as_of} for case in cases])
    checks = [tuple(check for _, given in answers for check in given or ()) for answers in looked]
    found = [known.of(case, as_of, of_case) for case, of_case in zip(cases, checks, strict=True)]
    if capacity is not None:
        found = [msgspec.structs.replace(facts, capacity=capacity) for facts in found]
    said = hub.plugins.ask_each("score_debtor", [{"facts": facts, "occasion": occasion} for facts in found])
    return [
        [*(SolvencyChecked(check=check) for check in of_case), DebtorScored(score=_score(answers))]
        for of_case, answers in zip(checks, said, strict=True)
    ]


def _score(answers: Sequence[tuple[str, object]]) -> Score:
    score = next((one for _, one in answers if isinstance(one, Score)), None)
    if score is None:
        raise PermanentError("no plugin scores debtors", cure="See `collecthub plugin list`.")
    return score


def score_case(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, occasion: str = "on request", capacity: Decimal | None = None,
    expected_version: int | None = None,
) -> Case:  # fmt: skip
    """Look into the debtor's solvency, score him and log both. `capacity` is what he said that he can pay a month."""
    case = case_for(work, scope, case_id, expected_version)
    return change_case(hub, work, case, score_facts(hub, work.conn, case, occasion, capacity), actor=scope.subject)


def overrule_score(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, band: Band, reason: str, expected_version: int | None = None
) -> Case:
    """A person decides otherwise than the score, and says why; it counts until somebody says otherwise."""
    case = case_for(work, scope, case_id, expected_version)
    if case.solvency.score is None:
        raise PermanentError(f"case {case.number} has no score", cure="Score it first.")
    return _answered(hub, work, scope, case, ScoreOverruled(band=band, reason=reason))


def contest_score(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, text: str, expected_version: int | None = None
) -> Case:
    """The debtor does not accept how he was scored; nothing costly begins until a person has answered him, within a month.

    Raises `PermanentError` where nobody was scored: there is nothing to contest.
    """
    case = case_for(work, scope, case_id, expected_version)
    if case.solvency.score is None or not case.is_open:
        raise PermanentError(f"case {case.number} has no score that counts", cure="There is nothing to contest.")
    answer_by_on = work.now.date() + dt.timedelta(days=CONTEST_DAYS)
    return change_case(hub, work, case, [ScoreContested(text=text, answer_by_on=answer_by_on)], actor=scope.subject)


def answer_contest(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, text: str, expected_version: int | None = None
) -> Case:
    """A person weighed what the debtor says and keeps the score; the debtor reads why."""
    case = case_for(work, scope, case_id, expected_version)
    if not case.solvency.contested:
        raise PermanentError(f"nobody contests the score of case {case.number}", cure="Read the case again.")
    return _answered(hub, work, scope, case, ContestAnswered(text=text))


def _answered(hub: Hub, work: Work, scope: Scope, case: Case, said: ScoreOverruled | ContestAnswered) -> Case:
    """A person's word on the score. What waited before a court because of the contest is looked at again."""
    facts: list[Fact] = [said]
    if case.solvency.contested and case.status is Status.NEEDS_INFO:
        facts.append(InformationSupplied(text="the debtor who contested his score was answered"))
        close_tasks(work, done_by=scope.subject, case_id=case.case_id, kind="unroutable")
    close_tasks(work, done_by=scope.subject, case_id=case.case_id, kind="score_contested")
    return change_case(hub, work, case, facts, actor=scope.subject)


def score_opened(hub: Hub, creditor_id: str) -> None:
    """Job: cases that were opened lately get their score at the start."""
    score_new(hub, hub.now() - NEW_CASES, creditor_id)


def score_new(hub: Hub, since: dt.datetime, creditor_id: str | None = None) -> int:
    """Score every open case (of a creditor) that was opened since then and has no score; returns how many."""
    done, after = 0, ""
    while True:
        with hub.work() as work:
            found = work.conn.scalars(_UNSCORED, {"since": since, "after": after, "of": creditor_id}).all()
            work.hold(found)
            held = filter(None, map(work.book.held, found))
            cases = [case for case in held if case.is_open and case.solvency.score is None]
            try:
                scored = _scored(hub, work.conn, cases, AT_START)
            except PermanentError:
                return done  # no plugin scores
            for case, facts in zip(cases, scored, strict=True):
                change_case(hub, work, case, facts, actor="hub")
            done += len(cases)
        if len(found) < CASES_PER_CHUNK:
            return done
        after = found[-1]


_UNSCORED = (
    sa.select(t.cases.c.case_id)
    .where(
        t.cases.c.opened_at >= sa.bindparam("since"), t.cases.c.case_id > sa.bindparam("after"),
        t.cases.c.status != Status.CLOSED.value,
        sa.or_(sa.bindparam("of", type_=sa.String()).is_(None), t.cases.c.creditor_id == sa.bindparam("of")),
        ~sa.exists().where(t.events.c.case_id == t.cases.c.case_id, t.events.c.kind == "debtor_scored"),
    )
    .order_by(t.cases.c.case_id)
    .limit(CASES_PER_CHUNK)
)


def check_before_court(hub: Hub, creditor_id: str) -> None:
    """Job: cases that the gate stopped get their check and score, and are routed again when it lets them through."""
    with hub.work() as work:
        found = work.conn.scalars(
            sa.select(t.tasks.c.case_id)
            .where(t.tasks.c.creditor_id == creditor_id, t.tasks.c.kind == WAITING_CHECK, t.tasks.c.state == "open")
            .order_by(t.tasks.c.task_id)
            .limit(CASES_PER_CHUNK)
        ).all()
        work.hold(found)
        for case in filter(None, map(work.book.held, found)):
            try:
                facts = score_facts(hub, work.conn, case, "before the judicial phase")
            except PermanentError:
                return  # no plugin scores: what waits stays on a person's list
            is_checked = any(isinstance(fact, SolvencyChecked) for fact in facts)
            if case.status is Status.NEEDS_INFO and is_checked:
                facts.append(InformationSupplied(text="the solvency of the debtor was looked into"))
                close_tasks(work, done_by="hub", case_id=case.case_id, kind="unroutable")
            if is_checked:
                close_tasks(work, done_by="hub", case_id=case.case_id, kind=WAITING_CHECK)
            change_case(hub, work, case, facts, actor="hub")
    if len(found) == CASES_PER_CHUNK:
        with hub.work() as work:
            work.wake(CHECK_JOB, creditor_id)

