"""`collecthub case`: find cases, read one, see what is owed and why, write its file."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from collecthub.cli.amounts import amount
from collecthub.cli.balance import show_balance
from collecthub.cli.case_ref import CaseRef, case_id_of
from collecthub.cli.case_reminders import review_case
from collecthub.cli.claim_nature import say_nature
from collecthub.cli.export_command import export_case
from collecthub.cli.hub_access import client
from collecthub.cli.lists import Cursor, Limit, print_page
from collecthub.cli.output import Json, plain, print_json, print_table, say
from collecthub.cli.statement import write_statement
from collecthub.cli.write_off import write_off_case

if TYPE_CHECKING:
    from collecthub.store.queries.case_file import CaseDetail, TimelineEntry

app = typer.Typer(no_args_is_help=True, help="Cases: find them, read one, see what is owed and why.")
Amount = Decimal | None


@app.command("list")
def list_cases(
    q: Annotated[str, typer.Option(help="Debtor's name, case or invoice number, a reference.")] = "",
    status: Annotated[str, typer.Option(help="Such as ready, sent, active, closed.")] = "",
    phase: Annotated[str, typer.Option(help="Such as amicable, judicial.")] = "",
    route: Annotated[str, typer.Option(help="Such as bailiff, lawyer, agency.")] = "",
    country: Annotated[str, typer.Option(help="The debtor's country, such as DE.")] = "",
    segment: Annotated[str, typer.Option(help="B2B, B2C or B2G.")] = "",
    hold: Annotated[str, typer.Option(help="A reason, or any.")] = "",
    debtor: Annotated[str, typer.Option(help="The creditor's reference of the debtor.")] = "",
    creditor: Annotated[str, typer.Option(help="Id of the creditor.")] = "",
    partner: Annotated[str, typer.Option(help="Id of the partner that holds it.")] = "",
    currency: Annotated[str, typer.Option(help="Currency, such as EUR.")] = "",
    minimum: Annotated[Amount, typer.Option(parser=amount, metavar="AMOUNT", help="Least owed; needs --currency.")] = None,
    maximum: Annotated[Amount, typer.Option(parser=amount, metavar="AMOUNT", help="Most owed; needs --currency.")] = None,
    is_open: Annotated[bool | None, typer.Option("--open/--closed", help="Only open or only closed cases.")] = None,
    sort: Annotated[str, typer.Option(help="Such as number, total, -changed_at.")] = "-opened_at",
    limit: Limit = 50, cursor: Cursor = "", as_json: Json = False,
) -> None:  # fmt: skip
    """List cases; every filter narrows the list."""
    from collecthub.store.queries.cases import CaseFilter
    from collecthub.store.queries.cases import list_cases as read
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    wanted = CaseFilter(
        q=q, status=status, phase=phase, route=route, country=country.upper(), segment=segment, hold=hold,
        debtor=debtor, creditor=creditor, partner=partner, currency=currency.upper(), minimum=minimum,
        maximum=maximum, is_open=is_open,
    )  # fmt: skip
    print_page(
        lambda conn, hub, page: read(conn, LOCAL_OPERATOR, hub.key, wanted, page, sort),
        "number debtor_name debtor_country status phase route principal total recovered currency holds case_id",
        limit=limit, cursor=cursor, as_json=as_json,
    )  # fmt: skip


@app.command("show")
def show_case(case: CaseRef, as_json: Json = False) -> None:
    """Show a case: parties, claims, balance, timeline, messages and documents."""
    from collecthub.store.queries import case_file
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        case_id = case_id_of(conn, case)
        detail = case_file.case_detail(conn, LOCAL_OPERATOR, case_id, hub.now())
        history = case_file.timeline(conn, LOCAL_OPERATOR, case_id)
        said = case_file.messages(conn, LOCAL_OPERATOR, case_id)
        papers = case_file.documents(conn, LOCAL_OPERATOR, case_id)
    if as_json:
        print_json(msgspec.to_builtins(detail) | {"timeline": history, "messages": said, "documents": papers})
        return
    _show_detail(detail)
    _show_timeline(history)
    print_table(
        ["message", "partner", "how far", "when"],
        [[m.kind, m.partner_id, m.ladder[-1].name, m.ladder[-1].at.isoformat("T", "seconds")] for m in said],
    )
    print_table(["document", "kind", "bytes"], [[paper.name, paper.kind, paper.size] for paper in papers])


def _show_detail(detail: CaseDetail) -> None:
    holder = f"with {detail.placement.partner_name} ({detail.placement.route})" if detail.placement else "with nobody"
    say(f"Case {detail.number}: {plain(detail.debtor.name)}, {detail.debtor.country or 'country unknown'}")
    say(f"{detail.status}, {detail.phase}, {plain(holder)}{f', {detail.outcome}' if detail.outcome else ''}")
    for hold in detail.holds or ():
        say(f"on hold: {plain(hold.reason)} {plain(hold.note)}".rstrip())
    say(f"owed {detail.balance.total} {detail.currency} of {detail.balance.principal} {detail.currency}")
    print_table(
        ["invoice", "due on", "original", "open", "currency"],
        [[c.number, c.due_on, c.original_amount, c.open_amount, detail.currency] for c in detail.claims],
    )


def _show_timeline(history: tuple[TimelineEntry, ...]) -> None:
    rows = [
        [entry.occurred_at.isoformat("T", "seconds"), entry.kind, entry.actor, _in_short(entry)] for entry in history
    ]
    print_table(["when", "what", "who", "facts"], rows)


_SHORT = 160  # characters of a fact in the table; `--json` has all of it


def _in_short(entry: TimelineEntry) -> str:
    facts = msgspec.to_builtins(entry.fact)
    said = _listed(facts)
    return said if len(said) <= _SHORT else f"{said[: _SHORT - 1]}…"


def _listed(facts: dict[str, object]) -> str:
    return ", ".join(filter(None, (_said(name, value) for name, value in facts.items() if name not in ("kind", "type"))))


def _said(name: str, value: object) -> str:
    """A value in words; of a list how many."""
    if value in (None, "", False, (), [], {}):
        return ""
    if isinstance(value, dict):
        return _listed(value)
    words = name.replace("_", " ")
    return f"{words}: {len(value)}" if isinstance(value, list | tuple) else f"{words} {value}"


app.command("balance")(show_balance)
app.command("statement")(write_statement)
app.command("nature")(say_nature)
app.command("write-off")(write_off_case)
app.command("reminders")(review_case)
app.command("export")(export_case)
