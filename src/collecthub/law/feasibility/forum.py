"""Checks on the way to a court: jurisdiction, instrument, recognition, service; nothing of it for amicable steps."""

from __future__ import annotations

import re
from decimal import Decimal

from collecthub.law.atlas.facts import Standing, membership_on
from collecthub.law.atlas.sheet import shared_instruments
from collecthub.law.feasibility.finding import CLEAR, NOT_APPLICABLE, Answer, View, found, money, unknown

ESCP_CEILING = Decimal(5_000)  # EUR, Reg. 861/2007 art. 2 as changed by Reg. 2015/2421, since 2017-07-14
_UNCONTESTED_ONLY = frozenset({"epo", "eeo", "ios"})
_CROSS_BORDER = frozenset({"epo", "escp", "eapo"})
_RECOGNITION = ("judgment",)
_PO_BOX = re.compile(
    r"\b(p\.?\s*o\.?\s*box|postbus|bo[iî]te\s+postale|bp\s*\d|postfach|apartado|casella\s+postale)\b", re.IGNORECASE
)


# --- jurisdiction ---------------------------------------------------------------------------------


def consumer_at_home(view: View) -> Answer:
    """JUR-01: a consumer is sued where he lives."""
    if not view.is_before_court or not view.is_consumer:
        return NOT_APPLICABLE
    if not view.debtor_country:
        return unknown("debtor_country_unknown")
    if view.forum == view.debtor_country:
        return CLEAR
    return found("consumer_elsewhere", court=view.forum, home=view.debtor_country)


def binding_clause(view: View) -> Answer:
    """JUR-02: an exclusive clause for another court, or for arbitration."""
    if not view.is_before_court:
        return NOT_APPLICABLE
    if view.file.clauses is None:
        return unknown("clause_on_court_unknown")
    for clause in view.file.clauses:
        if clause.kind == "arbitration":
            return found("arbitration_in", where=clause.country) if clause.country else found("arbitration_agreed")
        if clause.kind == "court" and clause.is_exclusive and clause.country != view.forum:
            if not clause.country:
                return found("exclusive_court_unnamed", planned=view.forum)
            return found("exclusive_court", chosen=clause.country, planned=view.forum)
    return CLEAR


def ground_of_court(view: View) -> Answer:
    """JUR-03: the debtor's domicile, the place of delivery or service, or a clause."""
    if not view.is_before_court:
        return NOT_APPLICABLE
    if not view.debtor_country:
        return unknown("debtor_country_unknown")
    chosen = {clause.country for clause in view.file.clauses or () if clause.kind == "court"}
    performed = view.file.performed_in
    if view.forum in (view.debtor_country, performed) or view.forum in chosen:
        return CLEAR
    said = {"court": view.forum, "home": view.debtor_country}
    if performed:
        return found("no_ground_of_court", said, performed=performed)
    return unknown("ground_of_court_unknown", said)


# --- instruments ----------------------------------------------------------------------------------


def available_instrument(view: View) -> Answer:
    """INS-01: in force for both countries on the day, cross-border where it must be, and within its amount."""
    name = view.file.instrument
    if not name:
        return NOT_APPLICABLE
    if name == "ios":
        return _only_in_belgium(view)
    if name not in view.atlas.instruments:
        return unknown("instrument_not_in_atlas", name=name)
    if not view.debtor_country or not view.creditor_country:
        return unknown("countries_unknown")
    for country in (view.debtor_country, view.creditor_country):
        row = membership_on(view.atlas, name, country, view.as_of)
        if row.standing is Standing.UNKNOWN:
            return unknown("instrument_unknown", instrument=name, where=country, text=row.note)
        if row.standing is not Standing.IN_FORCE:
            return found(
                "instrument_not_in_force", instrument=name, where=country, standing=row.standing.value, on=view.as_of,
                level=row.evidence,
            )
    if name in _CROSS_BORDER and view.debtor_country == view.creditor_country:
        return found("not_cross_border", instrument=name, where=view.debtor_country)
    return _within_ceiling(view) if name == "escp" else _due(view)


def _only_in_belgium(view: View) -> Answer:
    if view.debtor_country == view.creditor_country == "BE" and view.case.segment == "B2B":
        return CLEAR
    return found("only_in_belgium")


def _within_ceiling(view: View) -> Answer:
    if view.case.currency != "EUR":
        return unknown("ceiling_in_euro", ceiling=money(ESCP_CEILING, "EUR"), currency=view.case.currency)
    if view.case.demanded > ESCP_CEILING:
        return found("above_ceiling", demanded=money(view.case.demanded, "EUR"), ceiling=money(ESCP_CEILING, "EUR"))
    return _due(view)


def _due(view: View) -> Answer:
    early = [claim.number for claim in view.case.claims if claim.due_on >= view.as_of]
    return found("not_due", numbers=", ".join(early[:5])) if early else CLEAR


def undisputed(view: View) -> Answer:
    """INS-02: a dispute or objection on file against a route for uncontested claims."""
    if view.file.instrument not in _UNCONTESTED_ONLY:
        return NOT_APPLICABLE
    for reason in ("dispute", "legal_objection"):
        if view.case.held_for(reason):
            return found("contested", reason=reason, instrument=view.file.instrument)
    return CLEAR


def recognition(view: View) -> Answer:
    """INS-03: a treaty in force in both countries on the day; the assets are taken to be in the debtor's country."""
    if not view.is_before_court:
        return NOT_APPLICABLE
    court, assets = view.file.title_country or view.forum, view.debtor_country
    if not assets:
        return unknown("debtor_country_unknown")
    if court == assets:
        return CLEAR
    shared = shared_instruments(view.atlas, court, assets, view.as_of, *_RECOGNITION)
    if _usable(view, shared):
        return CLEAR
    doubtful = [
        f"{name} {country}"
        for name, treaty in view.atlas.instruments.items()
        if treaty.purpose in _RECOGNITION
        for country in (court, assets)
        if membership_on(view.atlas, name, country, view.as_of).standing is Standing.UNKNOWN
    ]
    if doubtful:
        return unknown("no_known_treaty", court=court, assets=assets, open=", ".join(doubtful))
    return found("no_treaty", court=court, assets=assets, on=view.as_of)


def _usable(view: View, shared: tuple[str, ...]) -> bool:
    """The convention on choice of court helps only with an exclusive clause on file."""
    chosen = any(clause.kind == "court" and clause.is_exclusive for clause in view.file.clauses or ())
    return any(name != "hague_choice_of_court_2005" or chosen for name in shared)


def service_route(view: View) -> Answer:
    """SRV-01: a street address, and abroad a treaty on service."""
    if not view.is_before_court:
        return NOT_APPLICABLE
    address = view.case.debtor.address
    if not address.lines or not address.city:
        return found("no_address")
    if all(_PO_BOX.search(line) for line in address.lines):
        return found("post_box")
    if view.forum == view.debtor_country:
        return CLEAR
    if shared_instruments(view.atlas, view.forum, view.debtor_country, view.as_of, "service"):
        return CLEAR
    open_points = [
        country
        for country in (view.forum, view.debtor_country)
        if membership_on(view.atlas, "hague_service_1965", country, view.as_of).standing is Standing.UNKNOWN
    ]
    if open_points or not view.debtor_country:
        return unknown("service_unknown", where=" ".join(open_points))
    return found("no_service_treaty", court=view.forum, home=view.debtor_country)
