"""`collecthub connection`: doors to ERPs and partners, from adding one to letting its first wave leave."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from collecthub.cli import connecting
from collecthub.cli.amounts import amount
from collecthub.cli.hub_access import client
from collecthub.cli.lists import Cursor, Limit, print_page
from collecthub.cli.output import Json, note, plain, print_json, print_listed, print_record, print_table, say

if TYPE_CHECKING:
    from collecthub.engine.release import FirstWave

app = typer.Typer(no_args_is_help=True, help="Connections to ERPs, partners and the creditors' own systems.")
Given = Annotated[
    list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="A setting; VALUE may be @FILE.")
]
SecretFiles = Annotated[
    list[str] | None, typer.Option("--secret-file", metavar="FIELD=FILE", help="Read a secret from a file.")
]
ConnectionId = Annotated[str, typer.Argument(metavar="CONNECTION", help="Id of the connection.")]


@app.command("add")
def add_connection(
    kind: Annotated[str, typer.Argument(help="Connector kind, as in `collecthub plugin list`.")],
    name: Annotated[str, typer.Option(help="Name for people.")] = "",
    creditor: Annotated[str, typer.Option(help="Id of the creditor it belongs to.")] = "",
    partner: Annotated[str, typer.Option(help="Id of the partner it belongs to.")] = "",
    given: Given = None,
    secret_files: SecretFiles = None,
    as_json: Json = False,
) -> None:
    """Add a connection. In a terminal it asks for what is missing, and walks through consent, divisions and a check.

    Secrets are typed unseen or read from files, never taken from the command line. An ERP's first wave waits for
    `release`. Exit code 1 when the check at the end fails.
    """
    from collecthub.cli.given_settings import read_settings
    from collecthub.engine.doors import await_consent, connect
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    is_asking = connecting.is_talking() and not as_json
    with client() as hub:
        spec = hub.spec(kind)
        settings = read_settings(spec.settings, given or (), secret_files or (), is_partial=is_asking)
        if is_asking:
            name, creditor, partner = connecting.ask_whose(hub, spec, name, creditor, partner)
            settings = connecting.ask_settings(hub, spec, settings)
        elif not name:
            raise typer.BadParameter("a name for people is missing. Use --name")
        with hub.work() as work:
            connection_id = connect(
                hub, work, LOCAL_OPERATOR, kind=kind, name=name, settings=settings, creditor_id=creditor or None,
                partner_id=partner or None,
            )  # fmt: skip
        must_consent = await_consent(hub, connection_id)
        if as_json:
            print_json({"connection_id": connection_id})
            return
        say(f"Added: {connection_id}")
        if is_asking and not connecting.walk_on(hub, connection_id):
            raise typer.Exit(1)
    if not is_asking:
        note(f"Next: `collecthub connection {'consent' if must_consent else 'check'} {connection_id}`.")


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
    exclude_debtor: Annotated[list[str] | None, typer.Option(metavar="REF", help="Leave this customer out, by the ERP's number or our reference.")] = None,
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
    if wave.leaving:
        print_table(
            ["route", "partner", "country", "cases", "amount", "currency"],
            [[w.route, w.partner_name, w.country, w.cases, w.amount, w.currency] for w in wave.leaving],
        )
    else:
        say("Nothing.")
    if wave.held:
        say("This would stay:")
        print_table(["reason", "cases"], [[part.reason, part.cases] for part in wave.held])
    for name in wave.unknown:
        note(f"{plain(name)} is no customer and no group of what was pulled so far: check how it is written.")

# --- later changes --------------------------------------------------------------------------------


@app.command("set")
def set_settings(
    connection: ConnectionId,
    given: Given = None,
    secret_files: SecretFiles = None,
    forget: Annotated[list[str] | None, typer.Option(metavar="FIELD", help="Back to its default.")] = None,
    name: Annotated[str, typer.Option(help="Another name for people.")] = "",
    as_json: Json = False,
) -> None:
    """Change settings or secrets of a connection; what is not named stays. Used from the next call on."""
    from collecthub.cli.given_settings import read_settings
    from collecthub.engine.connection_settings import change_settings
    from collecthub.store.queries.doors import connection_detail, owned_connection
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub:
        with hub.database.read() as conn:
            row = owned_connection(conn, LOCAL_OPERATOR, connection)
        model = hub.spec(row.kind).settings
        changes = read_settings(model, given or (), secret_files or (), is_partial=True)
        with hub.work() as work:
            change_settings(hub, work, LOCAL_OPERATOR, connection, changes, forget=forget or (), name=name)
        with hub.database.read() as conn:
            detail = connection_detail(conn, LOCAL_OPERATOR, connection)
    print_record(detail, as_json=as_json)


@app.command("stop")
def stop(connection: ConnectionId, as_json: Json = False) -> None:
    """Let a connection rest: nothing is read, sent or written by it until `resume`."""
    from collecthub.engine.connection_settings import stop_connection
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        stop_connection(work, LOCAL_OPERATOR, connection, by="the command line")
    _print_state(connection, "stopped", as_json=as_json)


@app.command("resume")
def resume(connection: ConnectionId, as_json: Json = False) -> None:
    """Let a stopped connection go on; what waited for it is taken up."""
    from collecthub.engine.connection_settings import resume_connection
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        resume_connection(work, LOCAL_OPERATOR, connection)
    _print_state(connection, "ok", as_json=as_json)


def _print_state(connection: str, status: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"connection_id": connection, "status": status})
    else:
        say(f"{connection}: {status}")


@app.command("runs")
def list_runs(connection: ConnectionId, limit: Limit = 50, cursor: Cursor = "", as_json: Json = False) -> None:
    """List the pulls of a connection, newest first."""
    from collecthub.store.queries.doors import list_runs as read
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    print_page(
        lambda conn, hub, page: read(conn, LOCAL_OPERATOR, hub.key, page, connection),
        "started_at ended_at state control rows changed refused problem", limit=limit, cursor=cursor, as_json=as_json,
    )  # fmt: skip


# --- consent and divisions ------------------------------------------------------------------------


@app.command("consent")
def consent(
    connection: ConnectionId,
    code: Annotated[
        str, typer.Option(help="The code that came back, or the whole address that the browser was sent to.")
    ] = "",
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="Wait so long for the browser to come back to the hub.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Give an ERP's consent: print the page to open and wait until the browser is back.

    Exit code 1 when the time of --wait is over without a consent.
    """
    from collecthub.engine.consent import begin_consent
    from collecthub.store.queries.doors import owned_connection
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    url = ""
    with client() as hub:
        with hub.database.read() as conn:
            owned_connection(conn, LOCAL_OPERATOR, connection)
        if code:
            connecting.take_answer(hub, connection, code)
            is_given = True
        else:
            begun = begin_consent(hub, LOCAL_OPERATOR, connection)
            url = begun.url
            connecting.show_page(url)
            is_asking = connecting.is_talking() and not as_json and not wait
            is_given = connecting.answered(hub, connection, begun, seconds=None if is_asking else wait)
    if as_json:
        print_json({"connection_id": connection, "is_consented": is_given, "url": url or None})
    else:
        say("Consent is given." if is_given else f"Then run: collecthub connection consent {connection} --code ADDRESS")
    raise typer.Exit(0 if is_given or not wait else 1)


@app.command("divisions")
def divisions(
    connection: ConnectionId,
    choose: Annotated[str, typer.Option(metavar="REF,REF", help="Pull these from now on.")] = "",
    as_json: Json = False,
) -> None:
    """List the divisions that the connection's user may see, or choose those that are pulled."""
    from collecthub.cli.parties import words
    from collecthub.engine.connection_settings import choose_divisions, list_divisions
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub:
        if choose:
            choose_divisions(hub, LOCAL_OPERATOR, connection, words(choose))
        found = list_divisions(hub, LOCAL_OPERATOR, connection)
    rows = [
        {"division_ref": division.division_ref, "name": division.name, "is_chosen": is_chosen}
        for division, is_chosen in found
    ]
    print_listed(rows, None, "division_ref name is_chosen", as_json=as_json)
