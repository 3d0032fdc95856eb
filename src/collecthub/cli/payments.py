"""`collecthub payment`: bank files in, payments to their cases, a list of what a person must look at."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from collecthub.cli.amounts import amount
from collecthub.cli.case_ref import CaseRef, case_id_of
from collecthub.cli.hub_access import client
from collecthub.cli.lists import Cursor, Limit, print_page
from collecthub.cli.output import Json, note, print_json, print_record, print_table, say

if TYPE_CHECKING:
    from collecthub.engine.payments_in import ImportedFile, Owner
    from collecthub.formats.bank.csv_rows import CsvLayout

app = typer.Typer(no_args_is_help=True, help="Payments: bank files in, each payment to its case.")
Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILE...", exists=True, dir_okay=False, readable=True, help="camt.05x, CODA, MT940 or a table."),
]
PaymentRef = Annotated[str, typer.Argument(metavar="PAYMENT", help="Id of the payment.")]


@app.command("import")
def import_files(
    files: Files,
    creditor: Annotated[str, typer.Option(help="Id of the creditor whose account it is; remembered.")] = "",
    client_account: Annotated[
        bool, typer.Option("--client-account", help="It is the operator's own account for clients' money; remembered.")
    ] = False,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=HEADER", help="For a table: which column is what, such as amount=Betrag. Repeat it."),
    ] = None,
    account: Annotated[str, typer.Option(help="For a table: the account, where no column names it.")] = "",
    currency: Annotated[str, typer.Option(help="For a table: the currency, where no column names it.")] = "",
    date_format: Annotated[str, typer.Option(help="For a table: such as DD/MM/YYYY.")] = "YYYY-MM-DD",
    decimal_mark: Annotated[str, typer.Option(help="For a table: a point or a comma.")] = ".",
    with_match: Annotated[
        bool, typer.Option("--match/--no-match", help="Match the payments afterwards.")
    ] = True,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Import bank files and match their payments. Exit code 1 when a file is refused or does not add up."""
    from collecthub.engine.matching import MatchRun, match_payments
    from collecthub.engine.payments_in import import_bank_file
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    layout = _layout(column, account, currency, date_format, decimal_mark)
    results: list[ImportedFile] = []
    with client() as hub:
        owner = _owner(creditor, client_account)
        for path in files:
            with path.open("rb") as stream:
                results.append(import_bank_file(hub, LOCAL_OPERATOR, stream, path.name, owner, layout))
        run = match_payments(hub, LOCAL_OPERATOR) if with_match else MatchRun()
    if as_json:
        print_json({"items": results, "next_cursor": None, "match": run})
    else:
        _show_files(results)
        _show_run(run)
    raise typer.Exit(1 if any(one.problem or one.findings for one in results) else 0)


def _owner(creditor: str, client_account: bool) -> Owner | None:
    from collecthub.engine.payments_in import Owner

    if creditor and client_account:
        raise typer.BadParameter("an account belongs to a creditor or is the client account, not both")
    return Owner(creditor_id=creditor or None) if creditor or client_account else None


def _layout(column: list[str] | None, account: str, currency: str, date_format: str, decimal_mark: str) -> CsvLayout | None:
    from collecthub.formats.bank.csv_rows import CsvLayout

    if column is None and not account:
        return None
    pairs = [one.partition("=") for one in column or ()]
    if any(not mark or not header for _, mark, header in pairs):
        raise typer.BadParameter("write a column as FIELD=HEADER, for example --column amount=Betrag")
    return CsvLayout(
        columns={field.strip(): header.strip() for field, _, header in pairs}, account=account,
        currency=currency.upper(), date_format=date_format, decimal_mark=decimal_mark,
    )  # fmt: skip


def _show_files(results: list[ImportedFile]) -> None:
    print_table(
        ["file", "what", "statements", "transactions", "new", "remarks"],
        [
            [
                one.name, "refused" if one.problem else " ".join(one.kinds), one.statements, one.transactions, one.fresh,
                one.problem or "; ".join((*(("imported before",) if one.is_duplicate else ()), *one.findings)),
            ]
            for one in results
        ],
    )  # fmt: skip


def _show_run(run: object) -> None:
    from collecthub.engine.matching import MatchRun

    assert isinstance(run, MatchRun), "only runs are shown"
    note(f"{run.booked} booked, {run.known} known before, {run.returned} undone by a return, {run.waiting} wait for a person.")


