"""`collecthub task`, `quarantine`, `dispatch`: what waits for a person."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from collecthub.cli.hub_access import client
from collecthub.cli.lists import Cursor, Limit, print_page
from collecthub.cli.output import Json, note, print_json, print_record, say

task_app = typer.Typer(no_args_is_help=True, help="Tasks: what only a person can decide.")
quarantine_app = typer.Typer(no_args_is_help=True, help="Quarantine: what could not be understood, with its reason.")
dispatch_app = typer.Typer(no_args_is_help=True, help="Dispatches: sendings to partners and their attempts.")

ConnectionFilter = Annotated[str, typer.Option("--connection", help="Only this connection.")]


def _print_done(name: str, ids: list[str], done: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"items": [{name: value} for value in ids], "next_cursor": None})
    else:
        say(f"{done}: {', '.join(ids)}")


@task_app.command("list")
def list_tasks(
    state: Annotated[Literal["open", "done"], typer.Option(help="Which tasks.")] = "open",
    case: Annotated[str, typer.Option(help="Only those of this case, by id.")] = "",
    limit: Limit = 50, cursor: Cursor = "", as_json: Json = False,
) -> None:  # fmt: skip
    """List tasks, oldest first."""
    from collecthub.store.queries.desks import list_tasks as read
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    print_page(
        lambda conn, hub, page: read(conn, LOCAL_OPERATOR, hub.key, page, state, case),
        "task_id kind title owner due_at detail", limit=limit, cursor=cursor, as_json=as_json,
    )  # fmt: skip


@task_app.command("done")
def complete_task(tasks: Annotated[list[str], typer.Argument(metavar="TASK...")], as_json: Json = False) -> None:
    """Take tasks off the list."""
    from collecthub.engine.upkeep import complete_task as complete
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        for task in tasks:
            complete(work, LOCAL_OPERATOR, task)
    _print_done("task_id", tasks, "Done", as_json=as_json)


Entry = Annotated[str, typer.Argument(metavar="ENTRY", help="Id of the quarantine entry.")]
Entries = Annotated[list[str], typer.Argument(metavar="ENTRY...", help="Ids of quarantine entries.")]


@quarantine_app.command("list")
def list_quarantine(
    state: Annotated[Literal["open", "retried", "resolved"], typer.Option(help="Which entries.")] = "open",
    connection: ConnectionFilter = "", limit: Limit = 50, cursor: Cursor = "", as_json: Json = False,
) -> None:  # fmt: skip
    """List quarantined input, oldest first."""
    from collecthub.store.queries.desks import list_quarantine as read
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    print_page(
        lambda conn, hub, page: read(conn, LOCAL_OPERATOR, hub.key, page, state, connection),
        "quarantine_id source code reason connection_id reference created_at",
        limit=limit, cursor=cursor, as_json=as_json,
    )  # fmt: skip


@quarantine_app.command("show")
def show_quarantine(
    entry: Entry,
    save: Annotated[Path | None, typer.Option(help="Write the raw bytes to this file.")] = None,
    as_json: Json = False,
) -> None:
    """Show an entry with its reason; `--save` writes the bytes that came in."""
    from collecthub.store.queries.desks import quarantine_entry
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub:
        with hub.database.read() as conn:
            view = quarantine_entry(conn, LOCAL_OPERATOR, entry)
        if save:
            save.write_bytes(hub.evidence.read(view.sha256))
            note(f"The raw bytes are in {save}.")
    print_record(view, as_json=as_json)


@quarantine_app.command("retry")
def retry_quarantine(entries: Entries, as_json: Json = False) -> None:
    """Have entries read again, now that a code table, a plugin or a case may be there."""
    from collecthub.engine.upkeep import retry_quarantine as retry
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        for entry in entries:
            retry(work, LOCAL_OPERATOR, entry)
    _print_done("quarantine_id", entries, "Will be read again", as_json=as_json)


@quarantine_app.command("resolve")
def resolve_quarantine(
    entries: Entries, note_text: Annotated[str, typer.Option("--note", help="How it was dealt with.")],
    as_json: Json = False,
) -> None:  # fmt: skip
    """Close entries that a person dealt with; their bytes stay as evidence."""
    from collecthub.engine.upkeep import resolve_quarantine as resolve
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        for entry in entries:
            resolve(work, LOCAL_OPERATOR, entry, note=note_text)
    _print_done("quarantine_id", entries, "Resolved", as_json=as_json)


Dispatch = Annotated[str, typer.Argument(metavar="DISPATCH", help="Id of the sending (`envelope_id`).")]


@dispatch_app.command("list")
def list_dispatches(
    state: Annotated[str, typer.Option(help="Such as sent, in_doubt, failed.")] = "",
    connection: ConnectionFilter = "", limit: Limit = 50, cursor: Cursor = "", as_json: Json = False,
) -> None:  # fmt: skip
    """List sendings, newest first."""
    from collecthub.store.queries.desks import list_dispatches as read
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    print_page(
        lambda conn, hub, page: read(conn, LOCAL_OPERATOR, hub.key, page, state, connection),
        "envelope_id partner_id name state attempts sent_at receipt_ref problem",
        limit=limit, cursor=cursor, as_json=as_json,
    )  # fmt: skip


@dispatch_app.command("show")
def show_dispatch(dispatch: Dispatch, as_json: Json = False) -> None:
    """Show a sending with its attempts."""
    from collecthub.store.queries.desks import dispatch_detail
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        detail = dispatch_detail(conn, LOCAL_OPERATOR, dispatch)
    print_record(detail, as_json=as_json)


@dispatch_app.command("settle")
def settle_dispatch(
    dispatch: Dispatch,
    verdict: Annotated[Literal["arrived", "send_again"], typer.Argument(help="What you found out at the partner.")],
    as_json: Json = False,
) -> None:
    """Say what became of a sending without a receipt: it arrived, or it may go again."""
    from collecthub.engine.upkeep import settle_dispatch as settle
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        settle(hub, work, LOCAL_OPERATOR, dispatch, verdict)
    _print_done("envelope_id", [dispatch], f"Settled as {verdict}", as_json=as_json)
