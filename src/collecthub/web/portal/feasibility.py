"""What stands against a case or a whole portfolio, for whoever must supply it: findings, open points, what was checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Query, Response
from markupsafe import Markup

from collecthub.engine.circumstances import state_circumstances
from collecthub.engine.coverage import world_coverage
from collecthub.engine.feasibility import DryRun, Plan, case_feasibility, dry_run, open_case_count
from collecthub.engine.portfolio_check import ask_check, last_check
from collecthub.errors import PermanentError
from collecthub.law.feasibility.finding import Finding, Verdict
from collecthub.law.feasibility.rules import rule_book
from collecthub.model.exchange import Procedure
from collecthub.paper.remarks import evidence_in
from collecthub.store.queries.case_file import read_owned_case
from collecthub.store.queries.scope import NotThereError
from collecthub.web.answers import download
from collecthub.web.portal import circumstances
from collecthub.web.portal.circumstances import read_form
from collecthub.web.portal.countries import EVIDENCE
from collecthub.web.portal.entered import Entered, EnteredError
from collecthub.web.portal.pages import CreditorSide, Form, PageRoute, Visitor, page, redirect
from collecthub.web.portal.words import Label
from collecthub.web.portal.world_map import world_map

router = APIRouter(route_class=PageRoute, include_in_schema=False)
VERDICTS: Mapping[Verdict, Label] = {
    Verdict.FOUND: ("Found", "warn"),
    Verdict.UNKNOWN: ("Not known", "quiet"),
    Verdict.CLEAR: ("In order", "good"),
    Verdict.NOT_APPLICABLE: ("Does not apply", "quiet"),
}
BLOCKS: Label = ("Blocks", "bad")
DONE = {"stated": "It is noted, and the case was checked anew."}
CASES_AT_ONCE = 5_000  # a few seconds of one core; more than that is a worker's job


@router.get("/cases/{case_id}/feasibility")
def show(
    visitor: CreditorSide, case_id: str, procedure: Annotated[Procedure | None, Query()] = None,
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:  # fmt: skip
    """For the step that is planned, or for another one to compare."""
    return _page(visitor, case_id, procedure, done=DONE.get(done, ""))


@router.post("/cases/{case_id}/circumstances")
def state(visitor: CreditorSide, form: Form, case_id: str) -> Response:
    """Say what is known of contract, clauses, letters and title; the checks follow."""
    entered = Entered(form)
    seen, step = entered.given.get("version", ""), entered.given.get("procedure", "")
    procedure = Procedure(step) if step in set(Procedure) else None
    try:
        said = read_form(entered)
        with visitor.hub.work() as work:
            state_circumstances(
                visitor.hub, work, visitor.scope, case_id, said, expected_version=int(seen) if seen.isdecimal() else None
            )
    except NotThereError:
        raise
    except EnteredError as error:
        return _page(visitor, case_id, procedure, given=entered.given, wrong=dict(error.fields))
    except PermanentError as error:
        return _page(visitor, case_id, procedure, given=entered.given, wrong={"": f"{error.message}. {error.cure}"})
    return redirect(f"/cases/{case_id}/feasibility", done="stated", **({"procedure": step} if procedure else {}))


def _page(
    visitor: Visitor, case_id: str, procedure: Procedure | None, *, done: str = "",
    given: Mapping[str, str] | None = None, wrong: Mapping[str, str] | None = None,
) -> Response:  # fmt: skip
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
        visitor, "feasibility.html", status=422 if wrong else 200, case=case, answer=answer, quiet=quiet, evidence=EVIDENCE,
        because=_because, mark=_mark, procedures=[step.value for step in Procedure], done=done, wrong=wrong or {}, at_hand=circumstances,
        given=given if given is not None else circumstances.filled(case.circumstances),
    )  # fmt: skip


@router.get("/portfolio")
def show_portfolio(visitor: CreditorSide) -> Response:
    """The dry run over every open case of whoever looks, with the map; a large one as a worker made it last."""
    with visitor.hub.database.read() as conn:
        count = open_case_count(conn, visitor.scope)
        told, is_under_way = _dry_run(visitor, conn, count)
        picture = Markup(_map(visitor, conn, told, link="/countries/"))  # every text in it is escaped
    return page(
        visitor, "portfolio.html", told=told, count=count, is_large=count > CASES_AT_ONCE, is_under_way=is_under_way,
        picture=picture,
    )  # fmt: skip


@router.post("/portfolio")
def check_portfolio(visitor: CreditorSide, form: Form) -> Response:
    """Have a worker make the dry run of a portfolio that is too large to wait for."""
    Entered(form).check()
    with visitor.hub.work() as work:
        ask_check(work, visitor.scope)
    return redirect("/portfolio")


@router.get("/portfolio/world.svg")
def save_map(visitor: CreditorSide) -> Response:
    """The map of the dry run as a picture to save."""
    with visitor.hub.database.read() as conn:
        told, _ = _dry_run(visitor, conn, open_case_count(conn, visitor.scope))
        picture = _map(visitor, conn, told)
    return download(picture.encode(), f"portfolio-{visitor.hub.business_date()}.svg")


def _dry_run(visitor: Visitor, conn: sa.Connection, count: int) -> tuple[DryRun | None, bool]:
    if count > CASES_AT_ONCE:
        return last_check(conn, visitor.scope)
    return dry_run(visitor.hub, conn, visitor.scope, "", visitor.hub.business_date()), False


def _map(visitor: Visitor, conn: sa.Connection, told: DryRun | None, *, link: str = "") -> str:
    world = world_coverage(conn, visitor.scope, visitor.hub.business_date())
    return world_map(world, link=link, stopped=told.countries if told else ())


def _because(one: Finding) -> str:
    return evidence_in("en", one.code, one.values, one.evidence)


def _mark(one: Finding) -> Label:
    return BLOCKS if one.is_blocking else VERDICTS[one.verdict]
