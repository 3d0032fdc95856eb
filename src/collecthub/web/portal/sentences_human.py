"""Sentences for the facts of the human part: scores, plans, objections, proceedings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Protocol

Fact = Mapping[str, Any]


class Teller(Protocol):
    """What these sentences ask of the one who tells."""

    def amount(self, value: Decimal) -> str:
        """The amount in the case's currency."""
        ...

    def invoice(self, claim_id: str) -> str:
        """The invoice of a claim."""
        ...


def _words(code: str) -> str:
    return str(code).replace("_", " ")


def _scored(fact: Fact, telling: Teller) -> str:
    score = fact["score"]
    chance = f"{Decimal(score['chance']) * 100:.0f} %"
    return f"The chance of payment was put at {chance} ({_words(score['band'])}) by {score['model']}, {_words(score['occasion'])}."


def _overruled(fact: Fact, telling: Teller) -> str:
    return f"A person overruled the score: {_words(fact['band'])}."


def _checked(fact: Fact, telling: Teller) -> str:
    check = fact["check"]
    return f"Solvency was looked up in {check['source']}: {_words(check['verdict'])}. {check['text']}".strip()


def _proposed(fact: Fact, telling: Teller) -> str:
    parts = fact["instalments"]
    total = sum((one["amount"] for one in parts), Decimal(0))
    person = f" A person must decide: {'; '.join(fact['exceeded'])}." if fact["exceeded"] else ""
    return (
        f"The {fact['proposed_by']} proposed a plan: {len(parts)} instalments from {parts[0]['due_on']} to "
        f"{parts[-1]['due_on']}, {telling.amount(total)} in all.{person}"
    )


def _agreed(fact: Fact, telling: Teller) -> str:
    return f"The payment plan was agreed. {' '.join(fact['agreements'])}".strip()


def _met(fact: Fact, telling: Teller) -> str:
    return f"Instalment {fact['number']} of {telling.amount(fact['amount'])} is paid."


def _reversed(fact: Fact, telling: Teller) -> str:
    return f"The payment of instalment {fact['number']} was taken back."


def _missed(fact: Fact, telling: Teller) -> str:
    return (
        f"Instalment {fact['number']}, due on {fact['due_on']}, lacks {telling.amount(fact['missing'])}; "
        "the reminder is free of charge."
    )


def _halfway(fact: Fact, telling: Teller) -> str:
    return f"Half of the plan is paid: {telling.amount(fact['paid'])}."


def _statement(fact: Fact, telling: Teller) -> str:
    return f"The settlement before the last instalment is due; {telling.amount(fact['remaining'])} remains until {fact['last_due_on']}."


def _disputed(fact: Fact, telling: Teller) -> str:
    of = telling.invoice(fact["claim_id"]) if fact["claim_id"] else "the case"
    return f"{telling.amount(fact['amount'])} of {of} is disputed; the rest goes on."


def _evidence_asked(fact: Fact, telling: Teller) -> str:
    return f"Evidence was asked for by {fact['due_on']}."


def _decided(fact: Fact, telling: Teller) -> str:
    right = f"; the debtor is right about {telling.amount(fact['upheld'])}" if fact["upheld"] else ""
    return f"The dispute was decided: {_words(fact['decision'])}{right}."


def _complained(fact: Fact, telling: Teller) -> str:
    return f"The debtor complained; the answer is due by {fact['answer_by_on']}."


def _explained(fact: Fact, telling: Teller) -> str:
    return f"Why the debtor does not pay: {_words(fact['reason'])}."


def _hardship(fact: Fact, telling: Teller) -> str:
    until = f" until {fact['until_on']}" if fact.get("until_on") else ""
    return f"The debtor is protected ({_words(fact['hardship'])}){until}: everything stopped."


def _referred(fact: Fact, telling: Teller) -> str:
    return f"The debtor was shown the way to {fact['service']}."


def _approval_asked(fact: Fact, telling: Teller) -> str:
    step = f"The creditor was asked to allow a {_words(fact['step'])} step"
    if fact["estimate"] is None:
        return f"{step}. What it will cost is not known: he says what it may cost at most."
    return f"{step}: about {telling.amount(fact['estimate'])}, at most {telling.amount(fact['cap'])}."


