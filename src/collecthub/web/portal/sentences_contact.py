"""What happened between us and the debtor, told in one sentence per fact."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from collecthub.web.portal.sentences_human import Fact, Teller

_BY = {
    "email": "an e-mail", "letter": "a letter", "sms": "a text message", "phone": "a phone call", "visit": "a visit",
}  # fmt: skip


def _agreed(fact: Fact, telling: Teller) -> str:
    policy = fact["policy"]
    return f"{len(policy['steps'])} steps were agreed before a hand-over ({policy['name']})."


def _queued(fact: Fact, telling: Teller) -> str:
    return f"{_BY[fact['channel']].capitalize()} is due: {fact['step']}."


def _made(fact: Fact, telling: Teller) -> str:
    outcome = f" It came to: {fact['outcome'].replace('_', ' ')}." if fact.get("outcome") else ""
    return f"The debtor got {_BY[fact['channel']]} ({fact['step']}) that asks for {telling.amount(fact['asked'])}.{outcome}"


def _not_made(fact: Fact, telling: Teller) -> str:
    ends = "did not leave and is not tried again" if fact["is_taken"] else "did not leave"
    return f"{fact['step']} {ends}."


def _over(fact: Fact, telling: Teller) -> str:
    return f"The {fact['steps']} agreed steps are taken; the case may be handed over."


def _returned(fact: Fact, telling: Teller) -> str:
    again = "; the step is taken another way" if fact["is_undone"] else ""
    return f"{_BY[fact['channel']].capitalize()} ({fact['step']}) came back{again}."


def _answered(fact: Fact, telling: Teller) -> str:
    return f"The debtor answered {_BY[fact['channel']]}."


def _lost(fact: Fact, telling: Teller) -> str:
    return f"The debtor is not reached by {_BY[fact['channel']]} any more."


def _withdrawn(fact: Fact, telling: Teller) -> str:
    return f"The debtor does not want {_BY[fact['channel']]} any more; other channels go on."


def _given(fact: Fact, telling: Teller) -> str:
    return f"The debtor may be sent {_BY[fact['channel']]} again."


def _appointment(fact: Fact, telling: Teller) -> str:
    return f"The debtor asks for {_BY[fact['by']]} on {fact['on']}, in the {fact['part']}."


def _helper(fact: Fact, telling: Teller) -> str:
    return f"The debtor lets {fact['name']} help him until {fact['until_on']}: amounts and proposals only."


KINDS: Mapping[str, tuple[str, Callable[[Fact, Teller], str], str]] = {
    "contact_agreed": ("life", _agreed, ""),
    "contact_queued": ("holder", _queued, ""),
    "contact_made": ("holder", _made, ""),
    "contact_not_made": ("holder", _not_made, "reason"),
    "contact_over": ("life", _over, ""),
    "contact_returned": ("holder", _returned, "reason"),
    "contact_answered": ("note", _answered, "text"),
    "contact_limit_reached": ("hold", lambda fact, telling: "An agreed limit of collection is reached.", "detail"),
    "channel_lost": ("holder", _lost, "reason"),
    "consent_withdrawn": ("note", _withdrawn, ""),
    "consent_given": ("note", _given, ""),
    "appointment_asked": ("note", _appointment, "text"),
    "helper_admitted": ("note", _helper, ""),
    "helper_ended": ("note", lambda fact, telling: "The debtor took his helper's access back.", ""),
}
