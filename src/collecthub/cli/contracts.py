"""`collecthub contract`: what was agreed on fees and costs, version by version, and figures checked against it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Literal

import typer

from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, print_json, print_table, say
from collecthub.cli.remittance import day

app = typer.Typer(no_args_is_help=True, help="Contracts with creditors and partners: grids, minimum, VAT, who bears what.")
SideName = Annotated[Literal["creditor", "partner"], typer.Argument(metavar="SIDE", help="creditor or partner.")]
PartyId = Annotated[str, typer.Argument(metavar="PARTY", help="Id of the creditor or partner.")]


@app.command("add")
def add(
    side: SideName, party: PartyId,
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="Terms as JSON.")],
    as_json: Json = False,
) -> None:  # fmt: skip
    """Enter the next version of a contract; versions before it stay as they were."""
    from collecthub.engine.contracting import enter_contract, read_terms
    from collecthub.model.contract import Side
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    terms = read_terms(file.read_bytes())
    with client() as hub, hub.work() as work:
        made = enter_contract(work, LOCAL_OPERATOR, Side(side), party, terms)
    if as_json:
        print_json(made)
    else:
        say(f"Entered: version {made.version}, in force from {made.terms.valid_from.isoformat()}.")


@app.command("list")
def list_all(
    side: Annotated[Literal["", "creditor", "partner"], typer.Option(help="Only those with this side.")] = "",
    party: Annotated[str, typer.Option(help="Only those with this creditor or partner, by id.")] = "",
    at: Annotated[
        dt.date | None, typer.Option("--at", parser=day, metavar="DATE", help="Only the version in force on this day.")
    ] = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """List the versions of contracts."""
    from collecthub.model.contract import Contract, Side, in_force
    from collecthub.store.queries.remittances import list_contracts
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        found = list_contracts(conn, LOCAL_OPERATOR, Side(side) if side else None, party)
    if at is not None:
        by_party: dict[tuple[str, str], list[Contract]] = {}
        for view in found:
            by_party.setdefault((view.contract.side.value, view.contract.party_id), []).append(view.contract)
        valid = {now.contract_id for versions in by_party.values() if (now := in_force(versions, at))}
        found = tuple(view for view in found if view.contract.contract_id in valid)
    if as_json:
        print_json({"items": found, "next_cursor": None})
        return
    print_table(
        ["side", "party", "version", "from", "to", "grid", "minimum", "VAT"],
        [
            [
                view.contract.side.value, view.party_name, view.contract.version, view.contract.terms.valid_from,
                view.contract.terms.valid_to, "; ".join(f"{row.percent} %" for row in view.contract.terms.grid),
                f"{view.contract.terms.minimum_fee} {view.contract.terms.minimum_currency}",
                f"{view.contract.terms.vat_percent} %",
            ]
            for view in found
        ],
    )  # fmt: skip
