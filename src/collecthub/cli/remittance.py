"""`collecthub remittance`: what is held goes to the creditors, by an order to the bank, and the bank's answer comes back."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from collecthub.cli.dates import day
from collecthub.cli.hub_access import client
from collecthub.cli.lists import Cursor, Limit, print_page
from collecthub.cli.output import Json, note, print_json, print_record, print_table, say

app = typer.Typer(no_args_is_help=True, help="Money out: what is held for creditors, net of the agreed fees.")
_COLUMNS = "number state creditor_name currency gross fee vat net made_on paid_on reason"


@app.command("create")
def create(
    creditor: Annotated[str, typer.Option(help="Only for this creditor, by id.")] = "",
    until: Annotated[
        dt.date | None, typer.Option(parser=day, metavar="DATE", help="Only what came in until this day.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make remittances of what is held. Exit code 1 when money stays because something is missing."""
    from collecthub.engine.remitting import create_remittances
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub:
        run = create_remittances(hub, LOCAL_OPERATOR, creditor_id=creditor, until=until)
    if as_json:
        print_json({"items": run.made, "next_cursor": None, "left": run.left})
    else:
        print_table(
            ["number", "creditor", "currency", "collected", "fee", "VAT", "to pay"],
            [[one.number, one.payee, one.currency, one.gross, one.fee, one.vat, one.net] for one in run.made],
        )
        for one in run.left:
            note(f"{one.creditor_id}: {one.held} {one.currency} stay: {one.reason}. {one.cure}")
        if not run.made:
            note("No remittance was made.")
    raise typer.Exit(1 if run.left else 0)


@app.command("export")
def export(
    output: Annotated[Path | None, typer.Option(help="Where to write the pain.001 file; its own name without it.")] = None,
    account: Annotated[str, typer.Option(help="IBAN to pay from, where the hub knows none or several client accounts.")] = "",
    on: Annotated[dt.date | None, typer.Option(parser=day, metavar="DATE", help="When the bank shall pay.")] = None,
    order: Annotated[str, typer.Option(help="Write this earlier order again, byte by byte.")] = "",
    as_json: Json = False,
) -> None:
    """Write every remittance that waits into one pain.001 file for the bank."""
    from collecthub.engine.payment_orders import export_remittances, order_file
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub:
        made = None if order else export_remittances(hub, LOCAL_OPERATOR, account=account, pay_on=on)
        if made is None and not order:
            if as_json:
                print_json(None)
            else:
                note("No remittance waits to be exported.")
            return
        found, content = order_file(hub, LOCAL_OPERATOR, made.order_id if made else order)
    path = output or Path(found.name)
    path.write_bytes(content)
    if as_json:
        print_json({"order": found, "file": str(path)})
    else:
        say(f"Written: {path} with {found.payments} payments from {found.account}, order {found.message_ref}.")


@app.command("answer")
def answer(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", exists=True, dir_okay=False, readable=True, help="pain.002 files.")
    ],
    as_json: Json = False,
) -> None:
    """Take the bank's answers. Exit code 1 when a payment was rejected."""
    from collecthub.engine.payment_orders import take_answer
    from collecthub.store.queries.scope import LOCAL_OPERATOR
    from collecthub.store.remittances import REJECTED

    with client() as hub:
        found = [one for path in files for one in take_answer(hub, LOCAL_OPERATOR, path.read_bytes())]
    if as_json:
        print_json({"items": found, "next_cursor": None})
    else:
        print_table(["number", "state", "code", "reason"], [[one.number, one.state, one.code, one.reason] for one in found])
    raise typer.Exit(1 if any(one.state == REJECTED for one in found) else 0)


@app.command("list")
def list_all(
    state: Annotated[str, typer.Option(help="created, exported, accepted, paid, rejected or returned.")] = "",
    creditor: Annotated[str, typer.Option(help="Only of this creditor, by id.")] = "",
    limit: Limit = 50, cursor: Cursor = "", as_json: Json = False,
) -> None:  # fmt: skip
    """List remittances, newest first."""
    from collecthub.store.queries.remittances import list_remittances
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    print_page(
        lambda conn, hub, page: list_remittances(conn, LOCAL_OPERATOR, hub.key, page, state, creditor), _COLUMNS,
        limit=limit, cursor=cursor, as_json=as_json,
    )  # fmt: skip


@app.command("show")
def show(
    remittance: Annotated[str, typer.Argument(metavar="REMITTANCE", help="Number or id.")], as_json: Json = False
) -> None:
    """Show a remittance with every amount in it, its fee and the rule of the fee."""
    from collecthub.store.queries.remittances import remittance_detail
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        print_record(remittance_detail(conn, LOCAL_OPERATOR, remittance), as_json=as_json)


@app.command("received")
def received(
    partner: Annotated[str, typer.Argument(metavar="PARTNER", help="Id of the partner who passes money on.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="Transfer as JSON.")],
    as_json: Json = False,
) -> None:
    """Note one transfer for many cases, with rate and charges; it is found on the client account by its sum."""
    from collecthub.engine.transfers import take_transfer
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub:
        found = take_transfer(hub, LOCAL_OPERATOR, partner, file.read_bytes())
    if as_json:
        print_json(found)
    else:
        say(f"Transfer {found.transfer.reference} of {found.transfer.received} {found.transfer.received_currency} is {found.state}.")
        for finding in found.findings:
            note(f"{finding[:1].upper()}{finding[1:]}.")
    raise typer.Exit(1 if found.findings else 0)
