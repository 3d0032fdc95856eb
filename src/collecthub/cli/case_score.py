"""`collecthub case score`: what is known of a debtor's solvency, with every reason."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from collecthub.cli.amounts import amount
from collecthub.cli.case_ref import CaseRef, case_id_of
from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, note, plain, print_json, print_table, say

if TYPE_CHECKING:
    from collecthub.model.case import Case


def score_case(
    case: CaseRef,
    capacity: Annotated[
        Decimal | None, typer.Option(parser=amount, metavar="AMOUNT", help="What the debtor said he can pay in a month.")
    ] = None,
    band: Annotated[
        str, typer.Option("--overrule", metavar="BAND", help="Decide otherwise: good, fair, weak or insolvent.")
    ] = "",
    reason: Annotated[str, typer.Option(help="Why a person decides otherwise.")] = "",
    contest: Annotated[str, typer.Option(metavar="TEXT", help="The debtor contests it: what he says.")] = "",
    answer: Annotated[
        str, typer.Option("--answer", metavar="TEXT", help="Answer the debtor who contests it: why it stays. He reads it.")
    ] = "",
    is_shown: Annotated[bool, typer.Option("--show", help="Only show what is logged; look nothing up.")] = False,
    as_json: Json = False,
) -> None:
    """Look into the debtor's solvency, score him, log both, and say why.

    Exit code 1 if the debtor counts as insolvent.
    """
    from collecthub.engine import solvency
    from collecthub.model.solvency import Band
    from collecthub.store.queries.case_file import read_owned_case
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    if band and band not in set(Band):
        raise typer.BadParameter(f"{band[:20]!r} is none of {', '.join(Band)}")
    if band and not reason.strip():
        raise typer.BadParameter("--overrule needs a --reason")
    if sum(map(bool, (band, contest, answer))) > 1:
        raise typer.BadParameter("choose one of --overrule, --contest and --answer; overruling answers as well")
    with client() as hub:
        if is_shown:
            with hub.database.read() as conn:
                found = read_owned_case(conn, LOCAL_OPERATOR, case_id_of(conn, case))
        else:
            with hub.work() as work:
                case_id = case_id_of(work.conn, case)
                asked = (hub, work, LOCAL_OPERATOR, case_id)
                found = (
                    solvency.overrule_score(*asked, band=Band(band), reason=reason) if band
                    else solvency.contest_score(*asked, text=contest) if contest
                    else solvency.answer_contest(*asked, text=answer) if answer
                    else solvency.score_case(*asked, capacity=capacity)
                )  # fmt: skip
    if as_json:
        print_json({"case_id": found.case_id, "band": found.solvency.band, "solvency": found.solvency})
    else:
        _show(found)
    raise typer.Exit(1 if found.solvency.band == "insolvent" else 0)


def _show(case: Case) -> None:
    score, overruling = case.solvency.score, case.solvency.overruling
    if score is None:
        note("There is no score yet.")
        return
    say(f"Case {case.number}: {case.solvency.band}; chance of payment {score.chance}, by {score.model} on {score.scored_on}")
    if overruling is not None:
        say(f"a person overruled {score.band}: {plain(overruling.reason)}")
    if case.solvency.contested:
        by = f"; answer by {case.solvency.answer_by_on}" if case.solvency.answer_by_on else ""
        say(f"the debtor contests it{by}: {plain(case.solvency.contested)}")
    elif case.solvency.answer:
        say(f"the debtor contested it and was answered on {case.solvency.answered_on}: {plain(case.solvency.answer)}")
    say(f"can pay a month: {score.capacity if score.capacity is not None else 'not known'}")
    print_table(["points", "reason", "what"], [[one.points, one.text, one.factor] for one in score.reasons])
    print_table(
        ["checked on", "source", "verdict", "what"],
        [[one.checked_on, one.source, one.verdict, one.text] for one in case.solvency.checks],
    )