@app.command("inbox")
def inbox(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", exists=True, file_okay=False, help="`bank-inbox` in the home without it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Take over every bank file of a folder: statements and answers to orders. Exit code 1 when one is refused or stays."""
    from collecthub.engine.bank_inbox import read_inbox
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub:
        found = read_inbox(hub, LOCAL_OPERATOR, folder)
    if as_json:
        print_json({"items": found, "next_cursor": None})
    else:
        print_table(["file", "what", "remarks"], [[one.name, one.state, one.problem] for one in found])
    raise typer.Exit(1 if any(one.problem for one in found) else 0)


@app.command("match")
def match(
    again: Annotated[bool, typer.Option("--again", help="Also what waits for a person.")] = False, as_json: Json = False
) -> None:
    """Match payments with cases: what is certain is booked, the rest waits for a person."""
    from collecthub.engine.matching import match_payments
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub:
        run = match_payments(hub, LOCAL_OPERATOR, again=again)
    if as_json:
        print_json(run)
    else:
        _show_run(run)


@app.command("list")
def list_payments(
    state: Annotated[str, typer.Option(help="Such as waiting, open, booked, known, returned, set_aside; empty for all.")] = "waiting",
    case: Annotated[str, typer.Option(help="Only those booked in this case, by id or number.")] = "",
    limit: Limit = 50, cursor: Cursor = "", as_json: Json = False,
) -> None:  # fmt: skip
    """List payments; by default what waits for a person."""
    from collecthub.store.queries.payments import list_payments as read
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    print_page(
        lambda conn, hub, page: read(
            conn, LOCAL_OPERATOR, hub.key, page, "" if case else state, case_id_of(conn, case) if case else ""
        ),
        "payment_id state booked_on amount currency payer_name reference text case_number score remarks",
        limit=limit, cursor=cursor, as_json=as_json,
    )  # fmt: skip


@app.command("show")
def show_payment(payment: PaymentRef, as_json: Json = False) -> None:
    """Show a payment with the cases it may belong to and why."""
    from collecthub.store.queries.payments import payment_detail
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        print_record(payment_detail(conn, LOCAL_OPERATOR, payment), as_json=as_json)


@app.command("files")
def list_files(
    state: Annotated[Literal["", "imported", "refused", "reading"], typer.Option(help="Which files.")] = "",
    limit: Limit = 50, cursor: Cursor = "", as_json: Json = False,
) -> None:  # fmt: skip
    """List bank files that came in, newest first; refused ones with line and reason."""
    from collecthub.store.queries.payments import list_bank_files
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    print_page(
        lambda conn, hub, page: list_bank_files(conn, LOCAL_OPERATOR, hub.key, page, state),
        "file_id name state kinds statements transactions fresh problem imported_at",
        limit=limit, cursor=cursor, as_json=as_json,
    )  # fmt: skip


@app.command("assign")
def assign(
    payment: PaymentRef,
    case: CaseRef,
    part: Annotated[
        Decimal | None, typer.Option("--amount", parser=amount, metavar="AMOUNT", help="Only this part of it.")
    ] = None,
    same_as: Annotated[
        str, typer.Option(help="`known_ref` of a proposal: the case knows this money already, book nothing again.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Give a payment, or a part of it, to a case."""
    from collecthub.engine.payment_desk import assign_payment
    from collecthub.store.queries.payments import payment_detail
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub:
        with hub.work() as work:
            case_id = case_id_of(work.conn, case)
            assign_payment(hub, work, LOCAL_OPERATOR, payment, case_id, amount=part, same_as=same_as)
        with hub.database.read() as conn:
            view = payment_detail(conn, LOCAL_OPERATOR, payment)
    if as_json:
        print_json(view)
    else:
        say(f"Payment {payment} is {view.state} in case {view.case_number}.")


@app.command("proposals")
def show_proposals(
    payment: PaymentRef,
    book: Annotated[str, typer.Option(metavar="KEY", help="Book the proposal of this key, all of it.")] = "",
    as_json: Json = False,
) -> None:
    """Show what a payment is together with others of its payer, or over the cases that it names; book it by its key."""
    from collecthub.engine.payment_sums import book_proposal, proposals
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub:
        if book:
            with hub.work() as work:
                print_record(book_proposal(hub, work, LOCAL_OPERATOR, payment, book), as_json=as_json)
            return
        with hub.database.read() as conn:
            found = proposals(conn, LOCAL_OPERATOR, payment)
    if as_json:
        print_json(found)
        return
    print_table(
        ["key", "payment", "amount", "case", "what"],
        [
            [one.key, part.payment_id, f"{part.amount} {one.currency}", part.case_number, part.invoice or "all that is owed"]
            for one in (*found.together, *found.divided)
            for part in one.parts
        ],
    )


@app.command("undo")
def undo(
    payment: PaymentRef,
    original: Annotated[str, typer.Argument(metavar="ORIGINAL", help="Id of the payment that it undoes.")],
    as_json: Json = False,
) -> None:
    """Say which payment a return undoes."""
    from collecthub.engine.payment_desk import undo_by_return
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        undo_by_return(hub, work, LOCAL_OPERATOR, payment, original)
    if as_json:
        print_json({"payment_id": payment, "original_id": original})
    else:
        say(f"Payment {original} is undone.")


@app.command("set-aside")
def set_aside(
    payment: PaymentRef,
    text: Annotated[str, typer.Option("--note", help="Whose it is, or why it is no debtor's.")],
    as_json: Json = False,
) -> None:
    """Take a payment off the list because it belongs to no case."""
    from collecthub.engine.payment_desk import set_aside as put
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        put(work, LOCAL_OPERATOR, payment, note=text)
    if as_json:
        print_json({"payment_id": payment})
    else:
        say(f"Payment {payment} is set aside.")


@app.command("reference")
def reference(
    case: CaseRef,
    code: Annotated[Path | None, typer.Option(help="Write the QR code of the transfer to this SVG file.")] = None,
    as_json: Json = False,
) -> None:
    """Show what the debtor of a case writes on his transfer, and where he pays to."""
    from collecthub.formats.bank.epc_code import epc_code_svg
    from collecthub.store.queries.payments import case_payment_reference
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        view = case_payment_reference(conn, LOCAL_OPERATOR, case_id_of(conn, case))
        beneficiary = view.beneficiary or hub.settings.operator_name
    if code is not None:
        drawn = epc_code_svg(
            beneficiary=beneficiary, account=view.account, amount=view.owed, reference=view.reference
        )
        code.write_text(drawn, encoding="utf-8")
    print_record(view, as_json=as_json)
