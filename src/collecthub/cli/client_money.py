"""`collecthub client-money`: what is there and whose it is; and why money moved that is no debtor's."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

import typer

from collecthub.cli.dates import day
from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, note, print_json, print_table, say

app = typer.Typer(no_args_is_help=True, help="Creditors' money on the client account, in the till, with the card company.")


@app.command("check")
def check(
    at: Annotated[
        dt.date | None, typer.Option("--at", parser=day, metavar="DATE", help="At the end of this day; today without it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare what is there with whose it is. Exit code 1 when the two differ or something is not explained."""
    from collecthub.engine.client_account import see_debits
    from collecthub.store.queries.client_money import client_money

    with client() as hub:
        see_debits(hub)
        with hub.database.read() as conn:
            found = client_money(conn, at or hub.business_date())
    if as_json:
        items = [
            {"figures": one, "there": one.there, "owed": one.owed, "difference": one.difference, "findings": one.findings}
            for one in found
        ]
        print_json({"items": items, "next_cursor": None})
    else:
        for one in found:
            rows = [[f"bank {account.account}", account.balance] for account in one.accounts]
            rows += [["cash", one.cash], ["card", one.card], ["= there", one.there]]
            rows += [[f"held for {held.creditor_name}", held.amount] for held in one.held]
            rows += [
                ["under way to creditors", one.under_way], ["not yet given to a case", one.unallocated],
                ["the operator's own", one.operator], ["from before the hub", one.before_the_hub], ["= owed", one.owed],
                ["difference", one.difference],
            ]  # fmt: skip
            print_table([f"client money on {one.on}", one.currency], rows)
            for finding in one.findings:
                note(f"{finding[:1].upper()}{finding[1:]}.")
        if not found:
            note("There is no client account yet.")
    raise typer.Exit(1 if any(one.findings for one in found) else 0)


@app.command("explain")
def explain(
    payment: Annotated[str, typer.Argument(metavar="PAYMENT", help="Id of the movement.")],
    reason: Annotated[Literal["operator", "cash", "card"], typer.Argument(metavar="REASON", help="operator, cash or card.")],
    text: Annotated[str, typer.Option("--note", help="What it was.")] = "",
    as_json: Json = False,
) -> None:
    """Say why money moved: the operator's own (fees, charges), cash that was paid in, or the card company's settlement."""
    from collecthub.engine.client_account import explain_movement
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        explain_movement(work, LOCAL_OPERATOR, payment, reason, note=text)
    if as_json:
        print_json({"payment_id": payment, "reason": reason})
    else:
        say(f"Explained: {payment} is {reason}.")
