"""Partners: who acts outside. The operator adds them here and changes what routing knows of them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

import msgspec
from babel.core import get_global
from fastapi import APIRouter, Query, Request, Response

from collecthub.engine import partner_links
from collecthub.engine.doors import create_partner
from collecthub.errors import PermanentError
from collecthub.model.ids import new_id
from collecthub.model.licence import Licence
from collecthub.model.partner import PartnerProfile
from collecthub.store.connections import read_profiles
from collecthub.store.queries import doors
from collecthub.store.queries.directory import NONE, QUOTE, STANDARD, directory, partner_sheet
from collecthub.store.queries.paging import PageRequest
from collecthub.store.queries.scope import NotThereError
from collecthub.web.auth import auth_now
from collecthub.web.portal.entered import Entered, EnteredError
from collecthub.web.portal.mandates import KINDS, STATES
from collecthub.web.portal.pages import Form, Operator, PageRoute, Visitor, page, redirect
from collecthub.web.portal.words import countries
from collecthub.web.problems import ProblemError

router = APIRouter(prefix="/partners", route_class=PageRoute, include_in_schema=False)
ROLES = {"bailiff": "A bailiff", "lawyer": "A lawyer", "agency": "An agency"}
SEGMENTS = {"B2B": "Companies", "B2C": "Persons", "B2G": "Public bodies"}
LANGUAGES = {"en": "English", "nl": "Nederlands", "fr": "Français", "de": "Deutsch", "es": "Español"}
TIERS = {STANDARD: "Agreed price", QUOTE: "On request", NONE: "Takes no cases"}
_DONE = {"added": "The partner is added. Connect it next.", "changed": "The partner is changed."}
_ANY_CURRENCY = "EUR"
_CURRENCY, _LANGUAGE = re.compile(r"[A-Z]{3}"), re.compile(r"[a-z]{2,3}")


@router.get("")
def show_list(
    visitor: Operator, cursor: Annotated[str, Query(max_length=2000)] = "", done: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """Who acts outside, where, with how many cases, and by which connection."""
    with visitor.hub.database.read() as conn:
        found = doors.list_partners(conn, visitor.scope, visitor.hub.key, PageRequest(cursor=cursor))
        every = doors.list_connections(conn, visitor.scope, visitor.hub.key, PageRequest(limit=200), "partner")
        tiers = {line.partner_id: line for line in directory(conn, visitor.hub.business_date())}
    lines: dict[str, list[doors.ConnectionView]] = {}
    for connection in every.items:
        lines.setdefault(connection.partner_id or "", []).append(connection)
    return page(
        visitor, "partners.html", found=found, cursor=cursor, lines=lines, tiers=tiers, words=TIERS, done=_DONE.get(done, "")
    )


@router.get("/add")
def show_form(visitor: Operator) -> Response:
    """The empty form."""
    return _form_page(visitor, {"role": "bailiff", "is_open": "yes"}, {}, None)


@router.post("/add")
def add(visitor: Operator, form: Form) -> Response:
    """Add a partner."""
    return _write(visitor, Entered(form), PartnerProfile(partner_id=new_id(), name="", role="", countries=()), is_new=True)


@router.get("/{partner_id}")
def show_partner(visitor: Operator, partner_id: str) -> Response:
    """What is known of a partner: terms, licences, papers; and what routing looks at, to change."""
    return _form_page(visitor, _given(_profile(visitor, partner_id)), {}, partner_id)


@router.post("/{partner_id}")
def change(visitor: Operator, form: Form, partner_id: str) -> Response:
    """Change a partner; cases that it holds stay with it."""
    return _write(visitor, Entered(form), _profile(visitor, partner_id))


@router.post("/{partner_id}/invite")
def invite(request: Request, visitor: Operator, form: Form, partner_id: str) -> Response:
    """A personal page for the partner: its address and its code are shown this once."""
    entered = Entered(form)
    try:
        with visitor.hub.work() as work:
            made = partner_links.make_link(
                work, visitor.scope, partner_id=partner_id, language=entered.choice("language", LANGUAGES),
                zone=entered.text("zone", longest=64), now=auth_now(),
            )  # fmt: skip
    except NotThereError:
        raise
    except PermanentError as problem:
        return _form_page(visitor, _given(_profile(visitor, partner_id)), {}, partner_id, problem=problem)
    base = (visitor.hub.settings.public_url or str(request.base_url)).rstrip("/")
    shown = msgspec.structs.replace(made, path=base + made.path)
    return _form_page(visitor, _given(_profile(visitor, partner_id)), {}, partner_id, invited=shown)


@router.post("/{partner_id}/links/{link_id}/end")
def end_invitation(visitor: Operator, form: Form, partner_id: str, link_id: str) -> Response:
    """The page ends at once, also in browsers that have it open."""
    with visitor.hub.work() as work:
        partner_links.revoke_link(work, visitor.scope, link_id, auth_now())
    return redirect(f"/partners/{partner_id}")


def _usual_zone(profile: PartnerProfile) -> str:
    """The time zone of its office's country, where that has one only."""
    zones: list[str] = get_global("territory_zones").get(profile.home, [])
    return zones[0] if len(zones) == 1 else ""


