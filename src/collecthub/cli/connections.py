"""`collecthub connection`: doors to ERPs and partners, from adding one to letting its first wave leave."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal, Protocol, runtime_checkable
from urllib.parse import parse_qs, unquote, urlsplit

import typer

from collecthub.cli.hub_access import client
from collecthub.cli.lists import Cursor, Limit, print_page
from collecthub.cli.output import Json, note, print_json, print_listed, print_record, print_table, say
from collecthub.cli.parties import amount
from collecthub.errors import PermanentError

if TYPE_CHECKING:
    from collecthub.engine.release import FirstWave

app = typer.Typer(no_args_is_help=True, help="Connections to ERPs, partners and the creditors' own systems.")
ConnectionId = Annotated[str, typer.Argument(metavar="CONNECTION", help="Id of the connection.")]


@app.command("add")
def add_connection(
    kind: Annotated[str, typer.Argument(help="Connector kind, as in `collecthub plugin list`.")],
    name: Annotated[str, typer.Option(help="Name for people.")],
    creditor: Annotated[str, typer.Option(help="Id of the creditor it belongs to.")] = "",
    partner: Annotated[str, typer.Option(help="Id of the partner it belongs to.")] = "",
    given: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="A setting; VALUE may be @FILE.")
    ] = None,
    secret_files: Annotated[
        list[str] | None, typer.Option("--secret-file", metavar="FIELD=FILE", help="Read a secret from a file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Add a connection. Secrets are asked for or read from files; an ERP's first wave waits for `release`."""
    from collecthub.cli.given_settings import read_settings
    from collecthub.engine.doors import connect
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub:
        ask = _ask_unseen if sys.stdin.isatty() else None
        settings = read_settings(hub.spec(kind).settings, given or (), secret_files or (), ask)
        with hub.work() as work:
            connection_id = connect(
                hub, work, LOCAL_OPERATOR, kind=kind, name=name, settings=settings, creditor_id=creditor or None,
                partner_id=partner or None,
            )  # fmt: skip
    if as_json:
        print_json({"connection_id": connection_id})
    else:
        say(f"Added: {connection_id}")
        note(f"Try it with `collecthub connection check {connection_id}`.")


def _ask_unseen(question: str) -> str:
    return str(typer.prompt(question, hide_input=True, err=True))


@app.command("list")
def list_connections(
    role: Annotated[str, typer.Option(help="Only erp, partner or reporter.")] = "",
    limit: Limit = 50, cursor: Cursor = "", as_json: Json = False,
) -> None:  # fmt: skip
    """List connections and whether they work."""
    from collecthub.store.queries.doors import list_connections as read
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    print_page(
        lambda conn, hub, page: read(conn, LOCAL_OPERATOR, hub.key, page, role),
        "connection_id kind name mode status last_complete_at status_detail", limit=limit, cursor=cursor, as_json=as_json,
    )  # fmt: skip


@app.command("show")
def show_connection(connection: ConnectionId, as_json: Json = False) -> None:
    """Show a connection with its settings, never its secrets, and its last pulls."""
    from collecthub.store.queries.doors import connection_detail
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        detail = connection_detail(conn, LOCAL_OPERATOR, connection)
    print_record(detail, as_json=as_json)


@app.command("check")
def check(connection: ConnectionId, as_json: Json = False) -> None:
    """Try a connection step by step; one that had stopped goes on when all is well. Exit code 1 if a step fails."""
    from collecthub.engine.doors import check_connection
    from collecthub.store.queries.doors import owned_connection
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub:
        with hub.database.read() as conn:
            owned_connection(conn, LOCAL_OPERATOR, connection)
        steps = check_connection(hub, LOCAL_OPERATOR, connection)
    is_ok = all(step.is_ok for step in steps)
    if as_json:
        print_json({"connection_id": connection, "is_ok": is_ok, "steps": steps})
    else:
        print_listed(list(steps), None, "name is_ok detail cure", as_json=False)
    raise typer.Exit(0 if is_ok else 1)


