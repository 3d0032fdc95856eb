"""What stands against a case or a whole portfolio, for whoever must supply it: findings, open points, what was checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Response

from collecthub.engine.feasibility import Plan, case_feasibility, dry_run, open_case_count
from collecthub.law.feasibility.finding import Finding, Verdict
from collecthub.law.feasibility.rules import rule_book
from collecthub.model.exchange import Procedure
from collecthub.store.queries.case_file import read_owned_case
from collecthub.web.portal.countries import EVIDENCE
from collecthub.web.portal.pages import CreditorSide, PageRoute, page
from collecthub.web.portal.words import Label

router = APIRouter(route_class=PageRoute, include_in_schema=False)
VERDICTS: Mapping[Verdict, Label] = {
    Verdict.FOUND: ("Found", "warn"),
    Verdict.UNKNOWN: ("Not known", "quiet"),
    Verdict.CLEAR: ("In order", "good"),
    Verdict.NOT_APPLICABLE: ("Does not apply", "quiet"),
}
BLOCKS: Label = ("Blocks", "bad")
CASES_AT_ONCE = 5_000  # a few seconds of one core; more than that is a task for the command line


@router.get("/cases/{case_id}/feasibility")
def show(visitor: CreditorSide, case_id: str, procedure: Annotated[Procedure | None, Query()] = None) -> Response:
    """For the step that is planned, or for another one to compare."""
    hub = visitor.hub
    with hub.database.read() as conn:
        case = read_owned_case(conn, visitor.scope, case_id)
        plan = Plan(procedure=procedure)
        answer = case_feasibility(hub, conn, visitor.scope, case_id, plan, hub.business_date())
    quiet = [
        (rule, VERDICTS[answer.verdicts[rule.id]]) for rule in rule_book().rules
        if answer.verdicts[rule.id] in (Verdict.CLEAR, Verdict.NOT_APPLICABLE)
    ]  # fmt: skip
    return page(
        visitor, "feasibility.html", case=case, answer=answer, quiet=quiet, evidence=EVIDENCE, mark=_mark,
        procedures=[step.value for step in Procedure],
    )  # fmt: skip


@router.get("/portfolio")
def show_portfolio(visitor: CreditorSide) -> Response:
    """The dry run over every open case of whoever looks, while there are few enough to wait for it."""
    hub = visitor.hub
    with hub.database.read() as conn:
        count = open_case_count(conn, visitor.scope)
        told = dry_run(hub, conn, visitor.scope, "", hub.business_date()) if count <= CASES_AT_ONCE else None
    return page(visitor, "portfolio.html", told=told, count=count, most=CASES_AT_ONCE)


def _mark(one: Finding) -> Label:
    return BLOCKS if one.is_blocking else VERDICTS[one.verdict]