def _profile(visitor: Visitor, partner_id: str) -> PartnerProfile:
    with visitor.hub.database.read() as conn:
        found = next((one for one in read_profiles(conn) if one.partner_id == partner_id), None)
    if found is None:
        raise ProblemError("not-found")
    return found


def _write(visitor: Visitor, entered: Entered, known: PartnerProfile, *, is_new: bool = False) -> Response:
    """What the form does not show of a profile stays as it is."""
    try:
        profile = _entered_profile(entered, known)
    except EnteredError as error:
        return _form_page(visitor, entered.given, dict(error.fields), None if is_new else known.partner_id)
    create_partner(visitor.hub, profile)
    return redirect("/partners", done="added" if is_new else "changed")


def _form_page(
    visitor: Visitor, given: dict[str, str], wrong: dict[str, str], partner_id: str | None, *,
    invited: partner_links.NewLink | None = None, problem: PermanentError | None = None,
) -> Response:  # fmt: skip
    sheet = None
    links: tuple[partner_links.LinkView, ...] = ()
    if partner_id:
        with visitor.hub.database.read() as conn:
            sheet = partner_sheet(conn, visitor.scope, partner_id, visitor.hub.business_date())
            links = partner_links.list_links(conn, partner_id)
    return page(
        visitor, "partner_form.html", sheet=sheet, words=TIERS, states=STATES, kinds=KINDS, needs=KINDS,
        status=422 if wrong or problem else 200, given=given, wrong=wrong, roles=ROLES, segments=SEGMENTS,
        partner_id=partner_id, invited=invited, problem=problem, languages=LANGUAGES, now=auth_now(),
        links=links, zone=_usual_zone(sheet.profile) if sheet else "",
    )  # fmt: skip


def _given(profile: PartnerProfile) -> dict[str, str]:
    chosen = {f"segment.{segment}": "yes" for segment in profile.segments}
    return {
        "name": profile.name, "role": profile.role, "countries": ", ".join(profile.countries),
        "currencies": ", ".join(profile.currencies), "languages": ", ".join(profile.languages),
        "minimum": format(profile.minimum_amount, "f") if profile.minimum_amount else "",
        "is_open": "yes" if profile.is_open else "", "is_demo": "yes" if profile.is_demo else "",
        "capacity": str(profile.capacity or ""), "office_country": profile.office_country, **chosen, **{f"need.{kind}": "yes" for kind in profile.needs},
    }  # fmt: skip


def _entered_profile(entered: Entered, known: PartnerProfile) -> PartnerProfile:
    """The profile as typed. Raises `EnteredError`."""
    name = entered.text("name", required=True, longest=300)
    role = entered.choice("role", ROLES)
    acts_in = _codes(entered, "countries", upper=True)
    currencies = _codes(entered, "currencies", upper=True)
    languages = _codes(entered, "languages", upper=False)
    minimum: Decimal = entered.amount("minimum", _ANY_CURRENCY, required=False)
    capacity = entered.text("capacity")
    if capacity and not capacity.isdecimal():
        entered.wrong["capacity"] = "Write a whole number, or nothing."
    office = entered.text("office_country", longest=2).upper()
    if office and office not in countries():
        entered.wrong["office_country"] = "Write the two letters of the country where its people sit."
    strange = [code for code in acts_in if code not in countries()]
    if not acts_in:
        entered.wrong["countries"] = "Name at least one country."
    elif strange:
        entered.wrong["countries"] = f"Write ISO codes of two letters; {strange[0][:10]} is none."
    if not all(_CURRENCY.fullmatch(code) for code in currencies):
        entered.wrong["currencies"] = "Write ISO codes of three letters, for example EUR."
    if not all(_LANGUAGE.fullmatch(code) for code in languages):
        entered.wrong["languages"] = "Write ISO codes of two letters, for example nl."
    entered.check()
    return msgspec.structs.replace(
        known, name=name, role=role, countries=acts_in, currencies=currencies, languages=languages,
        segments=tuple(code for code in SEGMENTS if entered.given.get(f"segment.{code}")), minimum_amount=minimum,
        is_open=bool(entered.given.get("is_open")), capacity=int(capacity or 0), is_demo=bool(entered.given.get("is_demo")),
        office_country=office, needs=tuple(code for code in KINDS if entered.given.get(f"need.{code}")),
        licences=_with_licence(entered, known),
    )


def _with_licence(entered: Entered, known: PartnerProfile) -> tuple[Licence, ...] | None:
    """The licences with the one that was entered: it replaces the one of its country."""
    number, country = entered.text("licence_number", longest=140), entered.text("licence_country", longest=2).upper()
    scope, expires_on = entered.text("licence_scope", longest=300), entered.date("licence_expires_on")
    if not number:
        return known.licences
    if country not in countries():
        entered.wrong["licence_country"] = "Write the two letters of the country that gave it."
    entered.check()
    others = tuple(held for held in known.licences or () if held.country != country)
    return (*others, Licence(country=country, number=number, scope=scope, expires_on=expires_on))


def _codes(entered: Entered, name: str, *, upper: bool) -> tuple[str, ...]:
    text = entered.text(name)
    parts = (part for part in re.split(r"[,;\s]+", text.upper() if upper else text.lower()) if part)
    return tuple(dict.fromkeys(parts))