@app.command("release")
def release(
    connection: ConnectionId,
    exclude_debtor: Annotated[list[str] | None, typer.Option(metavar="REF", help="Leave this customer out.")] = None,
    exclude_group: Annotated[list[str] | None, typer.Option(metavar="REF", help="Leave this group out.")] = None,
    minimum: Annotated[
        Decimal, typer.Option(parser=amount, metavar="AMOUNT", help="Leave out what is smaller.")
    ] = Decimal(0),
    reminders_by: Annotated[
        Literal["creditor", "hub", "nobody"], typer.Option(help="Who sends reminders today.")
    ] = "creditor",
    yes: Annotated[bool, typer.Option("--yes", help="Release without asking.")] = False,
    as_json: Json = False,
) -> None:
    """Show what would leave, then let it leave when a person says so."""
    from collecthub.engine.release import first_wave, release_connection
    from collecthub.store.connections import Exclusions
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    rules = Exclusions(
        debtor_refs=tuple(exclude_debtor or ()), group_refs=tuple(exclude_group or ()), minimum_amount=minimum,
        reminders_by=reminders_by,
    )  # fmt: skip
    with client() as hub:
        wave = first_wave(hub, LOCAL_OPERATOR, connection, rules)
        if not as_json:
            _show_wave(wave)
            yes = yes or typer.confirm("Let this leave?", err=True)
        released = release_connection(hub, LOCAL_OPERATOR, connection, rules) if yes else None
    if as_json:
        print_json({"connection_id": connection, "is_released": yes, "cases_released": released, "first_wave": wave})
    if released is None:
        note("Nothing was released." + (" Repeat with --yes to release it." if as_json else ""))
    elif not as_json:
        say(f"Released: {released} cases may leave.")


def _show_wave(wave: FirstWave) -> None:
    overdue = "; ".join(f"{part.count} overdue, {part.amount} {part.currency}" for part in wave.overdue)
    say(f"{wave.pulled} invoices pulled: {overdue or 'none overdue'}.")
    if wave.mode == "shadow":
        say("Nothing has been sent from this connection. This would leave:")
    print_table(
        ["route", "partner", "country", "cases", "amount", "currency"],
        [[w.route, w.partner_name, w.country, w.cases, w.amount, w.currency] for w in wave.leaving],
    )
    if wave.held:
        say("This would stay:")
        print_table(["reason", "cases"], [[part.reason, part.cases] for part in wave.held])


# --- consent --------------------------------------------------------------------------------------


@runtime_checkable
class Consenting(Protocol):
    """A connector whose outside asks a person for consent in a browser."""

    def begin_consent(self, state: str) -> str: ...

    def finish_consent(self, code: str) -> None: ...


@app.command("consent")
def consent(
    connection: ConnectionId,
    code: Annotated[
        str, typer.Option(help="The code that came back, or the whole address that the browser was sent to.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Give an ERP's consent: print the page to open, then take the code that it sends back."""
    from collecthub.model.ids import new_id
    from collecthub.store.queries.doors import owned_connection
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub:
        with hub.database.read() as conn:
            row = owned_connection(conn, LOCAL_OPERATOR, connection)
        connector = hub.connector(connection)
        if not isinstance(connector, Consenting):
            raise PermanentError(f"a {row.kind} connection needs no consent", cure="Check it with `connection check`.")
        state = new_id()
        url = ""
        if not code:
            url = connector.begin_consent(state)
            note(f"Open this page in a browser and log in:\n{url}")
            if sys.stdin.isatty() and not as_json:
                code = typer.prompt("Address that the browser was sent to", err=True)
        given = _code_in(code, state if url else "")
        if given:
            hub.call(connector.finish_consent, given, what=f"{row.kind}.consent", connection_id=connection)
    if as_json:
        print_json({"connection_id": connection, "is_consented": bool(given), "url": url or None})
    else:
        say("Consent is given." if given else f"Then run: collecthub connection consent {connection} --code CODE")


def _code_in(text: str, state: str) -> str:
    """The code in what a person pasted; an address must bring back the state that it was opened with."""
    if "://" not in text:
        return unquote(text.strip())
    query = parse_qs(urlsplit(text.strip()).query)
    if "code" not in query or (state and query.get("state") != [state]):
        raise PermanentError("this address holds no code of this consent", cure="Open the page again and log in there.")
    return query["code"][0]
