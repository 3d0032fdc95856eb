"""`case feasibility`, `portfolio dry-run`, `partner coverage`: what stands against a case before it costs anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from collecthub.cli.case_ref import CaseRef, case_id_of
from collecthub.cli.country import AsOf
from collecthub.cli.errors_shown import FINDINGS
from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, note, plain, print_json, print_table, say

if TYPE_CHECKING:
    from collecthub.engine.coverage import WorldCoverage
    from collecthub.engine.feasibility import CountryCount, DryRun
    from collecthub.law.feasibility.assess import Assessment

portfolio_app = typer.Typer(no_args_is_help=True, help="A whole portfolio at once.")
MapFile = Annotated[
    Path | None, typer.Option("--map", dir_okay=False, metavar="FILE", help="Write the map of the world as SVG.")
]


def case_feasibility(
    case: CaseRef,
    procedure: Annotated[
        Literal["amicable", "judicial", "enforcement"] | None,
        typer.Option(help="The step to look at; that of the placement by default."),
    ] = None,
    forum: Annotated[str, typer.Option(help="Country of the court; the debtor's by default.")] = "",
    instrument: Annotated[str, typer.Option(help="Such as epo, escp, eeo or ios.")] = "",
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Say what would make a partner or a court reject the case, and what is not known.

    Exit code 1 if something that is known stops the step.
    """
    from collecthub.engine import feasibility
    from collecthub.model.exchange import Procedure
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    step = Procedure(procedure) if procedure else None
    plan = feasibility.Plan(procedure=step, forum=forum.upper(), instrument=instrument.lower())
    with client() as hub:
        day = as_of or hub.business_date()
        with hub.database.read() as conn:
            answer = feasibility.case_feasibility(hub, conn, LOCAL_OPERATOR, case_id_of(conn, case), plan, day)
    if as_json:
        print_json(answer)
    else:
        _show(answer)
    raise typer.Exit(0 if answer.is_feasible else FINDINGS)


def _show(answer: Assessment) -> None:
    verdict = "nothing known stops it" if answer.is_feasible else "blocked"
    say(f"{answer.procedure.value}: {verdict}, as of {answer.as_of}")
    print_table(
        ["rule", "verdict", "severity", "what", "evidence", "who", "by", "what to do"],
        [
            [
                one.id, "BLOCKS" if one.is_blocking else one.verdict, one.severity, one.title, one.evidence, one.owner,
                one.deadline_on, one.fix,
            ]
            for one in answer.findings
        ],
    )  # fmt: skip
    unsaid = sum(verdict == "unknown" for verdict in answer.verdicts.values())
    note(f"{len(answer.verdicts)} rules of {answer.rule_version}, {unsaid} of them could not be checked.")


@portfolio_app.command("dry-run")
def dry_run(
    creditor: Annotated[str, typer.Option(help="Id of the creditor; all by default.")] = "",
    as_of: AsOf = None,
    map_file: MapFile = None,
    as_json: Json = False,
) -> None:
    """Check every open case without sending anything: what stops how many, and where nobody acts.

    Exit code 1 if something that is known stops a case.
    """
    from collecthub.engine import coverage, feasibility
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub:
        day = as_of or hub.business_date()
        with hub.database.read() as conn:
            told = feasibility.dry_run(hub, conn, LOCAL_OPERATOR, creditor, day)
            world = coverage.world_coverage(conn, LOCAL_OPERATOR, day)
    if map_file:
        _write_map(map_file, world, told.countries)
    if as_json:
        print_json(told)
    else:
        _show_dry_run(told)
    raise typer.Exit(FINDINGS if told.blocked else 0)


def _show_dry_run(told: DryRun) -> None:
    say(f"{told.cases} open cases as of {told.as_of}: nothing known stops {told.feasible}, {told.blocked} are blocked")
    print_table(
        ["rule", "what", "found", "blocks", "not known", "who", "what to do"],
        [
            [one.id, one.title, one.found, one.blocking, one.unknown, one.owner, one.fix]
            for one in told.rules if one.found or one.unknown
        ],
    )  # fmt: skip
    print_table(
        ["country", "cases", "blocked"], [[one.country or "not known", one.cases, one.blocked] for one in told.countries]
    )


def partner_coverage(
    gaps: Annotated[bool, typer.Option("--gaps", help="Only countries with open cases and nobody for them.")] = False,
    map_file: MapFile = None,
    as_json: Json = False,
) -> None:
    """Show where partners act: country, tier, partners, open cases; as a list and as a map of the world."""
    import msgspec

    from collecthub.engine.coverage import world_coverage
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        world = world_coverage(conn, LOCAL_OPERATOR, hub.business_date())
    if map_file:
        _write_map(map_file, world)
    shown = [item for item in world.items if item.is_gap or not gaps]
    if as_json:
        print_json(msgspec.structs.replace(world, items=tuple(shown)))
        return
    gaps_said = f"{world.gaps} gaps with {world.cases_in_gaps} open cases"
    demo = world.covered_with_demo - world.covered
    say(f"{world.covered_with_demo} countries with a partner that takes cases, {gaps_said}")
    if demo:
        say(f"{demo} of them with a demo partner only: {world.covered} countries are really covered.")
    print_table(
        ["country", "name", "tier", "partners", "roles", "open cases"],
        [
            [item.country, plain(item.name), item.tier, item.partners, item.roles, item.open_cases]
            for item in shown if item.partners or item.open_cases
        ],
    )  # fmt: skip
    note("Countries with neither a partner nor an open case are left out; --json has them all.")


def _write_map(file: Path, world: WorldCoverage, stopped: Sequence[CountryCount] = ()) -> None:
    from collecthub.web.portal.world_map import world_map

    file.write_text(world_map(world, stopped=stopped), encoding="utf-8")
    note(f"Map written to {file}")
