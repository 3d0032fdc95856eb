"""Adding a connection, changing its settings, choosing its divisions: forms made from the connector's own settings model."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from collecthub.engine import connection_settings as settings
from collecthub.engine.consent import callback_url
from collecthub.engine.doors import await_consent
from collecthub.engine.own_doors import connect_for, may_add, secrets_to_type, stored_secrets
from collecthub.engine.setting_fields import setting_fields, shown_values
from collecthub.errors import CollecthubError, ConfigurationError, PermanentError
from collecthub.registers import ConnectorRole, ConnectorSpec
from collecthub.store.connections import ConnectionRow
from collecthub.store.queries import doors
from collecthub.store.queries.names import creditor_names, partner_names
from collecthub.store.queries.scope import NotThereError
from collecthub.store.secrets import secret_names
from collecthub.web.portal.entered import Entered, EnteredError
from collecthub.web.portal.entered_settings import PREFIX, EnteredSettings
from collecthub.web.portal.pages import CreditorSide, Form, PageRoute, Visitor, page, redirect
from collecthub.web.problems import ProblemError

router = APIRouter(prefix="/connections", route_class=PageRoute, include_in_schema=False)
_NAME_LONGEST = 300
_ROLES = (
    (ConnectorRole.ERP, "A creditor's ERP", "Open items come from it; what happens in a case is written back."),
    (ConnectorRole.PARTNER, "A partner", "Cases go to a bailiff, a lawyer or an agency, and answers come back."),
    (ConnectorRole.REPORTER, "A creditor's own system", "It is told what happens in its cases."),
    (ConnectorRole.CHANNEL, "A way to debtors", "Reminders go out by it before a case is handed over."),
    (ConnectorRole.REGISTER, "A register of insolvencies", "It is watched; who is found in it is left alone at once."),
)


# --- add ------------------------------------------------------------------------------------------


@router.get("/add")
def show_kinds(visitor: CreditorSide) -> Response:
    """Every kind that the visitor may add: a creditor sees the ERPs."""
    kinds = sorted(visitor.hub.plugins.connectors.values(), key=lambda spec: spec.title)
    groups = [(title, hint, [spec for spec in kinds if spec.role is role]) for role, title, hint in _ROLES]
    groups = [(title, hint, [spec for spec in group if may_add(visitor.scope, spec)]) for title, hint, group in groups]
    return page(visitor, "connection_kinds.html", groups=groups)


@router.get("/add/{kind}")
def show_form(
    request: Request, visitor: CreditorSide, kind: str, owner: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """The empty form of a kind, filled with its defaults."""
    spec = _spec(visitor, kind)
    given = {PREFIX + field.name: field.default for field in setting_fields(spec.settings)}
    if "redirect_uri" in spec.settings.model_fields:
        given[f"{PREFIX}redirect_uri"] = callback_url(visitor.hub.settings, str(request.base_url))
    return _add_page(visitor, spec, {**given, "name": spec.title, "owner": owner}, {})


def _spec(visitor: Visitor, kind: str) -> ConnectorSpec:
    found = visitor.hub.plugins.connectors.get(kind)
    if found is None or not may_add(visitor.scope, found):
        raise ProblemError("not-found")
    return found


def _add_page(visitor: Visitor, spec: ConnectorSpec, given: dict[str, str], wrong: dict[str, str]) -> Response:
    is_partner = spec.role is ConnectorRole.PARTNER
    with visitor.hub.database.read() as conn:
        owners = partner_names(conn) if is_partner else creditor_names(conn, visitor.scope)
    return page(
        visitor, "connection_form.html", status=422 if wrong else 200, spec=spec, given=given, wrong=wrong,
        owners=owners, is_partner=is_partner, row=None, stored=frozenset(), action=f"/connections/add/{spec.kind}",
        **_parted_fields(spec, wrong, frozenset()),
    )


def _parted_fields(spec: ConnectorSpec, wrong: dict[str, str], stored: frozenset[str]) -> dict[str, Any]:
    """What everybody must look at, and what most people leave as it is: folded unless something in it is wrong."""
    fields = setting_fields(spec.settings)
    main = [one for one in fields if one.is_required or one.examples or one.name in stored]
    more = [one for one in fields if one not in main]
    is_unfolded = not main or "" in wrong or any(PREFIX + one.name in wrong for one in more)
    return {"main": main, "more": more, "is_unfolded": is_unfolded}


@router.post("/add/{kind}")
def add(visitor: CreditorSide, form: Form, kind: str) -> Response:
    """Add it, then on to what it needs next: consent, or a first look at whether it works."""
    spec = _spec(visitor, kind)
    entered = Entered(form)
    name = entered.text("name", required=True, longest=_NAME_LONGEST)
    owner = entered.text("owner", required=visitor.is_operator, longest=64)
    typed = EnteredSettings(spec, entered)
    entered.wrong.update(typed.problems(typed.changes))
    try:
        entered.check()
        is_partner = spec.role is ConnectorRole.PARTNER
        with visitor.hub.work() as work:
            connection_id = connect_for(
                visitor.hub, work, visitor.scope, kind=kind, name=name, settings=dict(typed.changes),
                creditor_id=None if is_partner else owner or None, partner_id=owner if is_partner else None,
            )
    except NotThereError:
        return _add_page(visitor, spec, entered.given, {"owner": "Choose one of the list."})
    except EnteredError as error:
        return _add_page(visitor, spec, entered.given, dict(error.fields))
    if await_consent(visitor.hub, connection_id):
        return redirect(f"/connections/{connection_id}", done="added")
    return redirect(f"/connections/{connection_id}", done="added", check="yes")


# --- change ---------------------------------------------------------------------------------------


@router.get("/{connection_id}/settings")
def show_settings(visitor: CreditorSide, connection_id: str) -> Response:
    """The settings as they are; secrets are never among them."""
    row, spec = _changeable(visitor, connection_id)
    values = shown_values(setting_fields(spec.settings), doors.stored_settings(row))
    given = {PREFIX + name: text for name, text in values.items()} | {"name": row.name}
    return _settings_page(visitor, connection_id, given, {})


def _settings_page(visitor: Visitor, connection_id: str, given: dict[str, str], wrong: dict[str, str]) -> Response:
    row, spec = _changeable(visitor, connection_id)
    with visitor.hub.database.read() as conn:
        stored = stored_secrets(secret_names(conn, connection_id))
    stored -= secrets_to_type(visitor.hub, visitor.scope, row)
    return page(
        visitor, "connection_form.html", status=422 if wrong else 200, spec=spec, given=given, wrong=wrong, owners={},
        is_partner=False, row=row, stored=stored, action=f"/connections/{connection_id}/settings",
        **_parted_fields(spec, wrong, stored),
    )


@router.post("/{connection_id}/settings")
def change(visitor: CreditorSide, form: Form, connection_id: str) -> Response:
    """Change what was typed; a secret that an operator left empty stays as it is, a creditor types it again."""
    row, spec = _changeable(visitor, connection_id)
    entered = Entered(form)
    name = entered.text("name", required=True, longest=_NAME_LONGEST)
    typed = EnteredSettings(spec, entered)
    forgotten = {*typed.forgotten, *(secrets_to_type(visitor.hub, visitor.scope, row) - typed.changes.keys())}
    values = settings.changed_values(visitor.hub, row, typed.changes, forgotten)
    entered.wrong.update(typed.problems(values))
    try:
        entered.check()
        with visitor.hub.work() as work:
            settings.change_settings(
                visitor.hub, work, visitor.scope, connection_id, typed.changes, forget=forgotten, name=name
            )
    except EnteredError as error:
        return _settings_page(visitor, connection_id, entered.given, dict(error.fields))
    return redirect(f"/connections/{connection_id}", done="changed", check="yes")


def _changeable(visitor: Visitor, connection_id: str) -> tuple[ConnectionRow, ConnectorSpec]:
    """The connection and its kind. Raises `NotThereError`, or `ProblemError` for a kind that only the operator changes."""
    with visitor.hub.database.read() as conn:
        row = doors.owned_connection(conn, visitor.scope, connection_id)
    spec = visitor.hub.spec(row.kind)
    if not visitor.is_operator and not may_add(visitor.scope, spec):
        raise ProblemError("forbidden", cure="Ask the operator for it.")
    return row, spec


# --- divisions ------------------------------------------------------------------------------------


@router.get("/{connection_id}/divisions")
def show_divisions(
    visitor: CreditorSide, connection_id: str, done: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """What the connection's user may see at the vendor, to choose from."""
    return _divisions_page(visitor, connection_id, is_new=done == "consented")


def _divisions_page(
    visitor: Visitor, connection_id: str, *, is_new: bool = False, problem: CollecthubError | None = None
) -> Response:
    with visitor.hub.database.read() as conn:
        row = doors.owned_connection(conn, visitor.scope, connection_id)
    try:
        found = settings.list_divisions(visitor.hub, visitor.scope, connection_id)
    except CollecthubError as error:
        found, problem = (), error
    return page(
        visitor, "divisions.html", status=422 if problem else 200, row=row, found=found, is_new=is_new, problem=problem
    )


@router.post("/{connection_id}/divisions")
def choose(visitor: CreditorSide, form: Form, connection_id: str) -> Response:
    """Pull these from now on; only what the vendor listed can be chosen."""
    wanted = {str(value) for value in form.getlist("division")}
    try:
        listed = settings.list_divisions(visitor.hub, visitor.scope, connection_id)
        chosen = [division.division_ref for division, _ in listed if division.division_ref in wanted]
        settings.choose_divisions(visitor.hub, visitor.scope, connection_id, chosen)
    except NotThereError:
        raise
    except (PermanentError, ConfigurationError) as error:
        return _divisions_page(visitor, connection_id, problem=error)
    return redirect(f"/connections/{connection_id}", done="chosen", check="yes")
