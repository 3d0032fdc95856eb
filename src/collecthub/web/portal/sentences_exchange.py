"""Sentences for facts of the exchange with partners."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from collecthub.web.portal.words import spoken

Fact = Mapping[str, Any]

_CLOCKS = {
    "sent_hours": "sending", "received_hours": "receipt", "validated_hours": "the check", "accepted_hours": "a decision",
    "acted_hours": "the first act", "heard_hours": "news", "result_hours": "a result", "changed_hours": "a change",
    "stopped_minutes": "a stop",
}  # fmt: skip
_REFUSED = {
    "recall": "The holder refuses to stop", "balance": "The holder refuses the new balance",
    "suspend": "The holder refuses to pause", "resume": "The holder refuses to go on",
}  # fmt: skip


def _clocks(fact: Fact, _telling: object) -> str:
    parts = [
        f"{_CLOCKS[name]} within {value} {name.rpartition('_')[2]}" for name, value in fact["clocks"].items() if name in _CLOCKS
    ]
    return f"Agreed with the partner: {', '.join(parts)}."


def _validated(fact: Fact, _telling: object) -> str:
    reference = f" Their reference is {fact['holder_ref']}." if fact.get("holder_ref") else ""
    return f"The partner's system found the case file valid.{reference}"


def _refused(fact: Fact, _telling: object) -> str:
    return f"{_REFUSED.get(fact['code'], spoken(fact['code']))} ({fact['reason_code']}).{wrong_elements(fact)}"


def wrong_elements(fact: Fact) -> str:
    """What a refusal says of single elements of the message, if it names any.

    >>> wrong_elements({"faults": [{"element": "Claim[2]/DueOn", "code": "date", "reason": "lies ahead"}]})
    ' Wrong: Claim[2]/DueOn (date) lies ahead.'
    """
    told = [" ".join(filter(None, (one["element"], f"({one['code']})", one["reason"]))) for one in fact.get("faults", ())]
    return f" Wrong: {'; '.join(told)}." if told else ""


KINDS: Mapping[str, tuple[str, Callable[[Fact, Any], str], str]] = {
    "clocks_agreed": ("holder", _clocks, ""),
    "case_validated": ("holder", _validated, ""),
    "amendment_refused": ("holder", _refused, "reason"),
}
