"""`collecthub invoice`: electronic invoices become claims."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, note, print_json, print_table

if TYPE_CHECKING:
    from collecthub.engine.context import Hub
    from collecthub.engine.intake_invoices import InvoiceResult

app = typer.Typer(no_args_is_help=True, help="Electronic invoices: UBL, CII, and PDF with one of them inside.")
Files = Annotated[
    list[Path], typer.Argument(metavar="FILE...", exists=True, dir_okay=False, readable=True, help="XML or PDF.")
]


@app.command("import")
def import_files(
    files: Files,
    creditor: Annotated[str, typer.Option(help="Id of the creditor; not needed when there is one.")] = "",
    due_days: Annotated[
        int | None, typer.Option(min=0, max=365, help="Days from issue to due date where an invoice states no due date.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse what the published schema or the rules of EN 16931 forbid.")
    ] = False,
    with_rules: Annotated[
        bool, typer.Option("--rules/--no-rules", help="Ask the business rules of EN 16931 (a second per invoice).")
    ] = True,
    as_json: Json = False,
) -> None:
    """Open cases from electronic invoices, with the files as their evidence. Exit code 1 if one did not enter."""
    from collecthub.engine.intake_invoices import import_invoices
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    given = [(path.name, path.read_bytes()) for path in files]
    with client() as hub:
        results = import_invoices(
            hub, LOCAL_OPERATOR, creditor or only_creditor(hub), given, due_days=due_days, is_strict=strict,
            with_rules=with_rules,
        )  # fmt: skip
    if as_json:
        print_json({"items": results, "next_cursor": None})
    else:
        print_table(
            ["file", "invoice", "amount", "currency", "due on", "case", "remarks"],
            [
                [
                    one.file, one.number, one.amount, one.currency, one.due_on, one.case_number,
                    _remarks(one),
                ]
                for one in results
            ],
        )  # fmt: skip
        opened = len({one.case_id for one in results if one.case_id and not one.is_duplicate})
        note(f"{opened} cases opened, {sum(bool(one.errors) for one in results)} files did not enter.")
    raise typer.Exit(1 if any(one.errors for one in results) else 0)


def _remarks(one: InvoiceResult) -> str:
    """Every reason why a file did not enter; of the warnings the first and how many more there are."""
    told = [f"{error.field} {error.reason}" for error in one.errors]
    more = f" (and {len(one.warnings) - 1} more with --json)" if len(one.warnings) > 1 else ""
    return "; ".join([*told, *(f"warning: {warning}{more}" for warning in one.warnings[:1])])


def only_creditor(hub: Hub) -> str:
    """The creditor of a hub that has one. Raises a usage error otherwise."""
    import sqlalchemy as sa

    from collecthub.store import tables as t

    with hub.database.read() as conn:
        found = list(conn.scalars(sa.select(t.creditors.c.creditor_id).limit(2)))
    if len(found) != 1:
        raise typer.BadParameter("say which creditor the invoices are of: --creditor ID")
    return str(found[0])
