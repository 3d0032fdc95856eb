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
            return unknown("consumer_steps_read", where=view.debtor_country, text=known.value)
        return unknown("consumer_steps_unknown", where=view.debtor_country)
    return _reminded(view, rule)


def _reminded(view: View, rule: ReminderRule) -> Answer:
    if view.file.letters is None:
        level = max(claim.dunning_level for claim in view.case.claims)
        if level == 0 and view.file.reminders_by == "creditor":
            return unknown("reminded_by_creditor", article=rule.article)
        if level == 0:
            return found("no_reminder_in_books", article=rule.article, level=rule.evidence)
        return unknown("reminder_without_text", number=level, article=rule.article)
    reminders = [letter for letter in view.file.letters if letter.kind == "reminder"]
    first = min(reminders, key=lambda letter: letter.sent_on, default=None)
    if first is None:
        return found("no_reminder", article=rule.article, level=rule.evidence)
    wait = wait_after(rule, first.sent_on, first.channel, view.debtor_country)
    if view.as_of < wait.charge_from:
        return found(
            "reminder_wait", sent=first.sent_on, until=wait.last_on, article=rule.article,
            severity=Severity.HIGH, deadline_on=wait.charge_from, level=rule.evidence,
        )  # fmt: skip
    return CLEAR


def terms_to_consumer(view: View) -> Answer:
    """CON-02: the court may ask for the contract of a consumer."""
    if not view.is_consumer or view.file.instrument != "epo":
        return NOT_APPLICABLE
    if view.file.documents is None:
        return unknown("documents_unknown")
    return CLEAR if view.has("contract") else found("no_contract")


# --- partner --------------------------------------------------------------------------------------


def licence(view: View) -> Answer:
    """LIC-01: what the debtor's country asks of an agency, against what the partner has recorded."""
    partner = view.file.partner
    if partner is None or partner.role != _AGENCY:
        return NOT_APPLICABLE
    duty = view.fact(view.debtor_country, Topic.LICENCE_DUTY)
    if duty.code == "barred":
        return found("licence_barred", where=view.debtor_country, duty=f"licence_{duty.code}", text=duty.value, level=duty.evidence)
    if partner.licences is not None and _is_licensed(view, partner):
        return CLEAR
    if duty.code == "none" or (duty.code == "required_b2c" and not view.is_consumer):
        return CLEAR
    if not duty.is_known or duty.code in ("unclear", "declaration", "reserved_acts", "required_consumer_credit"):
        return unknown("licence_unclear", where=view.debtor_country, duty=f"licence_{duty.code or 'not_known'}", text=duty.value or "not known")
    if partner.licences is None:
        return unknown("licences_not_recorded", where=view.debtor_country, duty=f"licence_{duty.code}", text=duty.value)
    return found(
        "no_licence", where=view.debtor_country, duty=f"licence_{duty.code}", text=duty.value, segment=view.case.segment, level=duty.evidence
    )


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
        return unknown("transfer_law_unknown", where=view.creditor_country)
    basis = view.fact(where, Topic.TRANSFER_BASIS)
    if basis.code in ("eea", "adequate") or partner.has_signed_clauses:
        return CLEAR
    said = {"where": where, "basis": f"transfer_{basis.code or 'not_known'}", "text": basis.value or "not known"}
    if basis.code == "none" and partner.has_signed_clauses is False:
        return found("transfer_without_clauses", said, level=basis.evidence)
    return unknown("transfer_clauses_unknown", said)


# --- sanctions and steps before a suit ------------------------------------------------------------


def sanctions(view: View) -> Answer:
    """SAN-01: the answer of a screening; without one nobody knows."""
    if view.file.is_sanctioned:
        return found("screening_hit", on=view.file.sanctions_asked_on or "")
    if view.file.sanctions_asked_on is None:
        return unknown("not_screened")
    return CLEAR


def step_before_suit(view: View) -> Answer:
    """ADR-01: what the court's country asks for before a suit."""
    if not view.is_before_court:
        return NOT_APPLICABLE
    duty = view.fact(view.forum, Topic.PRE_ACTION)
    if any(letter.kind == "pre_action" for letter in view.file.letters or ()):
        return CLEAR
    if not duty.is_known:
        return unknown("pre_action_unknown", where=view.forum)
    if view.file.letters is None:
        return unknown("pre_action_open", where=view.forum, text=duty.value)
    return found("pre_action_missing", where=view.forum, text=duty.value, level=duty.evidence)
