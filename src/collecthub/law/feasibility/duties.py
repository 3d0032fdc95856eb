"""Checks on duties: consumers, the partner's licence, privacy, sanctions, steps before a suit."""

from __future__ import annotations

import datetime as dt

from collecthub.law.atlas.facts import Topic
from collecthub.law.basis import Matter
from collecthub.law.feasibility.finding import (
    CLEAR,
    NOT_APPLICABLE,
    Answer,
    PartnerFacts,
    Severity,
    View,
    found,
    unknown,
)
from collecthub.law.reminder import reminder_rule, wait_after
from collecthub.law.rules import ReminderRule

_AGENCY = "agency"


# --- consumers ------------------------------------------------------------------------------------


def consumer_steps(view: View) -> Answer:
    """CON-01: the reminder of the debtor's law and its wait, for consumers."""
    if not view.is_consumer:
        return NOT_APPLICABLE
    law = view.law(view.debtor_country)
    rule = None
    if law is not None and view.case.claims:
        oldest = min(claim.due_on for claim in view.case.claims)
        matter = Matter(segment="B2C", contract_on=view.file.contract_on or oldest, default_on=oldest + dt.timedelta(days=1))
        rule = reminder_rule(law, matter, view.as_of)
    if rule is None:
        known = view.fact(view.debtor_country, Topic.AMICABLE_RULES)
        if known.is_known:
            return unknown(f"{view.there}: {known.value}")
        return unknown(f"steps towards consumers in {view.there} are not known")
    return _reminded(view, rule)


def _reminded(view: View, rule: ReminderRule) -> Answer:
    if view.file.letters is None:
        level = max(claim.dunning_level for claim in view.case.claims)
        if level == 0 and view.file.reminders_by == "creditor":
            return unknown(f"the creditor reminds debtors; that this one was reminded is not on file ({rule.article})")
        if level == 0:
            return found(f"the creditor's books know of no reminder ({rule.article})", level=rule.evidence)
        return unknown(f"the creditor's books say reminder {level}; its day and text are not on file ({rule.article})")
    reminders = [letter for letter in view.file.letters if letter.kind == "reminder"]
    first = min(reminders, key=lambda letter: letter.sent_on, default=None)
    if first is None:
        return found(f"no reminder is on file ({rule.article})", level=rule.evidence)
    wait = wait_after(rule, first.sent_on, first.channel, view.debtor_country)
    if view.as_of < wait.charge_from:
        return found(
            f"reminder of {first.sent_on}: the wait lasts until {wait.last_on} ({rule.article})",
            severity=Severity.HIGH, deadline_on=wait.charge_from, level=rule.evidence,
        )  # fmt: skip
    return CLEAR


def terms_to_consumer(view: View) -> Answer:
    """CON-02: the court may ask for the contract of a consumer."""
    if not view.is_consumer or view.file.instrument != "epo":
        return NOT_APPLICABLE
    if view.file.documents is None:
        return unknown("which documents there are is not known")
    return CLEAR if view.has("contract") else found("no contract is on file")


# --- partner --------------------------------------------------------------------------------------


def licence(view: View) -> Answer:
    """LIC-01: what the debtor's country asks of an agency, against what the partner has recorded."""
    partner = view.file.partner
    if partner is None or partner.role != _AGENCY:
        return NOT_APPLICABLE
    duty = view.fact(view.debtor_country, Topic.LICENCE_DUTY)
    if duty.code == "barred":
        return found(f"{view.debtor_country}: {duty.value}", level=duty.evidence)
    if partner.licences is not None and _is_licensed(view, partner):
        return CLEAR
    if duty.code == "none" or (duty.code == "required_b2c" and not view.is_consumer):
        return CLEAR
    if not duty.is_known or duty.code in ("unclear", "declaration", "reserved_acts", "required_consumer_credit"):
        said = duty.value or "not known"
        return unknown(f"licence duty of {view.there}: {said}; the profile shows no licence")
    if partner.licences is None:
        return unknown(f"{view.debtor_country}: {duty.value}; the partner's licences are not recorded")
    said = f"{view.debtor_country}: {duty.value}; no licence in force for {view.case.segment}"
    return found(said, level=duty.evidence)


def _is_licensed(view: View, partner: PartnerFacts) -> bool:
    return any(
        held.country == view.debtor_country
        and (not held.segments or view.case.segment in held.segments)
        and (held.expires_on is None or held.expires_on >= view.as_of)
        for held in partner.licences or ()
    )


def data_transfer(view: View) -> Answer:
    """GDP-01: the country where the partner works on the data, seen from the European Economic Area."""
    partner = view.file.partner
    if partner is None:
        return NOT_APPLICABLE
    where = partner.country or view.debtor_country
    home = view.fact(view.creditor_country, Topic.TRANSFER_BASIS)
    if where and where == view.creditor_country:
        return CLEAR
    if home.is_known and home.code != "eea":
        return unknown(f"the creditor is in {view.creditor_country}: its own law on transfers is not in the atlas")
    basis = view.fact(where, Topic.TRANSFER_BASIS)
    if basis.code in ("eea", "adequate") or partner.has_signed_clauses:
        return CLEAR
    said = f"{where or 'an unknown country'}: {basis.value or 'not known'}"
    if basis.code == "none" and partner.has_signed_clauses is False:
        return found(f"{said}; no clauses are signed", level=basis.evidence)
    return unknown(f"{said}; whether clauses are signed is not recorded")


# --- sanctions and steps before a suit ------------------------------------------------------------


def sanctions(view: View) -> Answer:
    """SAN-01: the answer of a screening; without one nobody knows."""
    if view.file.is_sanctioned:
        return found(f"a screening on {view.file.sanctions_asked_on or 'an unknown day'} hit")
    if view.file.sanctions_asked_on is None:
        return unknown("the parties were not screened against sanctions lists")
    return CLEAR


def step_before_suit(view: View) -> Answer:
    """ADR-01: what the court's country asks for before a suit."""
    if not view.is_before_court:
        return NOT_APPLICABLE
    duty = view.fact(view.forum, Topic.PRE_ACTION)
    where = view.forum or "an unknown country"
    if any(letter.kind == "pre_action" for letter in view.file.letters or ()):
        return CLEAR
    if not duty.is_known:
        return unknown(f"whether {where} asks for a step before a suit is not known")
    if view.file.letters is None:
        return unknown(f"{where}: {duty.value}; whether it was done is not on file")
    return found(f"{where}: {duty.value}; not on file", level=duty.evidence)
