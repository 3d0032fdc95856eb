"""`collecthub user` and `collecthub key`: who may enter, and with which credential."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, note, print_json, print_listed, say
from collecthub.errors import PermanentError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from collecthub.store.accounts import User

user_app = typer.Typer(no_args_is_help=True, help="People who may log in.")
key_app = typer.Typer(no_args_is_help=True, help="API keys for programs.")

RoleName = Annotated[Literal["operator", "creditor", "partner"], typer.Option(help="Which party it belongs to.")]
Creditor = Annotated[str, typer.Option(help="Id of the creditor, for the role creditor.")]
Partner = Annotated[str, typer.Option(help="Id of the partner, for the role partner.")]
PasswordFile = Annotated[Path | None, typer.Option(help="Read the password from the first line of a file.")]
Somebody = Annotated[str, typer.Argument(metavar="USER", help="Id or address of the person.")]


@user_app.command("add")
def add_user(
    email: Annotated[str, typer.Argument(help="Address the person logs in with.")],
    name: Annotated[str, typer.Option(help="Name as others see it.")] = "",
    role: RoleName = "operator", creditor: Creditor = "", partner: Partner = "",
    password_file: PasswordFile = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Add a person. The password is asked for; where nobody can be asked one is made and shown once."""
    from collecthub.model.ids import new_id
    from collecthub.store import accounts
    from collecthub.store.audit import append_audit
    from collecthub.store.queries.scope import LOCAL_OPERATOR, Role

    password, is_made = _password(password_file, is_quiet=as_json)
    user = accounts.User(
        user_id=new_id(), email=email, name=name or email, role=Role(role), creditor_id=creditor or None,
        partner_id=partner or None,
    )  # fmt: skip
    with client() as hub, hub.work() as work:
        accounts.add_user(work.conn, user, password, work.now)
        append_audit(
            work.conn, now=work.now, actor=LOCAL_OPERATOR.subject, action="user.added", subject=user.user_id, detail=role
        )
    _tell_password("Added", user.user_id, password if is_made else "", as_json=as_json)


def _tell_password(did: str, user_id: str, made: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"user_id": user_id} | ({"password": made} if made else {}))
        return
    say(f"{did}: {user_id}")
    if made:
        say(f"Password, shown this once: {made}")


def _password(file: Path | None, *, is_quiet: bool) -> tuple[str, bool]:
    if file is not None:
        lines = file.expanduser().read_text(encoding="utf-8").splitlines()
        return (lines[0] if lines else ""), False
    if sys.stdin.isatty() and not is_quiet:
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)), False
    return secrets.token_urlsafe(12), True


@user_app.command("list")
def list_users(as_json: Json = False) -> None:
    """List the people who may log in."""
    from collecthub.store.accounts import read_users

    with client() as hub, hub.database.read() as conn:
        users = read_users(conn)
    print_listed(users, None, "user_id email name role creditor_id partner_id", as_json=as_json)


@user_app.command("password")
def change_password(user: Somebody, password_file: PasswordFile = None, as_json: Json = False) -> None:
    """Give a person a new password, and end what he is logged in to. It is asked for as with `user add`."""
    from collecthub.store import accounts
    from collecthub.store.audit import append_audit
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    password, is_made = _password(password_file, is_quiet=as_json)
    with client() as hub, hub.work() as work:
        found = _found(work.conn, user)
        accounts.change_password(work.conn, found.user_id, password)
        append_audit(
            work.conn, now=work.now, actor=LOCAL_OPERATOR.subject, action="user.password", subject=found.user_id
        )
    _tell_password("Changed", found.user_id, password if is_made else "", as_json=as_json)


def _found(conn: sa.Connection, user: str) -> User:
    from collecthub.store.accounts import read_users

    found = next((one for one in read_users(conn) if user.lower() in (one.user_id, one.email)), None)
    if found is None:
        raise PermanentError("there is no such person who may log in", cure="See `collecthub user list`.")
    return found


@user_app.command("disable")
def disable_user(user: Somebody, as_json: Json = False) -> None:
    """Close a person's door at once, open sessions included."""
    from collecthub.store import accounts
    from collecthub.store.audit import append_audit
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        found = _found(work.conn, user)
        accounts.disable_user(work.conn, found.user_id, work.now)
        append_audit(
            work.conn, now=work.now, actor=LOCAL_OPERATOR.subject, action="user.disabled", subject=found.user_id
        )
    if as_json:
        print_json({"user_id": found.user_id})
    else:
        say(f"Disabled: {found.user_id}")


@key_app.command("add")
def add_key(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    role: RoleName = "operator", creditor: Creditor = "", partner: Partner = "", as_json: Json = False,
) -> None:  # fmt: skip
    """Make an API key; it is shown this once."""
    from collecthub.store.accounts import add_api_key
    from collecthub.store.audit import append_audit
    from collecthub.store.queries.scope import LOCAL_OPERATOR, Role

    with client() as hub, hub.work() as work:
        secret, key = add_api_key(
            work.conn, name=name, role=Role(role), creditor_id=creditor or None, partner_id=partner or None, now=work.now
        )
        append_audit(
            work.conn, now=work.now, actor=LOCAL_OPERATOR.subject, action="key.created", subject=key.key_id, detail=role
        )
    if as_json:
        print_json({"key_id": key.key_id, "key": secret})
    else:
        say(f"Key {key.key_id}, shown this once: {secret}")
        note("Send it as `Authorization: Bearer <key>`.")


@key_app.command("list")
def list_keys(as_json: Json = False) -> None:
    """List API keys, without the keys themselves."""
    from collecthub.store.accounts import read_api_keys

    with client() as hub, hub.database.read() as conn:
        keys = read_api_keys(conn)
    print_listed(keys, None, "key_id name role creditor_id partner_id created_at revoked_at", as_json=as_json)


@key_app.command("revoke")
def revoke_key(key: Annotated[str, typer.Argument(metavar="KEY", help="Id of the key.")], as_json: Json = False) -> None:
    """End a key at once."""
    from collecthub.store.accounts import revoke_api_key
    from collecthub.store.audit import append_audit
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        if not revoke_api_key(work.conn, key, work.now):
            raise PermanentError(f"there is no live key {key[:64]}", cure="See `collecthub key list`.")
        append_audit(work.conn, now=work.now, actor=LOCAL_OPERATOR.subject, action="key.revoked", subject=key)
    if as_json:
        print_json({"key_id": key})
    else:
        say(f"Revoked: {key}")
