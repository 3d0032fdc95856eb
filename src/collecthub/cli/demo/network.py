"""The network of the demo: agencies with prices, licences and papers, and one case abroad told from check to remittance."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.cli.demo.portfolio import Plan
from collecthub.engine.context import Hub
from collecthub.engine.contracting import enter_contract
from collecthub.engine.demo_network import install_demo_network
from collecthub.engine.demo_partners import demo_partners
from collecthub.engine.doors import create_partner
from collecthub.engine.mandates import sign_mandate
from collecthub.model.contract import GridRow, Side, Terms
from collecthub.model.event import CaseEvent
from collecthub.model.mandate import MandateKind
from collecthub.model.partner import PartnerProfile
from collecthub.store import tables as t
from collecthub.store.case_log import read_case, read_events
from collecthub.store.connections import read_profiles
from collecthub.store.queries.scope import LOCAL_OPERATOR

BARRED = frozenset({"CN", "VN"})  # no agencies there: a lawyer takes the cases
NEEDS = (MandateKind.AGREEMENT, MandateKind.POWER_OF_ATTORNEY, MandateKind.IDENTITY_CHECK)
_STEPS = (
    "feasibility_checked", "hold_set", "hold_released", "route_chosen", "case_sent", "case_accepted", "payment_reported",
    "case_returned", "case_closed",
)  # fmt: skip


def add_agency(hub: Hub, country: str, partner_id: str, began_on: dt.date) -> None:
    """An agency abroad: what it may do, what it costs, and the papers it asks for. All of it is made up."""
    made_up = {profile.countries[0]: profile for profile, _ in demo_partners()}.get(country)
    create_partner(
        hub,
        PartnerProfile(
            partner_id=partner_id, name=f"Partner agency {country}", role="lawyer" if country in BARRED else "agency",
            countries=(country,), work_country=country, has_signed_clauses=True, channels=("rest",),
            licences=made_up.licences if made_up else None, languages=made_up.languages if made_up else (),
            is_demo=True,
        ),
    )
    terms = Terms(
        valid_from=began_on, grid=(GridRow(percent=Decimal("9.5"), amount_from=Decimal(1000)), GridRow(percent=Decimal(20))),
        note="demo terms, made up for trials: nobody offers them",
    )  # fmt: skip
    with hub.work() as work:
        enter_contract(work, LOCAL_OPERATOR, Side.PARTNER, partner_id, terms)


def complete_network(hub: Hub) -> None:
    """The connected agencies ask for papers, and countries without a debtor get their demo partners."""
    for profile in _agencies(hub):
        create_partner(hub, msgspec.structs.replace(profile, needs=tuple(kind.value for kind in NEEDS)))
    install_demo_network(hub)


def _agencies(hub: Hub) -> list[PartnerProfile]:
    with hub.database.read() as conn:
        linked = set(conn.scalars(sa.select(t.connections.c.partner_id).where(t.connections.c.role == "partner")))
        return [one for one in read_profiles(conn) if one.work_country and one.partner_id in linked]


def sign_papers(hub: Hub, plan: Plan) -> None:
    """What the agencies of the demo ask for is signed; the cases that waited for it leave by themselves."""
    agencies = _agencies(hub)
    with hub.work() as work:
        for partner_id in (one.partner_id for one in agencies if one.needs):
            for kind in NEEDS:
                sign_mandate(
                    work, LOCAL_OPERATOR, kind=kind, partner_id=partner_id, signed_on=plan.as_of, signed_by="Nora Claes",
                    form="original" if kind is MandateKind.POWER_OF_ATTORNEY else "", note="signed in the demo",
                )  # fmt: skip


def told_abroad(hub: Hub, plan: Plan) -> dict[str, Any]:
    """One case abroad whose money came in, step by step; the one with the most to tell. Empty when there is none."""
    homes = {creditor.country for creditor in plan.creditors}
    query = (
        sa.select(t.events.c.case_id, sa.func.count().label("said"))
        .join(t.cases, t.cases.c.case_id == t.events.c.case_id)
        .where(t.events.c.kind.in_(_STEPS), t.cases.c.recovered_minor > 0, t.cases.c.debtor_country.not_in(homes))
        .where(t.cases.c.case_id.in_(sa.select(t.events.c.case_id).where(t.events.c.kind == "payment_reported")))
        .group_by(t.events.c.case_id)
        .order_by(sa.desc("said"), t.events.c.case_id)
        .limit(1)
    )
    with hub.database.read() as conn:
        case_id = conn.scalar(query)
        case = read_case(conn, case_id) if case_id else None
        history = read_events(conn, case_id) if case_id else []
    if case is None:
        return {}
    return {
        "case_id": case.case_id, "number": case.number, "country": case.debtor.country,
        "steps": [{"kind": event.kind, "what": _said(event)} for event in history if _is_told(event)],
    }  # fmt: skip


def _is_told(event: CaseEvent) -> bool:
    return event.kind in _STEPS and getattr(event.fact, "reason", "") != "shadow"  # every case of the demo begins in shadow


def _said(event: CaseEvent) -> str:
    fact: Any = event.fact
    match event.kind:
        case "feasibility_checked":
            return f"checked: {len(fact.findings)} findings, {len(fact.unknown)} points not known"
        case "hold_set" | "hold_released":
            return f"{fact.reason}: {fact.note}"
        case "route_chosen":
            chosen = next(one for one in fact.options if one.partner_id == fact.partner_id)
            price = f", costs {chosen.cost} {chosen.currency} if all is recovered" if chosen.cost is not None else ""
            return f"{fact.partner_name} out of {len(fact.options)} routes{price}"
        case "payment_reported":
            return f"received {fact.amount}{f', remitted as {fact.remittance_ref}' if fact.remittance_ref else ''}"
        case _:
            return event.kind.replace("_", " ")
