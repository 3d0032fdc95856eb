"""The walk to a working connection in a terminal: what the kind needs to know, consent, divisions, a first check."""

from __future__ import annotations

import contextlib
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import typer

from collecthub.cli.output import note, print_listed, print_table
from collecthub.errors import CollecthubError, PermanentError

if TYPE_CHECKING:
    from collecthub.engine.consent import BegunConsent
    from collecthub.engine.context import Hub
    from collecthub.ports import CheckStep
    from collecthub.registers import ConnectorSpec

_LOOPBACK = ("127.0.0.1", "localhost")
_LOOK_SECONDS = 0.2


def is_talking() -> bool:
    """Whether a person sits at the other end."""
    return sys.stdin.isatty()


# --- what the kind needs to know ------------------------------------------------------------------


def ask_whose(hub: Hub, spec: ConnectorSpec, name: str, creditor: str, partner: str) -> tuple[str, str, str]:
    """Name, creditor and partner (one of the two empty) of a new connection, as far as they were not given."""
    name = name or str(typer.prompt("Name for people", default=spec.title, err=True))
    if not creditor and not partner:
        creditor, partner = _ask_owner(hub, spec)
    return name, creditor, partner


def _ask_owner(hub: Hub, spec: ConnectorSpec) -> tuple[str, str]:
    from collecthub.registers import ConnectorRole
    from collecthub.store.queries.names import creditor_names, partner_names
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    is_partner = spec.role is ConnectorRole.PARTNER
    with hub.database.read() as conn:
        names = partner_names(conn) if is_partner else creditor_names(conn, LOCAL_OPERATOR)
    whose = "partner" if is_partner else "creditor"
    if not names:
        raise PermanentError(f"there is no {whose} yet", cure=f"Add one with `collecthub {whose} add`.")
    _show_choices(whose, list(names.items()))
    chosen = _ask_one_of(f"Id of the {whose}", names, default=next(iter(names)) if len(names) == 1 else None)
    return ("", chosen) if is_partner else (chosen, "")


def _show_choices(what: str, rows: Sequence[tuple[str, str]]) -> None:
    note("")
    for key, name in rows:
        note(f"  {key}  {name}")
    note(f"  ({len(rows)} {what}{'s' if len(rows) != 1 else ''})")


def _ask_one_of(question: str, allowed: Mapping[str, str], default: str | None) -> str:
    while True:
        answer = str(typer.prompt(question, default=default, err=True)).strip()
        if answer in allowed:
            return answer
        note(f"There is no {answer[:60]!r}; choose one of the list.")


def ask_settings(hub: Hub, spec: ConnectorSpec, given: Mapping[str, object]) -> dict[str, object]:
    """The settings that were not given yet. What has a good default is asked for only when a person wants to see it."""
    from collecthub.engine.consent import callback_url
    from collecthub.engine.setting_fields import FieldKind, setting_fields

    values = dict(given)
    fields = [field for field in setting_fields(spec.settings) if field.name not in values]
    known = {"redirect_uri": callback_url(hub.settings)}
    first = [field for field in fields if field.is_required or field.examples]
    more = [field for field in fields if field not in first]
    if first:
        note(f"\n{spec.title} needs to know:")
    for field in first:
        _ask_field(spec, field, values, known.get(field.name, field.default))
    if more and typer.confirm(f"\nLook at {len(more)} more settings that have a default?", default=False, err=True):
        for field in more:
            default = "no" if field.kind is FieldKind.FLAG and not field.default else field.default
            _ask_field(spec, field, values, default)
    return values


def _ask_field(spec: ConnectorSpec, field: object, values: dict[str, object], default: str) -> None:
    """Ask until the model takes the answer; `@FILE` reads it from a file, as for keys of many lines."""
    from pathlib import Path

    from collecthub.engine.connection_settings import setting_problems
    from collecthub.engine.setting_fields import SettingField, value_of

    assert isinstance(field, SettingField), "fields are described by `setting_fields`"
    note(f"\n{field.help}" + (f" For example {', '.join(field.examples)}." if field.examples else ""))
    while True:
        fallback = default if default or field.is_required else ""
        text = str(
            typer.prompt(field.title, default=fallback or (None if field.is_required else ""), err=True,
                         hide_input=field.is_secret, show_default=not field.is_secret and bool(fallback))
        )  # fmt: skip
        if not text:
            return
        try:
            text = Path(text[1:]).expanduser().read_text(encoding="utf-8").rstrip("\n") if text[:1] == "@" else text
            value = value_of(spec.settings.model_fields[field.name], text.replace("\\n", "\n"))
        except (OSError, ValueError) as error:
            note(f"That cannot be taken: {error}")
            continue
        problem = setting_problems(spec, {**values, field.name: value}).get(field.name)
        if problem is None:
            values[field.name] = value
            return
        note(problem)


# --- consent --------------------------------------------------------------------------------------


