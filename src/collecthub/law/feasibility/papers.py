"""Checks on the papers and the parties: proof, power of attorney, language, figures, who owes whom, insolvency."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Any

import stdnum
from stdnum.exceptions import ValidationError

from collecthub.errors import PermanentError
from collecthub.law.atlas.facts import Topic
from collecthub.law.deadline import deadline
from collecthub.law.feasibility.finding import (
    CLEAR,
    NOT_APPLICABLE,
    Answer,
    Severity,
    View,
    found,
    money,
    unknown,
)
from collecthub.model.party import PartyKind
from collecthub.model.solvency import VALID_DAYS, SolvencyVerdict

_ORDERED = ("contract", "order")
_DELIVERED = ("delivery", "acceptance")
_DELIVERY = "proof_of_delivery"
_TITLED = ("judgment",)
_OWN_RECORDS = "own records"  # the source of a look into the hub's own files, which is no register
# A hold of the case, and the event from which the law counts the claim's filing.
_INSOLVENCIES = {"insolvency": "bankruptcy_claim", "collective_settlement": "settlement_claim"}


# --- documents ------------------------------------------------------------------------------------


def proof(view: View) -> Answer:
    """DOC-01: contract or order, invoice, and delivery or acceptance; a judgment proves all of them."""
    if view.file.documents is None:
        return unknown("documents_unknown")
    if view.has(*_TITLED):
        return CLEAR
    wanted = {"contract_or_order": _ORDERED, "invoice": ("invoice",), _DELIVERY: _DELIVERED}
    missing = [name for name, kinds in wanted.items() if not view.has(*kinds)]
    if not missing:
        return CLEAR
    mild = Severity.HIGH if missing == [_DELIVERY] else None
    return found("not_on_file", papers=" ".join(missing), severity=mild)


def power_of_attorney(view: View) -> Answer:
    """DOC-02: for court, and wherever a debtor may ask for the original."""
    asked = view.fact(view.debtor_country, Topic.POWER_OF_ATTORNEY)
    if not view.is_before_court and not asked.is_known:
        return NOT_APPLICABLE
    mandate = view.file.mandate
    if mandate is None:
        return unknown("no_power_of_attorney_but", text=asked.value) if asked.value else unknown("no_power_of_attorney")
    if mandate.expires_on and mandate.expires_on < view.as_of:
        return found("power_of_attorney_expired", on=mandate.expires_on)
    if asked.code == "original" and mandate.form == "copy":
        return found("power_of_attorney_copy", text=asked.value, level=asked.evidence)
    if asked.is_known or view.debtor_country == view.creditor_country:
        return CLEAR
    return unknown("power_of_attorney_form_unknown", where=view.debtor_country, form=mandate.form)


def language_of_documents(view: View) -> Answer:
    """DOC-03: at least one document in a language of the court."""
    if not view.is_before_court:
        return NOT_APPLICABLE
    if view.file.documents is None:
        return unknown("documents_unknown")
    accepted = view.fact(view.forum, Topic.COURT_LANGUAGES)
    if not accepted.is_known:
        return unknown("court_languages_unknown", where=view.forum)
    spoken = {document.language for document in view.file.documents if document.language} | set(view.file.document_languages)
    if not spoken:
        return unknown("document_languages_unknown")
    if spoken & set(accepted.code.split()):
        return CLEAR
    return found("wrong_languages", papers=" ".join(sorted(spoken)), court=accepted.code, level=accepted.evidence)


def figures(view: View) -> Answer:
    """DOC-04: open claims less loose credits are what the creditor's books should show; no part is above its whole."""
    case = view.case
    above = [claim.number for claim in case.claims if claim.open_amount > claim.original_amount]
    if above:
        return found("more_open_than_invoiced", numbers=", ".join(above[:5]))
    # Money that a person or a bank file showed waits here for the creditor's books to show it on a claim.
    waiting = case.open_in_erp_only + case.loose_credits
    open_sum = sum((claim.open_amount for claim in case.claims), start=-waiting)
    if open_sum != case.erp_open:
        return found("books_differ", claims=money(open_sum, case.currency), books=money(case.erp_open, case.currency))
    return CLEAR


