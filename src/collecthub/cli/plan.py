"""`collecthub plan`: a debtor pays in instalments."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from collecthub.cli.amounts import amount
from collecthub.cli.case_ref import CaseRef, case_id_of
from collecthub.cli.dates import day
from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, note, plain, print_json, print_table, say

if TYPE_CHECKING:
    from collecthub.model.case import Case

app = typer.Typer(no_args_is_help=True, help="Payment plans: propose, agree, follow.")
Reason = Annotated[str, typer.Option(help="Why.")]


@app.command("propose")
def propose(
    case: CaseRef,
    instalments: Annotated[int | None, typer.Option(min=1, max=120, help="How many months.")] = None,
    capacity: Annotated[
        Decimal | None, typer.Option(parser=amount, metavar="AMOUNT", help="What the debtor can pay in a month.")
    ] = None,
    first_on: Annotated[
        dt.date | None, typer.Option(parser=day, metavar="DATE", help="Day of the first instalment.")
    ] = None,
    by_debtor: Annotated[bool, typer.Option("--by-debtor", help="The debtor asked for it.")] = False,
    words: Annotated[str, typer.Option("--note", help="A sentence for the history.")] = "",
    as_json: Json = False,
) -> None:
    """Propose a plan. It binds nobody until it is agreed."""
    from collecthub.engine import plan_desk
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        changed = plan_desk.propose_plan(
            hub, work, LOCAL_OPERATOR, case_id_of(work.conn, case), count=instalments, capacity=capacity,
            first_on=first_on, by_debtor=by_debtor, note=words,
        )  # fmt: skip
    _show(changed, as_json=as_json)


@app.command("agree")
def agree(
    case: CaseRef,
    reason: Annotated[str, typer.Option(help="Why, where the plan is beyond the limits.")] = "",
    as_json: Json = False,
) -> None:
    """Agree to the proposed plan: it holds everybody who chases, as long as it is kept."""
    from collecthub.engine import plan_desk
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        changed = plan_desk.agree_plan(hub, work, LOCAL_OPERATOR, case_id_of(work.conn, case), reason=reason)
    _show(changed, as_json=as_json)


@app.command("refuse")
def refuse(case: CaseRef, reason: Reason, as_json: Json = False) -> None:
    """Say no to the proposed plan."""
    from collecthub.engine import plan_desk
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        changed = plan_desk.refuse_plan(hub, work, LOCAL_OPERATOR, case_id_of(work.conn, case), reason=reason)
    _show(changed, as_json=as_json)


@app.command("end")
def end(case: CaseRef, reason: Reason, as_json: Json = False) -> None:
    """End a running or broken plan; collection goes on."""
    from collecthub.engine import plan_desk
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        changed = plan_desk.end_plan(hub, work, LOCAL_OPERATOR, case_id_of(work.conn, case), reason=reason)
    _show(changed, as_json=as_json)


@app.command("show")
def show(case: CaseRef, as_json: Json = False) -> None:
    """Show the plan of a case and how far it has come."""
    from collecthub.store.queries.case_file import read_owned_case
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        found = read_owned_case(conn, LOCAL_OPERATOR, case_id_of(conn, case))
    _show(found, as_json=as_json)


def _show(case: Case, *, as_json: bool) -> None:
    from collecthub.store.queries.plans import plan_view

    view = plan_view(case)
    if as_json:
        print_json(view)
    elif view is None:
        note("There is no plan; `collecthub plan propose` makes one.")
    else:
        say(f"Plan of case {case.number}: {view.state}, {view.paid} of {view.total} {case.currency} paid")
        for line in view.exceeded:
            say(f"a person must decide: {plain(line)}")
        print_table(
            ["instalment", "due on", "amount", "paid"],
            [[one.number, one.due_on, one.amount, one.is_met] for one in view.instalments],
        )


@app.command("settlement")
def settlement(
    case: CaseRef,
    until: Annotated[
        dt.date | None, typer.Option(parser=day, metavar="DATE", help="The last day; by default that of the plan.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what was owed, what came in and the interest by law, claim by claim."""
    from collecthub.engine.plan_desk import read_settlement
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        found = read_settlement(hub, conn, LOCAL_OPERATOR, case_id_of(conn, case), until)
    if as_json:
        print_json(found)
        return
    say(f"Until {found.until}: {found.open} {found.currency} open; interest by law {found.interest} {found.currency}")
    print_table(
        ["invoice", "due on", "principal", "paid", "open", "interest", "computed until", "rule", "problem"],
        [
            [c.number, c.due_on, c.principal, c.paid, c.open, c.interest, c.interest_until, c.basis, c.problem]
            for c in found.claims
        ],
    )
    print_table(["received on", "amount", "what"], [list(line) for line in found.received])