def _approval_decided(fact: Fact, telling: Teller) -> str:
    return f"The cost was allowed up to {telling.amount(fact['cap'])}." if fact["is_given"] else "The cost was refused."


def _begun(fact: Fact, telling: Teller) -> str:
    limit = f" {fact['deadline_for']}: by {fact['deadline_on']}." if fact.get("deadline_on") else ""
    at = f" ({fact['authority']} {fact['reference']})".rstrip().replace("( )", "") if fact["authority"] else ""
    return f"A proceeding began on {fact['began_on']}: {_words(fact['proceeding'])}{at}.{limit}"


def _moved(fact: Fact, telling: Teller) -> str:
    amount = f", {telling.amount(fact['amount'])}" if fact.get("amount") is not None else ""
    cost = f", at a cost of {telling.amount(fact['cost'])}" if fact["cost"] else ""
    limit = f" {fact['deadline_for']}: by {fact['deadline_on']}." if fact.get("deadline_on") else ""
    return f"Proceeding: {_words(fact['act'])} on {fact['acted_on']}{amount}{cost}; now {_words(fact['state'])}.{limit}"


def _says(text: str) -> Callable[[Fact, Any], str]:
    return lambda fact, telling: text


_TOLD = {
    "plan_confirmation": "The plan was confirmed to the debtor with all agreements",
    "plan_reminder": "The debtor was reminded of the late instalment, free of charge",
    "plan_encouragement": "The debtor was told that half is paid",
    "plan_statement": "The debtor got the overview and the settlement before the last instalment",
}


def _plan_told(fact: Fact, telling: Teller) -> str:
    return f"{_TOLD.get(fact['step'], 'The debtor was told of his plan')}, by {fact['channel']}."


def _shown(fact: Fact, telling: Teller) -> str:
    if fact["what"] == "lines":
        return "The lines of a sensitive claim were looked at."
    return "A document of a sensitive case was opened."


KINDS: Mapping[str, tuple[str, Callable[[Fact, Any], str], str]] = {
    "claims_marked_sensitive": ("note", _says("Claims are sensitive: lines and papers are shown for a stated purpose only."), "reason"),
    "sensitive_need_stated": ("note", _says("A partner needs the papers of the sensitive claims."), "purpose"),
    "sensitive_shown": ("note", _shown, "purpose"),
    "debtor_scored": ("life", _scored, ""),
    "score_overruled": ("life", _overruled, "reason"),
    "contest_answered": ("note", _says("The debtor who contests his score was answered: it stays."), "text"),
    "score_contested": ("note", _says("The debtor contests his score."), "text"),
    "solvency_checked": ("life", _checked, ""),
    "plan_proposed": ("money", _proposed, "note"),
    "plan_agreed": ("hold", _agreed, "reason"),
    "plan_refused": ("life", _says("The proposed plan was refused."), "reason"),
    "instalment_met": ("money", _met, ""),
    "instalment_reversed": ("money", _reversed, ""),
    "instalment_missed": ("money", _missed, ""),
    "plan_halfway": ("money", _halfway, ""),
    "plan_statement_due": ("money", _statement, ""),
    "plan_message_sent": ("life", _plan_told, ""),
    "plan_broken": ("hold", _says("The payment plan is broken."), "reason"),
    "plan_completed": ("money", _says("The payment plan was kept to its end."), ""),
    "plan_ended": ("hold", _says("The payment plan was ended; collection goes on."), "reason"),
    "dispute_raised": ("hold", _disputed, "ground"),
    "evidence_asked": ("note", _evidence_asked, "what"),
    "evidence_given": ("note", _says("Evidence was given."), "text"),
    "dispute_decided": ("hold", _decided, "reason"),
    "complaint_filed": ("hold", _complained, "text"),
    "complaint_answered": ("note", _says("The complaint was answered."), "text"),
    "non_payment_explained": ("note", _explained, "note"),
    "hardship_found": ("hold", _hardship, "note"),
    "referral_made": ("note", _referred, "note"),
    "cost_approval_asked": ("money", _approval_asked, "reason"),
    "cost_approval_decided": ("money", _approval_decided, "reason"),
    "proceeding_begun": ("life", _begun, ""),
    "proceeding_moved": ("life", _moved, "note"),
}
