"""`collecthub receipt`: cash and card at the counter or on a visit, with a numbered receipt; and its reversal."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import typer

from collecthub.cli.amounts import amount
from collecthub.cli.case_ref import CaseRef, case_id_of
from collecthub.cli.dates import day
from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, print_json, say

app = typer.Typer(no_args_is_help=True, help="Receipts for cash and card.")


@app.command("give")
def give(
    case: CaseRef,
    paid: Annotated[Decimal, typer.Option("--amount", parser=amount, metavar="AMOUNT", help="What was taken.")],
    by: Annotated[str, typer.Option(help="Who took it.")],
    means: Annotated[Literal["cash", "card"], typer.Option(help="How it was paid.")] = "cash",
    place: Annotated[Literal["counter", "visit"], typer.Option(help="Where.")] = "counter",
    on: Annotated[dt.date | None, typer.Option(parser=day, metavar="DATE", help="When; today without it.")] = None,
    terminal: Annotated[str, typer.Option(help="For a card: the reference on the terminal's slip.")] = "",
    output: Annotated[Path | None, typer.Option(help="Write the receipt to this PDF file.")] = None,
    as_json: Json = False,
) -> None:
    """Book money that was taken and give its receipt; the PDF is a document of the case."""
    from collecthub.engine.receipts import Taken, give_receipt
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub:
        taken = Taken(
            amount=paid, means=means, place=place, received_on=on or hub.business_date(), received_by=by, terminal_ref=terminal
        )
        with hub.work() as work:
            found = give_receipt(hub, work, LOCAL_OPERATOR, case_id_of(work.conn, case), taken)
        if output is not None:
            output.write_bytes(hub.evidence.read(found.sha256))
    if as_json:
        print_json(found)
    else:
        say(f"Receipt {found.number}: {found.amount} {found.currency} in case {found.case_number}.")


@app.command("reverse")
def reverse(
    receipt: Annotated[str, typer.Argument(metavar="RECEIPT", help="Number or id.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    as_json: Json = False,
) -> None:
    """Reverse a receipt: the money was given back, and the case asks for it again."""
    from collecthub.engine.receipts import reverse_receipt
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        found = reverse_receipt(hub, work, LOCAL_OPERATOR, receipt, reason=reason)
    if as_json:
        print_json(found)
    else:
        say(f"Receipt {found.number} is reversed.")
