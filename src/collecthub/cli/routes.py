"""`case routes`, `case transfer`, `case moved`: every way for a case, and another one than it is on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from collecthub.cli.amounts import amount
from collecthub.cli.case_ref import CaseRef, case_id_of
from collecthub.cli.country import AsOf
from collecthub.cli.errors_shown import FINDINGS
from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, note, plain, print_json, print_table, say

if TYPE_CHECKING:
    from collecthub.engine.comparing import ComparedRoute, RouteComparison


def case_routes(case: CaseRef, as_of: AsOf = None, as_json: Json = False) -> None:
    """Compare every possible route of a case: cost, time, papers, limitation, and why a route is rejected.

    Exit code 1 if no route is possible.
    """
    from collecthub.engine.comparing import compare_routes
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        day = as_of or hub.business_date()
        told = compare_routes(hub, conn, LOCAL_OPERATOR, case_id_of(conn, case), day)
    if as_json:
        print_json(told)
    else:
        _show(told)
    free = [one for one in told.routes if one.standing == "possible" and one.route != "none"]
    raise typer.Exit(0 if free else FINDINGS)


def _show(told: RouteComparison) -> None:
    say(
        f"{told.number}: {told.demanded:,} {told.currency}, creditor in {told.creditor_country or 'an unknown country'}, "
        f"debtor in {told.debtor_country or 'an unknown country'}, as of {told.as_of}"
    )
    print_table(
        ["", "route", "partner", "standing", "cost", "days", "barred on", "success", "why"],
        [
            [
                "*" if one.is_chosen else one.place, plain(one.title), plain(one.partner_name), one.standing, _cost(one),
                "not known" if one.days is None else f"from {one.days}", one.limitation_on or "not known",
                "not known" if one.success is None else f"{one.success:.0%}", plain(one.reason),
            ]
            for one in told.routes
        ],
    )  # fmt: skip
    note("* is the route the case is on. Cost if everything is recovered; --json has documents, papers, bases and sources.")


def _cost(one: ComparedRoute) -> str:
    return "not known" if one.cost is None else f"{one.cost:,} {one.currency}"


def transfer_case(
    case: CaseRef,
    to: Annotated[str, typer.Option("--to", help="Id of the partner; whoever is fit when left out.")] = "",
    route: Annotated[str, typer.Option(help="The route, such as lawyer; none: nobody acts; any when left out.")] = "",
    reason: Annotated[Literal["recalled", "chosen"], typer.Option(help="Why it goes.")] = "chosen",
    text: Annotated[str, typer.Option(help="A sentence for the history; what was looked into.")] = "",
    estimate: Annotated[str, typer.Option(help="For a way before a court: what it is expected to cost.")] = "",
    cap: Annotated[str, typer.Option(help="For a way before a court: the most it may cost.")] = "",
    as_json: Json = False,
) -> None:
    """Give a case to another holder, or choose its route: who has it is recalled first, its part of the history sealed.

    A way before a court, such as epo, waits for the creditor's approval of its cost; then its proceeding begins. With none, and
    a reason as --text, nobody acts any more and a person decides on the write-off.
    """
    from collecthub.engine import court_ways
    from collecthub.engine.transfer import ask_transfer
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        case_id = case_id_of(work.conn, case)
        if court_ways.is_court_way(route):
            costs = court_ways.Costs(amount(estimate), amount(cap)) if estimate and cap else None
            changed = court_ways.choose_way(
                hub, work, LOCAL_OPERATOR, case_id, way=route, costs=costs, partner_id=to, reason=text
            )
        else:
            changed = ask_transfer(
                hub, work, LOCAL_OPERATOR, case_id, reason=reason, text=text, partner_id=to, route=route
            )
    _changed([(changed.case_id, changed.number, changed.status.value)], as_json=as_json)


def move_debtor(
    case: CaseRef,
    country: Annotated[str, typer.Option(help="New country, such as PT.")],
    line: Annotated[list[str] | None, typer.Option(help="Line of the new address; may be given more than once.")] = None,
    postcode: Annotated[str, typer.Option(help="New postcode.")] = "",
    city: Annotated[str, typer.Option(help="New city.")] = "",
    as_json: Json = False,
) -> None:
    """The debtor of a case moved: his new address counts for all his cases, abroad each goes on its way anew."""
    from collecthub.engine import transfer
    from collecthub.model.party import Address
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    address = Address(lines=tuple(line or ()), postcode=postcode, city=city, country=country.strip().upper())
    with client() as hub, hub.work() as work:
        changed = transfer.move_debtor(hub, work, LOCAL_OPERATOR, case_id_of(work.conn, case), address=address)
    _changed([(one.case_id, one.number, one.status.value) for one in changed], as_json=as_json)


def _changed(found: list[tuple[str, str, str]], *, as_json: bool) -> None:
    if as_json:
        print_json({"items": [dict(zip(("case_id", "number", "status"), one, strict=True)) for one in found], "next_cursor": None})
    else:
        for _, number, status in found:
            say(f"{number}: {status.replace('_', ' ')}")
