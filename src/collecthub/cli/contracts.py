"""`collecthub contract`: what was agreed on fees and costs, version by version, and figures checked against it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Literal

import typer

from collecthub.cli.dates import day
from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, print_json, print_table, say

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


@app.command("check-invoice")
def check_invoice(
    partner: Annotated[str, typer.Argument(metavar="PARTNER", help="Id of the partner.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="Invoice as JSON.")],
    as_json: Json = False,
) -> None:
    """Check a partner's invoice against his contract and his own reports. Exit code 1 when a line deviates."""
    from collecthub.engine.partner_invoices import take_invoice
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub:
        found = take_invoice(hub, LOCAL_OPERATOR, partner, file.read_bytes())
    if as_json:
        print_json(found)
    else:
        say(f"Invoice {found.number} asks {found.stated} {found.currency}; agreed is {found.expected}.")
        rows = [[one.line, one.case, one.stated, one.expected, one.reason] for one in found.findings]
        print_table(["line", "case", "asked", "agreed", "why"], rows)
    raise typer.Exit(1 if found.findings else 0)


@app.command("charge")
def charge(
    creditor: Annotated[str, typer.Option(help="Only of this creditor, by id.")] = "",
    as_json: Json = False,
) -> None:
    """Charge the fees on what debtors paid to the creditor himself, where the contract says so; each once, to be invoiced."""
    from collecthub.engine.direct_fees import charge_direct_fees
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub:
        found = charge_direct_fees(hub, LOCAL_OPERATOR, creditor_id=creditor)
    if as_json:
        print_json({"items": found, "next_cursor": None})
    else:
        rows = [[one.case_id, one.creditor_id, one.fee.fee, one.fee.vat, one.fee.currency, one.fee.rule] for one in found]
        print_table(["case", "creditor", "fee", "VAT", "currency", "rule"], rows)


@app.command("costs")
def costs(
    case: Annotated[str, typer.Option(help="Only of this case, by id or number.")] = "",
    creditor: Annotated[str, typer.Option(help="Only of this creditor, by id.")] = "",
    since: Annotated[dt.date | None, typer.Option("--from", parser=day, metavar="DATE", help="From this day.")] = None,
    until: Annotated[dt.date | None, typer.Option("--until", parser=day, metavar="DATE", help="Until this day.")] = None,
    to_invoice: Annotated[bool, typer.Option("--to-invoice", help="Only what is left to invoice to the creditor.")] = False,
    table: Annotated[Path | None, typer.Option("--csv", help="Write the lines to this file.")] = None,
    paper: Annotated[Path | None, typer.Option("--pdf", help="Write them to this file as a paper.")] = None,
    language: Annotated[str, typer.Option(help="Of the paper: en, nl, fr or de.")] = "en",
    as_json: Json = False,
) -> None:
    """Show every fee, VAT and cost of a case or a period: who bears it, by which rule, how it is settled."""
    from collecthub.cli.case_ref import case_id_of
    from collecthub.store.connections import read_creditor
    from collecthub.store.queries.cost_statement import cost_statement, cost_statement_csv
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        found = cost_statement(
            conn, LOCAL_OPERATOR, case_id=case_id_of(conn, case) if case else "", creditor_id=creditor, from_on=since,
            until=until, to_invoice=to_invoice,
        )  # fmt: skip
        named = read_creditor(conn, creditor)
    if table is not None:
        table.write_bytes(cost_statement_csv(found))
    if paper is not None:
        from collecthub.engine.cost_sheet import cost_statement_pdf

        paper.write_bytes(cost_statement_pdf(found, hub.settings.operator_name, named.name if named else "", language, hub.now()))
    if as_json:
        print_json(found)
        return
    names = "booked_on case_number kind bearer amount currency settled_by rule".split()
    print_table(names, [[getattr(line, name) for name in names] for line in found.lines])
    for one in found.sums:
        say(f"Borne by the {one.bearer}: {one.amount} {one.currency}")
