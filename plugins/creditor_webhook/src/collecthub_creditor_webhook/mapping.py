"""From a case event to the webhook's body; pure, and the same bytes for the same report."""

from __future__ import annotations

from typing import Any

import msgspec

from collecthub.sdk import (
    CaseReport,
    CollecthubError,
    ConfigurationError,
    GoneError,
    RetryableError,
    UnsettledError,
)

# Parts of a fact that a creditor's system can act on. Free texts and references to people stay out.
_TOLD = (
    "amount",
    "tax_amount",
    "payment_ref",
    "reverses_ref",
    "cost_ref",
    "cost_type",
    "bearer",
    "received_on",
    "occurred_on",
    "meaning",
    "code",
    "outcome",
    "remaining",
    "holder_ref",
    "partner_name",
    "route",
    "next_deadline_on",
)


# Of a case, what a partner has no purpose for.
_NOT_FOR_PARTNERS = frozenset({"debtor_ref", "outcome"})


def webhook_body(report: CaseReport, *, to_partner: bool = False) -> bytes:
    """The JSON that is posted. Of the debtor it names nothing but the name and, to the creditor, his own reference."""
    case, event = report.case, report.event
    fact = msgspec.to_builtins(event.fact)
    data: dict[str, Any] = {
        "case_id": case.case_id,
        "number": case.number,
        "status": case.status,
        "phase": case.phase,
        "outcome": case.outcome,
        "balance": case.balance.total,
        "currency": case.currency,
        "debtor_name": case.debtor.name,
        "debtor_ref": report.debtor_ref,
        "text": report.text,
        "occurred_at": event.occurred_at,
        "event": {name: fact[name] for name in _TOLD if fact.get(name)},
    }
    content = {
        "id": report.report_id,
        "type": f"case.{event.kind}",
        "timestamp": event.recorded_at,
        "data": {name: value for name, value in data.items() if not to_partner or name not in _NOT_FOR_PARTNERS},
    }
    return msgspec.json.encode(content)


def refusal(status: int, retry_after: float | None) -> CollecthubError:
    """The error for an answer that is no success (Standard Webhooks 1.0.0: 3xx is a failure, 410 ends it).

    Only "come back later" speaks for the whole endpoint; any other refusal is about this message, and the messages on
    other cases do not wait for it.
    """
    message = f"the endpoint answered HTTP {status}"
    if status == 410:
        return GoneError(
            f"disabled: {message}", cure="The endpoint wants no more webhooks; enter a new one or remove it."
        )
    if 300 <= status < 400:
        return ConfigurationError(message, cure="Redirects are not followed: enter the endpoint's final address.")
    kind = RetryableError if status in (429, 503) else UnsettledError
    return kind(message, cure="It is tried again by itself.", retry_after_seconds=retry_after)