def answered(hub: Hub, connection_id: str, begun: BegunConsent, *, seconds: float | None) -> bool:
    """Wait until a begun consent has its answer; a person may also paste the address the browser was sent to.

    With `seconds` nobody is asked: the hub's own address gets the answer, or the time is over (False). Raises
    `PermanentError` when the vendor gave none.
    """
    with _door_for_the_answer(hub, connection_id):
        if seconds is not None:
            return _heard(hub, begun, seconds)
        while not _heard(hub, begun, 0):
            text = typer.prompt(
                "Press Enter when the page says that consent is given, or paste the address that the browser was sent to",
                default="", show_default=False, err=True,
            )  # fmt: skip
            if text.strip():
                take_answer(hub, connection_id, text, begun)
                return True
            if not _heard(hub, begun, 1):
                note("No answer has come yet.")
        return True


def _heard(hub: Hub, begun: BegunConsent, seconds: float) -> bool:
    from collecthub.engine.consent import consent_of
    from collecthub.store.consents import GIVEN

    deadline = time.monotonic() + seconds
    while True:
        consent = consent_of(hub, begun.state)
        if consent is not None and consent.outcome:
            if consent.outcome != GIVEN:
                raise PermanentError(f"there is no consent: {consent.problem}", cure="Begin anew.")
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOOK_SECONDS)


def take_answer(hub: Hub, connection_id: str, text: str, begun: BegunConsent | None = None) -> None:
    """Finish a consent with what a person pasted: the whole address, or the code alone."""
    from collecthub.engine.consent import ConsentAnswer, finish_consent, take_bare_code

    if "://" not in text:
        take_bare_code(hub, connection_id, text.strip())
        return
    given = {name: values[0] for name, values in parse_qs(urlsplit(text.strip()).query).items()}
    if begun is not None and given.get("state") != begun.state:
        raise PermanentError("this address holds no answer to this consent", cure="Open the page again and log in there.")
    finish_consent(
        hub,
        ConsentAnswer(
            state=given.get("state", ""), code=given.get("code", ""), error=given.get("error", ""),
            error_text=given.get("error_description", ""),
        ),
    )


@contextlib.contextmanager
def _door_for_the_answer(hub: Hub, connection_id: str) -> Iterator[None]:
    """Somebody must listen where the browser is sent to: on a machine of one's own this command does, if nobody else."""
    from collecthub.store.connections import read_connection
    from collecthub.store.queries.doors import stored_settings

    with hub.database.read() as conn:
        row = read_connection(conn, connection_id)
    target = urlsplit(str(stored_settings(row).get("redirect_uri", ""))) if row else urlsplit("")
    if target.scheme != "http" or target.hostname not in _LOOPBACK or _is_served(target.hostname, target.port or 80):
        yield
        return
    from collecthub.cli.serving import BackgroundServer
    from collecthub.web.app import create_app

    with BackgroundServer(create_app(hub), "127.0.0.1", target.port or 80):
        yield


def _is_served(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


# --- divisions and the end ------------------------------------------------------------------------


def ask_divisions(hub: Hub, connection_id: str) -> None:
    """Show what the connection's user may see and let a person choose; nothing to do for kinds without divisions."""
    from collecthub.engine.connection_settings import choose_divisions, list_divisions
    from collecthub.ports import Divided
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    if not isinstance(hub.connector(connection_id), Divided):
        return
    found = list_divisions(hub, LOCAL_OPERATOR, connection_id)
    _show_choices("division", [(division.division_ref, division.name) for division, _ in found])
    known = {division.division_ref for division, _ in found}
    default = next(iter(known)) if len(known) == 1 else None
    while True:
        text = str(typer.prompt("Divisions to pull, parted by commas", default=default, err=True))
        chosen = [part.strip() for part in text.split(",") if part.strip()]
        if chosen and known.issuperset(chosen):
            choose_divisions(hub, LOCAL_OPERATOR, connection_id, chosen)
            return
        note("Choose from the list.")


def show_check(steps: Sequence[CheckStep]) -> bool:
    """Print the steps of a check; whether all of them work."""
    print_listed(list(steps), None, "name is_ok detail cure", as_json=False)
    return all(step.is_ok for step in steps)


def walk_on(hub: Hub, connection_id: str) -> bool:
    """From an added connection to one that works: consent where the vendor asks for it, divisions, a check."""
    from collecthub.engine.consent import asks_consent, begin_consent
    from collecthub.engine.doors import check_connection
    from collecthub.store.connections import read_connection
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with hub.database.read() as conn:
        row = read_connection(conn, connection_id)
    if row is not None and asks_consent(hub, row):
        begun = begin_consent(hub, LOCAL_OPERATOR, connection_id)
        show_page(begun.url)
        answered(hub, connection_id, begun, seconds=None)
        note("Consent is given.")
        ask_divisions(hub, connection_id)
    note("\nTrying the connection:")
    try:
        return show_check(check_connection(hub, LOCAL_OPERATOR, connection_id))
    except CollecthubError as error:
        print_table(["what happened", "what to do"], [[error.message, error.cure]])
        return False


def show_page(url: str) -> None:
    """Ask a person to open the vendor's page."""
    note(f"\nOpen this page in a browser, log in and agree; it is good for a quarter of an hour:\n\n  {url}\n")