def agreed_terms(view: View) -> Answer:
    """DOC-05: a clause that stands on the invoice only."""
    if view.file.clauses is None:
        return unknown("clauses_unknown")
    unproven = [clause.kind for clause in view.file.clauses if clause.document_kind in ("", "invoice")]
    if not unproven:
        return CLEAR
    return found("clauses_unproven", clauses=" ".join(f"clause_{kind}" for kind in unproven))


# --- parties --------------------------------------------------------------------------------------


def identity_of_debtor(view: View) -> Answer:
    """PAR-01: a name, and for a company a number whose format and check digits are right."""
    debtor = view.case.debtor
    if not debtor.name.strip():
        return found("no_name")
    if not view.debtor_country:
        return unknown("debtor_country_unknown")
    if debtor.vat_ref:
        return _number(view.debtor_country, debtor.vat_ref)
    if debtor.kind is PartyKind.PERSON:
        return CLEAR if debtor.address.city else unknown("person_without_address")
    if debtor.registration_ref:
        return CLEAR
    return unknown("no_company_number")


def _number(country: str, vat_ref: str) -> Answer:
    checker = _vat_module(country)
    if checker is None:
        return unknown("vat_form_unknown", where=country)
    try:
        checker.validate(vat_ref)
    except ValidationError:
        return found("vat_number_wrong", severity=Severity.HIGH)
    return CLEAR


@cache
def _vat_module(country: str) -> Any:
    return stdnum.get_cc_module(country.lower(), "vat")


def issuer_of_invoices(view: View) -> Answer:
    """PAR-02: what the creditor's own ERP holds it issued; another issuer needs an assignment."""
    issuer = view.file.issuer_name
    if not issuer:
        return CLEAR if view.case.origin == "erp" else unknown("issuer_unknown")
    if view.file.creditor is None:
        return unknown("creditor_unknown")
    if issuer.casefold() == view.file.creditor.name.casefold() or view.has("assignment"):
        return CLEAR
    if view.file.documents is None:
        return unknown("assignment_unknown")
    return found("no_assignment")


def insolvency(view: View) -> Answer:
    """PAR-03: a hold for insolvency or collective settlement, with the day by which the claim must be filed."""
    for hold in view.case.holds:
        if hold.reason in _INSOLVENCIES:
            since = hold.since_at.date()
            filed_by = _filing_day(view, hold.reason, since)
            if filed_by is None:
                return found("insolvency_known", reason=hold.reason, since=since)
            return found("insolvency_file_by", reason=hold.reason, since=since, until=filed_by, deadline_on=filed_by)
    return _asked(view)


def _asked(view: View) -> Answer:
    """What registers and bureaus said when they were last asked, while that is fresh."""
    outside = [check for check in view.case.solvency.checks if check.source != _OWN_RECORDS and check.checked_on <= view.as_of]
    newest = max(outside, key=lambda check: check.checked_on, default=None)
    if newest is not None and newest.verdict is SolvencyVerdict.INSOLVENT:
        return found("insolvent_by_register", source=newest.source, on=newest.checked_on)
    days = [day for day in (view.file.registers_asked_on, newest and newest.checked_on) if day and day <= view.as_of]
    if not days:
        return unknown("no_register_asked")
    if (view.as_of - max(days)).days > VALID_DAYS:
        return unknown("registers_asked_long_ago", on=max(days), days=VALID_DAYS)
    return CLEAR


def _filing_day(view: View, reason: str, since: dt.date) -> dt.date | None:
    law = view.law(view.debtor_country)
    if law is None:
        return None
    try:
        found_deadline = deadline(
            law, _INSOLVENCIES[reason], since, segment=view.case.segment, actor_country=view.creditor_country
        )
    except PermanentError:
        return None  # no time limit of this law is known: the finding says so
    return found_deadline.deadline_on
