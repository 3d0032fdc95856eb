"""`collecthub proceeding`: court, enforcement and insolvency matters of a case, and what they may cost."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from collecthub.cli.amounts import amount
from collecthub.cli.case_ref import CaseRef, case_id_of
from collecthub.cli.dates import day
from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, plain, print_json, print_table, say
from collecthub.errors import PermanentError

if TYPE_CHECKING:
    from collecthub.model.case import Case
    from collecthub.model.proceeding import ProceedingKind

app = typer.Typer(no_args_is_help=True, help="Courts, enforcement and insolvency: what it may cost, what happened.")
Kind = Annotated[str, typer.Argument(metavar="KIND", help="judicial, undisputed, enforcement, bankruptcy, reorganisation, collective_settlement or monitoring.")]
Reason = Annotated[str, typer.Option(help="Why.")]
Due = Annotated[dt.date | None, typer.Option("--due", parser=day, metavar="DATE", help="A day that the court named.")]
On = Annotated[dt.date | None, typer.Option(parser=day, metavar="DATE", help="On which day; today when left out.")]


@app.command("show")
def show(case: CaseRef, as_json: Json = False) -> None:
    """What was asked, allowed and begun, with time limits and what can follow."""
    from collecthub.store.queries.case_file import read_owned_case
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        found = read_owned_case(conn, LOCAL_OPERATOR, case_id_of(conn, case))
    _show(found, as_json=as_json)


@app.command("ask")
def ask(
    case: CaseRef, kind: Kind,
    estimate: Annotated[Decimal, typer.Option(parser=amount, metavar="AMOUNT", help="What it is expected to cost.")],
    cap: Annotated[Decimal, typer.Option(parser=amount, metavar="AMOUNT", help="The most it may cost.")],
    reason: Reason, as_json: Json = False,
) -> None:  # fmt: skip
    """Ask the creditor to allow a costly step."""
    from collecthub.engine import proceeding_desk
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        found = proceeding_desk.ask_approval(
            hub, work, LOCAL_OPERATOR, case_id_of(work.conn, case), kind=_kind(kind), estimate=estimate, cap=cap, reason=reason
        )
    _show(found, as_json=as_json)


@app.command("decide")
def decide(
    case: CaseRef,
    is_given: Annotated[bool, typer.Option("--allow/--refuse", help="The creditor's yes or no.")],
    reason: Annotated[str, typer.Option(help="Who at the creditor said so, and why.")],
    cap: Annotated[
        Decimal | None, typer.Option(parser=amount, metavar="AMOUNT", help="The most it may cost; what was asked when left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Enter what the creditor said to the cost that was asked last; a case that waits for it goes on."""
    from collecthub.engine import court_ways
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        found = court_ways.decide_approval(
            hub, work, LOCAL_OPERATOR, case_id_of(work.conn, case), is_given=is_given, cap=cap, reason=reason
        )
    _show(found, as_json=as_json)


@app.command("begin")
def begin(
    case: CaseRef, kind: Kind, on: On = None, due_on: Due = None,
    authority: Annotated[str, typer.Option(help="The court, trustee or mediator.")] = "",
    reference: Annotated[str, typer.Option(help="Their reference.")] = "", as_json: Json = False,
) -> None:  # fmt: skip
    """Open a proceeding, or note one that was heard of. What costs needs its approval and a look into solvency."""
    from collecthub.engine import proceeding_desk
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        found = proceeding_desk.begin_proceeding(
            hub, work, LOCAL_OPERATOR, case_id_of(work.conn, case), kind=_kind(kind), began_on=on, due_on=due_on,
            authority=authority, reference=reference,
        )  # fmt: skip
    _show(found, as_json=as_json)


@app.command("act")
def act(
    case: CaseRef, kind: Kind,
    name: Annotated[str, typer.Argument(metavar="ACT", help="What happened, as `show` offers it: serve, set_hearing, file_claim, ...")],
    on: On = None, due_on: Due = None,
    brought: Annotated[Decimal | None, typer.Option("--amount", parser=amount, metavar="AMOUNT", help="Of the judgment, dividend or sale.")] = None,
    cost: Annotated[Decimal | None, typer.Option(parser=amount, metavar="AMOUNT", help="What it cost.")] = None,
    text: Annotated[str, typer.Option("--note", help="A sentence for the history.")] = "", as_json: Json = False,
) -> None:  # fmt: skip
    """Record what happened in the proceeding of a kind that runs."""
    from collecthub.engine import proceeding_desk
    from collecthub.store.queries.case_file import read_owned_case
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        case_id = case_id_of(work.conn, case)
        running = read_owned_case(work.conn, LOCAL_OPERATOR, case_id).proceedings.open_of(_kind(kind))
        if running is None:
            raise PermanentError(f"no proceeding of the kind {kind} runs in this case", cure="See `collecthub proceeding show`.")
        found = proceeding_desk.move_proceeding(
            hub, work, LOCAL_OPERATOR, case_id, proceeding_id=running.proceeding_id, act=name, acted_on=on, due_on=due_on,
            amount=brought, cost=cost or Decimal(0), note=text,
        )  # fmt: skip
    _show(found, as_json=as_json)


def _kind(text: str) -> ProceedingKind:
    from collecthub.model.proceeding import ProceedingKind

    if text not in set(ProceedingKind):
        raise typer.BadParameter(f"{text[:40]!r} is none of {', '.join(ProceedingKind)}")
    return ProceedingKind(text)


def _show(case: Case, *, as_json: bool) -> None:
    found = case.proceedings
    if as_json:
        shown = [{"proceeding": one, "next_acts": one.acts} for one in found.all]
        print_json({"case_id": case.case_id, "phase": case.phase, "proceedings": shown, "approvals": found.approvals})
        return
    say(f"Case {case.number}: {case.phase.value}")
    for asked in found.approvals:
        about = f"about {asked.estimate:,}" if asked.estimate is not None else "its cost is not known"
        answer = "waits for the creditor" if asked.decided_at is None else "allowed" if asked.is_given else "refused"
        say(f"cost of a {asked.kind.value} step, {about}, at most {asked.cap:,} {case.currency}: {answer} ({plain(asked.reason)})")
    rows = [[o.kind.value, o.state, o.began_on, o.deadline_on or "", o.deadline_for, o.cost_spent, " ".join(o.acts)] for o in found.all]
    print_table(["kind", "state", "since", "by", "for", "cost", "can follow"], rows)
