"""Checks on the way to a court: jurisdiction, instrument, recognition, service; nothing of it for amicable steps."""

from __future__ import annotations

import re
from decimal import Decimal

from collecthub.law.atlas.facts import Standing, membership_on
from collecthub.law.atlas.sheet import shared_instruments
from collecthub.law.feasibility.finding import CLEAR, NOT_APPLICABLE, Answer, View, found, unknown

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
        return unknown("the debtor's country is not known")
    if view.forum == view.debtor_country:
        return CLEAR
    return found(f"court in {view.forum}, the consumer lives in {view.debtor_country}")


def binding_clause(view: View) -> Answer:
    """JUR-02: an exclusive clause for another court, or for arbitration."""
    if not view.is_before_court:
        return NOT_APPLICABLE
    if view.file.clauses is None:
        return unknown("whether the contract chooses a court or arbitration is not on file")
    for clause in view.file.clauses:
        if clause.kind == "arbitration":
            return found(f"arbitration clause{f' for {clause.country}' if clause.country else ''}")
        if clause.kind == "court" and clause.is_exclusive and clause.country != view.forum:
            chosen = clause.country or "a court that is not named"
            return found(f"exclusive clause for {chosen}, planned is {view.forum}")
    return CLEAR


def ground_of_court(view: View) -> Answer:
    """JUR-03: the debtor's domicile, the place of delivery or service, or a clause."""
    if not view.is_before_court:
        return NOT_APPLICABLE
    if not view.debtor_country:
        return unknown("the debtor's country is not known")
    chosen = {clause.country for clause in view.file.clauses or () if clause.kind == "court"}
    performed = view.file.performed_in
    if view.forum in (view.debtor_country, performed) or view.forum in chosen:
        return CLEAR
    said = f"court in {view.forum}, debtor in {view.debtor_country}"
    if performed:
        return found(f"{said}, delivered or performed in {performed}")
    return unknown(f"{said}; where was delivered or performed is not on file")


# --- instruments ----------------------------------------------------------------------------------


def available_instrument(view: View) -> Answer:
    """INS-01: in force for both countries on the day, cross-border where it must be, and within its amount."""
    name = view.file.instrument
    if not name:
        return NOT_APPLICABLE
    if name == "ios":
        return _only_in_belgium(view)
    if name not in view.atlas.instruments:
        return unknown(f"the instrument {name} is not in the atlas")
    if not view.debtor_country or not view.creditor_country:
        return unknown("the country of debtor or creditor is not known")
    for country in (view.debtor_country, view.creditor_country):
        row = membership_on(view.atlas, name, country, view.as_of)
        if row.standing is Standing.UNKNOWN:
            return unknown(f"whether {name} holds in {country} is not known: {row.note}")
        if row.standing is not Standing.IN_FORCE:
            return found(f"{name} in {country}: {row.standing.value} on {view.as_of}", level=row.evidence)
    if name in _CROSS_BORDER and view.debtor_country == view.creditor_country:
        return found(f"{name} needs a cross-border case; both parties are in {view.debtor_country}")
    return _within_ceiling(view) if name == "escp" else _due(view)


def _only_in_belgium(view: View) -> Answer:
    if view.debtor_country == view.creditor_country == "BE" and view.case.segment == "B2B":
        return CLEAR
    return found("the Belgian uncontested procedure needs two Belgian enterprises")


def _within_ceiling(view: View) -> Answer:
    if view.case.currency != "EUR":
        return unknown(f"the ceiling is 5,000 EUR, the case is in {view.case.currency}")
    if view.case.demanded > ESCP_CEILING:
        return found(f"{view.case.demanded} EUR is above the ceiling of 5,000 EUR")
    return _due(view)


def _due(view: View) -> Answer:
    early = [claim.number for claim in view.case.claims if claim.due_on >= view.as_of]
    return found(f"not due yet: {', '.join(early[:5])}") if early else CLEAR


def undisputed(view: View) -> Answer:
    """INS-02: a dispute or objection on file against a route for uncontested claims."""
    if view.file.instrument not in _UNCONTESTED_ONLY:
        return NOT_APPLICABLE
    for reason in ("dispute", "legal_objection"):
        if view.case.held_for(reason):
            return found(f"{reason.replace('_', ' ')} on file, {view.file.instrument} is for uncontested claims")
    return CLEAR


def recognition(view: View) -> Answer:
    """INS-03: a treaty in force in both countries on the day; the assets are taken to be in the debtor's country."""
    if not view.is_before_court:
        return NOT_APPLICABLE
    court, assets = view.file.title_country or view.forum, view.debtor_country
    if not assets:
        return unknown("the debtor's country is not known")
    if court == assets:
        return CLEAR
    shared = shared_instruments(view.atlas, court, assets, view.as_of, *_RECOGNITION)
    if _usable(view, shared):
        return CLEAR
    doubtful = [
        f"{name} in {country}"
        for name, treaty in view.atlas.instruments.items()
        if treaty.purpose in _RECOGNITION
        for country in (court, assets)
        if membership_on(view.atlas, name, country, view.as_of).standing is Standing.UNKNOWN
    ]
    if doubtful:
        return unknown(f"no treaty between {court} and {assets} is known; open: {', '.join(doubtful)}")
    return found(f"no treaty on judgments is in force in both {court} and {assets} on {view.as_of}")


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
        return found("the debtor's address is not known")
    if all(_PO_BOX.search(line) for line in address.lines):
        return found("the address is a post box")
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
        return unknown(f"whether a treaty on service holds in {', '.join(open_points) or view.there} is not known")
    return found(f"no treaty on service is in force between {view.forum} and {view.debtor_country}")
