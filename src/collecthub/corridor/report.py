"""Room 3 of BACK: tell the creditor's side through the `CaseReporter` port, in one plain sentence."""

from __future__ import annotations

from collecthub.model import event as ev
from collecthub.model.case import Case
from collecthub.model.money import Money
from collecthub.ports import CaseReport, CaseReporter, Receipt


def report(reporter: CaseReporter, message: CaseReport) -> Receipt:
    """Tell it. The port's errors say whether it is tried again."""
    return reporter.report(message)


def sentence(case: Case, event: ev.CaseEvent) -> str:
    """What happened, for a person who knows the invoices but not the hub."""
    fact = event.fact
    partner = case.placement.partner_name if case.placement else "the partner"
    match fact:
        case ev.CaseSent():
            what = f"handed to {partner} for {Money(fact.principal, case.currency)}"
        case ev.CaseAccepted():
            what = f"accepted by {partner} as {fact.holder_ref}"
        case ev.CaseRefused():
            what = f"refused by {partner}: {fact.reason or fact.code}"
        case ev.PaymentReported():
            verb = "gave back" if fact.amount < 0 else "received"
            what = f"{partner} {verb} {Money(abs(fact.amount), case.currency)}"
        case ev.CostReported():
            what = f"cost {Money(fact.amount + fact.tax_amount, case.currency)}, borne by the {fact.bearer.value}"
        case ev.CaseClosed():
            what = f"closed: {fact.outcome.value.replace('_', ' ')}"
        case ev.AmendmentAcknowledged():
            what = f"{partner} confirmed the {fact.code.value}"
        case ev.StatusReported():
            what = f"{partner} reports {fact.meaning.replace('_', ' ')}"
        case _:
            what = event.kind.replace("_", " ")
    return f"Case {case.number}: {what}."
