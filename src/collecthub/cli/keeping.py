"""`collecthub db`, `backup`, `restore`, `fence`: keep the hub's memory, and bring it back without sending twice."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from collecthub.cli.hub_access import client, only_worker
from collecthub.cli.output import Json, note, print_json, print_listed, say

db_app = typer.Typer(no_args_is_help=True, help="The database and its schema.")
fence_app = typer.Typer(no_args_is_help=True, help="The fence that a restore puts up: nothing is sent behind it.")


@db_app.command("upgrade")
def upgrade(as_json: Json = False) -> None:
    """Bring the database to this version's schema."""
    from collecthub.store.migrate import schema_version

    with client() as hub:
        version = schema_version(hub.database)
    if as_json:
        print_json({"schema": version, "is_current": True})
    else:
        say(f"The database has schema {version}.")


@db_app.command("status")
def status(as_json: Json = False) -> None:
    """Show which database is used and whether its schema is this version's; changes nothing. Exit code 1 if not."""
    from collecthub.config import load_settings
    from collecthub.store.database import Database
    from collecthub.store.migrate import is_current, schema_version

    settings = load_settings()
    database = Database(settings.database)
    with contextlib.closing(database):
        is_there = not database.is_sqlite or Path(database.url.database or "").exists()
        version = schema_version(database) if is_there else None
        is_right = is_there and is_current(database)
        address = database.url.render_as_string(hide_password=True)
    if as_json:
        print_json({"database": address, "schema": version, "is_current": is_right})
    else:
        say(f"{address}: schema {version or 'none yet'}, {'current' if is_right else 'run `collecthub db upgrade`'}.")
    raise typer.Exit(0 if is_right else 1)


@db_app.command("forget-secrets")
def forget_secrets(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Give up the secrets that the master key here cannot read, because theirs is lost. They are entered anew then."""
    from collecthub.config import load_settings
    from collecthub.engine.lost_secrets import give_up_secrets
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    settings = load_settings()
    if not yes:
        typer.confirm(f"Is the key that belongs to {settings.key_file} lost for good?", abort=True, err=True)
    with only_worker(settings):
        gone = give_up_secrets(settings, LOCAL_OPERATOR)
    if as_json:
        print_json(gone)
        return
    say(f"Given up: {len(gone.secrets)} secrets and the addresses of {gone.debtor_pages} debtors' pages.")
    for name in gone.secrets:
        say(f"  {name}")
    if gone.secrets:
        note("Enter them anew with `collecthub connection set`, or give consent again.")
    if gone.debtor_pages:
        note("The addresses in letters that left no longer open; the next message names a new one.")


def backup(
    file: Annotated[Path, typer.Argument(help="File to write; must not exist.")], as_json: Json = False
) -> None:
    """Write database, evidence and settings into one file and read it back. The master key is not in it."""
    from collecthub.engine.backup import backup as write

    with client() as hub:
        config = Path(os.environ.get("COLLECTHUB_CONFIG") or hub.settings.home / "collecthub.toml")
        manifest = write(hub, file, config if config.exists() else None)
        key_file = hub.settings.key_file
    rows = sum(manifest.rows.values())
    if as_json:
        figures = {"file": str(file), "bytes": file.stat().st_size, "files": len(manifest.files), "rows": rows}
        print_json(figures | {"created_at": manifest.created_at, "schema": manifest.schema})
    else:
        say(f"{file}: {rows} rows and {len(manifest.files)} files, {file.stat().st_size} bytes, read back.")
    note(f"It holds personal data. It does not hold the master key {key_file}: keep that safe elsewhere.")


def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A backup.")],
    replace: Annotated[bool, typer.Option("--replace", help="Lose what this hub holds now.")] = False,
    as_json: Json = False,
) -> None:
    """Bring a backup back. The hub is fenced then: nothing is sent until `collecthub fence release`."""
    from collecthub.config import load_settings
    from collecthub.engine.restore import restore as bring_back
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    settings = load_settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    with only_worker(settings):
        manifest, config = bring_back(settings, file, replace=replace, actor=LOCAL_OPERATOR.subject)
    if as_json:
        facts = {"created_at": manifest.created_at, "rows": sum(manifest.rows.values()), "is_fenced": True}
        print_json(facts | {"config": str(config) if config else None})
    else:
        say(f"Restored {sum(manifest.rows.values())} rows from a backup of {manifest.created_at.isoformat(timespec='seconds')}.")
    if not settings.key_file.exists():
        note(
            f"Put the master key to {settings.key_file} before anything else: stored secrets need it. "
            "If it is lost, `collecthub db forget-secrets` gives them up."
        )
    if config and config.name != "collecthub.toml":
        note(f"Its settings are in {config}: look at them and rename the file to collecthub.toml.")
    note("The hub is fenced: run `collecthub run` to read what happened since, then `collecthub fence release`.")


@fence_app.command("status")
def fence_status(as_json: Json = False) -> None:
    """Say whether the hub is fenced, and why."""
    from collecthub.store.facts import FENCE, read_fact

    with client() as hub, hub.database.read() as conn:
        reason = read_fact(conn, FENCE)
    if as_json:
        print_json({"is_fenced": reason is not None, "reason": reason})
    else:
        say(f"Fenced: {reason}." if reason else "Not fenced.")


@fence_app.command("release")
def release(
    anyway: Annotated[bool, typer.Option("--anyway", help="Release although sides differ or give no answer.")] = False,
    as_json: Json = False,
) -> None:
    """Compare with every ERP and partner, and let the hub send again if all agree. Exit code 1 if it stays fenced."""
    from collecthub.engine.fence import release_fence
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub:
        outcome = release_fence(hub, LOCAL_OPERATOR, anyway=anyway)
    differences = outcome.reconciliation.differences
    if as_json:
        print_json(msgspec.to_builtins(outcome))
    else:
        say(f"{outcome.found_at_partners} case files were already with their partners and will not be sent again.")
        if differences:
            print_listed(differences, None, "between subject what theirs ours currency", as_json=False)
        say("Released: the hub sends again." if outcome.is_released else "The hub stays fenced.")
    for side in outcome.reconciliation.unheard:
        note(f"{side.between} could not be compared: {side.problem} {side.cure}")
    if not outcome.is_released:
        note(
            f"{len(differences)} figures differ, {len(outcome.reconciliation.unheard)} sides gave no answer and {outcome.unproven} files"
            " cannot be looked up at their partner. Settle them, or say --anyway."
        )
    raise typer.Exit(0 if outcome.is_released else 1)
